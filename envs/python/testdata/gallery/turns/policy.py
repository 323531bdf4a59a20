"""Adds one each time, and prints what it learns."""


class One:
    def predict(self, observation, action_mask=None):
        assert action_mask is not None and "action_mask" in observation
        return 0

    def update(self, *, state, action, reward, done, next_state):
        role = __name__.split("_")[1]
        print(role, state["observation"][0], action, reward, done, next_state["observation"][0])


policy = One()

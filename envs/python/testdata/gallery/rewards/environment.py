"""Two roles: rewards are None first, then a dict; left ends before right."""


class Rewards:
    def reset(self, seed=None):
        self.count = 0
        self.seed = seed
        return {"left": 0, "right": 100}, {"left": {"seed": seed}, "right": {}}

    def step(self, actions):
        self.count += 1
        print("order", list(actions))
        observation = {"left": self.count, "right": 100 + self.count}
        reward = None if self.count == 1 else {"left": 1, "right": -1}
        ended = {"left": self.count >= 2, "right": self.count >= 3}
        return observation, reward, ended, {"left": False, "right": False}, {}

    def render(self):
        return None


environment = Rewards

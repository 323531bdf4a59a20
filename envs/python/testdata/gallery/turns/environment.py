"""For a gallery: the two act at once."""


class Both:
    possible_agents = ["first", "second"]

    def reset(self):
        return {"first": 0, "second": 0}, {}

    def step(self, actions):
        return {"first": 1, "second": 1}, {"first": 1, "second": -1}, True, False, {}

    def render(self):
        return None


environment = Both

"""Plans in an environment of its own: the file is executed a second time."""

import environment

assert "environment" in __import__("sys").modules


class Planner:
    def __init__(self):
        self.model = environment.environment()
        self.model.reset()

    def predict(self, observation):
        self.model.place = observation
        after, _, _, _, _ = self.model.step({"agent_0": 1})
        return 1 if after < observation else 2


policy = Planner

"""Rewards that are no finite numbers, and infos that cannot be pickled."""


class Odd:
    def reset(self):
        self.count = 0
        return 0, {"reset": lambda: None}

    def step(self, actions):
        self.count += 1
        reward = {"agent_0": float("nan"), "agent_1": float("-inf") if self.count == 1 else 1}
        return self.count, reward, False, False, {"step": lambda: None}


environment = Odd

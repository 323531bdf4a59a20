"""reset returns an observation, step four values."""


class Old:
    def reset(self):
        self.count = 0
        return 0

    def step(self, actions):
        self.count += 1
        return self.count, 1, self.count == 2, {}

    def render(self, mode="rgb_array"):
        return [[[1, 2, 3]] * 4] * 4


environment = Old

"""A walk on a line of five places: from the middle to either end."""


class Line:
    def __init__(self, length=5, colour=200):
        self.length, self.colour = length, colour

    def reset(self):
        self.place = self.length // 2
        return self.place, {"place": self.place}

    def step(self, actions):
        action = actions["agent_0"]
        self.place += {1: -1, 2: 1}.get(action, 0)
        self.place = min(max(self.place, 0), self.length - 1)
        at_end = self.place in (0, self.length - 1)
        return self.place, 1.0 if at_end else 0.0, at_end, False, {"place": self.place}

    def render(self):
        # nested lists, so that it needs no package
        return [[[self.colour if x == self.place else 0] * 3 for x in range(self.length)] for _ in range(2)]


environment = Line

print("environment executed as", __name__)

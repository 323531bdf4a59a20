"""Frozen Lake, 4 by 4, without slipping: reach the far corner, avoid the holes."""

import random

HOLES = (5, 7, 11, 12)
MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0))  # left, down, right, up


class Lake:
    metadata = {"render_fps": 5}

    def __init__(self, slip=0.0):
        self.slip = slip

    def reset(self, seed=None):
        self.random = random.Random(seed)
        self.place, self.count = 0, 0
        return self.place, {}

    def step(self, actions):
        action = int(actions["agent_0"])
        if self.random.random() < self.slip:
            action = self.random.randrange(4)
        row, column = divmod(self.place, 4)
        row = min(max(row + MOVES[action][0], 0), 3)
        column = min(max(column + MOVES[action][1], 0), 3)
        self.place = 4 * row + column
        self.count += 1
        reward = 1.0 if self.place == 15 else 0.0
        return self.place, reward, self.place == 15 or self.place in HOLES, self.count >= 100, {}

    def render(self):
        def colour(i):
            return (255, 0, 0) if i == self.place else (0, 0, 90) if i in HOLES else (0, 200, 0) if i == 15 else (220, 240, 255)

        # 8 by 8 pixels for each place
        return [[colour(4 * (y // 8) + x // 8) for x in range(32)] for y in range(32)]


environment = Lake

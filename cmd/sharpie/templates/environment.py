"""NAME: a small grid world.

SHARPIE runs this file as it is, once for each episode, and takes the object that is
called `environment` at its end. Everything that is printed goes to the episode's log.
Check what you change with:  sharpie import FOLDER --check
"""

import numpy as np

SIZE = 6  # cells on each side
CELL = 40  # pixels on each side of a cell
ROLE = "agent"  # the same as agents: role: in config.yaml

# What each action does: (rows, columns).
MOVES = {1: (0, -1), 2: (0, 1), 3: (-1, 0), 4: (1, 0)}  # left, right, up, down
NOTHING = 0


class Environment:
    """Walk to the goal. Every step costs a little, a wall is only a wall."""

    def __init__(self, size=SIZE, max_steps=100):
        # Arguments come from environment: metadata: in config.yaml.
        self.size = size
        self.max_steps = max_steps
        # Draw at random from this alone: it is seeded for each episode, so that a
        # recorded episode can be repeated.
        self.random = np.random.default_rng()

    def reset(self, seed=None):
        """Begin an episode: what the roles see, and whatever you like to know besides."""
        self.random = np.random.default_rng(seed)
        self.steps = 0
        self.at = [0, 0]
        self.goal = [self.size - 1, int(self.random.integers(self.size))]
        return self.observe(), {}

    def step(self, actions):
        """Take one step. `actions` is a dict from role to action, or to None."""
        action = actions.get(ROLE)
        row, column = MOVES.get(action, (0, 0))
        self.at = [
            min(max(self.at[0] + row, 0), self.size - 1),
            min(max(self.at[1] + column, 0), self.size - 1),
        ]
        self.steps += 1
        terminated = self.at == self.goal  # the task is over
        truncated = self.steps >= self.max_steps  # it was only cut short
        reward = 1.0 if terminated else -0.01
        return self.observe(), reward, terminated, truncated, {"steps": self.steps}

    def observe(self):
        """What a policy sees, and what is recorded: where the agent is, and the goal.
        For several roles return a dict from role to observation."""
        return np.array(self.at + self.goal, dtype=np.int64)

    def render(self):
        """The picture that people see: height x width x 3, red, green and blue, 0 to 255."""
        picture = np.full((self.size * CELL, self.size * CELL, 3), 245, dtype=np.uint8)
        picture[::CELL, :] = picture[:, ::CELL] = 215  # the lines between cells
        self.fill(picture, self.goal, (60, 160, 90))
        self.fill(picture, self.at, (50, 90, 200))
        return picture

    @staticmethod
    def fill(picture, cell, colour):
        top, left = cell[0] * CELL + 5, cell[1] * CELL + 5
        picture[top : top + CELL - 9, left : left + CELL - 9] = colour


environment = Environment

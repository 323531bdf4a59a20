"""A file whose observations are of many kinds at once: bits, counts, words, pixels, pairs."""

import gymnasium
import numpy
from gymnasium import spaces


class Spaces(gymnasium.Env):
    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(self, steps=30):
        self.observation_space = spaces.Dict(
            {
                "bits": spaces.MultiBinary(4),
                "counts": spaces.MultiDiscrete([3, 4]),
                "word": spaces.Text(8, charset="abc"),
                "pixels": spaces.Box(0, 255, (2, 3), dtype=numpy.uint8),
                "pair": spaces.Tuple((spaces.Discrete(5, start=-2), spaces.Box(-1.0, 1.0, (2,), dtype=numpy.float64))),
            }
        )
        self.action_space = spaces.Discrete(3)
        self.steps = steps
        self.count = 0

    def _seen(self):
        draw = self.np_random
        return {
            "bits": draw.integers(0, 2, 4).astype(numpy.int8),
            "counts": draw.integers(0, [3, 4]).astype(numpy.int64),
            "word": "abc"[: 1 + int(draw.integers(3))],
            "pixels": draw.integers(0, 256, (2, 3)).astype(numpy.uint8),
            "pair": (int(draw.integers(-2, 3)), draw.uniform(-1, 1, 2)),
        }

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count = 0
        return self._seen(), {}

    def step(self, action):
        if not self.action_space.contains(action["agent_0"]):
            raise ValueError(f"not an action of {self.action_space}: {action!r}")
        self.count += 1
        return self._seen(), 1.0, False, self.count >= self.steps, {"count": self.count}

    def render(self):
        picture = numpy.zeros((16, 16, 3), numpy.uint8)
        picture[:, : min(self.count, 16)] = (200, 100, 0)
        return picture


def environment(**kwargs):
    return Spaces(**kwargs)

"""An environment with every kind of space; imported, it registers spaces_every/Every-v0."""

import gymnasium
import numpy as np
from gymnasium import spaces


class Every(gymnasium.Env):
    metadata = {"render_modes": ["rgb_array"], "render_fps": 12}

    def __init__(self, action="box", render_mode=None):
        self.render_mode = render_mode
        self.observation_space = spaces.Dict(
            {
                "picture": spaces.Box(0, 255, (3, 4, 3), np.uint8),
                "numbers": spaces.Box(-np.inf, np.inf, (2,), np.float32),
                "whole": spaces.Box(np.array([-3, 0]), np.array([3, 9]), dtype=np.int16),
                "flags": spaces.MultiBinary(3),
                "dials": spaces.MultiDiscrete([2, 5]),
                "pair": spaces.Tuple((spaces.Discrete(4, start=-1), spaces.Text(8, min_length=0))),
            }
        )
        self.action_space = {
            "box": spaces.Box(-1.0, 1.0, (2,), np.float32),
            "dict": self.observation_space,
            "dials": spaces.MultiDiscrete([3, 3]),
            "flags": spaces.MultiBinary(2),
            "text": spaces.Text(8),
            "discrete": spaces.Discrete(3, start=5),
            "pair": spaces.Tuple((spaces.Discrete(2), spaces.Box(0, 1, (), np.float64))),
            "sequence": spaces.Sequence(spaces.Discrete(2)),
        }[action]

    def observe(self):
        self.observation_space.seed(int(self.np_random.integers(1 << 30)))
        return self.observation_space.sample()

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.count = 0
        return self.observe(), {}

    def step(self, action):
        self.count += 1
        legal = True
        if not isinstance(action, int) or isinstance(self.action_space, spaces.Discrete):
            legal = self.action_space.contains(action)
        return self.observe(), 0.0, self.count >= 5, False, {"legal": bool(legal), "type": type(action).__name__}

    def render(self):
        return np.full((8, 8, 3), self.count, dtype=np.uint8)


gymnasium.register("spaces_every/Every-v0", Every, max_episode_steps=20)

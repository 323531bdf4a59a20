"""Pictures with negative strides, whose colours are turned round."""

import numpy as np


class Colours:
    def reset(self):
        self.count = 0
        return np.array([0]), {}

    def step(self, actions):
        self.count += 1
        # numpy's truth values, as many environments return them
        done = np.array([self.count])[0] >= 3
        return np.array([self.count]), np.float32(0.5), done, np.bool_(False), {"done": done}

    def render(self):
        picture = np.zeros((4, 6, 3), dtype=np.uint8)
        picture[0, 0] = (255, 10, 0)  # red, in the upper left
        return picture[..., ::-1]


environment = Colours()

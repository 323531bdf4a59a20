"""Random numbers: policies change nothing of what an environment draws, nor it of theirs."""

import os
import random
import sys
import tempfile

from cases import Case, needs
from drive import HERE, lesson

ENVIRONMENT = """
import random
try:
    import numpy as np
except ImportError:
    np = None

class Draws:
    def __init__(self, quiet=False):
        self.quiet = quiet
    def draw(self):
        if self.quiet:
            return [0]
        out = [random.random(), random.gauss(0, 1)]
        if np is not None and self.count % 3:
            out += [np.random.rand(), np.random.randn()]
        return out
    def reset(self):
        self.count = 0
        return self.draw(), {}
    def step(self, actions):
        self.count += 1
        return self.draw(), 0, False, False, {}
    def render(self):
        random.random()

environment = Draws
"""

POLICY = """
import random
try:
    import numpy as np
except ImportError:
    np = None

class Draws:
    def __init__(self, way):
        self.way, self.count = way, 0
    def draw(self):
        self.count += 1
        if self.way == "none":
            return None
        if self.way == "random" or np is None:
            return random.gauss(0, 1), random.random()
        if self.way == "rare" and self.count % 4:
            return None
        if self.way == "seed":
            np.random.seed(self.count)
            random.seed(self.count)
        if self.way == "state":
            state = np.random.get_state()
            np.random.randn(3)
            np.random.set_state(state)
        if self.way == "bits" and hasattr(np.random, "set_bit_generator") and self.count == 3:
            np.random.set_bit_generator(np.random.PCG64(1))
        return np.random.rand(), np.random.randn(1 + self.count % 2).tolist()
    def predict(self, observation):
        print(self.draw())
        return 0
    def update(self, *transition):
        print(self.draw())

policy = Draws
"""


class Streams(Case):
    def episode(self, way, quiet=False):
        """What the environment drew, and what the policy did."""
        d = self.start()
        with tempfile.TemporaryDirectory() as root:
            for name, text in (("environment.py", ENVIRONMENT), ("policy.py", POLICY)):
                with open(os.path.join(root, name), "w") as f:
                    f.write(text)
            d.load(root=root, metadata={"$dict": [["quiet", quiet]]})
            if way:
                d.policy(kwargs={"$dict": [["way", way]]})
            drawn = [d.reset()["roles"][0]["observation"]]
            for _ in range(12):
                turn = {"ask": True, "learn": lesson()} if way else {"action": 0}
                drawn.append(d.turn(turn)["roles"][0]["observation"])
            return drawn, d.printed()

    def test_policies_and_environments_draw_apart(self):
        alone, _ = self.episode(None)
        self.assertNotEqual(alone[0], alone[1])
        for way in ("none", "random", "rare", "seed", "state", "normal", "bits"):
            with self.subTest(way):
                drawn, said = self.episode(way)
                self.assertEqual(drawn, alone, "the policy changed what the environment draws")
                self.assertEqual(self.episode(way, quiet=True)[1], said, "the environment changed what the policy draws")


class States(Case):
    """The state of the global generators, by their memory and by their functions."""

    def setUp(self):
        sys.path.insert(0, os.path.dirname(HERE))
        self.addCleanup(sys.path.remove, os.path.dirname(HERE))

    def test_two_draw_as_if_each_were_alone_with_random(self):
        from sharpie_worker.generators import Python

        for mapped in (True, False):
            generator = Python()
            self.assertIsNotNone(generator.view, "the memory of random is not what it was")
            if not mapped:
                generator.view = None
            for trial in range(60):
                self.two(random, random.Random, generator, random.Random(trial), random.getstate, ("random", "gauss", "gauss"), "setstate")

    @needs("numpy")
    def test_two_draw_as_if_each_were_alone_with_numpy(self):
        import numpy as np
        from sharpie_worker.generators import Numpy

        for mapped in (True, False):
            generator = Numpy()
            self.assertIsNotNone(generator.bits, "numpy's memory is not what it was")
            if not mapped:
                generator.bits = None
            for trial in range(60):
                self.two(np.random, np.random.RandomState, generator, random.Random(trial), np.random.get_state, ("rand", "randn", "randn"), "set_state")

    def two(self, module, kind, generator, choice, get_state, draws, set_state):
        alone, kept, saved = [], [], [None, None]
        for seed in (1, 2):
            alone.append(kind(seed))
            module.seed(seed)
            kept.append(generator.take())
        current = 1
        for _ in range(40):
            if choice.random() < 0.6:
                kept[current] = generator.take()
                current = 1 - current
                generator.put(kept[current])
            what = choice.choice(draws + ("nothing", "seed", "save", "back"))
            both = (module, alone[current])
            if what == "seed":
                for g in both:
                    g.seed(7)
            elif what == "save":
                saved[current] = get_state()
            elif what == "back" and saved[current] is not None:
                for g in both:
                    getattr(g, set_state)(saved[current])
            elif what in draws:
                arguments = (0, 1) if what == "gauss" else ()
                self.assertEqual(*(getattr(g, what)(*arguments) for g in both))

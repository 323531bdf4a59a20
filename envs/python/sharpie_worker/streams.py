"""Streams: random numbers, apart for the environment and for each policy.

What a policy draws changes nothing of the environment, so that a replay without policies
is the same; and generators whose maker gave no seed get one that follows from ours.
"""

import hashlib
import importlib.machinery
import random
import sys

from . import np
from .generators import Generators


def fold(seed, bits=31):
    """A seed that every generator takes: small ones as they are, others by their hash."""
    if 0 <= seed < 1 << bits:
        return seed
    digest = hashlib.sha256(str(seed).encode()).digest()
    return int.from_bytes(digest[:8], "little") & ((1 << bits) - 1)


class Streams:
    """Random numbers, apart for the environment ("") and for each policy: what a policy
    draws changes nothing of the environment, so a replay without policies is the same.
    """

    def __init__(self):
        self.seeds = {"": 0}
        self.counts = {}
        self.kept = {}
        self.generators = None  # made for the first policy: it takes a moment
        self.current = ""

    def seed(self, key, seed):
        """Starts the numbers of key anew, and enters it."""
        self.enter(key)
        self.seeds[key] = seed
        self.counts[key] = 0
        random.seed(seed)
        if np is not None:
            np.random.seed(fold(seed, 32))
        self.seed_torch()

    def seed_torch(self):
        torch = sys.modules.get("torch")
        if torch is not None and hasattr(torch, "manual_seed"):
            torch.manual_seed(fold(self.seeds[self.current], 63))

    def enter(self, key):
        if key == self.current:
            return
        if self.generators is None:
            self.generators = Generators()
        self.kept[self.current] = self.generators.take()
        self.current = key
        kept = self.kept.pop(key, None)
        if kept is None:
            return  # new here: seed follows
        if not self.generators.put(kept):
            self.seed_torch()

    def derive(self):
        """A seed for a generator whose maker gave none; another one each time."""
        n = self.counts.get(self.current, 0)
        self.counts[self.current] = n + 1
        text = "%d/%s/%d" % (self.seeds.get(self.current, 0), self.current, n)
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1

    def patch_seeding(self, module):
        """np_random(None) of Gymnasium asks the system for a seed; here it asks us."""
        original = module.np_random
        if getattr(original, "seeded_by_sharpie", False):
            return

        def np_random(seed=None):
            return original(self.derive() if seed is None else seed)

        np_random.seeded_by_sharpie = True
        module.np_random = np_random

    def patch_numpy(self):
        if np is None or not hasattr(np.random, "default_rng"):
            return
        original = np.random.default_rng
        if getattr(original, "seeded_by_sharpie", False):
            return

        def default_rng(seed=None):
            return original(self.derive() if seed is None else seed)

        default_rng.seeded_by_sharpie = True
        default_rng.__doc__ = original.__doc__
        np.random.default_rng = default_rng


class AfterImport:
    """Calls back when a module has been imported, or at once where it is already."""

    def __init__(self):
        self.waiting = {}

    def call(self, name, then):
        if name in sys.modules:
            then(sys.modules[name])
            return
        self.waiting[name] = then
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def find_spec(self, name, path=None, target=None):
        then = self.waiting.pop(name, None)
        if then is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            self.waiting[name] = then
            return None
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            try:
                then(module)
            except Exception as e:
                print("seeding %s failed: %s" % (name, e), file=sys.stderr)

        try:
            spec.loader.exec_module = exec_module
        except AttributeError:
            return None  # a loader without room for it: the module is not seeded
        return spec


streams = Streams()
after_import = AfterImport()

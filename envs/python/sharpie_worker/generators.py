"""Generators: the state of the global ones, taken and put back.

This is done twice in each turn that asks a policy. The functions for it take 130 µs for
both ways, of random and numpy together, and their memory two. So memory is read and
written where it is proven to be what we think it is, and the functions are used elsewhere.
"""

import random
import struct
import sys

from . import np


def memory(address, size):
    """The memory at an address, to read and to write."""
    import ctypes

    return memoryview((ctypes.c_ubyte * size).from_address(address)).cast("B")


class Python:
    """The generator of random: its place and 624 words, and a normal number that waits
    for its turn, since they are made in pairs."""

    def __init__(self):
        self.owner = getattr(random, "_inst", None)
        self.view = None
        if sys.implementation.name == "cpython":  # elsewhere an id is no address
            self._map()

    def _map(self):
        version, words, _ = random.getstate()
        if version != 3 or len(words) != 625:
            return
        known = struct.pack("=i624I", words[-1], *words[:-1])
        view = memory(id(self.owner), type(self.owner).__base__.__basicsize__)
        at = bytes(view).find(known)
        if at > 0:
            self.view = view[at : at + len(known)]

    def take(self):
        if self.view is None or random._inst is not self.owner:
            return random.getstate()
        return self.view.tobytes(), self.owner.gauss_next

    def put(self, taken):
        if type(taken[0]) is not bytes:
            random.setstate(taken)
            return
        self.view[:], self.owner.gauss_next = taken


class Numpy:
    """numpy's global generator: 624 words and its place; and a normal number that waits,
    which is not in the bit generator's memory but in that of the functions' owner."""

    SIZE = 4 * 624 + 4
    MARK = 0.7310585786300049

    def __init__(self):
        self.owner = getattr(getattr(np.random, "mtrand", None), "_rand", None)
        self.get_state, self.set_state = np.random.get_state, np.random.set_state
        self.bits = self.words = self.waiting = None
        if sys.implementation.name == "cpython":
            try:
                self._map()
            except (AttributeError, KeyError, TypeError, ValueError, ImportError):
                self.bits = None  # another numpy than those we know

    def _map(self):
        bits = self.owner._bit_generator
        said = self.get_state(legacy=False)
        if said["bit_generator"] != "MT19937":
            return
        state = said["state"]
        self.words = memory(bits.ctypes.state_address, self.SIZE)
        if bytes(self.words) != state["key"].astype("uint32").tobytes() + struct.pack("=i", state["pos"]):
            return
        # an int that says whether a number waits, padded, and the number
        whole = memory(id(self.owner), type(self.owner).__basicsize__)
        self.set_state(dict(said, has_gauss=1, gauss=self.MARK))
        marked = bytes(whole)
        self.set_state(said)
        at = marked.find(struct.pack("=d", self.MARK)) - 8
        if at > 0 and marked[at : at + 4] == struct.pack("=i", 1) and bytes(whole[at : at + 4]) == struct.pack("=i", said["has_gauss"]):
            self.bits, self.waiting = bits, whole[at : at + 16]

    def take(self):
        bits = getattr(self.owner, "_bit_generator", None)
        if self.bits is None or bits is not self.bits:
            return bits, self.get_state(legacy=False)
        return bits, self.words.tobytes(), self.waiting.tobytes()

    def put(self, taken):
        if getattr(self.owner, "_bit_generator", None) is not taken[0]:
            np.random.set_bit_generator(taken[0])  # as it was replaced
        if len(taken) == 2:
            self.set_state(taken[1])
        else:
            _, self.words[:], self.waiting[:] = taken


class Generators:
    """Those of random, numpy and torch, as far as they are there."""

    def __init__(self):
        self.python = Python()
        self.numpy = Numpy() if np is not None else None

    def take(self):
        """The state of all as it is now, for put alone."""
        torch = sys.modules.get("torch")
        return (
            self.python.take(),
            self.numpy.take() if self.numpy is not None else None,
            torch.get_rng_state() if hasattr(torch, "get_rng_state") else None,
        )

    def put(self, taken):
        """Puts back what take returned. False: torch has come since, and wants a seed."""
        self.python.put(taken[0])
        if self.numpy is not None:
            self.numpy.put(taken[1])
        torch = sys.modules.get("torch")
        if not hasattr(torch, "set_rng_state"):
            return True
        if taken[2] is None:
            return False
        torch.set_rng_state(taken[2])
        return True

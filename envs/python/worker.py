"""The worker: one process that runs researchers' environments and policies.

It is started as ``python -u -X faulthandler worker.py`` with a socket on file
descriptor 3, and answers one request after the other, on one thread. The protocol is
written down in doc.go beside this file; what environments and policies may count on,
in the documentation of their contract. Nothing here must survive the process.

It needs Python 3.8 and the standard library; numpy is used where it is installed.
"""

import ast
import faulthandler
import fcntl
import hashlib
import importlib
import importlib.machinery
import importlib.util
import inspect
import io
import json
import math
import mmap
import os
import pickle
import random
import re
import resource
import shutil
import signal
import socket
import stat
import struct
import sys
import tarfile
import time
import traceback
import types

# Windows that open and devices that sound have no place here. What is set already, stays.
for _name, _value in (
    ("SDL_VIDEODRIVER", "dummy"),
    ("SDL_AUDIODRIVER", "dummy"),
    ("PYGAME_HIDE_SUPPORT_PROMPT", "1"),
    ("MPLBACKEND", "Agg"),
):
    os.environ.setdefault(_name, _value)

try:
    import numpy as np
except Exception:  # absent, or broken: both are no numpy
    np = None

PROTOCOL = 1

# The bounds of a frame of the channel, as on the other side.
MAX_FRAME = 256 << 20
MAX_HEADER = 64 << 20
MAX_BLOBS = 1 << 16
# The other side reads 64 levels of JSON; a dict takes three of them.
MAX_DEPTH = 18
MAX_ITEMS = 1 << 20
# A larger pickle of an opaque object is not hashed: it would cost more than it tells.
MAX_HASHED = 64 << 20
# A state travels in one frame.
MAX_STATE = 200 << 20
MAX_STATE_FILES = 10000
# Up to this size a state is digested after each update.
SMALL_STATE = 64 << 10
MAX_TRACEBACK = 16 << 10
MAX_MESSAGE = 4 << 10
MAX_WARNINGS = 50

U32 = struct.Struct("<I")
PAIR = struct.Struct("<II")

to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode
isfinite = math.isfinite
clock = time.perf_counter_ns


class Fault(Exception):
    """What researchers' code did that the contract does not allow, said in full.

    phase and role are of the moment where they are None; state is for what the other
    side cannot know ("bad_experiment").
    """

    def __init__(self, message, phase=None, role=None, state=None, kind="ContractError"):
        Exception.__init__(self, message)
        self.phase, self.role, self.state, self.kind = phase, role, state, kind


def bad_experiment(message, **more):
    return Fault(message, state="bad_experiment", **more)


# ---------------------------------------------------------------------------
# The channel
# ---------------------------------------------------------------------------


class Channel:
    """Frames over a socket. It is moved away from its descriptor, so that code which
    closes low descriptors, or children of it, do not meet it."""

    def __init__(self, fd):
        own = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 96)
        os.close(fd)
        self.socket = socket.socket(fileno=own)
        self.socket.setblocking(True)
        self.buffer = bytearray(64 << 10)
        self.view = memoryview(self.buffer)
        self.start = self.end = 0

    def read(self):
        """The next frame: its header and its blobs. EOFError at the end."""
        self._fill(8)
        total, size = PAIR.unpack_from(self.buffer, self.start)
        self.start += 8
        left = total - 4 - size
        if total > MAX_FRAME or size > MAX_HEADER or left < 0:
            raise ValueError("a frame of %d bytes with a header of %d" % (total, size))
        if size <= len(self.buffer) - 8:
            self._fill(size)
            head = json.loads(self.view[self.start : self.start + size].tobytes())
            self.start += size
        else:
            head = json.loads(self._exact(size))
        blobs = []
        while left > 0:
            self._fill(4)
            (n,) = U32.unpack_from(self.buffer, self.start)
            self.start += 4
            left -= 4 + n
            if left < 0 or len(blobs) == MAX_BLOBS:
                raise ValueError("a blob is longer than its frame")
            blobs.append(self._exact(n))
        return head, blobs

    def _fill(self, n):
        """Buffers at least n bytes; n is at most the buffer's size."""
        while self.end - self.start < n:
            if self.start:
                rest = self.end - self.start
                self.buffer[:rest] = self.buffer[self.start : self.end]
                self.start, self.end = 0, rest
            got = self.socket.recv_into(self.view[self.end :])
            if not got:
                raise EOFError
            self.end += got

    def _exact(self, n):
        """The next n bytes, in memory of their own."""
        out = bytearray(n)
        have = min(n, self.end - self.start)
        out[:have] = self.view[self.start : self.start + have]
        self.start += have
        view = memoryview(out)
        while have < n:
            got = self.socket.recv_into(view[have:])
            if not got:
                raise EOFError
            have += got
        return out

    def write(self, head, blobs):
        """Sends a frame. Large blobs are sent from where they are."""
        size = len(head)
        if not blobs:
            self.socket.sendall(PAIR.pack(4 + size, size) + head)
            return
        total = 4 + size + 4 * len(blobs) + sum(map(len, blobs))
        if total > MAX_FRAME or size > MAX_HEADER or len(blobs) > MAX_BLOBS:
            raise Fault(
                "the answer has %d MiB in %d arrays: allowed are %d MiB and %d arrays"
                % (total >> 20, len(blobs), MAX_FRAME >> 20, MAX_BLOBS)
            )
        pieces, small = [], [PAIR.pack(total, size), head]
        for blob in blobs:
            small.append(U32.pack(len(blob)))
            if len(blob) <= 4096:
                small.append(blob)
                continue
            pieces.append(b"".join(small))
            pieces.append(blob)
            small = []
        if small:
            pieces.append(b"".join(small))
        self._send(pieces)

    def _send(self, pieces):
        if len(pieces) == 1:
            self.socket.sendall(pieces[0])
            return
        views = [memoryview(p) for p in pieces]
        at = 0
        while at < len(views):
            sent = self.socket.sendmsg(views[at : at + 512])
            while at < len(views) and sent >= len(views[at]):
                sent -= len(views[at])
                at += 1
            if sent:
                views[at] = views[at][sent:]

    def forget(self):
        """Closes it in a child, which shares it otherwise."""
        os.close(self.socket.detach())


# ---------------------------------------------------------------------------
# Progress: what is under way, for whoever finds this process dead
# ---------------------------------------------------------------------------

PHASES = {"load": 1, "reset": 2, "step": 3, "render": 4, "act": 5, "update": 6, "checkpoint": 7, "close": 8}


class Progress:
    """The phase and the role under way. They stay after leave, for an error that is
    found in what was returned; the bytes do not."""

    def __init__(self, fd):
        self.bytes = bytearray(16)
        self.phase, self.role = "load", None
        self.places = {}
        try:
            if os.fstat(fd).st_size >= 16:
                self.bytes = mmap.mmap(fd, 16)
            os.close(fd)
        except (OSError, ValueError):
            pass  # it is not open: nobody looks

    def enter(self, phase, role=None):
        self.phase, self.role = phase, role
        self.bytes[1] = 0 if role is None else self.places.get(role, 255)
        self.bytes[0] = PHASES[phase]

    def leave(self):
        self.bytes[0] = 0
        self.bytes[1] = 0

    def name_roles(self, names):
        self.places = {name: min(1 + i, 255) for i, name in enumerate(names)}


# ---------------------------------------------------------------------------
# Values
# ---------------------------------------------------------------------------

DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")
# the names of numpy's dtypes, as they are met; None: the channel has none of that kind
_dtype_names = {}


class Notes:
    """What the codec noticed: that an object had no hash."""

    unhashed = False


def encode(value, blobs, depth=0):
    """A value as JSON, with its arrays in blobs, which it refers to."""
    encoder = ENCODERS.get(type(value))
    if encoder is not None:
        return encoder(value, blobs, depth)
    return _encode_other(value, blobs, depth)


def _same(value, blobs, depth):
    return value


def _encode_int(value, blobs, depth):
    if -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
        return value
    return _opaque(value)


def _encode_float(value, blobs, depth):
    if isfinite(value):
        return value
    return {"$float": "nan" if value != value else "inf" if value > 0 else "-inf"}


def _deeper(value, depth):
    if depth >= MAX_DEPTH:
        raise Fault("a value is nested more than %d levels deep" % MAX_DEPTH)
    if len(value) > MAX_ITEMS:
        raise Fault("a %s of %d items: at most %d are allowed; use a numpy array" % (type(value).__name__, len(value), MAX_ITEMS))
    return depth + 1


def _encode_list(value, blobs, depth):
    depth = _deeper(value, depth)
    return [encode(v, blobs, depth) for v in value]


def _encode_tuple(value, blobs, depth):
    depth = _deeper(value, depth)
    return {"$tuple": [encode(v, blobs, depth) for v in value]}


def _encode_dict(value, blobs, depth):
    depth = _deeper(value, depth)
    return {"$dict": [[k if type(k) is str else _text(k), encode(v, blobs, depth)] for k, v in value.items()]}


def _encode_bytes(value, blobs, depth):
    blobs.append(bytes(value))
    return {"$array": len(blobs) - 1, "dtype": "uint8", "shape": [len(value)]}


def _encode_set(value, blobs, depth):
    try:
        return _encode_list(sorted(value), blobs, depth)
    except TypeError:
        return _opaque(value)


def _encode_array(a, blobs, depth):
    try:
        name = _dtype_names[a.dtype]
    except KeyError:
        name = _dtype_names[a.dtype] = _dtype_name(a.dtype)
    if name is None:
        return _encode_odd_array(a, blobs, depth)
    if not a.shape and a.dtype.kind in "iu":
        return _encode_int(int(a), blobs, depth)
    if name.startswith(">"):
        a, name = a.astype(a.dtype.newbyteorder("<")), name[1:]
    elif name == "float16":
        a, name = a.astype("float32"), "float32"
    if a.nbytes <= 4096:
        blobs.append(a.tobytes())
    else:
        if not a.flags.c_contiguous:
            a = np.ascontiguousarray(a)
        blobs.append(a.reshape(-1).view(np.uint8).data)
    return {"$array": len(blobs) - 1, "dtype": name, "shape": a.shape}


def _dtype_name(dtype):
    name = dtype.name
    if name not in DTYPES and name != "float16":
        return None
    big = dtype.byteorder == ">" or dtype.byteorder == "=" and sys.byteorder == "big"
    return ">" + name if big and dtype.itemsize > 1 and name != "float16" else name


def _encode_odd_array(a, blobs, depth):
    """Arrays of texts and objects are lists; of anything else (complex, times) opaque."""
    if a.dtype.kind not in "OSU" or a.size > MAX_ITEMS:
        return _opaque(a)
    return encode(a.tolist(), blobs, depth)


def _encode_numpy_int(value, blobs, depth):
    return _encode_int(int(value), blobs, depth)


def _encode_numpy_other(value, blobs, depth):
    return _encode_array(np.asarray(value), blobs, depth)


def _encode_other(value, blobs, depth):
    """Subclasses of what is known, and objects that turn into arrays."""
    for base in (bool, int, float, str, dict, tuple, list, bytes, bytearray, frozenset, set):
        if isinstance(value, base):
            plain = value if base in (dict, tuple, list) else base(value)
            return ENCODERS[base](plain, blobs, depth)
    if np is not None:
        if isinstance(value, np.ndarray):
            return _encode_array(np.asarray(value), blobs, depth)
        if isinstance(value, np.generic):
            return _encode_numpy_other(value, blobs, depth)
        array = _as_array(value)
        if array is not None:
            return _encode_array(array, blobs, depth)
    return _opaque(value)


def _as_array(value):
    """The numbers of a tensor or a table; None where it has none."""
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu()
        if hasattr(value, "__array__"):
            array = np.asarray(value)
            return array if array.dtype.name in DTYPES else None
    except Exception:
        pass  # it cannot be an array: opaque
    return None


class _HashFile:
    """A file that hashes, and refuses what is too large."""

    def __init__(self):
        self.hash, self.size = hashlib.sha256(), 0

    def write(self, data):
        n = data.nbytes if hasattr(data, "nbytes") else len(data)
        self.size += n
        if self.size > MAX_HASHED:
            raise ValueError("too large")
        self.hash.update(data)
        return n


def _opaque(value):
    kind = type(value)
    out = {"$opaque": "%s.%s" % (kind.__module__, getattr(kind, "__qualname__", kind.__name__))}
    try:
        f = _HashFile()
        pickle.Pickler(f, 4).dump(value)
        out["sha256"] = f.hash.hexdigest()
    except MemoryError:
        raise
    except Exception:  # whatever its own __reduce__ does
        Notes.unhashed = True
    return out


def _text(value):
    try:
        return str(value)
    except Exception:
        return "<%s>" % type(value).__name__


ENCODERS = {
    bool: _same,
    type(None): _same,
    str: _same,
    int: _encode_int,
    float: _encode_float,
    list: _encode_list,
    tuple: _encode_tuple,
    dict: _encode_dict,
    bytes: _encode_bytes,
    bytearray: _encode_bytes,
    set: _encode_set,
    frozenset: _encode_set,
}
if np is not None:
    ENCODERS[np.ndarray] = _encode_array
    ENCODERS[np.bool_] = lambda value, blobs, depth: bool(value)
    ENCODERS[np.float64] = lambda value, blobs, depth: _encode_float(float(value), blobs, depth)
    for _kind in (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64):
        ENCODERS[_kind] = _encode_numpy_int
    for _kind in (np.float16, np.float32):
        ENCODERS[_kind] = _encode_numpy_other


def decode(node, blobs):
    """The value of JSON from the other side."""
    kind = type(node)
    if kind is list:
        return [decode(v, blobs) for v in node]
    if kind is not dict:
        return node
    if "$array" in node:
        return _decode_array(node, blobs)
    if "$tuple" in node:
        return tuple(decode(v, blobs) for v in node["$tuple"])
    if "$dict" in node:
        return {k: decode(v, blobs) for k, v in node["$dict"]}
    if "$float" in node:
        return float(node["$float"])
    return {k: decode(v, blobs) for k, v in node.items()}


_FORMATS = dict(zip(DTYPES, "?bhiqBHIQfd"))


def _decode_array(node, blobs):
    data, shape = blobs[node["$array"]], node["shape"]
    if node["dtype"] not in DTYPES:
        raise ValueError("unknown dtype %r" % (node["dtype"],))
    if np is not None:
        # the blob is memory of its own, so the array may be written to
        return np.frombuffer(data, dtype=np.dtype(node["dtype"]).newbyteorder("<")).reshape(shape)
    code = _FORMATS[node["dtype"]]
    flat = list(struct.unpack("<%d%s" % (len(data) // struct.calcsize("<" + code), code), data))
    for size in reversed(shape[1:]):
        flat = [flat[i : i + size] for i in range(0, len(flat), size)] if size else []
    return flat if shape else flat[0]


def keep(value):
    """A copy of an observation that its environment may write into later."""
    if np is not None and isinstance(value, np.ndarray):
        return value.copy()
    if type(value) is dict:
        return {k: keep(v) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(keep(v) for v in value)
    return value


# ---------------------------------------------------------------------------
# Spaces
# ---------------------------------------------------------------------------


def _bounds(array):
    """The bounds of a box: one for all where they are the same."""
    flat = np.asarray(array, dtype="float64").reshape(-1)
    if flat.size and (flat == flat[0]).all():
        return _bound(float(flat[0]))
    return [_bound(x) for x in flat.tolist()]


def _bound(x):
    if isfinite(x):
        return x
    return "inf" if x > 0 else "-inf"


def _discrete(s):
    return {"type": "discrete", "n": int(s.n), "start": int(getattr(s, "start", 0))}


def _multidiscrete(s):
    nvec = np.asarray(s.nvec)
    start = np.asarray(getattr(s, "start", np.zeros_like(nvec)))
    if nvec.ndim == 1 and not start.any():
        return {"type": "multidiscrete", "nvec": [int(n) for n in nvec]}
    low = start.reshape(-1)
    high = low + nvec.reshape(-1) - 1
    return {"type": "box", "dtype": "int64", "shape": list(nvec.shape), "low": [int(x) for x in low], "high": [int(x) for x in high]}


def _multibinary(s):
    shape = s.shape if s.shape else (int(s.n),)
    return {"type": "multibinary", "shape": [int(n) for n in shape]}


def _box(s):
    name = np.dtype(s.dtype).name
    name = "float32" if name == "float16" else name
    if name not in DTYPES:
        return _unknown_space(s)
    return {"type": "box", "dtype": name, "shape": [int(n) for n in s.shape], "low": _bounds(s.low), "high": _bounds(s.high)}


def _text_space(s):
    charset = getattr(s, "characters", "") or ""
    charset = charset if isinstance(charset, str) else "".join(sorted(charset))
    return {"type": "text", "min_length": int(s.min_length), "max_length": int(s.max_length), "charset": charset}


def _tuple_space(s):
    return {"type": "tuple", "spaces": [describe_space(x) for x in s.spaces]}


def _dict_space(s):
    return {"type": "dict", "spaces": [[_text(k), describe_space(x)] for k, x in s.spaces.items()]}


def _unknown_space(s):
    return {"type": "opaque", "repr": _safe_repr(s)}


def _safe_repr(value):
    try:
        return repr(value)[:200]
    except Exception:
        return "<%s>" % type(value).__name__


SPACES = {
    "Discrete": _discrete,
    "MultiDiscrete": _multidiscrete,
    "MultiBinary": _multibinary,
    "Box": _box,
    "Text": _text_space,
    "Tuple": _tuple_space,
    "Dict": _dict_space,
}


def describe_space(space):
    """A space as the channel has it, by the name of its class or of one it comes from."""
    for kind in type(space).__mro__:
        if kind.__name__ in SPACES:
            try:
                return SPACES[kind.__name__](space)
            except (AttributeError, TypeError, ValueError):
                break  # a space of that name, and of another kind
    return _unknown_space(space)


OPAQUE = {"type": "opaque", "repr": ""}


def _whole(v):
    """v as an int where it is one in any form, else None."""
    if type(v) is int:
        return v
    if isinstance(v, (list, tuple)) and len(v) == 1:
        return _whole(v[0])
    try:
        if hasattr(v, "item") and getattr(v, "size", 1) != 1 and not hasattr(v, "detach"):
            return None
        if hasattr(v, "item"):
            v = v.item()
        if isinstance(v, float) and not v.is_integer():
            return None
        return int(v) if isinstance(v, (int, float)) else None
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None


def fit_action(space, v, clipped):
    """What a policy returned, as the space wants it. ValueError says what is allowed.

    A box clips, as most environments do, and says so through clipped().
    """
    kind = space["type"]
    if kind == "discrete":
        whole = _whole(v)
        low = space.get("start") or 0
        if whole is None or not low <= whole < low + space["n"]:
            raise ValueError("%s: allowed are %d to %d" % (_safe_repr(v), low, low + space["n"] - 1))
        return whole
    if kind in ("box", "multidiscrete", "multibinary"):
        return _fit_array(space, v, clipped)
    if kind == "text":
        if not isinstance(v, str):
            raise ValueError("%s: a text of %d to %d characters is allowed" % (_safe_repr(v), space["min_length"], space["max_length"]))
        return str(v)
    if kind == "tuple":
        if not isinstance(v, (list, tuple)) or len(v) != len(space["spaces"]):
            raise ValueError("%s: a tuple of %d is allowed" % (_safe_repr(v), len(space["spaces"])))
        return tuple(fit_action(s, x, clipped) for s, x in zip(space["spaces"], v))
    if kind == "dict":
        keys = [k for k, _ in space["spaces"]]
        if not isinstance(v, dict) or set(map(_text, v)) != set(keys):
            raise ValueError("%s: a dict with the keys %s is allowed" % (_safe_repr(v), ", ".join(keys)))
        by_text = {_text(k): x for k, x in v.items()}
        return {k: fit_action(s, by_text[k], clipped) for k, s in space["spaces"]}
    return v


def _fit_array(space, v, clipped):
    if np is None:
        return v
    dtype = {"multidiscrete": "int64", "multibinary": "int8"}.get(space["type"]) or space["dtype"]
    shape = tuple(space["shape"]) if "shape" in space else (len(space["nvec"]),)
    if hasattr(v, "detach"):
        v = v.detach().cpu().numpy()
    try:
        a = np.asarray(v)
        out = a.astype(dtype)
    except (TypeError, ValueError):
        raise ValueError("%s: an array of %s numbers of shape %s is allowed" % (_safe_repr(v), dtype, shape)) from None
    if out.shape != shape:
        if out.size != 1 or math.prod(shape) != 1:
            raise ValueError("an array of shape %s: the shape %s is allowed" % (a.shape, shape))
        out = out.reshape(shape)
    if not (out == a.reshape(out.shape)).all() and not dtype.startswith("float"):
        raise ValueError("%s: whole numbers are allowed" % _safe_repr(v))
    if np.isnan(out).any():
        raise ValueError("%s: numbers are allowed" % _safe_repr(v))
    low, high = _limits(space, out)
    if (out < low).any() or (out > high).any():
        if space["type"] != "box":
            raise ValueError("%s: each must be from %s to %s" % (_safe_repr(v), _safe_repr(low), _safe_repr(high)))
        clipped()
        out = np.clip(out, low, high).astype(dtype)
    elif out is v:
        out = out.copy()
    return out


def _limits(space, out):
    if space["type"] == "multibinary":
        return 0, 1
    if space["type"] == "multidiscrete":
        return 0, np.asarray(space["nvec"]) - 1
    bounds = []
    for name in ("low", "high"):
        b = space[name]
        b = [float(x) for x in b] if isinstance(b, list) else float(b)
        b = np.asarray(b, dtype="float64")
        bounds.append(b.reshape(out.shape) if b.ndim else b)
    if out.dtype == np.float32:  # a bound is rounded as the elements are
        bounds = [b.astype("float32") for b in bounds]
    return bounds


# ---------------------------------------------------------------------------
# Randomness
# ---------------------------------------------------------------------------


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
        torch = sys.modules.get("torch")
        torch = torch if torch is not None and hasattr(torch, "set_rng_state") else None
        self.kept[self.current] = (
            random.getstate(),
            np.random.get_state(legacy=False) if np is not None else None,
            torch.get_rng_state() if torch else None,
        )
        self.current = key
        kept = self.kept.pop(key, None)
        if kept is None:
            return  # new here: seed follows
        random.setstate(kept[0])
        if np is not None:
            np.random.set_state(kept[1])
        if torch:
            if kept[2] is not None:
                torch.set_rng_state(kept[2])
            else:
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


# ---------------------------------------------------------------------------
# Errors
# ---------------------------------------------------------------------------

# Where a package has another name than what is imported from it.
DISTRIBUTIONS = {
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "yaml": "pyyaml",
    "stable_baselines3": "stable-baselines3",
    "sb3_contrib": "sb3-contrib",
    "ale_py": "ale-py",
    "Box2D": "gymnasium[box2d]",
    "minigrid": "minigrid",
    "magent2": "magent2",
    "attr": "attrs",
    "dateutil": "python-dateutil",
}


def package_advice(name):
    package = DISTRIBUTIONS.get(name, name.replace("_", "-"))
    return 'add it to the experiment\'s file: dependencies: ["%s"]' % package


def explain_missing(e):
    """What to do about a missing package or id; None for other errors."""
    names = [k.__name__ for k in type(e).__mro__]
    text = _message(e)
    if isinstance(e, ModuleNotFoundError) and e.name:
        top = e.name.split(".")[0]
        if top in sys.modules or importlib.util.find_spec(top) is not None:
            return "%s (the package %s is there, and has no such module)" % (text, top)
        return "the package of module %r is not installed; %s" % (top, package_advice(top))
    if "DependencyNotInstalled" in names:
        found = re.search(r"gymnasium\[([\w,-]+)\]", text)
        advice = 'dependencies: ["gymnasium[%s]"]' % found.group(1) if found else "dependencies: [...]"
        return "%s; in the experiment's file: %s" % (text, advice)
    if isinstance(e, ImportError) and isinstance(e.__cause__, ModuleNotFoundError):
        return "%s: %s" % (text, explain_missing(e.__cause__))
    return None


def _message(e):
    """str(e), whatever it does."""
    if isinstance(e, KeyError) and len(e.args) == 1:
        return "the key %s is missing" % _safe_repr(e.args[0])
    try:
        text = str(e)
    except BaseException as other:
        return "(its own text cannot be made: %s)" % type(other).__name__
    return text if text else _safe_repr(e)


def _is_own(filename):
    return filename == __file__ or filename.startswith("<frozen importlib")


def _traceback_of(e):
    """The traceback as Python prints it, without the worker's own frames before it."""
    seen = set()
    chain = e
    while chain is not None and id(chain) not in seen:
        seen.add(id(chain))
        tb = chain.__traceback__
        while tb is not None and _is_own(tb.tb_frame.f_code.co_filename):
            tb = tb.tb_next
        chain.__traceback__ = tb
        chain = chain.__cause__ or chain.__context__
    try:
        text = "".join(traceback.format_exception(type(e), e, e.__traceback__))
    except BaseException as other:  # an exception may break even this
        return "(the traceback cannot be printed: %s)" % type(other).__name__
    if len(text) > MAX_TRACEBACK:
        half = MAX_TRACEBACK // 2
        text = text[:half] + "\n  …\n" + text[-half:]
    return text


def _is_out_of_memory(e):
    if isinstance(e, MemoryError) or type(e).__name__ == "OutOfMemoryError":
        return True
    if isinstance(e, OSError) and e.errno == 12:
        return True
    return isinstance(e, RuntimeError) and "allocate memory" in _message(e)


def describe_error(e, progress):
    """The error of a reply."""
    phase, role, state, kind = progress.phase, progress.role, None, type(e).__name__
    message = _message(e)
    if _is_out_of_memory(e):
        state = "out_of_memory"
        lift_memory()
        message = message if message and message != "MemoryError()" else "there is no more memory to be had"
    elif isinstance(e, Fault):
        phase, role, state, kind = e.phase or phase, e.role if e.role is not None else role, e.state, e.kind
    else:
        explained = explain_missing(e)
        if explained:
            message, state = explained, "bad_experiment" if phase == "load" else None
        elif isinstance(e, SystemExit):
            message = "the code called exit(%s)" % ("" if e.code is None else _safe_repr(e.code))
    text = "" if isinstance(e, Fault) and e.__cause__ is None else _traceback_of(e)
    return {
        "phase": phase,
        "role": role or "",
        "type": kind,
        "message": message[:MAX_MESSAGE],
        "traceback": text,
        "state": state,
    }


def limit_memory(size):
    """Bounds what this process may allocate; 0 is no bound. The hard limit stays, so
    that there is room to say what went wrong."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, 4096)
    if size > 0:
        _limit(resource.RLIMIT_DATA, size)


def _limit(which, size):
    soft, hard = resource.getrlimit(which)
    if soft != resource.RLIM_INFINITY:
        size = min(size, soft)
    try:
        resource.setrlimit(which, (size, hard))
    except (ValueError, OSError):
        pass  # the limits of our parent are stricter


def lift_memory():
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    try:
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
    except (ValueError, OSError):
        pass


class Warnings:
    """Sentences for researchers, each of them once."""

    def __init__(self):
        self.said = set()
        self.waiting = []

    def say(self, text):
        if text not in self.said and len(self.said) < MAX_WARNINGS:
            self.said.add(text)
            self.waiting.append(text)

    def take(self):
        if not self.waiting:
            return []
        out, self.waiting = self.waiting, []
        return out


warnings = Warnings()


# ---------------------------------------------------------------------------
# Files of researchers
# ---------------------------------------------------------------------------


def find_file(root, gallery, name, field):
    """The path of an experiment's file: in its folder, its gallery, or by its base name."""
    if not name:
        raise bad_experiment("%s: no file is named" % field)
    if not root:
        raise bad_experiment("%s: there is no folder to find %r in" % (field, name))
    inside = os.path.realpath(root)
    if not os.path.isabs(name):
        bases = [root] + ([gallery] if gallery else [])
        for path in [os.path.join(b, name) for b in bases] + [os.path.join(root, os.path.basename(name))]:
            if os.path.isfile(path) and _within(os.path.realpath(path), inside, gallery):
                return os.path.realpath(path)
    raise bad_experiment("%s: there is no file %r among the experiment's files" % (field, name))


def _within(path, *folders):
    return any(path.startswith(os.path.realpath(f) + os.sep) for f in folders if f)


def run_file(name, path, register):
    """Executes a file as a module of this name."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None:
        raise bad_experiment("%s is no Python file: its name must end in .py" % os.path.basename(path))
    module = importlib.util.module_from_spec(spec)
    if register:
        sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        if register:
            sys.modules.pop(name, None)
        raise
    return module


def source_of(path):
    with open(path, "rb") as f:
        return f.read()


def short_hash(*parts):
    h = hashlib.sha256()
    for part in parts:
        part = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        h.update(U32.pack(len(part)) + part)
    return h.hexdigest()[:12]


def accepts(function, name):
    """Whether a function takes a keyword argument of this name; False where unknown."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return any(p.kind is inspect.Parameter.VAR_KEYWORD or p.name == name and p.kind in named for p in parameters)


def names_parameter(function, name):
    try:
        return name in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def call_with(thing, kwargs, field):
    """thing(**kwargs), with an error that names the field where they do not fit."""
    try:
        inspect.signature(thing).bind(**kwargs)
    except TypeError as e:
        raise bad_experiment("%s: %s does not take them: %s" % (field, getattr(thing, "__name__", "it"), e), kind="TypeError") from None
    except ValueError:
        pass  # it has no signature to look at
    return thing(**kwargs)


BGR = re.compile(r"\[\s*(?:\.\.\.|:\s*,\s*:)\s*,\s*::\s*-\s*1\s*\]|BGR2RGB|RGB2BGR")


def writes_bgr(source):
    """The line of a file whose pictures are blue first, or 0: what draws turns the colours round."""
    text = source.decode("utf-8", "replace")
    lines = text.splitlines()
    spans = []
    try:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and re.search("render|draw|frame|image|picture", node.name, re.I):
                spans.append((node.lineno, node.end_lineno))
    except SyntaxError:
        return 0  # loading it will say so
    for first, last in spans or [(1, len(lines))]:
        for i in range(first, min(last, len(lines)) + 1):
            if BGR.search(lines[i - 1].split("#")[0]):
                return i
    return 0


# ---------------------------------------------------------------------------
# Pictures
# ---------------------------------------------------------------------------

FRAME_WANTED = "allowed are uint8 arrays of shape (height, width, 3) or (height, width, 4), or (height, width) for grey, and None"


class Pictures:
    """Turns what render returned into a picture of the channel."""

    def __init__(self):
        self.bgr = False
        self.memory = None

    def encode(self, frame, blobs):
        if type(frame) in (list, tuple) and frame and hasattr(frame[-1], "shape"):
            frame = frame[-1]  # all pictures since the last call
        if frame is None or isinstance(frame, str):
            if frame is not None:
                warnings.say("render returns text, which is not shown: a picture is needed")
            return None
        if hasattr(frame, "convert") and hasattr(frame, "getbands"):
            frame = frame.convert("RGB")  # a picture of Pillow
        if np is None:
            return self._plain(frame, blobs)
        if hasattr(frame, "detach"):
            frame = frame.detach().cpu()
        try:
            a = np.asarray(frame)
        except ValueError:
            a = np.asarray(None)
        a = self._colours(a)
        if self.bgr:
            a = a[..., ::-1]
        if not a.flags.c_contiguous:
            # turned and mirrored pictures are common: one copy, into the same memory
            if self.memory is None or self.memory.shape != a.shape:
                self.memory = np.empty(a.shape, dtype=np.uint8)
            np.copyto(self.memory, a)
            a = self.memory
        blobs.append(a.reshape(-1).data)
        return {"$array": len(blobs) - 1, "dtype": "uint8", "shape": a.shape}

    def _colours(self, a):
        if a.dtype != np.uint8:
            if a.dtype.kind == "b":
                a = a.astype(np.uint8) * 255
            elif a.dtype.kind in "iu" and a.size and a.min() >= 0 and a.max() <= 255:
                a = a.astype(np.uint8)
            else:
                self._wrong("an array of %s" % a.dtype, " (for numbers from 0 to 1: (255 * frame).astype(numpy.uint8))" if a.dtype.kind == "f" else "")
        if a.ndim == 2:
            a = np.repeat(a[:, :, None], 3, axis=2)
        if a.ndim == 3 and a.shape[2] == 1:
            a = np.repeat(a, 3, axis=2)
        if a.ndim == 3 and a.shape[2] == 4:
            a = a[:, :, :3]
        if a.ndim != 3 or a.shape[2] != 3 or not a.size:
            self._wrong("an array of shape %s" % (a.shape,))
        return a

    def _plain(self, frame, blobs):
        """A picture without numpy: a buffer of three dimensions, or nested lists."""
        try:
            if isinstance(frame, (list, tuple)):
                h, w = len(frame), len(frame[0])
                data = b"".join(bytes(p) for row in frame for p in row)
            else:
                view = memoryview(frame)
                if view.format != "B" or view.ndim != 3:
                    self._wrong("a %s of %d dimensions" % (type(frame).__name__, view.ndim))
                h, w = view.shape[:2]
                data = view.tobytes()
        except (TypeError, ValueError, IndexError):
            self._wrong("a %s" % type(frame).__name__)
        if len(data) != h * w * 3 or not data:
            self._wrong("%d bytes for %d rows of %d" % (len(data), h, w))
        if self.bgr:
            turned = bytearray(data)
            turned[0::3], turned[2::3] = data[2::3], data[0::3]
            data = bytes(turned)
        blobs.append(data)
        return {"$array": len(blobs) - 1, "dtype": "uint8", "shape": [h, w, 3]}

    def _wrong(self, what, more=""):
        raise Fault("render returned %s: %s%s" % (what, FRAME_WANTED, more), phase="render")


# ---------------------------------------------------------------------------
# States of policies
# ---------------------------------------------------------------------------


def pack_folder(folder):
    """A folder as tar, the same bytes for the same files; None where there are none."""
    paths, total = [], 0
    for base, folders, files in os.walk(folder):
        folders.sort()
        for name in files:
            path = os.path.join(base, name)
            info = os.lstat(path)
            if not stat.S_ISREG(info.st_mode):
                warnings.say("saved_models: %s is no file and is not kept" % name)
                continue
            total += info.st_size
            paths.append((os.path.relpath(path, folder), path))
    if total > MAX_STATE or len(paths) > MAX_STATE_FILES:
        raise Fault(
            "saved_models has %d MiB in %d files: at most %d MiB in %d files can be kept"
            % (total >> 20, len(paths), MAX_STATE >> 20, MAX_STATE_FILES)
        )
    if not paths:
        return None
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, path in sorted(paths):
            with open(path, "rb") as f:
                data = f.read()
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(data), 0o644, 0
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def unpack_folder(data, folder):
    """Replaces a folder's files by those of a tar, which is not trusted."""
    clear_folder(folder)
    total = count = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            for member in tar:
                parts = member.name.split("/")
                if member.name.startswith("/") or ".." in parts or "\0" in member.name or "\\" in member.name:
                    raise Fault("the state names the path %r: it must stay within its folder" % member.name[:200])
                if not (member.isreg() or member.isdir()):
                    raise Fault("the state holds %r, which is neither file nor folder" % member.name[:200])
                total += member.size
                count += 1
                if total > MAX_STATE or count > MAX_STATE_FILES:
                    raise Fault("the state has more than %d MiB or %d files" % (MAX_STATE >> 20, MAX_STATE_FILES))
                path = os.path.join(folder, *parts)
                if member.isdir():
                    os.makedirs(path, exist_ok=True)
                    continue
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as f:
                    shutil.copyfileobj(tar.extractfile(member), f)
    except (tarfile.TarError, EOFError) as e:
        raise Fault("the state is damaged: %s" % e) from None


def clear_folder(folder):
    os.makedirs(folder, exist_ok=True)
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


# ---------------------------------------------------------------------------
# Policies
# ---------------------------------------------------------------------------

# What the parameters of update are called in the wild.
UPDATE_NAMES = {}
for _meaning, _names in (
    ("state", "state obs observation s current_state previous_state prev_state last_state old_state"),
    ("action", "action a act"),
    ("reward", "reward r rew feedback"),
    ("done", "done d terminal is_done finished"),
    ("next_state", "next_state next_obs next_observation new_state new_obs new_observation s_ s2 state_ next_s observation_ obs_"),
    ("terminated", "terminated"),
    ("truncated", "truncated"),
):
    for _name in _names.split():
        UPDATE_NAMES[_name] = _meaning

MEANINGS = ("state", "action", "reward", "done", "next_state")


def bind_update(update, role):
    """How update is called: a function of a transition's parts, by its signature.

    By the names of its parameters where all are known; else by their number: five, or
    four without done.
    """
    try:
        parameters = list(inspect.signature(update).parameters.values())
    except (TypeError, ValueError):
        return _by_place(update, MEANINGS)
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    keywords = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    needed = [p for p in places + keywords if p.default is p.empty]
    if needed and len(needed) >= 3 and all(p.name in UPDATE_NAMES for p in needed):
        return _by_name(update, places, keywords)
    if any(p.default is p.empty for p in keywords):
        unknown = ", ".join(p.name for p in keywords if p.default is p.empty)
        raise bad_experiment("update of role %s needs the arguments %s, which are unknown: %s are allowed" % (role, unknown, ", ".join(MEANINGS)))
    required = sum(1 for p in places if p.default is p.empty)
    if any(p.kind is p.VAR_POSITIONAL for p in parameters) and required <= 5 or required <= 5 <= len(places):
        return _by_place(update, MEANINGS)
    if required <= 4 <= len(places):
        return _by_place(update, ("state", "action", "reward", "next_state"))
    if any(p.kind is p.VAR_KEYWORD for p in parameters) and not required:
        return lambda t: update(**{m: t[m] for m in MEANINGS})
    raise bad_experiment(
        "update of role %s takes %d arguments: it is called with (state, action, reward, done, next_state), or without done" % (role, len(places))
    )


def _by_place(update, meanings):
    return lambda t: update(*[t[m] for m in meanings])


def _by_name(update, places, keywords):
    # parameters with a default are filled as long as their names are known
    known = []
    for p in places:
        if p.name not in UPDATE_NAMES:
            break
        known.append(UPDATE_NAMES[p.name])
    named = [(p.name, UPDATE_NAMES[p.name]) for p in keywords if p.name in UPDATE_NAMES]
    return lambda t: update(*[t[m] for m in known], **{k: t[m] for k, m in named})


class Policy:
    """A policy of researchers at work in one role."""

    def __init__(self, worker, request, blobs):
        self.worker = worker
        self.role = request["role"]
        self.kwargs = decode(request.get("kwargs"), blobs) or {}
        self.space = request.get("action") or OPAQUE
        self.seed = int(request.get("seed") or 0)
        self.path = find_file(worker.root, worker.gallery, request.get("file"), "policy of role %s" % self.role)
        self.folder = os.path.join(os.path.dirname(self.path), "saved_models")
        self.base = short_hash(source_of(self.path), json.dumps(self.kwargs, sort_keys=True, default=_text))
        self.reported = None
        self._prepare_folder()
        state = request.get("state")
        state = None if state is None else bytes(blobs[state])
        if state is not None and state[:1] == b"T":
            unpack_folder(state[1:], self.folder)
        self._load()
        if state is None or state[:1] == b"T":
            self._settle()
        else:
            self._set_state(state)

    def _prepare_folder(self):
        if not _within(os.path.realpath(self.folder), self.worker.root, self.worker.gallery):
            raise bad_experiment("saved_models of role %s lies outside the experiment's files" % self.role)
        try:
            os.makedirs(self.folder, exist_ok=True)
        except OSError as e:
            raise bad_experiment("saved_models of role %s cannot be made: %s" % (self.role, e)) from None

    def _load(self):
        """Executes the file and takes its policy."""
        folder = os.path.dirname(self.path)
        if not sys.path or sys.path[0] != folder:
            sys.path.insert(0, folder)
        streams.seed(self.role, self.seed)
        self.worker.progress.enter("load", self.role)
        module = run_file("policy_" + self.role, self.path, True)
        if not hasattr(module, "policy"):
            raise bad_experiment("%s has no `policy`: the file must end with one, such as policy = MyPolicy()" % os.path.basename(self.path))
        policy = module.policy
        if inspect.isclass(policy) or callable(policy) and not hasattr(policy, "predict"):
            policy = call_with(policy, self.kwargs, "kwargs of the policy of role %s" % self.role)
        elif self.kwargs:
            warnings.say("the policy of role %s is an instance, which takes no kwargs: they have no effect" % self.role)
        self.worker.progress.leave()
        self.instance = policy
        self.predict = getattr(policy, "predict", None)
        if not callable(self.predict):
            raise bad_experiment("the policy of role %s has no method predict(observation)" % self.role)
        self.takes_mask = names_parameter(self.predict, "action_mask")
        self.takes_input = accepts(self.predict, "participant_input")
        update = getattr(policy, "update", None)
        self.update = bind_update(update, self.role) if callable(update) else None
        self.get_state = self._method("get_state")
        self.set_state = self._method("set_state")
        if (self.get_state is None) != (self.set_state is None):
            warnings.say("the policy of role %s has only one of get_state and set_state: both are needed, so saved_models is kept" % self.role)
            self.get_state = self.set_state = None

    def _method(self, name):
        method = getattr(self.instance, name, None)
        return method if callable(method) else None

    @property
    def checkpointer(self):
        return self.get_state is not None or self.update is not None

    # -- acting and learning

    def ask(self, observation, mask, advice, warn=True):
        """What predict returns, called exactly once."""
        more = {}
        if advice is not None:
            if not self.takes_input:
                raise Fault(
                    "predict of role %s takes no participant_input, which inputs_type other hands to it" % self.role, phase="act", role=self.role
                )
            more["participant_input"] = advice
        if self.takes_mask:
            more["action_mask"] = mask if mask is None or np is None else np.asarray(mask, dtype="int8")
        streams.enter(self.role)
        self.worker.progress.enter("act", self.role)
        out = self.predict(observation, **more)
        self.worker.progress.leave()
        if type(out) is tuple and len(out) == 2 and self.space["type"] not in ("opaque", "tuple"):
            out = out[0]  # an action and the policy's own memory, as in Stable-Baselines3
        return out

    def fit(self, action, mask):
        """What predict returned as the role's space wants it."""
        if self.space["type"] == "opaque":
            return action
        try:
            out = fit_action(self.space, action, self._clipped)
        except ValueError as e:
            raise Fault("the policy of role %s returned %s" % (self.role, e), phase="act", role=self.role) from None
        if mask is not None and self.space["type"] == "discrete":
            at = out - (self.space.get("start") or 0)
            if at < len(mask) and not mask[at]:
                raise Fault("the policy of role %s returned %d, which the action mask does not allow now" % (self.role, out), phase="act", role=self.role)
        return out

    def _clipped(self):
        warnings.say("the policy of role %s returns actions outside its space: they are clipped" % self.role)

    def learn(self, transition):
        streams.enter(self.role)
        self.worker.progress.enter("update", self.role)
        self.update(transition)
        self._updated()
        self.worker.progress.leave()

    # -- state and version

    def _settle(self):
        """The version of what was loaded."""
        self.updates = 0
        self.given = None
        self.small = True
        self.digest = ""
        if self.get_state is not None:
            blob = self._pickle()
            self.small = len(blob) <= SMALL_STATE
            self.digest = self.own = short_hash(blob)
            self.given = blob if self.small else None
        elif self.update is not None:
            tar = pack_folder(self.folder)
            self.digest = short_hash(tar) if tar else ""

    def _pickle(self):
        streams.enter(self.role)
        self.worker.progress.enter("checkpoint", self.role)
        try:
            blob = b"P" + pickle.dumps(self.get_state(), protocol=4)
        except (pickle.PicklingError, TypeError, AttributeError) as e:
            raise Fault("what get_state of role %s returns cannot be stored: %s" % (self.role, e), phase="checkpoint", role=self.role) from e
        finally:
            self.worker.progress.leave()
        if len(blob) > MAX_STATE:
            raise Fault("the state of role %s has %d MiB: at most %d MiB can be kept" % (self.role, len(blob) >> 20, MAX_STATE >> 20), phase="checkpoint", role=self.role)
        return blob

    def _updated(self):
        if self.get_state is None or not self.small:
            self.updates += 1
            return
        blob = self._pickle()
        digest = short_hash(blob)
        self.small = len(blob) <= SMALL_STATE
        if digest != self.own:
            self.own = self.digest = digest
            self.given = blob

    @property
    def version(self):
        out = self.base + ("." + self.digest if self.digest else "")
        return "%s+%d" % (out, self.updates) if self.updates else out

    def news(self):
        """The version where it is another than the one told last, else None."""
        version = self.version
        if version == self.reported:
            return None
        self.reported = version
        return version

    def state(self):
        """The state as bytes, or None where there is none; the version is then its hash."""
        if self.get_state is None:
            if self.update is None:
                return None
            self.worker.progress.enter("checkpoint", self.role)
            tar = pack_folder(self.folder)
            self.worker.progress.leave()
            out = None if tar is None else b"T" + tar
            self.digest, self.updates = short_hash(tar) if tar else self._forgotten(), 0
            return out
        blob = self._pickle()
        own = short_hash(blob)
        if own == self.own and self.given is not None:
            return self.given
        self.own = self.digest = own
        self.updates = 0
        self.given = blob if len(blob) <= SMALL_STATE else None
        return blob

    def _forgotten(self):
        """The digest of a learner that stored nothing: what it learned is its own alone."""
        if self.updates or self.digest.startswith("unsaved"):
            before = self.digest[7:] if self.digest.startswith("unsaved") else "0"
            return "unsaved%d" % (int(before) + self.updates)
        return ""

    def restore(self, blob):
        if blob[:1] == b"T":
            self._prepare_folder()
            unpack_folder(blob[1:], self.folder)
            self._load()
            self._settle()
        else:
            self._set_state(blob)

    def _set_state(self, blob):
        if blob[:1] != b"P":
            raise Fault("the state of role %s is of an unknown kind" % self.role, phase="checkpoint", role=self.role)
        if self.set_state is None:
            raise Fault(
                "the state of role %s comes from get_state, and its policy has no set_state" % self.role,
                phase="checkpoint", role=self.role, state="bad_experiment",
            )
        streams.enter(self.role)
        self.worker.progress.enter("checkpoint", self.role)
        try:
            state = pickle.loads(blob[1:])
        except Exception as e:
            raise Fault("the state of role %s cannot be read: %s" % (self.role, _message(e))) from e
        self.set_state(state)
        self.worker.progress.leave()
        # a new pickle may differ in its bytes from the one it was made of
        self.own = short_hash(self._pickle())
        self.updates = 0
        self.digest = short_hash(blob)
        self.small = len(blob) <= SMALL_STATE
        self.given = blob


# ---------------------------------------------------------------------------
# Environments
# ---------------------------------------------------------------------------


class Seat:
    """One role: what it sees now, and the transition that its policy may learn from."""

    def __init__(self, role, key, observation, action, meanings=None):
        self.role = role
        self.key = key  # the environment's own name of it
        self.observation_space = observation
        self.action_space = action
        self.meanings = meanings
        self.policy = None
        self.forget()

    def forget(self):
        self.live = False
        self.waits = False
        self.mask = None
        self.observation = None  # the whole of it, for the policy
        self.moved = False
        self.state = self.action = self.reward = None

    def act(self, action):
        policy = self.policy
        if policy is not None:
            self.state = keep(self.observation) if policy.update is not None else None
            self.action = action
            self.reward = None
            self.moved = True

    def earn(self, reward):
        self.reward = reward if self.reward is None else self.reward + reward


class NoEnvironment:
    """Policies alone."""

    reusable = True

    def __init__(self, worker, request):
        self.seats = [Seat(r["role"], r["role"], OPAQUE, OPAQUE) for r in request.get("roles") or []]
        self.id, self.version, self.fps, self.max_steps = "none", "none", 0, 0
        self.turns, self.replayable, self.why_not, self.spaces = False, False, "there is no environment", True

    def _none(self, *args):
        raise Fault("this process has policies and no environment")

    reset = step = _none

    def render(self):
        return None

    def close(self):
        pass


MASKED = ("observation", "action_mask")


def split_masked(space):
    """The inner space of observations that carry an action mask; None where it has none."""
    inner = getattr(space, "spaces", None)
    if isinstance(inner, dict) or hasattr(inner, "keys"):
        if sorted(inner.keys()) == sorted(MASKED):
            return inner["observation"]
    return None


def mask_of(observation, info):
    """The legal actions as a list of 0 and 1, or None where all are."""
    mask = observation.get("action_mask") if isinstance(observation, dict) else None
    if mask is None and isinstance(info, dict):
        mask = info.get("action_mask")
    if mask is None:
        return None
    if hasattr(mask, "tolist"):
        mask = mask.tolist()
    if not isinstance(mask, (list, tuple)) or any(isinstance(x, (list, tuple)) for x in mask):
        return None  # a mask of several actions at once has no form here
    return [1 if x else 0 for x in mask]


MOVES = ["no_action", "move_left", "move_right", "move_down", "move_up"]
KNOWN_MEANINGS = {
    "CartPole": ["push left", "push right"],
    "MountainCar": ["push left", "do nothing", "push right"],
    "Acrobot": ["push left", "do nothing", "push right"],
    "FrozenLake": ["left", "down", "right", "up"],
    "FrozenLake8x8": ["left", "down", "right", "up"],
    "CliffWalking": ["up", "right", "down", "left"],
    "CliffWalkingSlippery": ["up", "right", "down", "left"],
    "Taxi": ["down", "up", "right", "left", "pick up", "drop off"],
    "Blackjack": ["stick", "hit"],
    "LunarLander": ["do nothing", "fire left engine", "fire main engine", "fire right engine"],
}


def meanings_of(env, space, name):
    """Names of a discrete space's actions, where the environment or a table has them."""
    if space.get("type") != "discrete":
        return None
    try:
        method = getattr(getattr(env, "unwrapped", env), "get_action_meanings", None)
        if callable(method):
            names = [_text(x).lower() for x in method()]
            return names if len(names) == space["n"] else None
    except Exception:
        pass  # a nicety must not fail
    names = KNOWN_MEANINGS.get(name)
    return names if names and len(names) == space["n"] and not space["start"] else None


def version_of(*modules):
    """The packages that an environment's dynamics come from."""
    parts = []
    for name in modules:
        name = name.split(".")[0]
        found = package_version(name)
        if found and name + "-" + found not in parts:
            parts.append(name + "-" + found)
    return "+".join(parts) or "unknown"


def package_version(name):
    top = name.split(".")[0]
    version = getattr(sys.modules.get(top), "__version__", None)
    if isinstance(version, str):
        return version
    try:
        from importlib import metadata

        return metadata.version(DISTRIBUTIONS.get(top, top.replace("_", "-")))
    except Exception:
        return None


PACKAGES = (
    "gymnasium", "gym", "pettingzoo", "mpe2", "numpy", "torch", "stable_baselines3", "sb3_contrib", "ale_py",
    "minigrid", "mujoco", "pygame", "tensorflow", "jax", "cv2", "supersuit",
)  # fmt: skip


def packages():
    found = {name.replace("_", "-"): package_version(name) for name in PACKAGES if name in sys.modules}
    return {name: version for name, version in found.items() if version}


def _render_fps(env):
    meta = getattr(env, "metadata", None)
    fps = meta.get("render_fps", meta.get("video.frames_per_second", 0)) if isinstance(meta, dict) else 0
    try:
        fps = float(fps or 0)
    except (TypeError, ValueError):
        return 0
    return fps if isfinite(fps) and fps > 0 else 0


def number(reward, phase="step"):
    """A reward as a number of JSON; None is 0."""
    if type(reward) is float and isfinite(reward):
        return reward
    if reward is None:
        return 0.0
    try:
        if getattr(reward, "size", 1) == 1 and hasattr(reward, "item"):
            reward = reward.item()
        return _encode_float(float(reward), None, 0)
    except (TypeError, ValueError):
        raise Fault("a reward is %s: a number, None or a dict of them by role is allowed" % _safe_repr(reward), phase=phase) from None


class Gymnasium:
    """An environment of Gymnasium, by its id. Its one role is agent_0."""

    reusable, turns = True, False

    def __init__(self, worker, name, kwargs, draw):
        self.worker = worker
        import gymnasium

        self.env = self._make(gymnasium, name, kwargs, draw)
        spec = self.env.spec
        self.id = spec.id if spec is not None else name
        space = self.env.observation_space
        inner = split_masked(space)
        self.masked = inner is not None
        action = describe_space(self.env.action_space)
        short = self.id.split("/")[-1].rsplit("-v", 1)[0]
        meanings = meanings_of(self.env, action, short)
        self.seats = [Seat("agent_0", "agent_0", describe_space(inner if self.masked else space), action, meanings)]
        self.fps = _render_fps(self.env)
        self.max_steps = int(getattr(spec, "max_episode_steps", 0) or 0)
        home = type(self.env.unwrapped).__module__.split(".")[0]
        self.version = version_of(home, "gymnasium", "numpy")
        self.replayable = not getattr(spec, "nondeterministic", False)
        self.why_not = "" if self.replayable else "Gymnasium says that %s is not deterministic" % self.id
        self.draws = draw and getattr(self.env, "render_mode", None) is not None

    def _make(self, gymnasium, name, kwargs, draw):
        kwargs = dict(kwargs)
        kwargs.pop("render_mode", None)
        if "disable_env_checker" in inspect.signature(gymnasium.make).parameters:
            kwargs.setdefault("disable_env_checker", True)  # it checks each step, and costs
        try:
            if not draw:
                return gymnasium.make(name, **kwargs)
            try:
                return gymnasium.make(name, render_mode="rgb_array", **kwargs)
            except Exception as e:
                if "render" not in _message(e) or explain_missing(e):
                    raise
                warnings.say("%s draws no picture: %s" % (name, _message(e)))
                return gymnasium.make(name, **kwargs)
        except gymnasium.error.UnregisteredEnv as e:
            raise unknown_id(gymnasium, name, e) from None
        except TypeError as e:
            if "unexpected keyword" in _message(e):
                raise bad_experiment("environment.kwargs: %s" % _message(e), kind="TypeError") from e
            raise

    def reset(self, seed):
        observation, info = self._pair(self.env.reset(seed=seed))
        seat = self.seats[0]
        seat.live = True
        return [(seat, self._see(seat, observation), info, None, False, False)]

    def _pair(self, result):
        if type(result) is tuple and len(result) == 2:
            return result
        raise Fault("reset returned %s: (observation, info) is expected" % _safe_repr(result), phase="reset")

    def _see(self, seat, observation):
        seat.observation = observation
        if self.masked and isinstance(observation, dict):
            seat.mask = mask_of(observation, None)
            return observation["observation"]
        return observation

    def step(self, actions):
        observation, reward, terminated, truncated, info = self.env.step(actions[0][1])
        seat = self.seats[0]
        terminated, truncated = bool(terminated), bool(truncated)
        seat.live = not (terminated or truncated)
        if seat.moved:
            seat.earn(reward)
        return [(seat, self._see(seat, observation), info, reward, terminated, truncated)]

    def render(self):
        return self.env.render() if self.draws else None

    def close(self):
        self.env.close()


def unknown_id(gymnasium, name, e):
    """The error for an id that Gymnasium does not know, with those that are near."""
    import difflib

    known = list(getattr(gymnasium, "registry", {}))
    near = difflib.get_close_matches(name.split(":")[-1], known, 4, 0.6)
    message = "environment.source: Gymnasium knows no environment %r (%s)" % (name, _message(e).rstrip("."))
    if near:
        message += "; near: " + ", ".join(near)
    if "/" in name or ":" not in name and not near:
        message += "; if a package of its own has it, write gymnasium:PACKAGE:ID and name the package in dependencies: [...]"
    return bad_experiment(message, kind=type(e).__name__)


class PettingZoo:
    """What both interfaces of PettingZoo have in common."""

    reusable = True

    def _describe(self, env, name, module, draw):
        self.env = env
        self.id = name
        self.draws = draw and getattr(env, "render_mode", None) is not None
        self.fps = _render_fps(env)
        base = getattr(env, "unwrapped", env)
        self.max_steps = 0
        if module.split(".")[0] == "mpe2" or ".mpe." in module:
            self.max_steps = self._cycles(base)
        self.version = version_of(module, "pettingzoo", "numpy")
        self.replayable, self.why_not = True, ""
        self.seats, self.inner = [], {}
        for agent in env.possible_agents:
            space = env.observation_space(agent)
            inner = split_masked(space)
            self.inner[agent] = inner is not None
            action = describe_space(env.action_space(agent))
            meanings = meanings_of(env, action, "")
            if meanings is None and name.startswith("simple_") and action == {"type": "discrete", "n": 5, "start": 0}:
                meanings = MOVES
            self.seats.append(Seat(_text(agent), agent, describe_space(inner if inner is not None else space), action, meanings))
        self.by_key = {s.key: s for s in self.seats}

    def _cycles(self, base):
        """After how many steps its environments are cut; 0 where unknown."""
        for env in (base, getattr(base, "aec_env", None), getattr(getattr(base, "aec_env", None), "unwrapped", None)):
            cycles = getattr(env, "max_cycles", None)
            if isinstance(cycles, int):
                return cycles
        return 0

    def _see(self, seat, observation, info):
        seat.observation = observation
        seat.mask = mask_of(observation, info)
        if self.inner[seat.key] and isinstance(observation, dict):
            return observation["observation"]
        return observation

    def render(self):
        return self.env.render() if self.draws else None

    def close(self):
        self.env.close()


class Parallel(PettingZoo):
    """All agents act at once."""

    turns = False

    def __init__(self, worker, env, name, module, draw):
        self._describe(env, name, module, draw)

    def reset(self, seed):
        result = self.env.reset(seed=seed)
        if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[0], dict)):
            raise Fault("reset returned %s: (observations, infos), both by agent, is expected" % _safe_repr(result), phase="reset")
        observations, infos = result
        out = []
        for seat in self.seats:
            seat.live = seat.key in observations
            if not seat.live:
                warnings.say("the agent %s takes no part after reset" % seat.role)
                continue
            info = infos.get(seat.key)
            out.append((seat, self._see(seat, observations[seat.key], info), info, None, False, False))
        return out

    def step(self, actions):
        observations, rewards, terminations, truncations, infos = self.env.step({seat.key: a for seat, a in actions})
        out = []
        for seat in self.seats:
            if not seat.live:
                continue
            key = seat.key
            info, reward = infos.get(key), rewards.get(key, 0.0)
            terminated, truncated = bool(terminations.get(key, False)), bool(truncations.get(key, False))
            shown = None
            if key in observations:
                shown = self._see(seat, observations[key], info)
            else:  # it is gone, whatever the others say of it
                truncated = truncated or not terminated
                shown = self._see(seat, seat.observation, info)
            seat.live = not (terminated or truncated)
            if seat.moved:
                seat.earn(reward)
            out.append((seat, shown, info, reward, terminated, truncated))
        return out


class AEC(PettingZoo):
    """One agent acts after the other: agent_selection does, the others wait."""

    turns = True

    def __init__(self, worker, env, name, module, draw):
        self._describe(env, name, module, draw)
        self.max_steps = 0  # it counts rounds, not steps

    def reset(self, seed):
        self.env.reset(seed=seed)
        for seat in self.seats:
            seat.live = seat.key in self.env.agents
        self._drain()
        return [self._look(seat) for seat in self.seats if seat.live]

    def step(self, actions):
        env = self.env
        env.step(actions[0][1])
        # rewards, before those that ended are taken out: that clears them
        ended = {}
        for seat in self.seats:
            if not seat.live:
                continue
            key = seat.key
            reward = env.rewards.get(key, 0.0)
            terminated, truncated = bool(env.terminations.get(key)), bool(env.truncations.get(key))
            if key not in env.agents and not (terminated or truncated):
                truncated = True
            if seat.moved:
                seat.earn(reward)
            ended[key] = (reward, terminated, truncated)
            if terminated or truncated:
                ended[key] += (self._look(seat),)
                seat.live = False
        self._drain()
        out = []
        for seat in self.seats:
            if seat.key not in ended:
                continue
            reward, terminated, truncated = ended[seat.key][:3]
            look = ended[seat.key][3] if len(ended[seat.key]) > 3 else self._look(seat)
            if len(ended[seat.key]) > 3:
                seat.waits, seat.mask = False, None
            out.append((seat, look[1], look[2], reward, terminated, truncated))
        return out

    def _drain(self):
        """Takes out the agents that have ended, as the interface wants it."""
        env = self.env
        for _ in range(2 * len(self.seats) + 2):
            if not env.agents:
                return
            agent = env.agent_selection
            if not (env.terminations.get(agent) or env.truncations.get(agent)):
                return
            env.step(None)

    def _look(self, seat):
        env = self.env
        info = env.infos.get(seat.key)
        try:
            observation = env.observe(seat.key)
        except Exception:
            if seat.live and seat.key in env.agents:
                raise
            observation = seat.observation  # some do not observe what has ended
        shown = self._see(seat, observation, info)
        seat.waits = env.agent_selection != seat.key
        if seat.waits:
            seat.mask = None  # there is nothing to choose now
        return (seat, shown, info, None, False, False)


def pettingzoo(worker, name, kwargs, draw):
    """An environment of PettingZoo, by its module: parallel where it can be."""
    module = import_zoo(name)
    kwargs = dict(kwargs)
    kwargs.pop("render_mode", None)
    short = module.__name__.split(".")[-1]
    for maker, kind in (("parallel_env", Parallel), ("env", AEC)):
        make = getattr(module, maker, None)
        if not callable(make):
            continue
        if kind is AEC and hasattr(module, "raw_env") and not hasattr(module, "env"):
            continue
        return kind(worker, _make_zoo(make, kwargs, draw, name), short, module.__name__, draw)
    raise bad_experiment("environment.source: the module %s has neither parallel_env nor env, so it is no environment of PettingZoo" % module.__name__)


def _make_zoo(make, kwargs, draw, name):
    try:
        if not draw:
            return make(**kwargs)
        try:
            return make(render_mode="rgb_array", **kwargs)
        except (TypeError, ValueError, AssertionError) as e:
            if "render" not in _message(e):
                raise
            warnings.say("%s draws no picture: %s" % (name, _message(e)))
            return make(**kwargs)
    except TypeError as e:
        if "unexpected keyword" in _message(e):
            raise bad_experiment("environment.kwargs: %s" % _message(e), kind="TypeError") from e
        raise


def import_zoo(name):
    """The module of a source: as it is written, else within pettingzoo."""
    if not re.match(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$", name):
        raise bad_experiment("environment.source: %r is no module of PettingZoo, such as mpe2.simple_spread_v3" % name)
    names = [name] if name.startswith("pettingzoo.") else [name, "pettingzoo." + name]
    first = None
    for full in names:
        try:
            return importlib.import_module(full)
        except ModuleNotFoundError as e:
            # of a module that is there, what it lacks is the error; else the next name
            missing_itself = e.name is not None and (full == e.name or full.startswith(e.name + "."))
            if not missing_itself:
                raise
            first = first or e
    top = name.split(".")[0]
    try:
        there = importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        there = False
    holder = top if there else "pettingzoo." + top
    near = _modules_near(holder, name.split(".")[-1])
    if near:
        raise bad_experiment("environment.source: %s has no environment %r; it has %s" % (holder, name.split(".")[-1], near), kind="ModuleNotFoundError")
    if importlib.util.find_spec("pettingzoo") is None:
        raise bad_experiment("the package pettingzoo is not installed; " + package_advice("pettingzoo"), kind="ModuleNotFoundError")
    raise bad_experiment("environment.source: there is no module %r; %s" % (name, package_advice(top)), kind="ModuleNotFoundError") from first


def _modules_near(holder, name):
    import difflib
    import pkgutil

    try:
        folder = importlib.import_module(holder)
        known = [m.name for m in pkgutil.iter_modules(folder.__path__) if re.search(r"_v\d+$", m.name)]
    except Exception:
        return ""
    return ", ".join(difflib.get_close_matches(name, known, 4, 0.5) or known[:12])


def truth(value, what):
    try:
        return bool(value)
    except Exception:
        raise Fault("step returned %s as %s: a truth value, or a dict of them by role, is expected" % (_safe_repr(value), what), phase="step") from None


class Gallery:
    """An environment of a researcher's own file."""

    reusable, turns = False, False

    def __init__(self, worker, request, draw, blobs):
        self.worker = worker
        self.path = find_file(worker.root, worker.gallery, request.get("file"), "environment.filepaths.environment")
        source = source_of(self.path)
        metadata = decode(request.get("metadata"), blobs) or {}
        self.env = self._load(metadata)
        self.seats = []
        self.settled = {}
        for r in request.get("roles") or []:
            seat = Seat(r["role"], r.get("env_agent_id") or r["role"], OPAQUE, OPAQUE)
            self.settled[seat.role] = bool(r.get("env_agent_id"))
            self.seats.append(seat)
        self.id = os.path.relpath(self.path, os.path.realpath(worker.root))
        self.version = short_hash(source, json.dumps(metadata, sort_keys=True, default=_text))
        self.fps, self.max_steps = _render_fps(self.env), 0
        self.pass_seed = accepts(self.env.reset, "seed")
        self._judge(source)
        self._alias(self._declared_names())
        self.draws = callable(getattr(self.env, "render", None))
        if not self.draws:
            warnings.say("the environment has no method render: there is no picture")
        form = request.get("frame_format") or "auto"
        line = writes_bgr(source) if form == "auto" else 0
        worker.pictures.bgr = form == "bgr" or line > 0
        if line:
            warnings.say("line %d of %s turns the colours of the picture round, so it is taken for BGR; environment.frame_format settles it" % (line, self.id))

    def _load(self, metadata):
        folder = os.path.dirname(self.path)
        try:
            module = run_file("environment", self.path, False)
        except ModuleNotFoundError as e:
            top = (e.name or "").split(".")[0]
            sibling = os.path.join(folder, top)
            if not top or folder in sys.path or not (os.path.isfile(sibling + ".py") or os.path.isdir(sibling)):
                raise
            warnings.say("the environment imports %s from its own folder, which is put on the search path for it" % top)
            sys.path.append(folder)
            module = run_file("environment", self.path, False)
        if not hasattr(module, "environment"):
            raise bad_experiment("%s has no `environment`: the file must end with one, such as environment = MyEnvironment" % os.path.basename(self.path))
        env = module.environment
        if callable(env):
            env = call_with(env, metadata, "environment.metadata")
        elif metadata:
            warnings.say("the environment is an instance, which takes no metadata: it has no effect")
        for method in ("reset", "step"):
            if not callable(getattr(env, method, None)):
                raise bad_experiment("the environment has no method %s: reset() and step(actions) are needed" % method)
        return env

    def _judge(self, source):
        """Whether its episodes can be replayed, as far as its file tells."""
        found = re.search(rb"SystemRandom|os\.urandom|\bsecrets\.|\buuid4\b", source)
        self.replayable = found is None
        self.why_not = "" if found is None else "it uses %s, which has no seed" % found.group().decode()

    # -- the roles' names

    def _declared_names(self):
        for name in ("possible_agents", "agents", "agent_ids"):
            names = getattr(self.env, name, None)
            if isinstance(names, (list, tuple, set, frozenset)) and all(isinstance(n, str) for n in names):
                return list(names)
        for name in ("action_spaces", "observation_spaces"):
            spaces = getattr(self.env, name, None)
            if isinstance(spaces, dict):
                return [k for k in spaces if isinstance(k, str)]
        return []

    def _alias(self, names):
        """Finds the environment's own name of each role, where it differs."""
        taken = {s.key for s in self.seats if s.key in names}
        for seat in self.seats:
            if not names or seat.key in names:
                continue
            if self.settled[seat.role]:
                continue
            fitting = [n for n in names if n not in taken and len(n) < len(seat.role) and seat.role.endswith(n) and seat.role[-len(n) - 1] in "_-. "]
            if len(fitting) == 1:
                seat.key = fitting[0]
                taken.add(seat.key)
                warnings.say("the role %s is called %s by the environment, and is taken for it; env_agent_id settles it" % (seat.role, seat.key))

    # -- running

    def reset(self, seed):
        result = self.env.reset(seed=seed) if self.pass_seed else self.env.reset()
        if result is None:
            raise Fault("reset returned nothing: (observation, info) is expected", phase="reset")
        info = {}
        if isinstance(result, tuple) and len(result) == 2 and (result[1] is None or isinstance(result[1], dict)):
            result, info = result
        else:
            warnings.say("reset returns the observation alone: (observation, info) is expected")
        if isinstance(result, dict):
            self._alias([k for k in result if isinstance(k, str)])
        for seat in self.seats:
            seat.live = True
        return [(seat, self._see(seat, result), self._info(seat, info), None, False, False) for seat in self.seats]

    def _see(self, seat, observation):
        seat.observation = observation.get(seat.key, observation) if isinstance(observation, dict) else observation
        return seat.observation

    def _info(self, seat, info):
        if isinstance(info, dict):
            own = info.get(seat.key)
            return own if isinstance(own, dict) else info
        return None if info is None else {"info": info}

    def step(self, actions):
        result = self.env.step({seat.key: action for seat, action in actions})
        observation, reward, terminated, truncated, info = self._five(result)
        out = []
        for seat in self.seats:
            if not seat.live:
                continue
            own = reward.get(seat.key) if isinstance(reward, dict) else reward
            t, u = self._ended(seat, terminated, "terminated"), self._ended(seat, truncated, "truncated")
            seat.live = not (t or u)
            if seat.moved:
                seat.reward = own
            out.append((seat, self._see(seat, observation), self._info(seat, info), own, t, u))
        return out

    def _five(self, result):
        if isinstance(result, (tuple, list)):
            if len(result) == 5:
                return result
            if len(result) == 4:
                observation, reward, done, info = result
                if info is None or isinstance(info, dict):
                    cut = isinstance(info, dict) and bool(info.get("TimeLimit.truncated"))
                    return observation, reward, False if cut else done, cut, info
                return observation, reward, done, info, {}
        what = "nothing" if result is None else "%d values" % len(result) if isinstance(result, (tuple, list)) else _safe_repr(result)
        raise Fault("step returned %s: (observation, reward, terminated, truncated, info) is expected" % what, phase="step")

    def _ended(self, seat, value, what):
        if not isinstance(value, dict):
            return truth(value, what)
        if truth(value.get("__all__", False), what):
            return True
        if seat.key in value:
            return truth(value[seat.key], what)
        return bool(value) and all(truth(v, what) for v in value.values())

    def render(self):
        return self.env.render() if self.draws else None

    def close(self):
        close = getattr(self.env, "close", None)
        if callable(close):
            close()


# ---------------------------------------------------------------------------
# Requests
# ---------------------------------------------------------------------------

DEFAULT_PHASE = {"policy": "load", "warm": "load", "turn": "step", "learn": "update", "state": "checkpoint", "restore": "checkpoint"}


class Worker:
    """Answers requests. Each method named after one takes it with its blobs, and
    returns the answer, whose blobs it puts into self.blobs."""

    def __init__(self, channel, progress):
        self.channel, self.progress = channel, progress
        self.blobs = []
        self.pictures = Pictures()
        self.environment = None
        self.root = self.gallery = None
        self.seats = {}
        self.infos = True
        self.ops = {
            name: getattr(self, name)
            for name in ("warm", "load", "policy", "reset", "turn", "render", "learn", "act", "state", "restore", "close")
        }

    def serve(self):
        """Answers until the other side goes away."""
        hello = {
            "op": "hello",
            "protocol": PROTOCOL,
            "python": "%d.%d.%d" % sys.version_info[:3],
            "executable": sys.executable,
            "numpy": None if np is None else np.__version__,
            "pid": os.getpid(),
        }
        self.channel.write(to_json(hello).encode(), [])
        while True:
            request, blobs = self.channel.read()
            self.blobs = []
            try:
                op = request["op"]
                if op not in self.ops:
                    raise ValueError("unknown request %r" % (op,))
                self.progress.phase, self.progress.role = DEFAULT_PHASE.get(op, op), None
                reply = self.ops[op](request, blobs)
                text = to_json({"ok": reply}).encode()
                if len(text) > MAX_HEADER:
                    raise Fault("the answer has %d MiB of values outside arrays: at most %d are allowed" % (len(text) >> 20, MAX_HEADER >> 20))
                self.channel.write(text, self.blobs)
            except BaseException as e:
                if isinstance(e, (EOFError, ConnectionError)) and self._lost():
                    raise
                self._fail(e)
            # not kept until the next request comes: it may be a large picture
            self.blobs = []
            if request.get("op") == "close":
                return

    def _lost(self):
        """Whether the other side is gone, where an error might also be of researchers' code."""
        try:
            return self.channel.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _fail(self, e):
        try:
            error = describe_error(e, self.progress)
        except BaseException as other:
            error = {"phase": self.progress.phase, "role": self.progress.role or "", "type": type(e).__name__,
                     "message": "(the error cannot be described: %s)" % type(other).__name__, "traceback": "", "state": None}  # fmt: skip
        e.__traceback__ = None
        self.progress.leave()
        self.channel.write(to_json({"error": error}).encode(), [])

    # -- loading

    def warm(self, request, blobs):
        for name in request.get("modules") or []:
            try:
                importlib.import_module(name)
            except BaseException:
                pass  # who needs it will say so
        return {}

    def load(self, request, blobs):
        if self.environment is not None:
            raise ValueError("an experiment is loaded already: a worker loads one")
        self.root, self.gallery = request.get("root"), request.get("gallery")
        draw = bool(request.get("render", True))
        source = request.get("source") or ""
        limit_memory(int(request.get("memory") or 0))
        if self.gallery or self.root:
            os.chdir(self.gallery or self.root)
        after_import.call("torch", lambda module: streams.seed_torch())
        for name in ("gymnasium.utils.seeding", "gym.utils.seeding"):
            after_import.call(name, streams.patch_seeding)
        streams.patch_numpy()
        seed = int(request.get("seed") or 0)
        streams.seed("", seed)
        self.progress.enter("load")
        self.environment = self._make(source, request, draw, blobs)
        env = self.environment
        self.seats = {s.role: s for s in env.seats}
        self.progress.name_roles([s.role for s in env.seats])
        width, height = self._probe(draw and env.reusable and not isinstance(env, NoEnvironment))
        self.progress.leave()
        return {
            "id": env.id, "version": env.version, "replayable": env.replayable, "why_not": env.why_not,
            "fps": env.fps, "max_steps": env.max_steps, "width": width, "height": height, "turns": env.turns,
            "roles": [{"role": s.role, "observation": s.observation_space, "action": s.action_space, "meanings": s.meanings} for s in env.seats],
            "warnings": warnings.take(), "packages": packages(),
        }  # fmt: skip

    def _make(self, source, request, draw, blobs):
        kwargs = decode(request.get("kwargs"), blobs) or {}
        if source == "":
            return Gallery(self, request, draw, blobs)
        if source == "none":
            return NoEnvironment(self, request)
        kind, _, name = source.partition(":")
        if self.root:
            sys.path.append(self.root)  # an id may name a module of the experiment's own
        if kind == "gymnasium" and name:
            return Gymnasium(self, name, kwargs, draw)
        if kind == "pettingzoo" and name:
            return pettingzoo(self, name, kwargs, draw)
        raise bad_experiment("environment.source: %r is unknown: gymnasium:ID and pettingzoo:MODULE are allowed" % source)

    def _probe(self, wanted):
        """The size of the picture, from an episode of its own."""
        if not wanted:
            return 0, 0
        env = self.environment
        self.progress.enter("reset")
        env.reset(0)
        self.progress.enter("render")
        shape = self.pictures.encode(env.render(), self.blobs)
        self.blobs = []
        return (shape["shape"][1], shape["shape"][0]) if shape else (0, 0)

    def policy(self, request, blobs):
        if self.environment is None:
            raise ValueError("load comes before policy")
        role = request["role"]
        seat = self.seats.get(role)
        if seat is None:
            raise ValueError("there is no role %r" % role)
        self.progress.role = role
        if not request.get("action"):
            request = dict(request, action=seat.action_space)
        policy = Policy(self, request, blobs)
        seat.policy = policy
        streams.enter("")
        policy.reported = policy.version
        return {
            "version": policy.version,
            "learner": policy.update is not None,
            "checkpointer": policy.checkpointer,
            "warnings": warnings.take(),
        }

    # -- an episode

    def reset(self, request, blobs):
        env = self.environment
        if env is None:
            raise ValueError("load comes before reset")
        seed = int(request["seed"])
        for seat in env.seats:
            seat.forget()
        streams.seed("", seed)
        self.progress.enter("reset")
        views = env.reset(fold(seed))
        self.progress.leave()
        roles = [self._view(v, False) for v in views]
        frame = self._draw() if request.get("draw") else None
        self._check_hashes()
        return {"roles": roles, "frame": frame, "warnings": warnings.take()}

    def _view(self, view, stepped):
        seat, shown, info, reward, terminated, truncated = view
        blobs = self.blobs
        encoder = ENCODERS.get(type(shown))
        out = {
            "role": seat.role,
            "observation": encoder(shown, blobs, 0) if encoder is not None else encode(shown, blobs),
            "mask": seat.mask,
            "waits": seat.waits,
            "info": self._info(info) if info else None,
        }
        if stepped:
            out["reward"] = number(reward)
            out["terminated"] = terminated
            out["truncated"] = truncated
        return out

    def _info(self, info):
        at = len(self.blobs)
        try:
            return encode(info, self.blobs)
        except Fault as e:
            del self.blobs[at:]
            warnings.say("an info cannot be stored: %s" % e)
            return None

    def _check_hashes(self):
        if Notes.unhashed:
            Notes.unhashed = False
            warnings.say("an observation holds an object that cannot be pickled: episodes cannot be verified by it")

    def _draw(self):
        streams.enter("")
        self.progress.enter("render")
        frame = self.environment.render()
        out = self.pictures.encode(frame, self.blobs)
        self.progress.leave()
        return out

    def render(self, request, blobs):
        if self.environment is None:
            raise ValueError("load comes before render")
        return {"frame": self._draw()}

    def turn(self, request, blobs):
        started = clock()
        turns, seats, env = request["turns"], self.seats, self.environment
        for t in turns:
            if t.get("learn"):
                self._learn(seats[t["role"]], t["learn"], blobs)
        learned = clock()
        decisions, actions = [], []
        for t in turns:
            decisions.append(self._decide(seats[t["role"]], t, blobs, actions))
        asked = clock()
        roles = []
        if actions:
            streams.enter("")
            self._check_actions(actions)
            self.progress.enter("step")
            for seat, action in actions:
                seat.act(action)
            views = env.step(actions)
            self.progress.leave()
            roles = [self._view(v, True) for v in views]
        stepped = clock()
        frame = self._draw() if request.get("draw") else None
        if Notes.unhashed:
            self._check_hashes()
        drawn = clock()
        times = {
            "learn": (learned - started) // 1000,
            "ask": (asked - learned) // 1000,
            "step": (stepped - asked) // 1000,
            "draw": (drawn - stepped) // 1000,
        }
        return {"decisions": decisions, "roles": roles, "frame": frame, "times": times, "warnings": warnings.take()}

    def _check_actions(self, actions):
        for seat, _ in actions:
            if not seat.live or seat.waits:
                raise ValueError("the role %s cannot act now" % seat.role)

    def _learn(self, seat, lesson, blobs):
        policy = seat.policy
        if policy is None or policy.update is None or not seat.moved:
            return
        seat.moved = False
        reward = lesson.get("reward")
        terminated, truncated = bool(lesson.get("terminated")), bool(lesson.get("truncated"))
        policy.learn({
            "state": seat.state,
            "action": seat.action,
            "reward": seat.reward if reward is None else decode(reward, blobs),
            "done": terminated or truncated,
            "next_state": seat.observation,
            "terminated": terminated,
            "truncated": truncated,
        })  # fmt: skip

    def _decide(self, seat, t, blobs, actions):
        """Asks the policy, merges, and adds the action to actions."""
        policy, said, version = seat.policy, None, None
        opinion = None
        if t.get("ask") and policy is not None:
            version = policy.news()
            opinion = policy.ask(seat.observation, seat.mask, decode(t.get("advice"), blobs))
            if opinion is not None:
                opinion = policy.fit(opinion, seat.mask)
                said = encode(opinion, self.blobs)
        if not t.get("acts"):
            return {"policy": said, "action": None, "version": version}
        if opinion is None or t.get("final"):
            action = decode(t.get("action"), blobs)
            done = encode(action, self.blobs)
        else:
            action, done = opinion, said
        actions.append((seat, action))
        return {"policy": said, "action": done, "version": version}

    def learn(self, request, blobs):
        versions = []
        for t in request["turns"]:
            seat = self.seats[t["role"]]
            if t.get("learn"):
                self._learn(seat, t["learn"], blobs)
            versions.append(seat.policy.news() if seat.policy is not None else None)
        streams.enter("")
        return {"versions": versions}

    # -- policies alone

    def act(self, request, blobs):
        policy = self._policy(request)
        for t in request.get("learn") or []:
            if policy.update is None:
                break
            terminated, truncated = bool(t.get("terminated")), bool(t.get("truncated"))
            policy.learn({
                "state": decode(t["observation"], blobs),
                "action": decode(t["action"], blobs),
                "reward": decode(t["reward"], blobs),
                "done": terminated or truncated,
                "next_state": decode(t["next_observation"], blobs),
                "terminated": terminated,
                "truncated": truncated,
            })  # fmt: skip
        action = None
        if request.get("observation") is not None:
            mask = request.get("mask")
            said = policy.ask(decode(request["observation"], blobs), mask, decode(request.get("advice"), blobs))
            if said is not None:
                action = encode(policy.fit(said, mask), self.blobs)
        policy.reported = policy.version
        return {"action": action, "version": policy.version}

    def _policy(self, request):
        role = request["role"]
        seat = self.seats.get(role)
        if seat is None or seat.policy is None:
            raise ValueError("the role %r has no policy here" % role)
        self.progress.role = role
        return seat.policy

    def state(self, request, blobs):
        policy = self._policy(request)
        blob = policy.state()
        streams.enter("")
        policy.reported = policy.version
        if blob is not None:
            self.blobs.append(blob)
        return {"state": None if blob is None else len(self.blobs) - 1, "version": policy.version}

    def restore(self, request, blobs):
        policy = self._policy(request)
        policy.restore(bytes(blobs[request["state"]]))
        streams.enter("")
        policy.reported = policy.version
        return {"version": policy.version}

    def close(self, request, blobs):
        if self.environment is not None:
            streams.enter("")
            self.progress.enter("close")
            self.environment.close()
            self.progress.leave()
        return {}


def guard_streams():
    """Stacks are printed to a copy of standard error, which code cannot close by name."""
    try:
        errors = os.fdopen(fcntl.fcntl(2, fcntl.F_DUPFD_CLOEXEC, 96), "wb", 0)
    except OSError:
        return None
    faulthandler.enable(file=errors, all_threads=True)
    faulthandler.register(signal.SIGUSR1, file=errors, all_threads=True, chain=False)
    return errors


def main():
    errors = guard_streams()
    channel = Channel(3)
    progress = Progress(4)
    os.register_at_fork(after_in_child=channel.forget)
    # our own folder is no place for researchers' imports
    if sys.path and os.path.realpath(sys.path[0] or ".") == os.path.dirname(os.path.realpath(__file__)):
        del sys.path[0]
    sys.argv = [""]
    try:
        Worker(channel, progress).serve()
    except (EOFError, ConnectionError):
        pass  # the other side is gone: so are we
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    # threads and exit handlers of researchers' code would only delay the end
    del errors  # it had to stay open until here
    os._exit(0)


if __name__ == "__main__":
    main()

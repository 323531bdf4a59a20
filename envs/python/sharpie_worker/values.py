"""Values: Python's objects as the channel has them, and back.

The forms are those of doc.go. An object without one is opaque: its class and a hash.
"""

import hashlib
import pickle
import struct
import sys
from math import isfinite

from . import np
from .bounds import MAX_DEPTH, MAX_HASHED, MAX_ITEMS
from .errors import Fault, text_of

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


def encode_float(value, blobs, depth):
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
    return {"$dict": [[k if type(k) is str else text_of(k), encode(v, blobs, depth)] for k, v in value.items()]}


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


ENCODERS = {
    bool: _same,
    type(None): _same,
    str: _same,
    int: _encode_int,
    float: encode_float,
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
    ENCODERS[np.float64] = lambda value, blobs, depth: encode_float(float(value), blobs, depth)
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

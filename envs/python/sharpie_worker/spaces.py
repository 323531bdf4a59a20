"""Spaces as the channel describes them, by the names of their classes."""

from math import isfinite

from . import np
from .errors import safe_repr, text_of
from .values import DTYPES


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
    return {"type": "dict", "spaces": [[text_of(k), describe_space(x)] for k, x in s.spaces.items()]}


def _unknown_space(s):
    return {"type": "opaque", "repr": safe_repr(s)}


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

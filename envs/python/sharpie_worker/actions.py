"""Actions of policies, fitted to their space or refused."""

import math

from . import np
from .errors import safe_repr, text_of


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
            raise ValueError("%s: allowed are %d to %d" % (safe_repr(v), low, low + space["n"] - 1))
        return whole
    if kind in ("box", "multidiscrete", "multibinary"):
        return _fit_array(space, v, clipped)
    if kind == "text":
        if not isinstance(v, str):
            raise ValueError("%s: a text of %d to %d characters is allowed" % (safe_repr(v), space["min_length"], space["max_length"]))
        return str(v)
    if kind == "tuple":
        if not isinstance(v, (list, tuple)) or len(v) != len(space["spaces"]):
            raise ValueError("%s: a tuple of %d is allowed" % (safe_repr(v), len(space["spaces"])))
        return tuple(fit_action(s, x, clipped) for s, x in zip(space["spaces"], v))
    if kind == "dict":
        keys = [k for k, _ in space["spaces"]]
        if not isinstance(v, dict) or set(map(text_of, v)) != set(keys):
            raise ValueError("%s: a dict with the keys %s is allowed" % (safe_repr(v), ", ".join(keys)))
        by_text = {text_of(k): x for k, x in v.items()}
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
        raise ValueError("%s: an array of %s numbers of shape %s is allowed" % (safe_repr(v), dtype, shape)) from None
    if out.shape != shape:
        if out.size != 1 or math.prod(shape) != 1:
            raise ValueError("an array of shape %s: the shape %s is allowed" % (a.shape, shape))
        out = out.reshape(shape)
    if not (out == a.reshape(out.shape)).all() and not dtype.startswith("float"):
        raise ValueError("%s: whole numbers are allowed" % safe_repr(v))
    if np.isnan(out).any():
        raise ValueError("%s: numbers are allowed" % safe_repr(v))
    low, high = _limits(space, out)
    if (out < low).any() or (out > high).any():
        if space["type"] != "box":
            raise ValueError("%s: each must be from %s to %s" % (safe_repr(v), safe_repr(low), safe_repr(high)))
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

"""Versions of the packages that an experiment's results come from."""

import sys

from .errors import DISTRIBUTIONS


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

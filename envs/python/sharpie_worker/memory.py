"""The memory that this process may have."""

import resource


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

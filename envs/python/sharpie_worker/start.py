"""The start and the end of the process."""

import faulthandler
import fcntl
import os
import signal
import sys

from .channel import Channel
from .progress import Progress
from .worker import Worker


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

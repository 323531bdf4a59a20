"""The worker: one process that runs researchers' environments and policies.

run.py starts it with a socket on file descriptor 3, and it answers one request after the
other, on one thread. The protocol is written down in doc.go beside this folder; what
environments and policies may count on, in the documentation of their contract. Nothing
here must survive the process. This is the only name of ours that researchers' imports can
meet: every module is within this package.

It needs Python 3.8 and the standard library; numpy is used where it is installed. This
file holds what must be before all others: settings of libraries, and numpy, or None.
"""

import os

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

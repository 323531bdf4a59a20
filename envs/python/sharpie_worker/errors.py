"""Errors: what researchers' code did wrong, said so that they can mend it.

A Fault is what the contract does not allow; describe_error turns any exception into the
error of a reply, without the worker's own frames in its traceback.
"""

import importlib.util
import os
import re
import sys
import traceback

from .bounds import MAX_MESSAGE, MAX_TRACEBACK
from .memory import lift_memory


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


def text_of(value):
    try:
        return str(value)
    except Exception:
        return "<%s>" % type(value).__name__


def safe_repr(value):
    try:
        return repr(value)[:200]
    except Exception:
        return "<%s>" % type(value).__name__


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
    text = message_of(e)
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


def message_of(e):
    """str(e), whatever it does."""
    if isinstance(e, KeyError) and len(e.args) == 1:
        return "the key %s is missing" % safe_repr(e.args[0])
    try:
        text = str(e)
    except BaseException as other:
        return "(its own text cannot be made: %s)" % type(other).__name__
    return text if text else safe_repr(e)


OWN_FOLDER = os.path.dirname(__file__) + os.sep


def is_own(filename):
    return filename.startswith((OWN_FOLDER, "<frozen importlib"))


def traceback_of(e):
    """The traceback as Python prints it, without the worker's own frames before it."""
    seen = set()
    chain = e
    while chain is not None and id(chain) not in seen:
        seen.add(id(chain))
        tb = chain.__traceback__
        while tb is not None and is_own(tb.tb_frame.f_code.co_filename):
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
    return isinstance(e, RuntimeError) and "allocate memory" in message_of(e)


def describe_error(e, progress):
    """The error of a reply."""
    phase, role, state, kind = progress.phase, progress.role, None, type(e).__name__
    message = message_of(e)
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
            message = "the code called exit(%s)" % ("" if e.code is None else safe_repr(e.code))
    text = "" if isinstance(e, Fault) and e.__cause__ is None else traceback_of(e)
    return {
        "phase": phase,
        "role": role or "",
        "type": kind,
        "message": message[:MAX_MESSAGE],
        "traceback": text,
        "state": state,
    }

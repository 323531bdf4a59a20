"""Researchers' files: finding them, executing them, and reading what they say."""

import ast
import hashlib
import importlib.util
import inspect
import os
import re
import sys

from .channel import U32
from .errors import bad_experiment


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
            if os.path.isfile(path) and within(os.path.realpath(path), inside, gallery):
                return os.path.realpath(path)
    raise bad_experiment("%s: there is no file %r among the experiment's files" % (field, name))


def within(path, *folders):
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

# Prints which of the requirements in the arguments this Python does not meet.
import importlib.metadata
import json
import re
import sys

try:
    from packaging.requirements import Requirement
except ImportError:
    try:
        from pip._vendor.packaging.requirements import Requirement
    except ImportError:
        Requirement = None  # then the names alone are compared


def lacks(text):
    wanted = Requirement(text) if Requirement else None
    if wanted and wanted.marker and not wanted.marker.evaluate():
        return None
    name = re.match(r"[A-Za-z0-9._-]+", text).group()
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None if not wanted and ";" in text else text
    if wanted and version and not wanted.specifier.contains(version, prereleases=True):
        return "%s (it has %s)" % (text, version)
    return None


print("\nsharpie-python:" + json.dumps([missing for missing in map(lacks, sys.argv[1:]) if missing]))

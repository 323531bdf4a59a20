# Says what Python this is. Runs on Python 2.7 as well, to be told that it is too old.
import json
import sys

print("\nsharpie-python:" + json.dumps({
    "version": "%d.%d.%d" % sys.version_info[:3],
    "executable": sys.executable,
    "prefix": sys.prefix,
    "base": getattr(sys, "base_prefix", sys.prefix),
}))

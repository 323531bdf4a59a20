"""What the worker's tests have in common: workers, and private copies of fixtures.

python -m unittest discover runs them all, with any Python of 3.8 or later. What needs a
package that is not there is skipped, and says so.
"""

import importlib.util
import os
import shutil
import tempfile
import unittest

from drive import Drive, HERE, WorkerError

GALLERY = os.path.join(HERE, "gallery")


def needs(*names):
    missing = [n for n in names if importlib.util.find_spec(n) is None]
    return unittest.skipIf(missing, "not checked without " + ", ".join(missing))


class Case(unittest.TestCase):
    maxDiff = None

    def gallery(self, name):
        """A private copy of a fixture, as each worker gets one."""
        root = os.path.join(tempfile.mkdtemp(), name)
        self.addCleanup(shutil.rmtree, os.path.dirname(root))
        shutil.copytree(os.path.join(GALLERY, name), root)
        return root

    def start(self, **env):
        d = Drive(env=env)
        self.addCleanup(d.__exit__)
        return d

    def loaded(self, name, roles=("agent_0",), policy=True, **more):
        d = self.start()
        d.root = self.gallery(name)
        d.loaded = d.load(root=d.root, roles=roles, **more)
        if policy:
            for role in roles:
                d.policy(role)
        return d

    def error(self, call, *args, **kwargs):
        with self.assertRaises(WorkerError) as caught:
            call(*args, **kwargs)
        return caught.exception.error

"""Policies that learn, and their states."""

import io
import os
import tarfile

from cases import Case
from drive import lesson

TEACHER = {0: 1, 4: 1, 8: 2, 9: 1, 13: 2, 14: 2, 1: 0, 2: 1, 6: 1, 10: 1, 3: 0}


class Learning(Case):
    def episode(self, d, teach):
        place, before, moved = d.reset(seed=1, draw=False)["roles"][0]["observation"], None, None
        for _ in range(40):
            learn = None if moved is None or not teach else lesson(1.0 if TEACHER.get(before) == moved else -1.0)
            r = d.turn({"ask": True, "learn": learn}, draw=False)
            before, moved = place, r["decisions"][0]["action"]
            role = r["roles"][0]
            place = role["observation"]
            if role["terminated"]:
                if teach:
                    d.ask("learn", turns=[{"role": "agent_0", "learn": lesson(1.0 if TEACHER.get(before) == moved else -1.0, True)}])
                return role["reward"] == 1.0
        return False

    def test_tamer_learns_and_its_state_travels(self):
        for name in ("lake_state", "lake_files"):
            d = self.loaded(name)
            self.assertFalse(self.episode(d, False), "it knew the way before")
            for _ in range(15):
                self.episode(d, True)
            self.assertTrue(self.episode(d, False), "it did not learn the way")
            state, version = d.state()
            self.assertEqual(d.state(), (state, version))
            other = self.loaded(name, policy=False)
            self.assertEqual(other.policy(state=state)["version"], version)
            self.assertTrue(self.episode(other, False), "the state brought nothing along")
            fresh = self.loaded(name)
            self.assertEqual(fresh.ask("restore", [state], role="agent_0", state=0), {"version": version})
            self.assertTrue(self.episode(fresh, False))
            self.assertEqual(fresh.state(), (state, version))

    def test_version_follows_the_state(self):
        d = self.loaded("lake_state")
        d.reset()
        d.turn({"ask": True})
        first = d.state()[1]
        r = d.turn({"ask": True, "learn": lesson(0)})  # of no reward nothing is learned
        self.assertIsNone(r["decisions"][0]["version"])
        r = d.turn({"ask": True, "learn": lesson(1)})
        self.assertNotEqual(r["decisions"][0]["version"], first)
        self.assertRegex(r["decisions"][0]["version"], r"^[!-~]{1,128}$")

    def test_policies_alone(self):
        d = self.start()
        d.load("none", root=self.gallery("lake_state"), file=None)
        space = {"type": "discrete", "n": 4, "start": 0}
        self.assertTrue(d.policy(action=space)["learner"])
        r = d.ask("act", role="agent_0", observation=5, mask=None, advice=None, learn=[])
        self.assertEqual(r["action"], 0)
        t = {"observation": 5, "action": 3, "reward": 1.0, "terminated": False, "truncated": False, "next_observation": 6, "human": True}
        self.assertIsNone(d.ask("act", role="agent_0", observation=None, mask=None, advice=None, learn=[t])["action"])
        self.assertEqual(d.ask("act", role="agent_0", observation=5, mask=None, advice=None, learn=[])["action"], 3)
        e = self.error(d.ask, "act", role="agent_0", observation=5, mask=[1, 1, 1, 0], advice=None, learn=[])
        self.assertIn("mask", e["message"])

    def test_a_damaged_state_leaves_the_files_as_they_were(self):
        def member(tar, name, data):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))

        def state(*members):
            out = io.BytesIO()
            with tarfile.open(fileobj=out, mode="w") as tar:
                for name, data in members:
                    member(tar, name, data)
            return b"T" + out.getvalue()

        d = self.loaded("lake_files")
        for _ in range(5):
            self.episode(d, True)
        before = d.state()
        self.assertTrue(before[0])
        whole = state(("a.txt", b"a" * 5000), ("b.txt", b"b" * 5000))
        spoilt = whole[:5633] + b"\xff" * 400 + whole[6033:]  # in the header of the second file
        broken = [spoilt, whole[:8000], whole[:1000], state(("a.txt", b"a"), ("../b", b"")), state(("a", b"a"), ("a/b", b"b")), state(("x" * 300, b""))]
        for damaged in broken:
            self.error(d.ask, "restore", [damaged], role="agent_0", state=0)
            self.assertEqual(d.state(), before)
        fresh = self.loaded("lake_files")
        fresh.ask("restore", [before[0]], role="agent_0", state=0)
        self.assertEqual(fresh.state(), before, "what was kept is not whole")

    def test_hostile_states(self):
        def tar(name, kind=tarfile.REGTYPE):
            out = io.BytesIO()
            with tarfile.open(fileobj=out, mode="w") as t:
                info = tarfile.TarInfo(name)
                info.type, info.linkname = kind, "/etc"
                t.addfile(info)
            return b"T" + out.getvalue()

        d = self.loaded("lake_files")
        for state in (tar("../out"), tar("/tmp/out"), tar("a/../../out"), tar("link", tarfile.SYMTYPE), b"T" + b"x" * 600, b"", b"X"):
            e = self.error(d.ask, "restore", [state], role="agent_0", state=0)
            self.assertIn("state", e["message"])
        self.assertEqual(sorted(os.listdir(os.path.dirname(d.root))), ["lake_files"])

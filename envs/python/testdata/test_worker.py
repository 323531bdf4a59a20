"""Tests of worker.py at its protocol: python -m unittest, with any Python of 3.8 or later.

What needs a package that is not there is skipped, and says so.
"""

import importlib.util
import io
import os
import shutil
import signal
import tarfile
import tempfile
import time
import unittest

from drive import Drive, HERE, WorkerError, lesson

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


class Gallery(Case):
    def test_class_with_metadata_and_update_of_four(self):
        d = self.loaded("line_class", metadata={"length": 7, "colour": 100})
        self.assertEqual(d.loaded["roles"][0]["action"]["type"], "opaque")
        first = d.reset()
        self.assertEqual(first["roles"][0]["observation"], 3)
        self.assertEqual(first["roles"][0]["info"], {"$dict": [["place", 3]]})
        self.assertEqual(first["frame"]["shape"], [2, 7, 3])
        # nothing to learn before a transition: the lesson is left out
        r = d.turn({"ask": True, "learn": lesson()})
        self.assertEqual((r["decisions"][0]["policy"], r["decisions"][0]["action"]), (2, 2))
        self.assertEqual(r["roles"][0]["observation"], 4)
        r = d.turn({"ask": True, "action": 1, "final": True, "learn": lesson(2.5)})
        self.assertEqual((r["decisions"][0]["policy"], r["decisions"][0]["action"]), (2, 1))
        self.assertIn("update 3 2 2.5 4\n", d.printed())
        for _ in range(3):
            r = d.turn({"ask": True, "learn": lesson()})
        self.assertTrue(r["roles"][0]["terminated"])
        self.assertEqual(r["roles"][0]["reward"], 1.0)
        d.ask("learn", turns=[{"role": "agent_0", "learn": lesson(None, True)}])
        self.assertTrue(d.printed().endswith("update 5 2 1.0 6\n"), d.printed())
        self.assertIsNotNone(d.ask("render")["frame"])
        self.assertEqual(d.ask("close"), {})
        self.assertEqual(d.ended(), 0)

    def test_instance(self):
        d = self.loaded("line_instance", policy=False)
        d.reset()
        self.assertEqual(d.turn({"action": 2})["roles"][0]["observation"], 3)

    def test_metadata_that_does_not_fit(self):
        e = self.error(self.start().load, root=self.gallery("line_class"), metadata={"width": 1})
        self.assertEqual(e["state"], "bad_experiment")
        self.assertIn("environment.metadata", e["message"])

    def test_siblings_pickles_and_saved_models(self):
        d = self.loaded("siblings")
        self.assertTrue(os.path.isdir(os.path.join(d.root, "saved_models")))
        d.reset()
        d.turn({"ask": True})
        r = d.turn({"ask": True, "learn": lesson()})
        self.assertTrue(r["decisions"][0]["version"].endswith("+1"), r)
        state, version = d.state()
        self.assertEqual(state[:1], b"T")
        self.assertEqual(tarfile.open(fileobj=io.BytesIO(state[1:])).getnames(), ["table.pkl"])
        other = self.start()
        other.load(root=self.gallery("siblings"))
        self.assertEqual(other.policy(state=state)["version"], version)

    def test_environment_imported_by_a_policy(self):
        d = self.loaded("import_environment")
        d.reset()
        self.assertEqual(d.turn({"ask": True})["decisions"][0]["action"], 1)
        self.assertEqual(d.printed().count("environment executed as environment"), 2)

    @needs("numpy")
    def test_colours_strides_and_numpy_truth(self):
        d = self.loaded("colours_bgr", policy=False)
        self.assertTrue(any("BGR" in w for w in d.loaded["warnings"]))
        frame = d.reset()["frame"]
        self.assertEqual(d.blobs[frame["$array"]][:3], bytes((255, 10, 0)))
        for _ in range(3):
            r = d.turn({"action": 0})
        self.assertEqual((r["roles"][0]["terminated"], r["roles"][0]["truncated"], r["roles"][0]["reward"]), (True, False, 0.5))
        d = self.loaded("colours_bgr", policy=False, frame_format="rgb")
        frame = d.reset()["frame"]
        self.assertEqual(d.blobs[frame["$array"]][:3], bytes((0, 10, 255)))

    def test_rewards_and_roles_that_end_apart(self):
        d = self.loaded("rewards", roles=("left", "right"))
        r = d.reset()
        self.assertEqual(r["roles"][0]["info"], {"$dict": [["seed", 3]]})
        both = {"role": "right", "ask": True, "action": 9}, {"role": "left", "ask": True, "action": 8}
        r = d.turn(*both)
        self.assertEqual([x["action"] for x in r["decisions"]], ["act", "act"])
        self.assertEqual([x["reward"] for x in r["roles"]], [0.0, 0.0])
        self.assertIn("order ['right', 'left']", d.printed())
        r = d.turn(*[dict(t, learn=lesson()) for t in both])
        self.assertIn("update 0 act None False 1\n", d.printed())
        self.assertEqual([x["action"] for x in r["decisions"]], [9, 8])  # None is no opinion
        self.assertEqual([(x["role"], x["reward"], x["terminated"]) for x in r["roles"]], [("left", 1, True), ("right", -1, False)])
        r = d.turn({"role": "left", "acts": False, "learn": lesson(None, True)}, dict(both[0], learn=lesson()))
        self.assertIn("update 1 8 1 True 2\n", d.printed())
        self.assertEqual([x["role"] for x in r["roles"]], ["right"])

    def test_several_keys_are_a_list(self):
        d = self.loaded("keys_list", policy=False)
        d.reset()
        self.assertEqual(d.turn({"action": [1, 2]})["roles"][0]["observation"], [1, 2])

    def test_text_and_participant_input(self):
        d = self.loaded("text")
        d.reset()
        r = d.turn({"ask": True, "advice": "bye"})
        self.assertEqual(r["roles"][0]["observation"], "ECHO: BYE")
        self.assertTrue(r["roles"][0]["terminated"])

    def test_advice_for_a_policy_that_takes_none(self):
        d = self.loaded("line_class")
        d.reset()
        e = self.error(d.turn, {"ask": True, "advice": 1})
        self.assertEqual((e["phase"], e["role"]), ("act", "agent_0"))
        self.assertIn("participant_input", e["message"])

    def test_role_alias(self):
        d = self.loaded("role_alias", roles=("walker_agent_0",), policy=False)
        self.assertTrue(any("walker_agent_0 is called agent_0" in w for w in d.loaded["warnings"]))
        d.reset()
        self.assertEqual(d.turn({"role": "walker_agent_0", "action": 2})["roles"][0]["observation"], 3)
        d = self.start()
        role = {"role": "x", "env_agent_id": "agent_0", "policy": False}
        self.assertFalse(any("called" in w for w in d.load(root=self.gallery("role_alias"), roles=[role])["warnings"]))
        d.reset()
        self.assertEqual(d.turn({"role": "x", "action": 2})["roles"][0]["observation"], 3)

    def test_old_gym(self):
        d = self.loaded("old_gym", policy=False)
        self.assertTrue(any("observation alone" in w for w in d.reset()["warnings"]))
        d.turn({"action": 0})
        r = d.turn({"action": 0})
        self.assertEqual((r["roles"][0]["terminated"], r["roles"][0]["truncated"]), (True, False))

    def test_opaque_observations(self):
        d = self.loaded("opaque", policy=False)
        r = d.reset()
        self.assertEqual(r["roles"][0]["observation"]["$opaque"], "fractions.Fraction")
        self.assertEqual(len(r["roles"][0]["observation"]["sha256"]), 64)
        self.assertEqual(r["roles"][0]["info"], {"$dict": [["nan", {"$float": "nan"}], ["3", {"$tuple": [1, None, True]}]]})
        r = d.turn({"action": 0})
        self.assertNotIn("sha256", r["roles"][0]["observation"])
        self.assertTrue(any("verified" in w for w in r["warnings"]))

    def test_same_seed_same_episode(self):
        places = []
        for _ in range(2):
            d = self.loaded("lake_state", metadata={"slip": 0.5}, policy=False)
            d.reset(seed=11)
            places.append([d.turn({"action": 2}, draw=False)["roles"][0]["observation"] for _ in range(3)])
        self.assertEqual(*places)

    def test_files_outside_are_refused(self):
        for name in ("../fault/policies.py", "/etc/passwd", "nothing.py", ""):
            e = self.error(self.start().load, root=self.gallery("line_class"), file=name)
            self.assertEqual(e["state"], "bad_experiment")
        d = self.start()
        self.assertEqual(d.load(root=self.gallery("line_class"), file="line_class/environment.py")["id"], "environment.py")


TEACHER = {0: 1, 4: 1, 8: 2, 9: 1, 13: 2, 14: 2, 1: 0, 2: 1, 6: 1, 10: 1, 3: 0}


class Learning(Case):
    def episode(self, d, teach):
        place, moved = d.reset(seed=1, draw=False)["roles"][0]["observation"], None
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


class Faults(Case):
    def fault(self, phase, way="raise", returns=None, **more):
        d = self.start()
        d.load(root=self.gallery("fault"), metadata={"phase": phase, "way": way, "returns": returns}, **more)
        d.reset(draw=False)
        return d

    def test_exceptions_name_phase_and_line(self):
        for phase, call in (("reset", lambda d: d.reset()), ("step", lambda d: d.turn({"action": 0})), ("render", lambda d: d.ask("render")), ("close", lambda d: d.ask("close"))):
            d = self.start()
            d.load(root=self.gallery("fault"), metadata={"phase": phase})
            if phase != "reset":
                d.reset(draw=False)
            e = self.error(call, d)
            self.assertEqual((e["phase"], e["role"], e["type"], e["message"], e["state"]), (phase, "", "ValueError", "deliberate", None))
            self.assertIn("raise_error", e["traceback"])
            self.assertNotIn("worker.py", e["traceback"])
            self.assertEqual(d.at(), (0, 0))
        e = self.error(self.start().load, root=self.gallery("fault"), metadata={"phase": "load"})
        self.assertEqual((e["phase"], e["type"]), ("load", "ValueError"))

    def test_exceptions_of_policies_name_the_role(self):
        for phase in ("load", "act", "update", "checkpoint"):
            d = self.fault("")
            make = lambda: d.policy(kwargs={"phase": phase})
            if phase in ("load", "checkpoint"):
                e = self.error(make)
            else:
                make()
                if phase == "update":
                    d.turn({"ask": True})
                e = self.error(d.turn, {"ask": True, "learn": lesson()})
            self.assertEqual((e["phase"], e["role"], e["type"]), (phase, "agent_0", "ValueError"))

    def test_what_looks_like_an_end_is_an_error(self):
        for way, kind in (("sys_exit", "SystemExit"), ("interrupt", "KeyboardInterrupt"), ("recursion", "RecursionError"), ("unprintable", "Unprintable"), ("missing", "ModuleNotFoundError")):
            d = self.fault("step", way)
            e = self.error(d.turn, {"action": 0})
            self.assertEqual((e["phase"], e["type"]), ("step", kind))
            self.assertTrue(e["message"])

    def test_missing_package(self):
        e = self.error(self.start().load, root=self.gallery("fault"), metadata={"phase": "load", "way": "missing"})
        self.assertEqual(e["state"], "bad_experiment")
        self.assertIn('dependencies: ["package-that-is-not-there"]', e["message"])

    def test_broken_contracts_say_what_is_expected(self):
        d = self.start()
        d.load(root=self.gallery("fault"), metadata={"returns": "reset"})
        self.assertIn("(observation, info) is expected", self.error(d.reset)["message"])
        e = self.error(self.fault("", returns="step").turn, {"action": 0})
        self.assertIn("step returned 2 values: (observation, reward, terminated, truncated, info) is expected", e["message"])
        for returns in ("floats", "render"):
            self.assertIn("height, width, 3", self.error(self.fault("", returns=returns).ask, "render")["message"])

    def test_out_of_memory(self):
        d = self.fault("step", "memory", memory=600 << 20)
        e = self.error(d.turn, {"action": 0})
        self.assertEqual((e["state"], e["type"]), ("out_of_memory", "MemoryError"))

    def test_ends_of_the_process(self):
        for way, code in (("exit", 7), ("segfault", -signal.SIGSEGV), ("abort", -signal.SIGABRT)):
            d = self.fault("step", way)
            with self.assertRaises((EOFError, ConnectionError)):
                d.turn({"action": 0})
            self.assertEqual(d.ended(), code)
            self.assertEqual(d.at(), (3, 0))
            if code < 0:
                self.assertIn("environment.py", d.printed())

    def test_prints_and_closed_streams_leave_the_channel_alone(self):
        for way in ("flood", "streams"):
            d = self.fault("step", way)
            self.assertEqual(d.turn({"action": 0})["roles"][0]["observation"], 1)
            self.assertEqual(d.ask("close"), {})
            self.assertEqual(d.ended(), 0)

    def test_signal_prints_where_it_hangs(self):
        d = self.fault("step", "endless")
        d.send("turn", turns=[{"role": "agent_0", "acts": True, "action": 0}], draw=False)
        until = time.monotonic() + 20
        while d.at()[0] != 3 and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(d.process.pid, signal.SIGUSR1)
        while "in endless" not in d.printed() and time.monotonic() < until:
            time.sleep(0.01)
        self.assertIn("in endless", d.printed())
        d.process.kill()
        d.process.wait()

    def test_children_do_not_hold_the_channel(self):
        d = self.fault("step", "child")
        d.turn({"action": 0})
        child = int(d.printed().split("child ")[1].split()[0])
        try:
            links = [os.readlink("/proc/%d/fd/%s" % (child, fd)) for fd in os.listdir("/proc/%d/fd" % child)]
            self.assertFalse([x for x in links if x.startswith("socket:")], links)
        finally:
            os.kill(child, signal.SIGKILL)

    def test_end_of_the_channel_ends_it(self):
        d = self.start()
        d.socket.shutdown(2)
        self.assertEqual(d.ended(), 0)

    def test_unknown_requests_are_answered(self):
        d = self.start()
        for op in ("nonsense", "reset", "render", "turn", "policy", "state"):
            self.error(d.ask, op)
        self.error(d.load, "rlgym:x")


NATIVES = {
    "gymnasium:CartPole-v1": "box", "gymnasium:MountainCar-v0": "box", "gymnasium:MountainCarContinuous-v0": "box", "gymnasium:Acrobot-v1": "box",
    "gymnasium:Pendulum-v1": "box", "gymnasium:FrozenLake-v1": "discrete", "gymnasium:Taxi-v4": "discrete", "gymnasium:CliffWalking-v1": "discrete",
    "gymnasium:Blackjack-v1": "tuple", "pettingzoo:mpe2.simple_spread_v3": "box", "pettingzoo:mpe2.simple_speaker_listener_v4": "box",
    "pettingzoo:classic.rps_v2": "discrete", "pettingzoo:classic.tictactoe_v3": "box", "pettingzoo:pettingzoo.classic.connect_four_v3": "box",
}  # fmt: skip


def some_action(space):
    if space["type"] == "discrete":
        return space["start"]
    return {"$array": 0, "dtype": space["dtype"], "shape": space["shape"]}


@needs("gymnasium", "pettingzoo", "mpe2", "pygame")
class Natives(Case):
    def test_ids_of_all_kinds(self):
        for source, kind in NATIVES.items():
            with self.subTest(source):
                d = self.start()
                r = d.load(source)
                self.assertEqual(r["roles"][0]["observation"]["type"], kind)
                self.assertTrue(r["replayable"] and r["width"] > 0 and r["height"] > 0 and r["fps"] > 0, r)
                actions = {x["role"]: some_action(x["action"]) for x in r["roles"]}
                size = {"MountainCarContinuous": 4, "Pendulum": 4}.get(source.split(":")[1].split("-")[0], 0)
                seen = []
                for _ in range(2):
                    first = d.reset(seed=2**64 - 1)
                    seen.append((first["roles"], d.blobs))
                    self.assertEqual([x["role"] for x in first["roles"]], list(actions))
                    self.assertEqual(first["frame"]["shape"], [r["height"], r["width"], 3])
                    acting = [x["role"] for x in first["roles"] if not x["waits"]]
                    self.assertEqual(len(acting), 1 if r["turns"] else len(actions))
                    out = d.turn(*[{"role": a, "action": actions[a]} for a in acting], blobs=[bytes(size)] if size else [])
                    self.assertEqual([x["role"] for x in out["roles"]], list(actions))
                    seen[-1] += (out["roles"], d.blobs)
                self.assertEqual(*seen)
                self.assertEqual(d.ask("close"), {})
                self.assertEqual(d.ended(), 0)

    def test_turns_rewards_and_masks(self):
        d = self.start()
        d.load("pettingzoo:classic.tictactoe_v3", render=False)
        d.reset()
        for turn, action in enumerate((0, 1, 3, 4, 6)):
            r = d.turn({"role": "player_%d" % (turn % 2 + 1), "action": action})
        self.assertEqual([(x["reward"], x["terminated"], x["waits"]) for x in r["roles"]], [(1.0, True, False), (-1.0, True, False)])

    def test_names_that_are_not_there(self):
        for source, words in (
            ("gymnasium:CartPool-v1", "CartPole-v1"), ("gymnasium:ALE/Pong-v5", "dependencies"), ("gymnasium:CartPole-v9", "CartPole"),
            ("gymnasium:no_such_package:X-v0", "no-such-package"), ("pettingzoo:mpe2.simple_sprad_v3", "simple_spread_v3"),
            ("pettingzoo:classic.tictacto_v3", "tictactoe_v3"), ("pettingzoo:nothing_v1", "nothing"), ("pettingzoo:a b", "environment.source"),
            ("gymnasium:", "environment.source"),
        ):  # fmt: skip
            with self.subTest(source):
                e = self.error(self.start().load, source)
                self.assertEqual(e["state"], "bad_experiment", e)
                self.assertIn(words, e["message"])
        e = self.error(self.start().load, "gymnasium:CartPole-v1", kwargs={"sutton": 1})
        self.assertIn("environment.kwargs", e["message"])

    def test_spaces(self):
        root = self.gallery("spaces")
        cases = {
            "box": ({"$array": 0, "dtype": "float32", "shape": [2]}, bytes(8)),
            "dials": ({"$array": 0, "dtype": "int64", "shape": [2]}, bytes(16)),
            "flags": ({"$array": 0, "dtype": "int8", "shape": [2]}, bytes(2)),
            "text": ("hello", b""),
            "discrete": (6, b""),
            "pair": ({"$tuple": [1, {"$array": 0, "dtype": "float64", "shape": []}]}, bytes(8)),
            "sequence": ([1], b""),
        }
        for action, (value, blob) in cases.items():
            with self.subTest(action):
                d = self.start()
                r = d.load("gymnasium:spaces_every:spaces_every/Every-v0", root=root, file=None, kwargs={"action": action})
                members = dict(r["roles"][0]["observation"]["spaces"])
                self.assertEqual(members["dials"], {"type": "multidiscrete", "nvec": [2, 5]})
                self.assertEqual(members["whole"], {"type": "box", "dtype": "int16", "shape": [2], "low": [-3.0, 0.0], "high": [3.0, 9.0]})
                self.assertEqual(members["numbers"]["low"], "-inf")
                d.reset()
                info = dict(d.turn({"action": value}, blobs=[blob])["roles"][0]["info"]["$dict"])
                self.assertEqual(info["legal"], action != "sequence", info)

    def test_policy_actions_are_fitted(self):
        d = self.start()
        d.load("gymnasium:CartPole-v1", root=self.gallery("fault"))
        d.policy(kwargs={"returns": 1})
        d.reset()
        self.assertEqual(d.turn({"ask": True})["decisions"][0]["action"], 1)
        d = self.start()
        d.load("gymnasium:CartPole-v1", root=self.gallery("fault"))
        d.policy(kwargs={"returns": 2})
        d.reset()
        e = self.error(d.turn, {"ask": True})
        self.assertEqual((e["phase"], e["role"]), ("act", "agent_0"))
        self.assertIn("allowed are 0 to 1", e["message"])


@needs("numpy")
class Turns(Case):
    def test_turns_without_the_package(self):
        d = self.start(PYTHONPATH=os.path.join(GALLERY, "turns"))
        r = d.load("pettingzoo:turns_v0", kwargs={"limit": 4}, root=self.gallery("lake_state"))
        self.assertTrue(r["turns"])
        self.assertEqual(r["roles"][0]["observation"]["dtype"], "int8")
        waits = lambda r: [(x["role"], x["waits"], x["mask"]) for x in r["roles"]]
        self.assertEqual(waits(d.reset()), [("first", False, [1, 1]), ("second", True, None)])
        self.assertEqual(waits(d.turn({"role": "first", "action": 0})), [("first", True, None), ("second", False, [1, 1])])
        self.assertEqual(waits(d.turn({"role": "second", "action": 1})), [("first", False, [1, 0]), ("second", True, None)])
        self.error(d.turn, {"role": "second", "action": 0})
        r = d.turn({"role": "first", "action": 0})
        self.assertEqual([(x["role"], x["reward"], x["terminated"]) for x in r["roles"]], [("first", 1, True), ("second", -1, True)])

    def test_a_transition_goes_from_turn_to_turn(self):
        d = self.start(PYTHONPATH=os.path.join(GALLERY, "turns"))
        d.load("pettingzoo:turns_v0", kwargs={"limit": 4, "tax": 1}, root=self.gallery("turns"))
        for role in ("first", "second"):
            d.policy(role)
        d.reset()
        d.turn({"role": "first", "ask": True})
        d.turn({"role": "second", "ask": True})
        d.turn({"role": "first", "ask": True, "learn": lesson()})
        # it saw 0, added one, was taxed for its move and for the other's, and sees 2
        self.assertEqual(d.printed(), "first 0 0 -2 False 2\n")
        d.turn({"role": "second", "ask": True, "learn": lesson()})
        d.ask("learn", turns=[{"role": r, "learn": lesson(None, True)} for r in ("first", "second")])
        self.assertEqual(d.printed().splitlines()[1:], ["second 1 0 -2 False 3", "first 2 0 -2 True 4", "second 3 0 1 True 4"])


if __name__ == "__main__":
    unittest.main()

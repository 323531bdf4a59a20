"""Environments by their ids, of Gymnasium and of PettingZoo."""

import os

from cases import Case, GALLERY, needs
from drive import lesson

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

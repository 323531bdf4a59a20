"""Researchers' own files, by the contract of galleries."""

import io
import os
import tarfile

from cases import Case, needs
from drive import lesson


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
        self.assertTrue(any("four values" in w for w in d.turn({"action": 0})["warnings"]))
        r = d.turn({"action": 0})
        self.assertEqual((r["roles"][0]["terminated"], r["roles"][0]["truncated"]), (True, False))
        self.assertEqual(r["warnings"], [])  # once is enough

    def test_rewards_that_are_no_numbers_are_told_once_an_episode(self):
        d = self.loaded("odd_values", roles=("agent_0", "agent_1"), policy=False)
        both = {"role": "agent_0", "action": 0}, {"role": "agent_1", "action": 0}
        for _ in range(2):
            d.reset()
            r = d.turn(*both)
            self.assertEqual(r["roles"][0]["reward"], {"$float": "nan"})
            self.assertEqual(r["warnings"], ["the reward of agent_0 is nan", "the reward of agent_1 is -inf"])
            self.assertEqual(d.turn(*both)["warnings"], [])

    def test_infos_without_a_hash_do_not_matter(self):
        d = self.loaded("odd_values", policy=False)
        replies = [d.reset(), d.turn({"action": 0})]
        self.assertIn("$opaque", str(replies[1]["roles"][0]["info"]))
        self.assertFalse(any("verified" in w for r in replies for w in r["warnings"]))

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

    def test_names_of_theirs_that_are_ours_too(self):
        names = ("errors", "files", "progress", "run", "start", "streams", "values", "worker")
        root = self.gallery("line_instance")
        for name in names:
            with open(os.path.join(root, name + ".py"), "w") as f:
                f.write("whose = 'theirs'\n")
        with open(os.path.join(root, "policy.py"), "w") as f:
            f.write("import os, sys\n")
            f.writelines("import %s; assert %s.whose == 'theirs'\n" % (name, name) for name in names)
            f.write("print([p for p in sys.path if os.path.isdir(p or '.') and 'sharpie_worker' in os.listdir(p or '.')])\n")
            f.write("class Right:\n    def predict(self, observation):\n        return 2\n\n\npolicy = Right\n")
        d = self.start()
        d.load(root=root)
        d.policy()
        self.assertEqual(d.printed(), "[]\n")

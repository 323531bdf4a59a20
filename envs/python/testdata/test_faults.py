"""What goes wrong, and what is said of it."""

import os
import signal
import time

from cases import Case
from drive import lesson


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
            self.assertNotIn("sharpie_worker", e["traceback"])
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
            links = ["socket: not looked at yet"]
            until = time.monotonic() + 10
            while any(x.startswith("socket:") for x in links) and time.monotonic() < until:
                time.sleep(0.01)  # between fork and exec it still has all that its parent has
                try:
                    links = [os.readlink("/proc/%d/fd/%s" % (child, fd)) for fd in os.listdir("/proc/%d/fd" % child)]
                except FileNotFoundError:  # closed while it was looked at
                    continue
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

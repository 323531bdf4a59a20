"""Requests: what is answered to each of them."""

import importlib
import os
import socket
import sys
from time import perf_counter_ns as clock

from . import np
from .bounds import MAX_HEADER, PROTOCOL
from .channel import to_json
from .errors import Fault, bad_experiment, describe_error
from .gallery_source import Gallery
from .gymnasium_source import Gymnasium
from .memory import limit_memory
from .notices import warnings
from .pettingzoo_source import pettingzoo
from .pictures import Pictures
from .policies import Policy
from .seats import NoEnvironment, number
from .streams import after_import, fold, streams
from .values import ENCODERS, Notes, decode, encode
from .versions import packages

DEFAULT_PHASE = {"policy": "load", "warm": "load", "turn": "step", "learn": "update", "state": "checkpoint", "restore": "checkpoint"}


class Worker:
    """Answers requests. Each method named after one takes it with its blobs, and
    returns the answer, whose blobs it puts into self.blobs."""

    def __init__(self, channel, progress):
        self.channel, self.progress = channel, progress
        self.blobs = []
        self.pictures = Pictures()
        self.environment = None
        self.root = self.gallery = None
        self.seats = {}
        self.infos = True
        self.odd_rewards = set()
        self.ops = {
            name: getattr(self, name)
            for name in ("warm", "load", "policy", "reset", "turn", "render", "learn", "act", "state", "restore", "close")
        }

    def serve(self):
        """Answers until the other side goes away."""
        hello = {
            "op": "hello",
            "protocol": PROTOCOL,
            "python": "%d.%d.%d" % sys.version_info[:3],
            "executable": sys.executable,
            "numpy": None if np is None else np.__version__,
            "pid": os.getpid(),
        }
        self.channel.write(to_json(hello).encode(), [])
        while True:
            request, blobs = self.channel.read()
            self.blobs = []
            try:
                op = request["op"]
                if op not in self.ops:
                    raise ValueError("unknown request %r" % (op,))
                self.progress.phase, self.progress.role = DEFAULT_PHASE.get(op, op), None
                reply = self.ops[op](request, blobs)
                text = to_json({"ok": reply}).encode()
                if len(text) > MAX_HEADER:
                    raise Fault("the answer has %d MiB of values outside arrays: at most %d are allowed" % (len(text) >> 20, MAX_HEADER >> 20))
                self.channel.write(text, self.blobs)
            except BaseException as e:
                if isinstance(e, (EOFError, ConnectionError)) and self._lost():
                    raise
                self._fail(e)
            # not kept until the next request comes: it may be a large picture
            self.blobs = []
            if request.get("op") == "close":
                return

    def _lost(self):
        """Whether the other side is gone, where an error might also be of researchers' code."""
        try:
            return self.channel.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _fail(self, e):
        try:
            error = describe_error(e, self.progress)
        except BaseException as other:
            error = {"phase": self.progress.phase, "role": self.progress.role or "", "type": type(e).__name__,
                     "message": "(the error cannot be described: %s)" % type(other).__name__, "traceback": "", "state": None}  # fmt: skip
        e.__traceback__ = None
        self.progress.leave()
        self.channel.write(to_json({"error": error}).encode(), [])

    # -- loading

    def warm(self, request, blobs):
        for name in request.get("modules") or []:
            try:
                importlib.import_module(name)
            except BaseException:
                pass  # who needs it will say so
        return {}

    def load(self, request, blobs):
        if self.environment is not None:
            raise ValueError("an experiment is loaded already: a worker loads one")
        self.root, self.gallery = request.get("root"), request.get("gallery")
        draw = bool(request.get("render", True))
        source = request.get("source") or ""
        limit_memory(int(request.get("memory") or 0))
        if self.gallery or self.root:
            os.chdir(self.gallery or self.root)
        after_import.call("torch", lambda module: streams.seed_torch())
        for name in ("gymnasium.utils.seeding", "gym.utils.seeding"):
            after_import.call(name, streams.patch_seeding)
        streams.patch_numpy()
        seed = int(request.get("seed") or 0)
        streams.seed("", seed)
        self.progress.enter("load")
        self.environment = self._make(source, request, draw, blobs)
        env = self.environment
        self.seats = {s.role: s for s in env.seats}
        self.progress.name_roles([s.role for s in env.seats])
        width, height = self._probe(draw and env.reusable and not isinstance(env, NoEnvironment))
        self.progress.leave()
        return {
            "id": env.id, "version": env.version, "replayable": env.replayable, "why_not": env.why_not,
            "fps": env.fps, "max_steps": env.max_steps, "width": width, "height": height, "turns": env.turns,
            "roles": [{"role": s.role, "observation": s.observation_space, "action": s.action_space, "meanings": s.meanings} for s in env.seats],
            "warnings": warnings.take(), "packages": packages(),
        }  # fmt: skip

    def _make(self, source, request, draw, blobs):
        kwargs = decode(request.get("kwargs"), blobs) or {}
        if source == "":
            return Gallery(self, request, draw, blobs)
        if source == "none":
            return NoEnvironment(self, request)
        kind, _, name = source.partition(":")
        if self.root:
            sys.path.append(self.root)  # an id may name a module of the experiment's own
        if kind == "gymnasium" and name:
            return Gymnasium(self, name, kwargs, draw)
        if kind == "pettingzoo" and name:
            return pettingzoo(self, name, kwargs, draw)
        raise bad_experiment("environment.source: %r is unknown: gymnasium:ID and pettingzoo:MODULE are allowed" % source)

    def _probe(self, wanted):
        """The size of the picture, from an episode of its own."""
        if not wanted:
            return 0, 0
        env = self.environment
        self.progress.enter("reset")
        env.reset(0)
        self.progress.enter("render")
        shape = self.pictures.encode(env.render(), self.blobs)
        self.blobs = []
        return (shape["shape"][1], shape["shape"][0]) if shape else (0, 0)

    def policy(self, request, blobs):
        if self.environment is None:
            raise ValueError("load comes before policy")
        role = request["role"]
        seat = self.seats.get(role)
        if seat is None:
            raise ValueError("there is no role %r" % role)
        self.progress.role = role
        if not request.get("action"):
            request = dict(request, action=seat.action_space)
        policy = Policy(self, request, blobs)
        seat.policy = policy
        streams.enter("")
        policy.reported = policy.version
        return {
            "version": policy.version,
            "learner": policy.update is not None,
            "checkpointer": policy.checkpointer,
            "warnings": warnings.take(),
        }

    # -- an episode

    def reset(self, request, blobs):
        env = self.environment
        if env is None:
            raise ValueError("load comes before reset")
        seed = int(request["seed"])
        warnings.renew(self.odd_rewards)
        self.odd_rewards.clear()
        for seat in env.seats:
            seat.forget()
        streams.seed("", seed)
        self.progress.enter("reset")
        views = env.reset(fold(seed))
        self.progress.leave()
        roles = [self._view(v, False) for v in views]
        frame = self._draw() if request.get("draw") else None
        self._check_hashes()
        return {"roles": roles, "frame": frame, "warnings": warnings.take()}

    def _view(self, view, stepped):
        seat, shown, info, reward, terminated, truncated = view
        blobs = self.blobs
        encoder = ENCODERS.get(type(shown))
        out = {
            "role": seat.role,
            "observation": encoder(shown, blobs, 0) if encoder is not None else encode(shown, blobs),
            "mask": seat.mask,
            "waits": seat.waits,
            "info": self._info(info) if info else None,
        }
        if stepped:
            out["reward"] = amount = number(reward)
            if type(amount) is dict:
                self._say_odd_reward(seat.role, amount["$float"])
            out["terminated"] = terminated
            out["truncated"] = truncated
        return out

    def _info(self, info):
        at, unhashed = len(self.blobs), Notes.unhashed
        try:
            return encode(info, self.blobs)
        except Fault as e:
            del self.blobs[at:]
            warnings.say("an info cannot be stored: %s" % e)
            return None
        finally:
            Notes.unhashed = unhashed  # episodes are verified by observations alone

    def _say_odd_reward(self, role, amount):
        """Once in an episode."""
        text = "the reward of %s is %s" % (role, amount)
        self.odd_rewards.add(text)
        warnings.say(text)

    def _check_hashes(self):
        if Notes.unhashed:
            Notes.unhashed = False
            warnings.say("an observation holds an object that cannot be pickled: episodes cannot be verified by it")

    def _draw(self):
        streams.enter("")
        self.progress.enter("render")
        frame = self.environment.render()
        out = self.pictures.encode(frame, self.blobs)
        self.progress.leave()
        return out

    def render(self, request, blobs):
        if self.environment is None:
            raise ValueError("load comes before render")
        return {"frame": self._draw()}

    def turn(self, request, blobs):
        started = clock()
        turns, seats, env = request["turns"], self.seats, self.environment
        for t in turns:
            if t.get("learn"):
                self._learn(seats[t["role"]], t["learn"], blobs)
        learned = clock()
        decisions, actions = [], []
        for t in turns:
            decisions.append(self._decide(seats[t["role"]], t, blobs, actions))
        asked = clock()
        roles = []
        if actions:
            streams.enter("")
            self._check_actions(actions)
            self.progress.enter("step")
            for seat, action in actions:
                seat.act(action)
            views = env.step(actions)
            self.progress.leave()
            roles = [self._view(v, True) for v in views]
        stepped = clock()
        frame = self._draw() if request.get("draw") else None
        if Notes.unhashed:
            self._check_hashes()
        drawn = clock()
        times = {
            "learn": (learned - started) // 1000,
            "ask": (asked - learned) // 1000,
            "step": (stepped - asked) // 1000,
            "draw": (drawn - stepped) // 1000,
        }
        return {"decisions": decisions, "roles": roles, "frame": frame, "times": times, "warnings": warnings.take()}

    def _check_actions(self, actions):
        for seat, _ in actions:
            if not seat.live or seat.waits:
                raise ValueError("the role %s cannot act now" % seat.role)

    def _learn(self, seat, lesson, blobs):
        policy = seat.policy
        if policy is None or policy.update is None or not seat.moved:
            return
        seat.moved = False
        reward = lesson.get("reward")
        terminated, truncated = bool(lesson.get("terminated")), bool(lesson.get("truncated"))
        policy.learn({
            "state": seat.state,
            "action": seat.action,
            "reward": seat.reward if reward is None else decode(reward, blobs),
            "done": terminated or truncated,
            "next_state": seat.observation,
            "terminated": terminated,
            "truncated": truncated,
        })  # fmt: skip

    def _decide(self, seat, t, blobs, actions):
        """Asks the policy, merges, and adds the action to actions."""
        policy, said, version = seat.policy, None, None
        opinion = None
        if t.get("ask") and policy is not None:
            version = policy.news()
            opinion = policy.ask(seat.observation, seat.mask, decode(t.get("advice"), blobs))
            if opinion is not None:
                opinion = policy.fit(opinion, seat.mask)
                said = encode(opinion, self.blobs)
        if not t.get("acts"):
            return {"policy": said, "action": None, "version": version}
        if opinion is None or t.get("final"):
            action = decode(t.get("action"), blobs)
            done = encode(action, self.blobs)
        else:
            action, done = opinion, said
        actions.append((seat, action))
        return {"policy": said, "action": done, "version": version}

    def learn(self, request, blobs):
        versions = []
        for t in request["turns"]:
            seat = self.seats[t["role"]]
            if t.get("learn"):
                self._learn(seat, t["learn"], blobs)
            versions.append(seat.policy.news() if seat.policy is not None else None)
        streams.enter("")
        return {"versions": versions}

    # -- policies alone

    def act(self, request, blobs):
        policy = self._policy(request)
        for t in request.get("learn") or []:
            if policy.update is None:
                break
            terminated, truncated = bool(t.get("terminated")), bool(t.get("truncated"))
            policy.learn({
                "state": decode(t["observation"], blobs),
                "action": decode(t["action"], blobs),
                "reward": decode(t["reward"], blobs),
                "done": terminated or truncated,
                "next_state": decode(t["next_observation"], blobs),
                "terminated": terminated,
                "truncated": truncated,
            })  # fmt: skip
        action = None
        if request.get("observation") is not None:
            mask = request.get("mask")
            said = policy.ask(decode(request["observation"], blobs), mask, decode(request.get("advice"), blobs))
            if said is not None:
                action = encode(policy.fit(said, mask), self.blobs)
        policy.reported = policy.version
        return {"action": action, "version": policy.version}

    def _policy(self, request):
        role = request["role"]
        seat = self.seats.get(role)
        if seat is None or seat.policy is None:
            raise ValueError("the role %r has no policy here" % role)
        self.progress.role = role
        return seat.policy

    def state(self, request, blobs):
        policy = self._policy(request)
        blob = policy.state()
        streams.enter("")
        policy.reported = policy.version
        if blob is not None:
            self.blobs.append(blob)
        return {"state": None if blob is None else len(self.blobs) - 1, "version": policy.version}

    def restore(self, request, blobs):
        policy = self._policy(request)
        policy.restore(bytes(blobs[request["state"]]))
        streams.enter("")
        policy.reported = policy.version
        return {"version": policy.version}

    def close(self, request, blobs):
        if self.environment is not None:
            streams.enter("")
            self.progress.enter("close")
            self.environment.close()
            self.progress.leave()
        return {}

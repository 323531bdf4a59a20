"""Environments of researchers' own files, by the contract of galleries."""

import json
import os
import re
import sys

from .errors import Fault, bad_experiment, safe_repr, text_of
from .files import accepts, call_with, find_file, run_file, short_hash, source_of, writes_bgr
from .notices import warnings
from .seats import Seat, render_fps
from .spaces import OPAQUE
from .values import decode


def truth(value, what):
    try:
        return bool(value)
    except Exception:
        raise Fault("step returned %s as %s: a truth value, or a dict of them by role, is expected" % (safe_repr(value), what), phase="step") from None


class Gallery:
    """An environment of a researcher's own file."""

    reusable, turns = False, False

    def __init__(self, worker, request, draw, blobs):
        self.worker = worker
        self.path = find_file(worker.root, worker.gallery, request.get("file"), "environment.filepaths.environment")
        source = source_of(self.path)
        metadata = decode(request.get("metadata"), blobs) or {}
        self.env = self._load(metadata)
        self.seats = []
        self.settled = {}
        for r in request.get("roles") or []:
            seat = Seat(r["role"], r.get("env_agent_id") or r["role"], OPAQUE, OPAQUE)
            self.settled[seat.role] = bool(r.get("env_agent_id"))
            self.seats.append(seat)
        self.id = os.path.relpath(self.path, os.path.realpath(worker.root))
        self.version = short_hash(source, json.dumps(metadata, sort_keys=True, default=text_of))
        self.fps, self.max_steps = render_fps(self.env), 0
        self.pass_seed = accepts(self.env.reset, "seed")
        self._judge(source)
        self._alias(self._declared_names())
        self.draws = callable(getattr(self.env, "render", None))
        if not self.draws:
            warnings.say("the environment has no method render: there is no picture")
        form = request.get("frame_format") or "auto"
        line = writes_bgr(source) if form == "auto" else 0
        worker.pictures.bgr = form == "bgr" or line > 0
        if line:
            warnings.say("line %d of %s turns the colours of the picture round, so it is taken for BGR; environment.frame_format settles it" % (line, self.id))

    def _load(self, metadata):
        folder = os.path.dirname(self.path)
        try:
            module = run_file("environment", self.path, False)
        except ModuleNotFoundError as e:
            top = (e.name or "").split(".")[0]
            sibling = os.path.join(folder, top)
            if not top or folder in sys.path or not (os.path.isfile(sibling + ".py") or os.path.isdir(sibling)):
                raise
            warnings.say("the environment imports %s from its own folder, which is put on the search path for it" % top)
            sys.path.append(folder)
            module = run_file("environment", self.path, False)
        if not hasattr(module, "environment"):
            raise bad_experiment("%s has no `environment`: the file must end with one, such as environment = MyEnvironment" % os.path.basename(self.path))
        env = module.environment
        if callable(env):
            env = call_with(env, metadata, "environment.metadata")
        elif metadata:
            warnings.say("the environment is an instance, which takes no metadata: it has no effect")
        for method in ("reset", "step"):
            if not callable(getattr(env, method, None)):
                raise bad_experiment("the environment has no method %s: reset() and step(actions) are needed" % method)
        return env

    def _judge(self, source):
        """Whether its episodes can be replayed, as far as its file tells."""
        found = re.search(rb"SystemRandom|os\.urandom|\bsecrets\.|\buuid4\b", source)
        self.replayable = found is None
        self.why_not = "" if found is None else "it uses %s, which has no seed" % found.group().decode()

    # -- the roles' names

    def _declared_names(self):
        for name in ("possible_agents", "agents", "agent_ids"):
            names = getattr(self.env, name, None)
            if isinstance(names, (list, tuple, set, frozenset)) and all(isinstance(n, str) for n in names):
                return list(names)
        for name in ("action_spaces", "observation_spaces"):
            spaces = getattr(self.env, name, None)
            if isinstance(spaces, dict):
                return [k for k in spaces if isinstance(k, str)]
        return []

    def _alias(self, names):
        """Finds the environment's own name of each role, where it differs."""
        taken = {s.key for s in self.seats if s.key in names}
        for seat in self.seats:
            if not names or seat.key in names:
                continue
            if self.settled[seat.role]:
                continue
            fitting = [n for n in names if n not in taken and len(n) < len(seat.role) and seat.role.endswith(n) and seat.role[-len(n) - 1] in "_-. "]
            if len(fitting) == 1:
                seat.key = fitting[0]
                taken.add(seat.key)
                warnings.say("the role %s is called %s by the environment, and is taken for it; env_agent_id settles it" % (seat.role, seat.key))

    # -- running

    def reset(self, seed):
        result = self.env.reset(seed=seed) if self.pass_seed else self.env.reset()
        if result is None:
            raise Fault("reset returned nothing: (observation, info) is expected", phase="reset")
        info = {}
        if isinstance(result, tuple) and len(result) == 2 and (result[1] is None or isinstance(result[1], dict)):
            result, info = result
        else:
            warnings.say("reset returns the observation alone: (observation, info) is expected")
        if isinstance(result, dict):
            self._alias([k for k in result if isinstance(k, str)])
        for seat in self.seats:
            seat.live = True
        return [(seat, self._see(seat, result), self._info(seat, info), None, False, False) for seat in self.seats]

    def _see(self, seat, observation):
        seat.observation = observation.get(seat.key, observation) if isinstance(observation, dict) else observation
        return seat.observation

    def _info(self, seat, info):
        if isinstance(info, dict):
            own = info.get(seat.key)
            return own if isinstance(own, dict) else info
        return None if info is None else {"info": info}

    def step(self, actions):
        result = self.env.step({seat.key: action for seat, action in actions})
        observation, reward, terminated, truncated, info = self._five(result)
        out = []
        for seat in self.seats:
            if not seat.live:
                continue
            own = reward.get(seat.key) if isinstance(reward, dict) else reward
            t, u = self._ended(seat, terminated, "terminated"), self._ended(seat, truncated, "truncated")
            seat.live = not (t or u)
            if seat.moved:
                seat.reward = own
            out.append((seat, self._see(seat, observation), self._info(seat, info), own, t, u))
        return out

    def _five(self, result):
        if isinstance(result, (tuple, list)):
            if len(result) == 5:
                return result
            if len(result) == 4:
                warnings.say("step returns four values: (observation, reward, terminated, truncated, info) is expected")
                observation, reward, done, info = result
                if info is None or isinstance(info, dict):
                    cut = isinstance(info, dict) and bool(info.get("TimeLimit.truncated"))
                    return observation, reward, False if cut else done, cut, info
                return observation, reward, done, info, {}
        what = "nothing" if result is None else "%d values" % len(result) if isinstance(result, (tuple, list)) else safe_repr(result)
        raise Fault("step returned %s: (observation, reward, terminated, truncated, info) is expected" % what, phase="step")

    def _ended(self, seat, value, what):
        if not isinstance(value, dict):
            return truth(value, what)
        if truth(value.get("__all__", False), what):
            return True
        if seat.key in value:
            return truth(value[seat.key], what)
        return bool(value) and all(truth(v, what) for v in value.values())

    def render(self):
        return self.env.render() if self.draws else None

    def close(self):
        close = getattr(self.env, "close", None)
        if callable(close):
            close()

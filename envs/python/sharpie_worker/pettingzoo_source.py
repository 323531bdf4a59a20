"""Environments of PettingZoo, by their modules: parallel, or in turns."""

import importlib
import importlib.util
import re

from .errors import Fault, bad_experiment, message_of, package_advice, safe_repr, text_of
from .notices import warnings
from .seats import MOVES, Seat, mask_of, meanings_of, render_fps, split_masked
from .spaces import describe_space
from .versions import version_of


class PettingZoo:
    """What both interfaces of PettingZoo have in common."""

    reusable = True

    def _describe(self, env, name, module, draw):
        self.env = env
        self.id = name
        self.draws = draw and getattr(env, "render_mode", None) is not None
        self.fps = render_fps(env)
        base = getattr(env, "unwrapped", env)
        self.max_steps = 0
        if module.split(".")[0] == "mpe2" or ".mpe." in module:
            self.max_steps = self._cycles(base)
        self.version = version_of(module, "pettingzoo", "numpy")
        self.replayable, self.why_not = True, ""
        self.seats, self.inner = [], {}
        for agent in env.possible_agents:
            space = env.observation_space(agent)
            inner = split_masked(space)
            self.inner[agent] = inner is not None
            action = describe_space(env.action_space(agent))
            meanings = meanings_of(env, action, "")
            if meanings is None and name.startswith("simple_") and action == {"type": "discrete", "n": 5, "start": 0}:
                meanings = MOVES
            self.seats.append(Seat(text_of(agent), agent, describe_space(inner if inner is not None else space), action, meanings))
        self.by_key = {s.key: s for s in self.seats}

    def _cycles(self, base):
        """After how many steps its environments are cut; 0 where unknown."""
        for env in (base, getattr(base, "aec_env", None), getattr(getattr(base, "aec_env", None), "unwrapped", None)):
            cycles = getattr(env, "max_cycles", None)
            if isinstance(cycles, int):
                return cycles
        return 0

    def _see(self, seat, observation, info):
        seat.observation = observation
        seat.mask = mask_of(observation, info)
        if self.inner[seat.key] and isinstance(observation, dict):
            return observation["observation"]
        return observation

    def render(self):
        return self.env.render() if self.draws else None

    def close(self):
        self.env.close()


class Parallel(PettingZoo):
    """All agents act at once."""

    turns = False

    def __init__(self, worker, env, name, module, draw):
        self._describe(env, name, module, draw)

    def reset(self, seed):
        result = self.env.reset(seed=seed)
        if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[0], dict)):
            raise Fault("reset returned %s: (observations, infos), both by agent, is expected" % safe_repr(result), phase="reset")
        observations, infos = result
        out = []
        for seat in self.seats:
            seat.live = seat.key in observations
            if not seat.live:
                warnings.say("the agent %s takes no part after reset" % seat.role)
                continue
            info = infos.get(seat.key)
            out.append((seat, self._see(seat, observations[seat.key], info), info, None, False, False))
        return out

    def step(self, actions):
        observations, rewards, terminations, truncations, infos = self.env.step({seat.key: a for seat, a in actions})
        out = []
        for seat in self.seats:
            if not seat.live:
                continue
            key = seat.key
            info, reward = infos.get(key), rewards.get(key, 0.0)
            terminated, truncated = bool(terminations.get(key, False)), bool(truncations.get(key, False))
            shown = None
            if key in observations:
                shown = self._see(seat, observations[key], info)
            else:  # it is gone, whatever the others say of it
                truncated = truncated or not terminated
                shown = self._see(seat, seat.observation, info)
            seat.live = not (terminated or truncated)
            if seat.moved:
                seat.earn(reward)
            out.append((seat, shown, info, reward, terminated, truncated))
        return out


class AEC(PettingZoo):
    """One agent acts after the other: agent_selection does, the others wait."""

    turns = True

    def __init__(self, worker, env, name, module, draw):
        self._describe(env, name, module, draw)
        self.max_steps = 0  # it counts rounds, not steps

    def reset(self, seed):
        self.env.reset(seed=seed)
        for seat in self.seats:
            seat.live = seat.key in self.env.agents
        self._drain()
        return [self._look(seat) for seat in self.seats if seat.live]

    def step(self, actions):
        env = self.env
        env.step(actions[0][1])
        # rewards, before those that ended are taken out: that clears them
        ended = {}
        for seat in self.seats:
            if not seat.live:
                continue
            key = seat.key
            reward = env.rewards.get(key, 0.0)
            terminated, truncated = bool(env.terminations.get(key)), bool(env.truncations.get(key))
            if key not in env.agents and not (terminated or truncated):
                truncated = True
            if seat.moved:
                seat.earn(reward)
            ended[key] = (reward, terminated, truncated)
            if terminated or truncated:
                ended[key] += (self._look(seat),)
                seat.live = False
        self._drain()
        out = []
        for seat in self.seats:
            if seat.key not in ended:
                continue
            reward, terminated, truncated = ended[seat.key][:3]
            look = ended[seat.key][3] if len(ended[seat.key]) > 3 else self._look(seat)
            if len(ended[seat.key]) > 3:
                seat.waits, seat.mask = False, None
            out.append((seat, look[1], look[2], reward, terminated, truncated))
        return out

    def _drain(self):
        """Takes out the agents that have ended, as the interface wants it."""
        env = self.env
        for _ in range(2 * len(self.seats) + 2):
            if not env.agents:
                return
            agent = env.agent_selection
            if not (env.terminations.get(agent) or env.truncations.get(agent)):
                return
            env.step(None)

    def _look(self, seat):
        env = self.env
        info = env.infos.get(seat.key)
        try:
            observation = env.observe(seat.key)
        except Exception:
            if seat.live and seat.key in env.agents:
                raise
            observation = seat.observation  # some do not observe what has ended
        shown = self._see(seat, observation, info)
        seat.waits = env.agent_selection != seat.key
        if seat.waits:
            seat.mask = None  # there is nothing to choose now
        return (seat, shown, info, None, False, False)


def pettingzoo(worker, name, kwargs, draw):
    """An environment of PettingZoo, by its module: parallel where it can be."""
    module = import_zoo(name)
    kwargs = dict(kwargs)
    kwargs.pop("render_mode", None)
    short = module.__name__.split(".")[-1]
    for maker, kind in (("parallel_env", Parallel), ("env", AEC)):
        make = getattr(module, maker, None)
        if not callable(make):
            continue
        if kind is AEC and hasattr(module, "raw_env") and not hasattr(module, "env"):
            continue
        return kind(worker, _make_zoo(make, kwargs, draw, name), short, module.__name__, draw)
    raise bad_experiment("environment.source: the module %s has neither parallel_env nor env, so it is no environment of PettingZoo" % module.__name__)


def _make_zoo(make, kwargs, draw, name):
    try:
        if not draw:
            return make(**kwargs)
        try:
            return make(render_mode="rgb_array", **kwargs)
        except (TypeError, ValueError, AssertionError) as e:
            if "render" not in message_of(e):
                raise
            warnings.say("%s draws no picture: %s" % (name, message_of(e)))
            return make(**kwargs)
    except TypeError as e:
        if "unexpected keyword" in message_of(e):
            raise bad_experiment("environment.kwargs: %s" % message_of(e), kind="TypeError") from e
        raise


def import_zoo(name):
    """The module of a source: as it is written, else within pettingzoo."""
    if not re.match(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$", name):
        raise bad_experiment("environment.source: %r is no module of PettingZoo, such as mpe2.simple_spread_v3" % name)
    names = [name] if name.startswith("pettingzoo.") else [name, "pettingzoo." + name]
    first = None
    for full in names:
        try:
            return importlib.import_module(full)
        except ModuleNotFoundError as e:
            # of a module that is there, what it lacks is the error; else the next name
            missing_itself = e.name is not None and (full == e.name or full.startswith(e.name + "."))
            if not missing_itself:
                raise
            first = first or e
    top = name.split(".")[0]
    try:
        there = importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        there = False
    holder = top if there else "pettingzoo." + top
    near = _modules_near(holder, name.split(".")[-1])
    if near:
        raise bad_experiment("environment.source: %s has no environment %r; it has %s" % (holder, name.split(".")[-1], near), kind="ModuleNotFoundError")
    if importlib.util.find_spec("pettingzoo") is None:
        raise bad_experiment("the package pettingzoo is not installed; " + package_advice("pettingzoo"), kind="ModuleNotFoundError")
    raise bad_experiment("environment.source: there is no module %r; %s" % (name, package_advice(top)), kind="ModuleNotFoundError") from first


def _modules_near(holder, name):
    import difflib
    import pkgutil

    try:
        folder = importlib.import_module(holder)
        known = [m.name for m in pkgutil.iter_modules(folder.__path__) if re.search(r"_v\d+$", m.name)]
    except Exception:
        return ""
    return ", ".join(difflib.get_close_matches(name, known, 4, 0.5) or known[:12])

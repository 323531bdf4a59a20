"""Environments of Gymnasium, by their ids."""

import inspect

from .errors import Fault, bad_experiment, explain_missing, message_of, safe_repr
from .notices import warnings
from .seats import Seat, mask_of, meanings_of, render_fps, split_masked
from .spaces import describe_space
from .versions import version_of


class Gymnasium:
    """An environment of Gymnasium, by its id. Its one role is agent_0."""

    reusable, turns = True, False

    def __init__(self, worker, name, kwargs, draw):
        self.worker = worker
        import gymnasium

        self.env = self._make(gymnasium, name, kwargs, draw)
        spec = self.env.spec
        self.id = spec.id if spec is not None else name
        space = self.env.observation_space
        inner = split_masked(space)
        self.masked = inner is not None
        action = describe_space(self.env.action_space)
        short = self.id.split("/")[-1].rsplit("-v", 1)[0]
        meanings = meanings_of(self.env, action, short)
        self.seats = [Seat("agent_0", "agent_0", describe_space(inner if self.masked else space), action, meanings)]
        self.fps = render_fps(self.env)
        self.max_steps = int(getattr(spec, "max_episode_steps", 0) or 0)
        home = type(self.env.unwrapped).__module__.split(".")[0]
        self.version = version_of(home, "gymnasium", "numpy")
        self.replayable = not getattr(spec, "nondeterministic", False)
        self.why_not = "" if self.replayable else "Gymnasium says that %s is not deterministic" % self.id
        self.draws = draw and getattr(self.env, "render_mode", None) is not None

    def _make(self, gymnasium, name, kwargs, draw):
        kwargs = dict(kwargs)
        kwargs.pop("render_mode", None)
        if "disable_env_checker" in inspect.signature(gymnasium.make).parameters:
            kwargs.setdefault("disable_env_checker", True)  # it checks each step, and costs
        try:
            if not draw:
                return gymnasium.make(name, **kwargs)
            try:
                return gymnasium.make(name, render_mode="rgb_array", **kwargs)
            except Exception as e:
                if "render" not in message_of(e) or explain_missing(e):
                    raise
                warnings.say("%s draws no picture: %s" % (name, message_of(e)))
                return gymnasium.make(name, **kwargs)
        except gymnasium.error.UnregisteredEnv as e:
            raise unknown_id(gymnasium, name, e) from None
        except TypeError as e:
            if "unexpected keyword" in message_of(e):
                raise bad_experiment("environment.kwargs: %s" % message_of(e), kind="TypeError") from e
            raise

    def reset(self, seed):
        observation, info = self._pair(self.env.reset(seed=seed))
        seat = self.seats[0]
        seat.live = True
        return [(seat, self._see(seat, observation), info, None, False, False)]

    def _pair(self, result):
        if type(result) is tuple and len(result) == 2:
            return result
        raise Fault("reset returned %s: (observation, info) is expected" % safe_repr(result), phase="reset")

    def _see(self, seat, observation):
        seat.observation = observation
        if self.masked and isinstance(observation, dict):
            seat.mask = mask_of(observation, None)
            return observation["observation"]
        return observation

    def step(self, actions):
        observation, reward, terminated, truncated, info = self.env.step(actions[0][1])
        seat = self.seats[0]
        terminated, truncated = bool(terminated), bool(truncated)
        seat.live = not (terminated or truncated)
        if seat.moved:
            seat.earn(reward)
        return [(seat, self._see(seat, observation), info, reward, terminated, truncated)]

    def render(self):
        return self.env.render() if self.draws else None

    def close(self):
        self.env.close()


def unknown_id(gymnasium, name, e):
    """The error for an id that Gymnasium does not know, with those that are near."""
    import difflib

    known = list(getattr(gymnasium, "registry", {}))
    near = difflib.get_close_matches(name.split(":")[-1], known, 4, 0.6)
    message = "environment.source: Gymnasium knows no environment %r (%s)" % (name, message_of(e).rstrip("."))
    if near:
        message += "; near: " + ", ".join(near)
    if "/" in name or ":" not in name and not near:
        message += "; if a package of its own has it, write gymnasium:PACKAGE:ID and name the package in dependencies: [...]"
    return bad_experiment(message, kind=type(e).__name__)

"""Seats: what all environments have in common for each role.

An environment here has seats, and reset and step that return, for each seat that lives,
(seat, observation, info, reward, terminated, truncated).
"""

from math import isfinite

from .errors import Fault, safe_repr, text_of
from .spaces import OPAQUE
from .values import encode_float, keep


class Seat:
    """One role: what it sees now, and the transition that its policy may learn from."""

    def __init__(self, role, key, observation, action, meanings=None):
        self.role = role
        self.key = key  # the environment's own name of it
        self.observation_space = observation
        self.action_space = action
        self.meanings = meanings
        self.policy = None
        self.forget()

    def forget(self):
        self.live = False
        self.waits = False
        self.mask = None
        self.observation = None  # the whole of it, for the policy
        self.moved = False
        self.state = self.action = self.reward = None

    def act(self, action):
        policy = self.policy
        if policy is not None:
            self.state = keep(self.observation) if policy.update is not None else None
            self.action = action
            self.reward = None
            self.moved = True

    def earn(self, reward):
        self.reward = reward if self.reward is None else self.reward + reward


class NoEnvironment:
    """Policies alone."""

    reusable = True

    def __init__(self, worker, request):
        self.seats = [Seat(r["role"], r["role"], OPAQUE, OPAQUE) for r in request.get("roles") or []]
        self.id, self.version, self.fps, self.max_steps = "none", "none", 0, 0
        self.turns, self.replayable, self.why_not, self.spaces = False, False, "there is no environment", True

    def _none(self, *args):
        raise Fault("this process has policies and no environment")

    reset = step = _none

    def render(self):
        return None

    def close(self):
        pass


MASKED = ("observation", "action_mask")


def split_masked(space):
    """The inner space of observations that carry an action mask; None where it has none."""
    inner = getattr(space, "spaces", None)
    if isinstance(inner, dict) or hasattr(inner, "keys"):
        if sorted(inner.keys()) == sorted(MASKED):
            return inner["observation"]
    return None


def mask_of(observation, info):
    """The legal actions as a list of 0 and 1, or None where all are."""
    mask = observation.get("action_mask") if isinstance(observation, dict) else None
    if mask is None and isinstance(info, dict):
        mask = info.get("action_mask")
    if mask is None:
        return None
    if hasattr(mask, "tolist"):
        mask = mask.tolist()
    if not isinstance(mask, (list, tuple)) or any(isinstance(x, (list, tuple)) for x in mask):
        return None  # a mask of several actions at once has no form here
    return [1 if x else 0 for x in mask]


MOVES = ["no_action", "move_left", "move_right", "move_down", "move_up"]
KNOWN_MEANINGS = {
    "CartPole": ["push left", "push right"],
    "MountainCar": ["push left", "do nothing", "push right"],
    "Acrobot": ["push left", "do nothing", "push right"],
    "FrozenLake": ["left", "down", "right", "up"],
    "FrozenLake8x8": ["left", "down", "right", "up"],
    "CliffWalking": ["up", "right", "down", "left"],
    "CliffWalkingSlippery": ["up", "right", "down", "left"],
    "Taxi": ["down", "up", "right", "left", "pick up", "drop off"],
    "Blackjack": ["stick", "hit"],
    "LunarLander": ["do nothing", "fire left engine", "fire main engine", "fire right engine"],
}


def meanings_of(env, space, name):
    """Names of a discrete space's actions, where the environment or a table has them."""
    if space.get("type") != "discrete":
        return None
    try:
        method = getattr(getattr(env, "unwrapped", env), "get_action_meanings", None)
        if callable(method):
            names = [text_of(x).lower() for x in method()]
            return names if len(names) == space["n"] else None
    except Exception:
        pass  # a nicety must not fail
    names = KNOWN_MEANINGS.get(name)
    return names if names and len(names) == space["n"] and not space["start"] else None


def render_fps(env):
    meta = getattr(env, "metadata", None)
    fps = meta.get("render_fps", meta.get("video.frames_per_second", 0)) if isinstance(meta, dict) else 0
    try:
        fps = float(fps or 0)
    except (TypeError, ValueError):
        return 0
    return fps if isfinite(fps) and fps > 0 else 0


def number(reward, phase="step"):
    """A reward as a number of JSON; None is 0."""
    if type(reward) is float and isfinite(reward):
        return reward
    if reward is None:
        return 0.0
    try:
        if getattr(reward, "size", 1) == 1 and hasattr(reward, "item"):
            reward = reward.item()
        return encode_float(float(reward), None, 0)
    except (TypeError, ValueError):
        raise Fault("a reward is %s: a number, None or a dict of them by role is allowed" % safe_repr(reward), phase=phase) from None

"""Lessons: how the update of a policy is called, by its signature."""

import inspect

from .errors import bad_experiment

# What the parameters of update are called in the wild.
UPDATE_NAMES = {}
for _meaning, _names in (
    ("state", "state obs observation s current_state previous_state prev_state last_state old_state"),
    ("action", "action a act"),
    ("reward", "reward r rew feedback"),
    ("done", "done d terminal is_done finished"),
    ("next_state", "next_state next_obs next_observation new_state new_obs new_observation s_ s2 state_ next_s observation_ obs_"),
    ("terminated", "terminated"),
    ("truncated", "truncated"),
):
    for _name in _names.split():
        UPDATE_NAMES[_name] = _meaning

MEANINGS = ("state", "action", "reward", "done", "next_state")


def bind_update(update, role):
    """How update is called: a function of a transition's parts, by its signature.

    By the names of its parameters where all are known; else by their number: five, or
    four without done.
    """
    try:
        parameters = list(inspect.signature(update).parameters.values())
    except (TypeError, ValueError):
        return _by_place(update, MEANINGS)
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    keywords = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    needed = [p for p in places + keywords if p.default is p.empty]
    if needed and len(needed) >= 3 and all(p.name in UPDATE_NAMES for p in needed):
        return _by_name(update, places, keywords)
    if any(p.default is p.empty for p in keywords):
        unknown = ", ".join(p.name for p in keywords if p.default is p.empty)
        raise bad_experiment("update of role %s needs the arguments %s, which are unknown: %s are allowed" % (role, unknown, ", ".join(MEANINGS)))
    required = sum(1 for p in places if p.default is p.empty)
    if any(p.kind is p.VAR_POSITIONAL for p in parameters) and required <= 5 or required <= 5 <= len(places):
        return _by_place(update, MEANINGS)
    if required <= 4 <= len(places):
        return _by_place(update, ("state", "action", "reward", "next_state"))
    if any(p.kind is p.VAR_KEYWORD for p in parameters) and not required:
        return lambda t: update(**{m: t[m] for m in MEANINGS})
    raise bad_experiment(
        "update of role %s takes %d arguments: it is called with (state, action, reward, done, next_state), or without done" % (role, len(places))
    )


def _by_place(update, meanings):
    return lambda t: update(*[t[m] for m in meanings])


def _by_name(update, places, keywords):
    # parameters with a default are filled as long as their names are known
    known = []
    for p in places:
        if p.name not in UPDATE_NAMES:
            break
        known.append(UPDATE_NAMES[p.name])
    named = [(p.name, UPDATE_NAMES[p.name]) for p in keywords if p.name in UPDATE_NAMES]
    return lambda t: update(*[t[m] for m in known], **{k: t[m] for k, m in named})

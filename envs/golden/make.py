#!/usr/bin/env python3
"""Record golden trajectories of the real Gymnasium and mpe2 packages.

Run by hand, from this folder, when a package's dynamics change:

    python3 -m venv /tmp/golden
    /tmp/golden/bin/pip install gymnasium==1.4.0 mpe2==1.1.1 pettingzoo==1.27.0 \
        numpy==2.4.6 pygame-ce==2.5.8
    /tmp/golden/bin/python make.py

It writes testdata/NAME.json.gz, the same bytes on every run: the versions of the
packages, the environment's keyword arguments, and episodes with the full state
after reset, then per step the actions, observations, rewards and ends. Rounding
is to 7 decimals. Of several roles, step i holds the observation of role i mod n
alone, which with its relative positions tells all of the state.

Actions are random but sticky, or follow a rough policy in every second episode, so
that goals, collisions, speed limits and falls are all reached.
"""
import gzip
import json
import pathlib
import platform
from importlib.metadata import version

import gymnasium
import numpy as np
from mpe2 import simple_spread_v3, simple_tag_v3

STEPS = 1000
PACKAGES = ["gymnasium", "mpe2", "pettingzoo", "numpy"]
OUT = pathlib.Path(__file__).parent / "testdata"


def rounded(x):
    """A number, or a list of numbers, to 7 decimals; whole ones as integers."""
    if isinstance(x, (list, tuple, np.ndarray)):
        return [rounded(v) for v in x]
    x = round(float(x), 7)
    return int(x) if x == int(x) else x


def write(name, environment, kwargs, roles, episodes, **more):
    document = {
        "packages": {p: version(p) for p in PACKAGES} | {"python": platform.python_version()},
        "environment": environment,
        "kwargs": kwargs,
        "roles": roles,
        **more,
        "episodes": episodes,
    }
    text = json.dumps(document, separators=(",", ":"))
    path = OUT / f"{name}.json.gz"
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    steps = sum(len(e["actions"]) for e in episodes)
    ends = sum(e["terminated"] for e in episodes), sum(e["truncated"] for e in episodes)
    rewards = len({str(r) for e in episodes for r in e["rewards"]})
    print(f"{name}: {steps} steps, {len(episodes)} episodes, {ends[0]} terminated, "
          f"{ends[1]} truncated, {rewards} different rewards, {path.stat().st_size} bytes")


def sticky(rng, last, draw):
    """The last action again in three of four cases."""
    return draw() if last is None or rng.random() < 0.25 else last


def single(name, identifier, kwargs, get_state, policy, steps=STEPS, skill=0.8):
    """Record a Gymnasium environment whose only role is agent_0."""
    env = gymnasium.make(identifier, **kwargs)
    rng = np.random.default_rng(4)
    episodes, done = [], 0
    while done < steps:
        observation, _ = env.reset(seed=len(episodes))
        e = {"state": get_state(env.unwrapped), "observation": rounded([observation])[0],
             "actions": [], "observations": [], "rewards": [],
             "terminated": False, "truncated": False}
        last = None
        while done < steps and not (e["terminated"] or e["truncated"]):
            last = sticky(rng, last, lambda: int(rng.integers(env.action_space.n)))
            if len(episodes) % 2 and rng.random() < skill:
                last = policy(env.unwrapped.state)
            observation, reward, terminated, truncated, _ = env.step(last)
            e["actions"].append(last)
            e["observations"].append(rounded(observation))
            e["rewards"].append(rounded(reward))
            e["terminated"], e["truncated"] = bool(terminated), bool(truncated)
            done += 1
        episodes.append(e)
    write(name, identifier, kwargs, ["agent_0"], episodes)


class Recorder:
    """A generator that notes what random() gave."""

    def __init__(self, seed):
        self.generator, self.drawn = np.random.default_rng(seed), []

    def random(self):
        self.drawn.append(float(self.generator.random()))
        return self.drawn[-1]


def lake(name, kwargs, steps=STEPS, chances=(0.15, 0.35, 0.35, 0.15)):
    """Record FrozenLake with the random number behind every slip."""
    env = gymnasium.make("FrozenLake-v1", **kwargs)
    rng = np.random.default_rng(5)
    env.unwrapped.np_random = recorder = Recorder(6)
    episodes, done = [], 0
    while done < steps:
        observation, _ = env.reset()
        e = {"state": {"cell": int(observation)}, "observation": int(observation),
             "actions": [], "chances": [], "probabilities": [], "observations": [], "rewards": [],
             "terminated": False, "truncated": False}
        while done < steps and not (e["terminated"] or e["truncated"]):
            # mostly right and down, towards the goal
            action = int(rng.choice(4, p=chances))
            observation, reward, terminated, truncated, info = env.step(action)
            e["actions"].append(action)
            e["chances"].append(round(recorder.drawn[-1], 9))
            e["probabilities"].append(rounded(info["prob"]))
            e["observations"].append(int(observation))
            e["rewards"].append(rounded(reward))
            e["terminated"], e["truncated"] = bool(terminated), bool(truncated)
            done += 1
        episodes.append(e)
    write(name, "FrozenLake-v1", kwargs, ["agent_0"], episodes)


def world_state(world):
    return {"positions": [list(map(float, x.state.p_pos)) for x in world.entities],
            "velocities": [list(map(float, x.state.p_vel)) for x in world.entities]}


def particles(name, module, identifier, kwargs, steps=STEPS):
    """Record an environment of mpe2 through its parallel interface."""
    env = module.parallel_env(**kwargs)
    rng = np.random.default_rng(7)
    roles, episodes, done = env.possible_agents, [], 0
    continuous = kwargs.get("continuous_actions", False)

    def draw():
        return rng.random(5, dtype=np.float32) if continuous else int(rng.integers(5))

    while done < steps:
        observations, _ = env.reset(seed=len(episodes))
        e = {"state": world_state(env.unwrapped.world),
             "observation": [rounded(observations[r]) for r in roles],
             "actions": [], "observations": [], "rewards": [],
             "terminated": False, "truncated": False}
        last = {r: None for r in roles}
        while done < steps and env.agents:
            last = {r: sticky(rng, last[r], draw) for r in roles}
            step = len(e["actions"])
            observations, rewards, terminated, truncated, _ = env.step(last)
            e["actions"].append([last[r].tolist() if continuous else last[r] for r in roles])
            e["observations"].append(rounded(observations[roles[step % len(roles)]]))
            e["rewards"].append([rounded(rewards[r]) for r in roles])
            e["terminated"], e["truncated"] = all(terminated.values()), all(truncated.values())
            done += 1
        episodes.append(e)
    write(name, identifier, kwargs, roles, episodes, rotating=True)


def main():
    OUT.mkdir(exist_ok=True)

    def uphill(s):
        return 2 if s[1] > 0 else 0

    def upright(s):
        return int(s[2] + s[3] > 0)

    def car_state(e):
        return {"position": float(e.state[0]), "velocity": float(e.state[1])}

    def pole_state(e):
        return dict(zip(["x", "x_dot", "theta", "theta_dot"], map(float, e.state)))

    single("mountaincar", "MountainCar-v0", {}, car_state, uphill)
    single("mountaincar_fast", "MountainCar-v0",
           {"goal_velocity": 0.02, "max_episode_steps": 190}, car_state, uphill, 800)
    # the pole is unstable: in some 300 steps the last bit of a sine grows to 1e-6,
    # so nobody balances it for as long here
    single("cartpole", "CartPole-v1", {}, pole_state, upright, skill=0.4)
    single("cartpole_short", "CartPole-v1",
           {"sutton_barto_reward": True, "max_episode_steps": 30}, pole_state, upright, 300)
    lake("frozenlake_4x4", {})
    lake("frozenlake_8x8", {"map_name": "8x8", "success_rate": 0.75,
                            "reward_schedule": [10, -1, -0.1]}, STEPS, (0.05, 0.25, 0.6, 0.1))
    lake("frozenlake_dry", {"desc": ["SFFS", "FHFF", "FFGF"], "is_slippery": False, "max_episode_steps": 7}, 300)
    particles("spread", simple_spread_v3, "simple_spread_v3", {})
    particles("spread_continuous", simple_spread_v3, "simple_spread_v3",
              {"N": 2, "local_ratio": 0.2, "max_cycles": 60, "continuous_actions": True}, 200)
    particles("tag", simple_tag_v3, "simple_tag_v3", {})
    particles("tag_two", simple_tag_v3, "simple_tag_v3",
              {"num_good": 1, "num_adversaries": 1, "num_obstacles": 1, "max_cycles": 100}, 500)
    particles("tag_continuous", simple_tag_v3, "simple_tag_v3",
              {"num_good": 2, "num_adversaries": 2, "num_obstacles": 0, "continuous_actions": True}, 200)


if __name__ == "__main__":
    main()

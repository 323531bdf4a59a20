"""A game of PettingZoo's interface of turns, without the package: count to ten.

Who says ten wins; one or two are added at a time. A mask says what still fits.
"""

import numpy as np


class Discrete:
    def __init__(self, n):
        self.n, self.start = n, 0


class Box:
    def __init__(self):
        self.low, self.high = np.zeros(1, np.int8), np.full(1, 10, np.int8)
        self.shape, self.dtype = (1,), np.dtype(np.int8)


class Dict:
    def __init__(self, **spaces):
        self.spaces = spaces


class Count:
    metadata = {"render_fps": 2, "name": "count_v0"}
    render_mode = None

    def __init__(self, limit=10, tax=0):
        self.limit, self.tax = limit, tax
        self.possible_agents = ["first", "second"]

    def observation_space(self, agent):
        return Dict(observation=Box(), action_mask=Box())

    def action_space(self, agent):
        return Discrete(2)

    def reset(self, seed=None, options=None):
        self.total = 0
        self.agents = list(self.possible_agents)
        self.agent_selection = "first"
        self.rewards = {a: 0 for a in self.agents}
        self.terminations = {a: False for a in self.agents}
        self.truncations = {a: False for a in self.agents}
        self.infos = {a: {} for a in self.agents}

    def observe(self, agent):
        mask = np.array([1, self.total + 2 <= self.limit], dtype=np.int8)
        return {"observation": np.array([self.total], dtype=np.int8), "action_mask": mask}

    def step(self, action):
        agent = self.agent_selection
        if self.terminations[agent]:
            assert action is None, "an agent that has ended takes no action"
            self.agents.remove(agent)
            for by in (self.rewards, self.terminations, self.truncations, self.infos):
                del by[agent]
            self.rewards = {a: 0 for a in self.agents}
            self.agent_selection = self.agents[0] if self.agents else agent
            return
        self.total += 1 + action
        other = "second" if agent == "first" else "first"
        self.rewards = {agent: -self.tax, other: -self.tax}
        if self.total >= self.limit:
            self.rewards = {agent: 1, other: -1}
            self.terminations = {agent: True, other: True}
        self.agent_selection = other

    def render(self):
        return None

    def close(self):
        pass


def env(render_mode=None, **kwargs):
    return Count(**kwargs)

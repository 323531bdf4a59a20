"""TAMER with a table, as a use case of the gallery would bring it: it learns the
reward that a person gives for a state and an action, and acts so as to get the most
of it at once."""

import random


class Tamer:
    def __init__(self, actions=4, rate=0.5):
        self.actions = actions
        self.rate = rate
        self.table = {}

    def predict(self, state):
        row = self.table.get(int(state), [0.0] * self.actions)
        best = max(row)
        return random.choice([a for a, h in enumerate(row) if h == best])

    def update(self, state, action, reward, done, next_state):
        if reward == 0:
            return
        row = self.table.setdefault(int(state), [0.0] * self.actions)
        row[int(action)] += self.rate * (reward - row[int(action)])

    def get_state(self):
        return {"table": sorted((s, list(row)) for s, row in self.table.items())}

    def set_state(self, state):
        self.table = {s: list(row) for s, row in state["table"]}


policy = Tamer

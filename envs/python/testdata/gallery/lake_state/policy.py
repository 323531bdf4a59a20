"""TAMER on a table: it learns from a teacher's rewards what is worth doing where.

Knox & Stone (2009), with one value per state and action, a running mean of rewards.
"""

import os
import pickle

HERE = os.path.dirname(os.path.abspath(__file__))
MODEL = os.path.join(HERE, "saved_models", "tamer.pkl")


class Tamer:
    """Its state is the table, by get_state and set_state."""

    def __init__(self, actions=4, rate=0.5):
        self.actions, self.rate = actions, rate
        self.values = {}

    def predict(self, observation):
        state = int(observation)
        values = [self.values.get((state, a), 0.0) for a in range(self.actions)]
        return values.index(max(values))

    def update(self, state, action, reward, done, next_state):
        if not reward:
            return  # the teacher said nothing
        key = int(state), int(action)
        old = self.values.get(key, 0.0)
        self.values[key] = old + self.rate * (reward - old)

    def get_state(self):
        return sorted(self.values.items())

    def set_state(self, state):
        self.values = dict(state)


policy = Tamer

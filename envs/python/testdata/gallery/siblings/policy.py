"""A policy with a helper beside it, read from a pickle that names the helper."""

import os
import pickle

import tamer

HERE = os.path.dirname(os.path.abspath(__file__))
MODEL = os.path.join(HERE, "saved_models", "table.pkl")


class Pickled:
    def __init__(self):
        self.table = tamer.Table({2: 2, 3: 2})
        if os.path.exists(MODEL):
            with open(MODEL, "rb") as f:
                self.table = pickle.load(f)

    def predict(self, observation):
        return self.table.best(observation)

    def update(self, state, action, reward, done, next_state):
        self.table.values[state] = action
        with open(MODEL, "wb") as f:
            pickle.dump(self.table, f)


policy = Pickled()

"""Goes wrong where its arguments say."""

import ctypes
import os
import sys


def endless():
    while True:
        pass


def raise_error():
    raise ValueError("deliberate")


WAYS = {"raise": raise_error, "exit": lambda: os._exit(7), "sys_exit": lambda: sys.exit(3), "endless": endless, "segfault": lambda: ctypes.string_at(0)}


class Policy:
    def __init__(self, phase="", way="raise", returns=0):
        self.phase, self.way, self.returns = phase, way, returns
        self.at("load")

    def at(self, phase):
        if phase == self.phase:
            WAYS[self.way]()

    def predict(self, observation):
        self.at("act")
        return self.returns

    def update(self, state, action, reward, done, next_state):
        self.at("update")

    def get_state(self):
        self.at("checkpoint")
        return {}

    def set_state(self, state):
        pass


policy = Policy

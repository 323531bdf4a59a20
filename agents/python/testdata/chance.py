"""A policy that learns nothing and takes any legal action."""

import random


class Chance:
    def __init__(self, actions=3):
        self.actions = actions

    def predict(self, observation, action_mask=None):
        return random.choice([a for a in range(self.actions) if action_mask is None or action_mask[a]])


policy = Chance

"""A policy that learns from a person's approval (TAMER, in its simplest form).

SHARPIE runs this file as it is, and takes the object that is called `policy` at its
end. One is made for each role that names the policy in config.yaml.
"""

import numpy as np

ACTIONS = [1, 2, 3, 4]  # left, right, up, down, as in environment.py
LEARNING_RATE = 0.5


class Policy:
    def __init__(self):
        # For each direction in which the goal lies: how much each action was approved of.
        self.approval = {}

    def key(self, observation):
        row, column, goal_row, goal_column = (int(x) for x in observation)
        return f"{np.sign(goal_row - row)},{np.sign(goal_column - column)}"

    def predict(self, observation):
        """Choose an action. It is asked exactly once in each step."""
        known = self.approval.get(self.key(observation))
        if known is None:
            return int(np.random.choice(ACTIONS))
        best = [a for a, v in zip(ACTIONS, known) if v == max(known)]
        return int(np.random.choice(best))

    def update(self, state, action, reward, done, next_state):
        """Learn from the step that was just shown. `reward` is the person's, because
        config.yaml says inputs_type: reward."""
        if action not in ACTIONS or reward is None:
            return
        known = self.approval.setdefault(self.key(state), [0.0] * len(ACTIONS))
        i = ACTIONS.index(action)
        known[i] += LEARNING_RATE * (float(reward) - known[i])

    def get_state(self):
        """All that was learned. It is stored after each episode, and comes back by
        set_state before the next one."""
        return self.approval

    def set_state(self, state):
        self.approval = state


policy = Policy()

"""The environment of the module beside it, as one file of a gallery has it."""

from spaces_every import Every


class OfRole(Every):
    def step(self, actions):
        return Every.step(self, actions["agent_0"])


environment = OfRole

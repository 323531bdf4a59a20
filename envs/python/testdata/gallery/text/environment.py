"""A conversation: what the policy says is the observation."""


class Talk:
    def reset(self):
        self.said = "hello"
        return self.said, {}

    def step(self, actions):
        self.said = actions["agent_0"]
        return self.said, 0, self.said == "ECHO: BYE", False, {}

    def render(self):
        return [[[len(self.said) % 256] * 3] * 4] * 4


environment = Talk()

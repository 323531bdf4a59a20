"""Takes lists of keys, and shows them."""


class Keys:
    def reset(self):
        return [], {}

    def step(self, actions):
        keys = actions["agent_0"]
        assert isinstance(keys, list), keys
        return keys, len(keys), False, 9 in keys, {}

    def render(self):
        return [[[0, 0, 0]] * 2] * 2


environment = Keys()

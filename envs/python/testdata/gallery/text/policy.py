"""Says what the participant says, louder."""


class Echo:
    def predict(self, observation, participant_input=None):
        return "ECHO: " + (participant_input or "").upper()


policy = Echo()

"""Warnings: sentences for researchers that go out with the next reply."""

from .bounds import MAX_WARNINGS


class Warnings:
    """Sentences for researchers, each of them once."""

    def __init__(self):
        self.said = set()
        self.waiting = []

    def say(self, text):
        if text not in self.said and len(self.said) < MAX_WARNINGS:
            self.said.add(text)
            self.waiting.append(text)

    def renew(self, texts):
        """Lets sentences be said again: an episode of its own has begun."""
        self.said.difference_update(texts)

    def take(self):
        if not self.waiting:
            return []
        out, self.waiting = self.waiting, []
        return out


warnings = Warnings()

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

    def take(self):
        if not self.waiting:
            return []
        out, self.waiting = self.waiting, []
        return out


warnings = Warnings()

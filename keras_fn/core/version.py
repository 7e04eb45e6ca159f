"""Grows whenever a weight is made or `trainable` changes anywhere: caches of lists of weights watch it."""

from __future__ import annotations


class _Counter:
    def __init__(self) -> None:
        self.value = 0

    def bump(self) -> None:
        """Says that something changed."""
        self.value += 1


structure = _Counter()

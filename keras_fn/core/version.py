"""What caches and compiled steps watch: whether weights were made, or anything changed that they rest on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class _Structure:
    """Two counters.

    Attributes:
        value: grows at every event: caches of lists of weights watch it.
        changes: grows with those events after which nothing that was compiled holds, whatever weights it works on.
    """

    def __init__(self) -> None:
        self.value = 0
        self.changes = 0

    def bump(self) -> None:
        """Says that something changed: a setting, a layer in a model that is built, a hook."""
        self.value += 1
        self.changes += 1

    def made(self) -> None:
        """Says that a weight was made, or `trainable` changed: it may be one of any model."""
        self.value += 1


structure = _Structure()


class Watch:
    """Tells whether what was compiled for some variables still holds: others may be made meanwhile."""

    def __init__(self) -> None:
        self._version = -1
        self._changes = -1
        self._facts: list[tuple[Any, ...]] = []

    def holds(self, variables: Callable[[], list[Any]]) -> bool:
        """Whether nothing changed since the last time, for the variables that it gives."""
        if self._version == structure.value:
            return True
        facts = [(v, v._trainable, v._regularizer, v.constraint) for v in variables()]
        same = self._changes == structure.changes and len(facts) == len(self._facts) and all(
            all(a is b for a, b in zip(new, old, strict=True)) for new, old in zip(facts, self._facts, strict=True)
        )
        self._version, self._changes, self._facts = structure.value, structure.changes, facts
        return same

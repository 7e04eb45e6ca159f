"""Where a training run is: what a backup notes, so that a run that was killed can go on there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Run:
    """The place in a call of `fit`.

    Attributes:
        epoch: number of the epoch that is running, or that comes next.
        batch: batches of it that are done.
        seed: seed of the order of the data.
        validates: whether there is validation data.
        callbacks: the callbacks, whose own state belongs to the run.
    """

    epoch: int
    seed: int
    validates: bool = False
    batch: int = 0
    callbacks: list[Any] = field(default_factory=list)

    def goes_on_at(self, epoch: int, batch: int, seed: int) -> None:
        """Moves the run to where another one was."""
        self.epoch, self.batch, self.seed = epoch, batch, seed

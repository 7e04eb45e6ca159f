"""Where a training run is: what a backup notes, so that a run that was killed can go on there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Run:
    """The place in a call of `fit`.

    Attributes:
        epoch: number of the epoch that is running, or that comes next.
        source: the data.
        validates: whether there is validation data.
        batch: batches of the epoch that are done.
        callbacks: the callbacks, whose own state belongs to the run.
        step: a context in which Ctrl-C waits.
        generators: where generators of random numbers were when the run ("begin") and the epoch ("epoch") began.
        logs: those of the last epoch.
        fresh: whether no epoch was begun in this process.
    """

    epoch: int
    source: Any
    validates: bool
    callbacks: list[Any]
    step: Any
    batch: int = 0
    generators: dict[str, Any] = field(default_factory=dict)
    logs: dict[str, Any] = field(default_factory=dict)
    fresh: bool = True

    @property
    def is_kept(self) -> bool:
        """Whether a callback notes the place."""
        return any(c.keeps_place for c in self.callbacks)

    def place(self) -> dict[str, Any]:
        """The place as plain data."""
        generators = {} if self.source.in_memory else self.generators
        if hasattr(self.source, "ends"):
            generators = {**generators, "ends": self.source.ends()}
        return {
            "epoch": self.epoch,
            "batch": self.batch,
            "seed": self.source.seed,
            "generators": {**generators, "now": self._state()},
            "mark": self.source.mark(),
            "data": None if self.source.in_memory else self.source.state(),
            "logs": self.logs,
        }

    def begins_epoch(self, epoch: int) -> None:
        """Notes where generators are, of which the order of the data may come."""
        self.epoch = epoch
        first, self.fresh = self.fresh, False  # the first one was begun when its first batch was looked at
        if not first and self.is_kept and not self.source.in_memory:
            self.generators["epoch"] = self._state()

    def take_up(self, initial_epoch: int) -> _TakenUp:
        """Brings the data to where a run was that was cut off, if a callback knows of one."""
        from keras_fn.random.generators import generators_state

        if not self.is_kept:
            return _TakenUp(None)
        if hasattr(self.source, "watch"):
            self.source.watch()
        self.generators = {"begin": self._state(), "epoch": self._state()}
        place = next((p for p in (c.place() for c in self.callbacks if c.keeps_place) if p is not None), None)
        if place is None:
            return _TakenUp(None)
        now = place.generators["now"]
        self.generators = {"begin": now, "epoch": now, **place.generators}
        self.epoch, self.batch, self.logs = place.epoch, place.batch, place.logs
        self.source.go_on(place, initial_epoch)
        self._set_state(now)
        self.source.first()  # an epoch that begins draws its order now, from where the generators were
        if not self.batch:
            self.generators["epoch"] = now
        return _TakenUp(generators_state())

    def _state(self) -> dict[str, Any]:
        """Where generators are, those of the data among them."""
        from keras_fn.random.generators import generators_state

        return self.source.generators() if hasattr(self.source, "generators") else generators_state()

    def _set_state(self, state: dict[str, Any]) -> None:
        from keras_fn.random.generators import set_generators_state

        if hasattr(self.source, "set_generators"):
            self.source.set_generators(state)
        else:
            set_generators_state(state)


@dataclass
class _TakenUp:
    """What is left to be put back when the model was built, which draws from generators too."""

    generators: dict[str, Any] | None

    def finish(self) -> None:
        """Puts the generators to where they belong."""
        from keras_fn.random.generators import set_generators_state

        if self.generators is not None:
            set_generators_state(self.generators)

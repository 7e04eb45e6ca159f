"""The steps of a plan, and what becomes of its writes: they go last, all sums in one call and all values in another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from keras_fn.core.backend import Backend
from keras_fn.core.variable import Variable

# numbers that every dtype holds as they are, so that a tensor of them can take their place
_EXACT = range(9)


class Step:
    """A note: what was called in which gradient mode, the slots of the arguments and the one of the result.

    Attributes:
        effect: whether it does something beside giving back a result.
        opaque: whether it is code of the user's, which may read and write any variable.
        written: the variable that it writes, where it is nothing but a write.
    """

    __slots__ = ("effect", "function", "mode", "opaque", "out", "places", "written")

    def __init__(self, mode: Any, function: Callable[..., Any], places: tuple[int, ...], out: int, effect: bool):
        self.mode, self.function, self.places, self.out, self.effect = mode, function, places, out, effect
        self.opaque = False
        self.written: Variable | None = None


class Writes:
    """Writes tensors into the cells of variables, all at once."""

    __slots__ = ("variables",)

    def __init__(self, variables: list[Variable]) -> None:
        self.variables = variables

    def __call__(self, *values: Any) -> None:
        self.variables[0].backend.write_cells([v._cell for v in self.variables], list(values))


class Sums(Writes):
    """Adds tensors to the cells of variables, all at once."""

    __slots__ = ()

    def __call__(self, *values: Any) -> None:
        self.variables[0].backend.add_to_cells([v._cell for v in self.variables], list(values))


def needed(steps: list[Step], outputs: Iterable[int]) -> list[Step]:
    """The steps without those whose results nobody uses."""
    used = set(outputs)
    kept = []
    for step in reversed(steps):
        if step.effect or step.out in used:
            kept.append(step)
            used.update(step.places)
    return kept[::-1]


class _Sum(NamedTuple):
    """A write of the sum of a cell and something else, the step that computes it, and the slot of the other summand."""

    write: Step
    producer: Step
    summand: int


class LastWrites:
    """Puts the writes of cells last, where nobody reads a cell after it was written.

    Args:
        backend: the backend of the cells.
        steps: the steps, those that nobody needs left out.
        reads: slots that cells are read into, with their variables.
        value_of: what a slot held in the call that was watched, or None.
        slot: makes a slot: for a constant, or, given None, for a result.
    """

    def __init__(
        self, backend: Backend, steps: list[Step], reads: list[tuple[int, Variable]],
        value_of: Callable[[int], Any], slot: Callable[[Any], int],
    ) -> None:  # fmt: skip
        self.backend, self.steps, self.value_of, self.slot = backend, steps, value_of, slot
        self.places = {id(v): slot for slot, v in reads}

    def ordered(self, outputs: Iterable[int]) -> list[Step]:
        """The steps anew, given the slots of the results."""
        movable = self._movable()
        sums = self._sums(movable, outputs)
        summed = {id(s.write) for s in sums}
        gone = {id(s.producer) for s in sums} | {id(w) for w in movable}
        ordered = [step for step in self.steps if id(step) not in gone]
        if sums:  # before the writes: what is added may lie in a cell that is written
            ordered.append(self._together(Sums, [s.write for s in sums], [s.summand for s in sums]))
        rest = [w for w in movable if id(w) not in summed]
        if len(rest) == 1:
            ordered += rest
        elif rest:
            ordered.append(self._together(Writes, rest, [w.places[1] for w in rest]))
        return ordered

    def _together(self, kind: type[Writes], writes: list[Step], places: list[int]) -> Step:
        variables = [w.written for w in writes if w.written is not None]
        return Step(writes[0].mode, kind(variables), tuple(places), self.slot(None), effect=True)

    def _movable(self) -> list[Step]:
        """The last write of each cell that no later step reads."""
        seen: set[int] = set()  # slots that later steps read
        asked: set[int] = set()  # variables that later steps ask for their values
        found: dict[int, Step] = {}
        code = False  # a later step may read any cell
        for step in reversed(self.steps):
            v = step.written
            is_read = self.places.get(id(v)) in seen or id(v) in asked
            if v is not None and not code and id(v) not in found and not is_read:
                found[id(v)] = step
                continue
            code = code or step.opaque or v is not None
            seen.update(step.places)
            asked.update(id(x) for x in map(self.value_of, step.places) if isinstance(x, Variable))
        return list(found.values())[::-1]

    def _sums(self, movable: list[Step], outputs: Iterable[int]) -> list[_Sum]:
        """The writes that add something to a cell.

        The cell is read later than in the call that was watched. So the sum must come right before its write, and
        nothing else that is added or written in the end may lie in the memory of the cell.
        """
        used = Counter(p for step in self.steps for p in step.places)
        used.update(outputs)
        before = {id(step): self.steps[i] for i, step in enumerate(self.steps[1:])}
        sums = []
        for write in movable:
            producer = before.get(id(write))
            if producer is None or producer.out != write.places[1] or used[producer.out] > 1:
                continue
            summand = self._summand(producer, write.written)
            if summand is not None:
                sums.append(_Sum(write, producer, summand))
        values = [s.summand for s in sums] + [w.places[1] for w in movable]
        return [s for s in sums if not any(self._lies_in(place, s.write.written) for place in values)]

    def _summand(self, step: Step, variable: Any) -> int | None:
        """The slot of what a step adds to a variable's cell, as a tensor; None where it does something else."""
        if step.function is not self.backend.kernels["add"] or step.places[0] != self.places.get(id(variable)):
            return None
        number = self.value_of(step.places[1])
        if not isinstance(number, (int, float)):
            return step.places[1]
        return self.slot(self.backend.constant(number, variable.dtype)) if number in _EXACT else None

    def _lies_in(self, place: int, variable: Any) -> bool:
        value = self.value_of(place)
        return self.backend.is_tensor(value) and self.backend.share_memory(value, variable._cell)

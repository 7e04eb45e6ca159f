"""Dropout in recurrent cells: masks that stay the same for all time steps of a sequence."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from keras_fn import ops, random
from keras_fn.core.errors import ArgumentError


class Masks(NamedTuple):
    """What a step multiplies its input and its state with: one mask for each gate, or None for nothing."""

    inputs: list[Any] | None
    state: list[Any] | None


NO_MASKS = Masks(None, None)


class _Held(threading.local):
    """Masks of the loops that run in this thread, by the id of their cell."""

    def __init__(self) -> None:
        self.masks: dict[int, Masks] = {}


_held = _Held()


class RecurrentDropout:
    """What a cell with `dropout` and `recurrent_dropout` inherits, beside Layer.

    The masks are drawn before a loop over time starts and held until it ends, so that every step drops the same
    elements, and so that a compiled loop has no random state inside. Each gate has masks of its own.
    Source: Gal and Ghahramani 2016, https://arxiv.org/abs/1512.05287

    Attributes:
        dropout, recurrent_dropout: fractions of the input's and of the state's elements that are dropped.
        seed_generator: where the masks come from.
        gates: number of gates, and so of masks.
    """

    dropout: float
    recurrent_dropout: float
    seed_generator: random.SeedGenerator
    gates = 1

    def _set_dropout(self, dropout: float, recurrent_dropout: float, seed: int | None) -> None:
        for name, rate in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
            if not isinstance(rate, (int, float)) or isinstance(rate, bool) or not 0 <= rate <= 1:
                raise ArgumentError(f"`{name}` of {type(self).__name__} must be a number from 0 to 1, not {rate!r}.")
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed=seed)

    @property
    def drops(self) -> bool:
        """Whether anything is dropped in training."""
        return self.dropout > 0 or self.recurrent_dropout > 0

    def masks(self, inputs: Any, state: Any, training: bool | None) -> Masks:
        """The masks of a step: the loop's, or fresh ones where the cell is called by itself."""
        if not training or not self.drops:
            return NO_MASKS
        return _held.masks.get(id(self)) or self._draw(inputs, state)

    def _draw(self, inputs: Any, state: Any) -> Masks:
        return Masks(self._draw_for(inputs, self.dropout), self._draw_for(state, self.recurrent_dropout))

    def _draw_for(self, like: Any, rate: float) -> list[Any] | None:
        if not rate:
            return None
        ones = ops.ones_like(like)
        return [random.dropout(ones, rate, seed=self.seed_generator) for _ in range(self.gates)]

    @contextmanager
    def hold_masks(self, inputs: Any, states: Any) -> Iterator[None]:
        """Draws the masks for inputs and states of one step, and holds them for the length of a with block."""
        before = _held.masks.get(id(self))
        _held.masks[id(self)] = self._draw(inputs, states[0])
        try:
            yield
        finally:
            if before is None:
                del _held.masks[id(self)]
            else:
                _held.masks[id(self)] = before


def dropped(x: Any, masks: list[Any] | None, gate: int) -> Any:
    """x as a gate sees it."""
    return x if masks is None else ops.multiply(x, masks[gate])


def matmul_by_gate(x: Any, kernel: Any, masks: list[Any] | None) -> Any:
    """`x @ kernel`, where the columns of each gate see x with that gate's mask."""
    if masks is None:
        return ops.matmul(x, kernel)
    parts = ops.split(kernel, len(masks), -1)
    return ops.concatenate([ops.matmul(ops.multiply(x, m), k) for m, k in zip(masks, parts, strict=True)], -1)

"""`StackedRNNCells`: several cells as one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from keras_fn import ops
from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.layers.base import Layer
from keras_fn.layers.rnn.dropout import RecurrentDropout
from keras_fn.layers.rnn.inner import build_inner


class StackedRNNCells(Layer):
    """Several cells as one: the output of each is the input of the next.

    `(batch, features)` becomes `(batch, output_size of the last cell)`; the states are a list with the states of each
    cell, from the first cell to the last.

    Args:
        cells: list of cells.

    Raises:
        ArgumentTypeError: where a cell lacks `call` or `state_size`.

    Example:
        >>> import keras_fn
        >>> from keras_fn import layers
        >>> cell = layers.StackedRNNCells([layers.LSTMCell(3), layers.GRUCell(2)])
        >>> cell.state_size
        [[3, 3], 2]
        >>> tuple(layers.RNN(cell)(keras_fn.ops.ones((4, 5, 6))).shape)
        (4, 2)
    """

    def __init__(self, cells: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(cells, (list, tuple)) or not cells:
            raise ArgumentError(f"`cells` must be a list of one cell or more, not {cells!r}.")
        for cell in cells:
            for attribute in ("call", "state_size"):
                if not hasattr(cell, attribute):
                    raise ArgumentTypeError(
                        f"Each cell must have `call` and `state_size`, and {cell!r} has no `{attribute}`."
                    )
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The `state_size` of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """The size of the last cell's output."""
        return _output_size(self.cells[-1])

    @property
    def drops(self) -> bool:
        """Whether a cell has dropout."""
        return any(getattr(cell, "drops", False) for cell in self.cells)

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """The first states of each cell, a list of lists."""
        states = []
        for cell in self.cells:
            make = getattr(cell, "get_initial_state", None)
            if make is not None:
                made = make(batch_size=batch_size)
            else:
                sizes = cell.state_size if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]
                made = [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in sizes]
            states.append(list(made) if isinstance(made, (list, tuple)) else [made])
        return states

    def build(self, input_shape: Any) -> None:
        """Builds each cell for the output of the one before it."""
        for cell in self.cells:
            if isinstance(cell, Layer):
                build_inner(self, cell, input_shape)
            size = _output_size(cell)
            input_shape = (input_shape[0], *(size if isinstance(size, (list, tuple)) else (size,)))
        self.built = True

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """`(output, states)` after one step of all cells."""
        after = []
        for cell, own in zip(self.cells, states, strict=True):
            if isinstance(cell, Layer):
                inputs, new = cell(inputs, own, training=training)
            else:
                inputs, new = cell.call(inputs, own)
            after.append(list(new) if isinstance(new, (list, tuple)) else [new])
        return inputs, after

    @contextmanager
    def hold_masks(self, inputs: Any, states: Any) -> Iterator[None]:
        """Draws and holds the dropout masks of all cells, for inputs and states of one step."""
        with ExitStack() as stack:
            for i, (cell, own) in enumerate(zip(self.cells, states, strict=True)):
                if isinstance(cell, RecurrentDropout) and cell.drops:
                    # only the first cell's input is at hand; of the others' only the width is known
                    width = cell.kernel.shape[0]  # type: ignore[attr-defined]
                    rows = ops.get_item(own[0], (slice(None), slice(0, 1)))
                    like = inputs if i == 0 else ops.repeat(ops.ones_like(rows), width, 1)
                    stack.enter_context(cell.hold_masks(like, own))
            yield

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> StackedRNNCells:
        """Cells from the result of `get_config`."""
        from keras_fn.saving.config import deserialize_keras_object

        cells = [deserialize_keras_object(cell, custom_objects=custom_objects) for cell in config["cells"]]
        return cls(**{**config, "cells": cells})


def _output_size(cell: Any) -> Any:
    """The size of a cell's output: that of its first state, where the cell does not say."""
    size = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size
        size = size[0] if isinstance(size, (list, tuple)) else size
    return size

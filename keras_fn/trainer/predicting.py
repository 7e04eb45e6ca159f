"""Predictions: all at once, batch by batch, or into arrays that are there."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_fn.core import trees
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ShapeError, StructureError
from keras_fn.trainer import loop
from keras_fn.trainer.build import build_for, check_source
from keras_fn.trainer.data import ArraySource, make_source
from keras_fn.trainer.data.make import numbers_to_arrays
from keras_fn.trainer.pace import grouped, is_timed, steps_at_once, time_step
from keras_fn.trainer.programs import is_default

# batches that are dispatched before the first one's outputs are fetched
BATCHES_AHEAD = 8


def predict(model: Any, x: Any, batch_size: Any, verbose: Any, steps: Any, callbacks: Any, out: Any) -> Any:
    """See `Trainer.predict`."""
    source = _source(model, x, batch_size, steps)
    listening = _listening(model, source, verbose, callbacks)
    if out is None and source.in_memory and source.steps == 1:
        first = [next(_batches(model, source, listening))]  # one batch is one call, and its outputs are the result
        return _ended(model, listening, first[0][0], [_as_array(a) for a in first[0][1]])
    place = _Place(out, source.size if isinstance(source, ArraySource) else None)
    structure: Any = None
    for structure, arrays in _batches(model, source, listening, together=True):
        place.take(structure, arrays)
    if structure is None:
        raise ArgumentError("The data gave no batches to predict for.")
    return _ended(model, listening, structure, place.arrays())


def predict_iter(model: Any, x: Any, batch_size: Any, steps: Any) -> Iterator[Any]:
    """See `Trainer.predict_iter`."""
    source = _source(model, x, batch_size, steps)

    def results() -> Iterator[Any]:
        for structure, arrays in _batches(model, source, None):
            yield trees.unflatten(structure, [_as_array(a) for a in arrays])
        model._clear_losses()

    return results()


def predict_on_batch(model: Any, x: Any) -> Any:
    """`Trainer.predict_on_batch`."""
    loop.check_backend(model)
    source = ArraySource((numbers_to_arrays(x),), 2**31 - 1, False, 1, 0)
    if not model.built:
        build_for(model, source.data, training=False, targets=False)
    out = loop.programs(model).get("predict", "batch")(loop.for_step(model, source.data))
    return trees.map(_on_host, out)


def _source(model: Any, x: Any, batch_size: Any, steps: Any) -> Any:
    loop.check_backend(model)
    source = make_source(numbers_to_arrays(x), batch_size=batch_size, steps=steps)
    check_source(model, source, targets=False)
    if not model.built:
        build_for(model, source.first(), training=False, targets=False)
    return source


def _listening(model: Any, source: Any, verbose: Any, callbacks: Any) -> Any:
    """The callbacks, or None where nobody listens."""
    verbose = loop.level(verbose)
    if callbacks is None and verbose == 0:
        return None
    from keras_fn.callbacks import as_callback_list

    return as_callback_list(
        callbacks, model, verbose=verbose, epochs=1, steps=source.steps, add_history=False, add_progress=verbose != 0
    )


def _batches(model: Any, source: Any, listening: Any, together: bool = False) -> Iterator[tuple[Any, list[Any]]]:
    """For each dispatch the structure of the outputs, and the outputs as arrays, some batches after it.

    Args:
        together: whether several batches may go in one dispatch.
    """
    if listening:
        listening.on_predict_begin()
    made = loop.programs(model)
    single = made.get("predict", "batch")
    waiting: deque[Any] = deque()
    model.stop_predicting = False
    number = 0
    together = together and _may_go_together(model, source)
    for count, batch in _together(model, source, listening) if together else _inputs(model, source):
        if listening:
            listening.on_predict_batch_begin(number)
        began = time.perf_counter()
        out = single(batch) if count == 1 else made.get("predict", "each")(batch)
        number += count
        if listening:
            listening.on_predict_batch_end(number - 1, {"outputs": out})
        waiting.append((count, out))
        if together and count == 1:
            if not is_timed(model, "predict"):
                trees.map(_on_host, out)
            time_step(model, "predict", began)
        if len(waiting) > (BATCHES_AHEAD if count == 1 else 1):
            yield _fetched(*waiting.popleft())
        if model.stop_predicting:
            break
    while waiting:
        yield _fetched(*waiting.popleft())


def _may_go_together(model: Any, source: Any) -> bool:
    return (
        isinstance(source, ArraySource)
        and source.steps != 1
        and source.gathers_on_host()
        and not model.run_eagerly
        and model.steps_per_execution == "auto"
        and is_default(model, "predict")
    )


def _together(model: Any, source: Any, listening: Any) -> Iterator[tuple[int, Any]]:
    """How many batches each dispatch does, and what it takes: a batch, or several along a new first axis."""
    for rows in grouped(source.epoch(0), lambda: steps_at_once(model, listening, "predict", source)):
        if len(rows) == 1:
            yield 1, source.gathered(rows[0], loop.programs(model).memory)[:1]
        else:
            yield len(rows), source.gathered(np.stack(rows), loop.programs(model).memory)[:1]


def _fetched(count: int, out: Any) -> tuple[Any, list[Any]]:
    arrays = [_on_host(t) for t in trees.flatten(out)]
    return out, arrays if count == 1 else [a.reshape(-1, *a.shape[2:]) for a in arrays]


def _on_host(x: Any) -> Any:
    """The values as an array; a ragged tensor stays one."""
    return x if x.__class__ in active.backend.ragged_classes else active.backend.to_numpy(x)


def _as_array(x: Any) -> Any:
    return x if x.__class__ in active.backend.ragged_classes else np.asarray(x)


def _joined(parts: Any) -> Any:
    if any(x.__class__ in active.backend.ragged_classes for x in parts):
        return active.backend.join_ragged(list(parts), 0)
    return np.concatenate(parts)


def _inputs(model: Any, source: Any) -> Iterator[tuple[int, Any]]:
    """The batches of a prediction, one by one: inputs alone."""
    if not isinstance(source, ArraySource):
        yield from ((1, loop.for_step(model, loop.own(model, batch[:1]))) for batch in source.epoch(0))
    elif source.steps == 1 and source.size <= source.batch_size:
        yield 1, loop.for_step(model, source.data[:1])  # one batch is one call, on the arrays themselves
    else:
        yield from ((1, batch[:1]) for batch in source.slices(loop.converter(model)))


def _ended(model: Any, listening: Any, structure: Any, arrays: list[Any]) -> Any:
    if listening:
        listening.on_predict_end()
    model._clear_losses()
    return trees.unflatten(structure, arrays)


class _Place:
    """Where the outputs of all batches go: arrays of the caller's, new ones of known length, or lists to be joined."""

    def __init__(self, out: Any, rows: int | None) -> None:
        self.given, self.rows = out, rows
        self.filled = 0
        self._whole: list[Any] | None = None
        self._parts: list[list[Any]] = []

    def take(self, structure: Any, arrays: list[Any]) -> None:
        """The outputs of one more batch."""
        if self._whole is None and (self.given is not None or self.rows is not None):
            self._whole = self._begin(structure, arrays)
        if self._whole is None:
            self._parts.append(arrays)
            return
        count = len(arrays[0])
        for whole, part in zip(self._whole, arrays, strict=True):
            if self.filled + count > len(whole):
                raise ShapeError(f"`out` has {len(whole)} rows, and the data more. Make it as long as the data.")
            whole[self.filled : self.filled + count] = part
        self.filled += count

    def _begin(self, structure: Any, arrays: list[Any]) -> list[Any]:
        if self.given is None:
            assert self.rows is not None
            return [np.empty((self.rows, *a.shape[1:]), a.dtype) for a in arrays]
        if trees.paths(self.given) != trees.paths(structure):
            raise StructureError("`out` must have the structure of the model's outputs: one array for each of them.")
        whole = trees.flatten(self.given)
        for a, b in zip(whole, arrays, strict=True):
            if tuple(a.shape[1:]) != b.shape[1:] or (self.rows is not None and len(a) < self.rows):
                raise ShapeError(
                    f"An array of `out` has the shape {tuple(a.shape)}, and outputs of the shape "
                    f"{(self.rows or '…', *b.shape[1:])} are to be written into it."
                )
        return whole

    def arrays(self) -> list[Any]:
        """The outputs; fewer rows than the data has where a callback stopped."""
        if self._whole is None:
            return [_joined(column) for column in zip(*self._parts, strict=True)]
        return self._whole if self.given is not None else [a[: self.filled] for a in self._whole]

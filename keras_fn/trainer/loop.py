"""The training loop, written once for every backend: read it from top to bottom."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.config.limits import max_epochs
from keras_fn.config.logging import is_interactive_logging_enabled
from keras_fn.core import trees
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, BackendError
from keras_fn.trainer.build import build_for, check_batch, check_source
from keras_fn.trainer.data import ArraySource, class_weights_to_sample_weights, make_source
from keras_fn.trainer.data.iterables import form_of
from keras_fn.trainer.data.make import is_arrays, numbers_to_arrays, split_validation
from keras_fn.trainer.interrupts import WholeSteps
from keras_fn.trainer.logs import LazyLogs, to_host
from keras_fn.trainer.pace import grouped, steps_at_once, time_step
from keras_fn.trainer.programs import Programs
from keras_fn.trainer.run import Run


def programs(model: Any) -> Programs:
    """The model's programs, made anew when it is compiled again or moved to another backend."""
    if model._kf_programs is None:
        model._kf_programs = Programs(model)
    return model._kf_programs


# --- fit
def fit(
    model: Any, x: Any, y: Any, batch_size: Any, epochs: int, verbose: Any, callbacks: Any, validation_split: float,
    validation_data: Any, shuffle: bool, class_weight: Any, sample_weight: Any, initial_epoch: int,
    steps_per_epoch: Any, validation_steps: Any, validation_batch_size: Any, validation_freq: Any, resume: Any,
) -> Any:  # fmt: skip
    """See `Trainer.fit`."""
    from keras_fn.callbacks import as_callback_list, with_backup
    from keras_fn.random.host import draw_seed

    check_backend(model)
    if not active.backend.differentiable:
        active.backend.value_and_grad(None, [], False)  # type: ignore[arg-type]  # raises the backend's own message
    verbose = level(verbose)
    epochs = min(epochs, max_epochs() or epochs)
    x, y, sample_weight = numbers_to_arrays(x), numbers_to_arrays(y), numbers_to_arrays(sample_weight)
    if class_weight is not None and is_arrays(x):
        if sample_weight is not None:
            raise ArgumentError(
                "Give either `class_weight` or `sample_weight`: together it is not clear what is meant."
            )
        sample_weight = class_weights_to_sample_weights(y, class_weight, getattr(model, "output_names", None))
    if validation_split and validation_data is None:
        parts = (x, y) if sample_weight is None else (x, y, sample_weight)
        (x, y, *rest), validation_data = split_validation(parts, validation_split)
        sample_weight = rest[0] if rest else None
    source = make_source(
        x, y, sample_weight, batch_size=batch_size, steps=steps_per_epoch, shuffle=shuffle, seed=draw_seed() % 2**62,
        repeats=True,
    )  # fmt: skip
    if class_weight is not None and not source.in_memory:
        source = _Weighted(source, class_weight, getattr(model, "output_names", None))
    check_source(model, source)
    validation = _validation(model, validation_data, validation_steps, validation_batch_size or batch_size)
    callbacks = as_callback_list(
        with_backup(callbacks, resume),
        model,
        verbose=verbose,
        epochs=epochs,
        steps=source.steps,
        add_history=True,
        add_progress=verbose != 0,
    )
    model.stop_training = False
    with WholeSteps() as whole:
        run = Run(initial_epoch, source, validation is not None, callbacks.callbacks, whole.step)
        taken_up = run.take_up(initial_epoch)
        with run.step:
            build_for(model, source.first(), training=True)
        model._kf_run = run
        try:
            callbacks.on_train_begin()
            taken_up.finish()
            _epochs(model, run, validation, callbacks, epochs, validation_freq)
        except BaseException:
            callbacks.on_train_abort()
            raise
        finally:
            model._clear_losses()
            model._kf_run = None
        callbacks.on_train_end(run.logs)
    return model.history


def _epochs(model: Any, run: Run, validation: Any, callbacks: Any, epochs: int, validation_freq: Any) -> None:
    """The epochs that are left."""
    for epoch in range(run.epoch, epochs):
        if model.stop_training:
            break
        if not run.batch:
            model.reset_metrics()
        callbacks.on_epoch_begin(epoch)
        run.begins_epoch(epoch)
        logs = _train_epoch(model, run, callbacks)
        if validation is not None and _is_due(epoch, validation_freq):
            callbacks.on_test_begin()
            val = _evaluate_source(model, validation, callbacks)
            callbacks.on_test_end(val)
            logs.update({f"val_{k}": v for k, v in val.items()})
        run.epoch, run.batch, run.logs = epoch + 1, 0, logs
        callbacks.on_epoch_end(epoch, logs)
    variables = model._kf_trainables
    if variables and hasattr(model.optimizer, "finalize_variable_values"):
        with run.step:
            model.optimizer.finalize_variable_values(variables)


def _train_epoch(model: Any, run: Run, callbacks: Any) -> dict[str, Any]:
    """The batches of an epoch, or what is left of it; returns the logs."""
    source, logs = run.source, LazyLogs(programs(model).results)
    for number, count, last in _train_steps(model, source, run, callbacks):
        logs = last
        run.batch = number + 1
        _show(callbacks.on_train_batch_end, number, logs, count)
        if model.stop_training:
            break
    if run.batch == 0:
        raise ArgumentError("The data gave no batches in this epoch. A generator that has ended cannot be used again.")
    if source.steps is not None and not source.in_memory and run.batch < source.steps and not model.stop_training:
        warnings.warn(
            f"The data ended after {run.batch} batches of the {source.steps} that an epoch was to have. Pass fewer "
            "`steps_per_epoch`, or data that repeats.",
            stacklevel=2,
        )
    return logs.copy()


def _show(moment: Any, number: int, logs: LazyLogs, count: int) -> None:
    """Gives logs to callbacks. What one of them keeps must stay as it is when the next step changes the metrics."""
    before = sys.getrefcount(logs)
    moment(number, logs, count)
    if sys.getrefcount(logs) > before:
        logs.materialize()


def _train_steps(model: Any, source: Any, run: Run, callbacks: Any) -> Iterator[tuple[int, int, LazyLogs]]:
    """Runs the steps; gives the number of each dispatch's last batch, how many it did, and the logs after it."""
    if isinstance(source, ArraySource):
        yield from _array_steps(model, source, source.epoch(run.epoch, run.batch), callbacks, "train", run.batch)
        return
    yield from _batch_steps(model, source.epoch(run.epoch, run.batch), callbacks, "train", run.batch)


def _array_steps(
    model: Any, source: ArraySource, batches: Iterator[Any], callbacks: Any, kind: str, number: int = 0
) -> Iterator[tuple[int, int, LazyLogs]]:
    run = _on_batches if source.gathers_on_host() and not model.run_eagerly else _on_rows
    whole = nullcontext() if model._kf_run is None else model._kf_run.step
    begin = callbacks.on_train_batch_begin if kind == "train" else callbacks.on_test_batch_begin
    for rows in grouped(batches, lambda: steps_at_once(model, callbacks, kind, source)):
        begin(number)
        began = time.perf_counter()
        with whole:
            out = run(programs(model), kind, source, rows)
            if len(rows) == 1:
                time_step(model, kind, began)
        number += len(rows)
        yield number - 1, len(rows), _logs(model, out)


def _batch_steps(
    model: Any, batches: Iterator[Any], callbacks: Any, kind: str, number: int = 0
) -> Iterator[tuple[int, int, LazyLogs]]:
    """Steps on the batches of an iterable: several in a dispatch only where `steps_per_execution` says so.

    What a generator gives may depend on the steps before it; and it gained nothing where the data reads ahead itself.
    """
    run = model._kf_run
    whole = nullcontext() if run is None else run.step
    begin = callbacks.on_train_batch_begin if kind == "train" else callbacks.on_test_batch_begin
    several = 1 if model.steps_per_execution == "auto" else model.steps_per_execution
    if run is not None and run.is_kept and kind == "train":
        several = 1  # what is noted of data that was read ahead would not be the place of the run
    for group in grouped(_kept(model, batches, several > 1), lambda: several, form_of):
        begin(number)
        made = programs(model)
        with whole:
            if len(group) > 1:
                out = made.get(kind, "stack")(None, for_step(model, made.memory.stacked(group)))
            else:
                out = made.get(kind, "batch")(for_step(model, group[0]))
        number += len(group)
        yield number - 1, len(group), _logs(model, out)


def _kept(model: Any, batches: Iterator[Any], wait: bool) -> Iterator[Any]:
    """The batches as they are now: those that wait for others may be written to before their step."""
    for batch in batches:
        check_batch(model, batch)
        yield programs(model).memory.copied(batch, ops.copy) if wait else own(model, batch)


def _on_rows(made: Programs, kind: str, source: ArraySource, rows: list[Any]) -> Any:
    """Steps that gather their rows from the whole arrays as tensors."""
    if len(rows) == 1:
        return made.get(kind, "rows")(source.tensors(), _rows(rows[0]))
    return made.get(kind, "loop")(source.tensors(), _rows(np.stack(rows)))


def _on_batches(made: Programs, kind: str, source: ArraySource, rows: list[Any]) -> Any:
    """Steps on rows that were gathered before, in the host's memory."""
    if len(rows) == 1:
        return made.get(kind, "batch")(source.gathered(rows[0], made.memory))
    return made.get(kind, "stack")(None, source.gathered(np.stack(rows), made.memory))


def _rows(rows: Any) -> Any:
    return active.backend.convert(rows, "int32")


def _logs(model: Any, out: Any) -> LazyLogs:
    """Logs of a step: what it returned, or the metrics as they are now."""
    if out is None:
        return LazyLogs(programs(model).results)
    if not isinstance(out, dict):
        raise ArgumentError(f"A step must return a dict of logs, and {type(out).__name__} came: {out!r}.")
    return LazyLogs(lambda: out)


# --- validation and evaluation
def _validation(model: Any, data: Any, steps: Any, batch_size: Any) -> Any:
    if data is None:
        return None
    if isinstance(data, (tuple, list)) and 2 <= len(data) <= 3 and (isinstance(data, tuple) or is_arrays(data[0])):
        x, y, *weight = data
        source = make_source(
            numbers_to_arrays(x), numbers_to_arrays(y), numbers_to_arrays(weight[0]) if weight else None,
            batch_size=batch_size, steps=steps,
        )  # fmt: skip
    else:
        source = make_source(data, batch_size=batch_size, steps=steps)
    check_source(model, source)
    return source


def _is_due(epoch: int, freq: Any) -> bool:
    return (epoch + 1) % freq == 0 if isinstance(freq, int) else epoch + 1 in freq


def _evaluate_source(model: Any, source: Any, callbacks: Any) -> dict[str, float]:
    """Loss and metrics over all batches of a source."""
    model.reset_metrics()
    model.stop_evaluating = False
    logs = LazyLogs(programs(model).results)
    number = -1
    for number, count, last in _test_steps(model, source, callbacks):
        logs = last
        _show(callbacks.on_test_batch_end, number, logs, count)
        if model.stop_evaluating:
            break
    if number < 0:
        raise ArgumentError("The data gave no batches to evaluate on.")
    model._clear_losses()
    return logs.copy()


def _test_steps(model: Any, source: Any, callbacks: Any) -> Iterator[tuple[int, int, LazyLogs]]:
    if isinstance(source, ArraySource):
        slices = active.backend.slices_cheaply and (model.run_eagerly or not source.gathers_on_host())
        if slices and model.steps_per_execution in ("auto", 1):
            for number, batch in enumerate(source.slices(converter(model))):
                callbacks.on_test_batch_begin(number)
                yield number, 1, _logs(model, programs(model).get("test", "batch")(batch))
        else:
            yield from _array_steps(model, source, source.epoch(0), callbacks, "test")
        return
    yield from _batch_steps(model, source.epoch(0), callbacks, "test")


def evaluate(
    model: Any,
    x: Any,
    y: Any,
    batch_size: Any,
    verbose: Any,
    sample_weight: Any,
    steps: Any,
    callbacks: Any,
    return_dict: bool,
) -> Any:
    """See `Trainer.evaluate`."""
    from keras_fn.callbacks import as_callback_list

    check_backend(model)
    verbose = level(verbose)
    x, y, sample_weight = numbers_to_arrays(x), numbers_to_arrays(y), numbers_to_arrays(sample_weight)
    source = make_source(x, y, sample_weight, batch_size=batch_size, steps=steps)
    check_source(model, source)
    build_for(model, source.first(), training=False)
    callbacks = as_callback_list(
        callbacks, model, verbose=verbose, epochs=1, steps=source.steps, add_history=False, add_progress=verbose != 0
    )
    callbacks.on_test_begin()
    logs = _evaluate_source(model, source, callbacks)
    callbacks.on_test_end(logs)
    return logs if return_dict else in_order(model, logs)


def in_order(model: Any, logs: dict[str, float]) -> Any:
    """The loss, then the metrics in the order in which they were given; a number where there is only one."""
    known = [n for n in programs(model).result_names or model.get_metrics_result() if n in logs]
    names = [*known, *(n for n in logs if n not in known)]
    values = [logs[n] for n in names]
    return values[0] if len(values) == 1 else values


# --- single batches
def on_batch(model: Any, kind: str, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool) -> Any:
    """`train_on_batch` and `test_on_batch`."""
    check_backend(model)
    if class_weight is not None:
        sample_weight = class_weights_to_sample_weights(
            numbers_to_arrays(y), class_weight, getattr(model, "output_names", None)
        )
    data = tuple(numbers_to_arrays(part) for part in (x, y, sample_weight))
    while len(data) > 1 and data[-1] is None:
        data = data[:-1]
    source = ArraySource(data, 2**31 - 1, False, 1, 0)
    check_batch(model, source.data)
    build_for(model, source.data, training=kind == "train")
    out = programs(model).get(kind, "batch")(for_step(model, source.data))
    logs = to_host(programs(model).results() if out is None else out)
    model._clear_losses()
    return logs if return_dict else in_order(model, logs)


# --- small things
def own(model: Any, batch: Any) -> Any:
    """A batch of the user's iterable as it is now: the next one may come in the same arrays while a step still runs."""
    return programs(model).memory.copied(batch) if active.backend.steps_take_arrays else batch


def for_step(model: Any, batch: Any) -> Any:
    """A batch as its step takes it: tensors, or the arrays as they are where a compiled step takes these in faster."""
    convert = converter(model)
    return batch if convert is _as_it_is else trees.map(lambda a: None if a is None else convert(a), batch)


def converter(model: Any) -> Any:
    """What makes of an array the input of a step: see `for_step`."""
    if active.backend.steps_take_arrays and not model.run_eagerly:
        return _as_it_is
    convert = active.backend.convert
    return lambda a: convert(a, None)


def _as_it_is(a: Any) -> Any:
    return a


def level(verbose: Any) -> int:
    """0, 1 or 2."""
    if verbose == "auto":
        return 1 if is_interactive_logging_enabled() else 2
    if verbose not in (0, 1, 2):
        raise ArgumentError(f"`verbose` must be 0, 1, 2 or 'auto', not {verbose!r}.")
    return int(verbose)


def check_backend(model: Any) -> None:
    """A model runs under the backend it was made with.

    Raises:
        BackendError: where another one is active.
    """
    if model._kf_backend is not active.backend:
        raise BackendError(
            f"The model {model.name!r} was made under the backend {model._kf_backend.name!r}, and "
            f"{active.backend.name!r} is active now. Go back with `keras_fn.backend.use({model._kf_backend.name!r})`."
        )


class _Weighted:
    """A source of batches with class weights applied."""

    in_memory = False

    def __init__(self, source: Any, class_weight: Any, names: Any) -> None:
        self.source, self.class_weight, self.names = source, class_weight, names
        self.steps, self.seed = source.steps, source.seed
        self.go_on, self.mark, self.state = source.go_on, source.mark, source.state
        self.generators, self.set_generators = source.generators, source.set_generators
        self.watch, self.ends = source.watch, source.ends

    def _apply(self, batch: Any) -> Any:
        if len(batch) == 3 and batch[2] is not None:
            raise ArgumentError("The batches bring sample weights, so `class_weight` cannot be applied.")
        x, y = batch[:2]
        return x, y, class_weights_to_sample_weights(y, self.class_weight, self.names)

    def first(self) -> Any:
        """The first batch."""
        return self._apply(self.source.first())

    def epoch(self, epoch: int, done: int = 0) -> Iterator[Any]:
        """The batches of an epoch."""
        return map(self._apply, self.source.epoch(epoch, done))

"""The compiled programs of a model: train, test and predict, on a batch or on rows of arrays."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from keras_fn.core import trees
from keras_fn.core.backend import active
from keras_fn.core.context import context
from keras_fn.core.errors import StructureError
from keras_fn.core.tape import calls, is_own
from keras_fn.core.version import Watch
from keras_fn.metrics import Metric
from keras_fn.optimizers import Optimizer
from keras_fn.random import global_seed_generator
from keras_fn.trainer.data.memory import Memory

_STEPS = {"train": "train_step", "test": "test_step", "predict": "predict_step"}

_SEVERAL = ("loop", "stack")


class Programs:
    """Programs of one model, compiled at first use and again when weights or `trainable` change.

    The model holds its programs, so they know it by a weak reference: dropping a model frees its memory at once.

    Args:
        model: the model.
    """

    def __init__(self, model: Any) -> None:
        ref = self.model = weakref.ref(model)
        self.watch = Watch()
        self.made: dict[tuple[str, str], Callable[..., Any]] = {}
        self.memory = Memory(lambda: wait_for(ref()))  # that batches lie in
        self.result_names: list[str] = []  # of the metrics, in their order, once a program gave their values

    def get(self, kind: str, source: str) -> Callable[..., Any]:
        """The program of a kind ("train", "test", "predict").

        Args:
            kind: which step.
            source: "batch" for a program of `(data,)`; "rows" for one of `(arrays, row numbers)`; "loop" for several
                steps at once, of `(arrays, a matrix of row numbers)`; "stack" for several steps at once, of
                `(None, batches stacked along a new first axis)`; "each" for several of `(batches stacked likewise,)`,
                of which all results come out, stacked too.
        """
        if not self.watch.holds(lambda: state_of(self.model())):
            self.made.clear()
        key = (kind, source)
        if key not in self.made:
            self.made[key] = self._make(kind, source)
        return self.made[key]

    def results(self) -> dict[str, Any]:
        """The values of the metrics now, by name: in one program where all of them are the library's own."""
        model: Any = self.model()
        if model.run_eagerly or not _results_compile(model):
            found = model.get_metrics_result()
            self.result_names = list(found)
            return found
        if not self.watch.holds(lambda: state_of(model)):
            self.made.clear()
        key = ("results", "")
        if key not in self.made:
            self.made[key] = self._make_results(model)
        return self.made[key]()

    def _make_results(self, model: Any) -> Callable[..., Any]:
        ref: Any = self.model
        names = self.result_names = []

        def values() -> list[Any]:
            found: dict[str, Any] = ref().get_metrics_result()
            names[:] = found
            return list(found.values())

        run = active.backend.compile_step(
            _in_mode(values, active.backend, "test"), lambda: ref().metrics_variables, model.jit_compile
        )
        return lambda: dict(zip(names, run(), strict=True))

    def _make(self, kind: str, source: str) -> Callable[..., Any]:
        ref, backend = self.model, active.backend
        model: Any = ref()
        step = step_function(model, kind)
        if source in ("batch", "each"):
            run: Callable[..., Any] = step
        elif source == "stack":
            run = lambda _, batch: step(batch)  # noqa: E731
        else:
            run = lambda arrays, rows: step(gather(arrays, rows))  # noqa: E731
        wrapped = _in_mode(run, backend, kind)
        if source == "each":
            return backend.compile_each(wrapped, lambda: state_of(ref()), model.jit_compile)
        if model.run_eagerly:
            return wrapped if source not in _SEVERAL else _one_by_one(wrapped)
        compile_ = backend.compile_loop if source in _SEVERAL else backend.compile_step
        return compile_(wrapped, lambda: state_of(ref()), model.jit_compile)


def _results_compile(model: Any) -> bool:
    """Whether results can be computed in a program of their own: no code of the user's takes part."""
    return model._kf_cached(
        "results compile",
        lambda: is_own(type(model).get_metrics_result) and all(is_own(type(m)) for m in model.metrics),
    )


def _in_mode(run: Callable[..., Any], backend: Any, kind: str) -> Callable[..., Any]:
    """Masks live until the losses are computed; nothing is recorded for gradients outside of training."""
    mode = nullcontext if kind == "train" else backend.inference

    def step(*args: Any) -> Any:
        before, context.masks = context.masks, {}
        try:
            with mode():
                return run(*args)
        finally:
            context.masks = before

    return step


def _one_by_one(run: Callable[..., Any]) -> Callable[..., Any]:
    def several(arrays: Any, rows: Any) -> Any:
        logs = None
        for part in trees.parts(rows):
            logs = run(arrays, part)
        return logs

    return several


def wait_for(model: Any) -> None:
    """Waits until the loss of the steps that were dispatched is there, where the model counts it."""
    active.backend.stop()
    for v in model._kf_loss_tracker.variables[:1] if model._kf_loss_tracker is not None else []:
        v.numpy()


def gather(arrays: Any, rows: Any) -> Any:
    """The rows of each array."""
    from keras_fn.ops.shape import _take_rows

    return trees.map(lambda a: None if a is None else _take_rows(a, rows), arrays)


def state_of(model: Any) -> list[Any]:
    """Every variable that a step may read or write."""
    return model._kf_cached("state", lambda: _all_state(model))


def _all_state(model: Any) -> list[Any]:
    found = list(model.variables)
    if model.optimizer is not None:
        found += model.optimizer.variables
    found += model.metrics_variables
    for value in trees.flatten(list(vars(model).values())):
        if isinstance(value, (Optimizer, Metric)):  # those that a step of the user's own works with
            found += value.variables
    found.append(global_seed_generator().state)  # what layers and ops without a seed of their own draw from
    return list({id(v): v for v in found}.values())


def is_default(model: Any, kind: str) -> bool:
    """Whether the class leaves the step as it is, so that nobody needs its logs each time."""
    from keras_fn.trainer.trainer import Trainer

    name = _STEPS[kind]
    if kind == "predict":
        return type(model).predict_step is Trainer.predict_step
    return (
        getattr(type(model), name) is getattr(Trainer, name)
        and type(model).compute_metrics is Trainer.compute_metrics
        and type(model).get_metrics_result is Trainer.get_metrics_result
    )


def step_function(model: Any, kind: str) -> Callable[[Any], Any]:
    """The step as a function of a batch; it returns logs, or None where they can be had from the metrics."""
    from keras_fn.trainer.trainer import unpack

    ref = weakref.ref(model)
    if kind != "predict" and is_default(model, kind):
        work = "_kf_train_on" if kind == "train" else "_kf_test_on"
        return lambda data: getattr(ref(), work)(*unpack(data))
    name = _STEPS[kind]
    if "state" in list(inspect.signature(getattr(model, name)).parameters)[:1]:
        return _pure_step(ref, kind)
    own = is_own(getattr(type(model), name))

    def run(data: Any) -> Any:  # a plan keeps this, and by it no more than a weak reference to the model
        return getattr(ref(), name)(data)

    return lambda data: calls(run, own, data)


def _pure_step(ref: Callable[[], Any], kind: str) -> Callable[[Any], Any]:
    """A step in the form `(state, data) -> (logs, state)`, over the cells."""

    def groups() -> list[list[Any]]:
        model = ref()
        own = [model.trainable_variables, model.non_trainable_variables]
        if kind == "train":
            return [*own, model.optimizer.variables, model.metrics_variables]
        return [*own, model.metrics_variables] if kind == "test" else own

    def step(data: Any) -> Any:
        cells = groups()
        logs, state = getattr(ref(), _STEPS[kind])(tuple([v.value for v in group] for group in cells), data)
        if len(state) != len(cells):
            raise StructureError(
                f"`{_STEPS[kind]}` returned a state of {len(state)} parts, and {len(cells)} went in. It must return "
                "`(logs, state)` with the same parts."
            )
        for group, values in zip(cells, state, strict=True):
            for v, value in zip(group, values, strict=True):
                v.assign(value)
        return logs

    return step

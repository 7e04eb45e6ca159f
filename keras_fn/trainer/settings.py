"""Checks of what `compile` is given, as far as they can be made before data comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from keras_fn.core.arguments import is_number
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, printable

# metrics whose class depends on shapes
_BY_SHAPE = ("accuracy", "acc", "crossentropy", "ce")


def check_settings(loss: Any, loss_weights: Any, metrics: Any, weighted_metrics: Any) -> None:
    """Looks at each loss, weight and metric, in whatever structure they come.

    Raises:
        ArgumentError, ArgumentTypeError: where a name is unknown, or something is no loss, number or metric.
    """
    from keras_fn import losses
    from keras_fn import metrics as known

    for place, leaf in _leaves(loss, "loss"):
        _check_leaf(place, leaf, losses.get, losses.LOOKUP, ())
    for place, leaf in _leaves(loss_weights, "loss_weights"):
        if leaf is not None and not (is_number(leaf) and abs(leaf) < float("inf")):
            raise ArgumentTypeError(f"`{place}` must be a finite number or None, not {printable(repr(leaf), 200)}.")
    for name, given in (("metrics", metrics), ("weighted_metrics", weighted_metrics)):
        for place, leaf in _leaves(given, name):
            _check_leaf(place, leaf, known.get, known.LOOKUP, _BY_SHAPE)


def check_outputs(model: Any, loss: Any, metrics: Any) -> None:
    """Matches losses and metrics with the outputs of a graph, which are known before data comes.

    Raises:
        StructureError: where an output that is named is not there, or the numbers differ.
    """
    from keras_fn.trainer.build import described_outputs

    if not model.built:
        return
    outputs = described_outputs(model)
    if outputs is None:
        return
    if loss is not None:
        loss.match(outputs)
    metrics.match(outputs)


def check_switches(steps_per_execution: Any, jit_compile: Any, run_eagerly: bool) -> None:
    """Checks how steps are to be run.

    Raises:
        ArgumentError: naming the value and what is expected.
    """
    steps = steps_per_execution
    if steps != "auto" and (not isinstance(steps, int) or isinstance(steps, bool) or steps < 1):
        raise ArgumentError(f"`steps_per_execution` must be a positive int or 'auto', not {steps!r}.")
    if jit_compile not in (None, True, False, "auto"):
        raise ArgumentError(f"`jit_compile` must be True, False or 'auto', not {printable(repr(jit_compile), 200)}.")
    if run_eagerly and jit_compile is True:
        raise ArgumentError("`run_eagerly=True` and `jit_compile=True` exclude each other.")


def _leaves(given: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Each entry and its place, out of lists by position and dicts by name."""
    if isinstance(given, dict) and not ("class_name" in given and "config" in given):
        for key, value in given.items():
            yield from _leaves(value, f"{place}[{key!r}]")
    elif isinstance(given, (list, tuple)):
        for i, value in enumerate(given):
            yield from _leaves(value, f"{place}[{i}]")
    else:
        yield place, given


def _check_leaf(place: str, leaf: Any, get: Callable[[Any], Any], lookup: Any, more: tuple[str, ...]) -> None:
    if leaf is None or (isinstance(leaf, str) and (leaf in more or lookup.knows(leaf))):
        return
    if isinstance(leaf, type) and issubclass(leaf, lookup.bases):
        return
    try:
        get(leaf)
    except ArgumentError as e:
        raise ArgumentError(f"`{place}`: {e}") from None

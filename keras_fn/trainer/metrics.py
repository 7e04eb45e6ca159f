"""The metrics given to `compile`, matched to the outputs."""

from __future__ import annotations

import itertools
import weakref
from typing import Any

from keras_fn.core import trees
from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.core.tape import calls, is_own
from keras_fn.trainer.matching import match_targets, match_weights, output_names, per_output


class CompiledMetrics:
    """Metrics for each output.

    Args:
        model: the model.
        metrics: a list for one output; lists by position or a dict by output name for several.
        weighted_metrics: likewise, for metrics that take the sample weights.
    """

    def __init__(self, model: Any, metrics: Any, weighted_metrics: Any) -> None:
        self._model = weakref.ref(model)
        self.given = metrics
        self.weighted_given = weighted_metrics
        self.built = False
        # (number of the output, metric, whether weighted, name in the logs)
        self.entries: list[tuple[int, Any, bool, str]] = []
        self.names: list[str] = []

    def match(self, y_pred: Any) -> None:
        """Matches what was given with the outputs."""
        self.names = output_names(self._model(), y_pred)
        for given in (self.given, self.weighted_given):
            for entry in itertools.chain.from_iterable(self._groups(given, y_pred)):
                if entry is not None and not _is_metric(entry):
                    raise ArgumentTypeError(f"A metric must be a name, a Metric or a function, not {entry!r}.")

    def build(self, y: Any, y_pred: Any) -> None:
        """Matches the metrics with the outputs; what "accuracy" is depends on shapes."""
        self.names = output_names(self._model(), y_pred)
        preds, targets = trees.flatten(y_pred), match_targets(y, self.names, y_pred)
        several = len(self.names) > 1
        self.entries = []
        used: dict[str, int] = {}
        for given, weighted in ((self.given, False), (self.weighted_given, True)):
            for i, group in enumerate(self._groups(given, y_pred)):
                for entry in group:
                    metric = _metric(entry, targets[i], preds[i])
                    prefix = f"{self.names[i]}_" if several else ""
                    name = prefix + metric.name
                    if weighted and name in used:
                        name = f"{prefix}weighted_{metric.name}"
                    used[name] = used.get(name, 0) + 1
                    if used[name] > 1:
                        name = f"{name}_{used[name] - 1}"
                    if targets[i] is not None:
                        # some make their variables for the shapes, which must not happen inside a compiled step
                        metric.build(tuple(targets[i].shape), tuple(preds[i].shape))
                    self.entries.append((i, metric, weighted, name))
        self.built = True

    def _groups(self, given: Any, y_pred: Any) -> list[list[Any]]:
        if given is None:
            return [[] for _ in self.names]
        if _is_metric(given):
            given = [given]
        if isinstance(given, (list, tuple)) and not any(isinstance(g, (list, tuple)) for g in given):
            if len(self.names) == 1:
                return [list(given)]
            if len(given) == len(self.names):
                return [[] if g is None else [g] for g in given]
            # one flat list and several outputs: for each of them, as Keras does for a single metric
            if len(given) == 1:
                return [list(given) for _ in self.names]
        entries = per_output(given, self.names, "metrics", _is_metric, y_pred)
        return [[] if e is None else list(e) if isinstance(e, (list, tuple)) else [e] for e in entries]

    def metrics(self) -> list[Any]:
        """The metric objects."""
        return list({id(m): m for _, m, _, _ in self.entries}.values())

    def update(self, y: Any, y_pred: Any, sample_weight: Any) -> None:
        """Updates every metric with a batch."""
        if not self.built:
            self.build(y, y_pred)
        if not self.entries:
            return
        preds = trees.flatten(y_pred)
        targets = match_targets(y, self.names, y_pred)
        weights = match_weights(sample_weight, self.names, y_pred)
        for i, metric, weighted, name in self.entries:
            if targets[i] is None:
                raise ArgumentError(f"The metric {name!r} needs a target for the output {self.names[i]!r}.")
            given = weights[i] if weighted else _mask(preds[i])
            calls(metric.update_state, _is_own(metric), targets[i], preds[i], sample_weight=given)

    def results(self) -> dict[str, Any]:
        """Name in the logs -> current value."""
        out: dict[str, Any] = {}
        for _, metric, _, name in self.entries:
            value = metric.result()
            if isinstance(value, dict):
                out.update(value)
            else:
                out[name] = value
        return out


def _is_own(metric: Any) -> bool:
    """Whether a metric runs no code of the user's."""
    return is_own(type(metric)) and is_own(getattr(metric, "_fn", metric))


def _mask(pred: Any) -> Any:
    from keras_fn.core.masks import get_mask

    return get_mask(pred)


def _is_metric(x: Any) -> bool:
    if isinstance(x, dict):
        return "class_name" in x and "config" in x
    return isinstance(x, str) or callable(x)


def _metric(entry: Any, target: Any, pred: Any) -> Any:
    from keras_fn import losses, metrics

    if isinstance(entry, str) and entry in ("accuracy", "acc", "crossentropy", "ce"):
        if target is None:
            raise ArgumentError(f"The metric {entry!r} needs targets.")
        if entry in ("accuracy", "acc"):
            cls: Any = metrics.resolve_accuracy(tuple(target.shape), tuple(pred.shape))
        else:
            cls = _crossentropy(tuple(target.shape), tuple(pred.shape))
        metric = cls(name=entry)
        return metric
    if isinstance(entry, losses.Loss):
        return metrics.MeanMetricWrapper(entry.call, name=entry.name)
    found = metrics.get(entry)
    if isinstance(found, metrics.Metric):
        if isinstance(entry, str):
            found.name = entry  # "mae" is shown as it was asked for
        return found
    if callable(found):
        name = entry if isinstance(entry, str) else getattr(found, "__name__", type(found).__name__)
        return metrics.MeanMetricWrapper(found, name=name)
    raise ArgumentTypeError(f"A metric must be a name, a Metric or a function, not {entry!r}.")


def _crossentropy(target: tuple[Any, ...], pred: tuple[Any, ...]) -> Any:
    from keras_fn import metrics

    if pred[-1] == 1:
        return metrics.BinaryCrossentropy
    sparse = len(target) < len(pred) or target[-1] == 1
    return metrics.SparseCategoricalCrossentropy if sparse else metrics.CategoricalCrossentropy

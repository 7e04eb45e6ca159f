"""`MonitorCallback`: what callbacks that watch one of the logs have in common."""

from __future__ import annotations

import warnings
from typing import Any

from keras_fn.callbacks.callback import Callback
from keras_fn.core.errors import ArgumentError, closest

# which way a metric gets better, by its class
_DOWN = (
    "MeanSquaredError MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredLogarithmicError RootMeanSquaredError "
    "LogCoshError KLDivergence Poisson Hinge SquaredHinge CategoricalHinge BinaryCrossentropy CategoricalCrossentropy "
    "SparseCategoricalCrossentropy FalsePositives FalseNegatives"
).split()
_UP = (
    "Accuracy BinaryAccuracy CategoricalAccuracy SparseCategoricalAccuracy TopKCategoricalAccuracy "
    "SparseTopKCategoricalAccuracy AUC Precision Recall TruePositives TrueNegatives SensitivityAtSpecificity "
    "SpecificityAtSensitivity PrecisionAtRecall RecallAtPrecision IoU FBetaScore R2Score CosineSimilarity "
    "PearsonCorrelation ConcordanceCorrelation"
).split()


class MonitorCallback(Callback):
    """Watches one of the logs.

    Args:
        monitor: name in the logs, like "val_loss".
        mode: "min" or "max", what is better; "auto" finds it out from the metric of that name.
        min_delta: change that counts as better.
    """

    kept = ("best",)
    # what happens where the value is missing, for the warning
    without = "it does nothing"

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0.0) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise ArgumentError(f"`mode` must be 'auto', 'min' or 'max', not {mode!r}.")
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        self.best: float | None = None
        self._sign = {"min": -1, "max": 1}.get(mode, 0)

    def is_better(self, value: float, than: float | None) -> bool:
        """Whether a value is better than another one by more than `min_delta`."""
        if not self._sign:
            self._sign = direction(self.model, self.monitor, type(self).__name__)
        return than is None or (value - than) * self._sign > self.min_delta

    def read(self, logs: Any) -> float | None:
        """The value in the logs; None, with a warning, where there is none of this name."""
        value = None if logs is None else logs.get(self.monitor)
        if value is None:
            names = sorted(logs or ())
            text = (
                f"{type(self).__name__} watches {self.monitor!r}, which is not in the logs, so {self.without}."
                f"{closest(self.monitor, names)} The logs hold: {', '.join(names) or 'nothing'}."
            )
            if self.monitor.startswith("val_") and not any(n.startswith("val_") for n in names):
                text += " Pass `validation_data` to `fit` for those of a validation."
            warnings.warn(text, stacklevel=4)
        return value


def direction(model: Any, monitor: str, who: str) -> int:
    """1 where more is better, -1 where less is.

    Raises:
        ArgumentError: where the name does not tell.
    """
    name = monitor.removeprefix("val_")
    if name == "loss" or name.endswith("_loss"):
        return -1
    for metric in _metrics_called(model, name):
        own = getattr(metric, "_direction", None)
        if own in ("up", "down"):
            return 1 if own == "up" else -1
        found = _by_class(metric)
        if found:
            return found
    raise ArgumentError(
        f"{who} cannot tell whether more or less of {monitor!r} is better. Pass mode='max' or mode='min'."
    )


def _metrics_called(model: Any, name: str) -> list[Any]:
    compiled = getattr(model, "_kf_metrics", None)
    entries = [] if compiled is None else [metric for _, metric, _, label in compiled.entries if label == name]
    return entries or [m for m in getattr(model, "metrics", []) if m.name == name]


def _by_class(metric: Any) -> int:
    from keras_fn import losses, metrics

    names = {cls.__name__ for cls in type(metric).__mro__ if cls.__module__.startswith(metrics.__name__)}
    if names & set(_DOWN):
        return -1
    if names & set(_UP):
        return 1
    # a loss, or a function of one, that serves as a metric
    fn = getattr(metric, "_fn", None)
    module = getattr(getattr(fn, "__func__", fn), "__module__", "") or ""
    return -1 if module.startswith(losses.__name__) else 0

"""The losses given to `compile`, matched to the outputs, weighted and summed."""

from __future__ import annotations

import weakref
from typing import Any

from keras_fn.core import trees
from keras_fn.core.arguments import is_number
from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.core.spec import Spec
from keras_fn.core.tape import calls, is_own
from keras_fn.trainer.matching import match_targets, match_weights, output_names, per_output


class CompiledLoss:
    """The sum of a loss for each output.

    Args:
        model: the model.
        loss: one loss, a list by position, or a dict by output name: names, Loss objects or functions.
        loss_weights: factors, likewise.
    """

    def __init__(self, model: Any, loss: Any, loss_weights: Any) -> None:
        self._model = weakref.ref(model)
        self.given = loss
        self.weights_given = loss_weights
        self.losses: list[Any] | None = None
        self.weights: list[float | None] = []
        self.names: list[str] = []
        self.trackers: list[Any] = []

    def match(self, y_pred: Any) -> list[Any]:
        """What was given for each output: losses as they came, beside their weights."""
        self.names = output_names(self._model(), y_pred)
        entries = per_output(self.given, self.names, "loss", _is_loss, y_pred)
        self.weights = per_output(self.weights_given, self.names, "loss_weights", is_number, y_pred)
        for name, w in zip(self.names, self.weights, strict=True):
            if w is not None and not is_number(w):
                raise ArgumentTypeError(f"The loss weight of {name!r} must be a number, not {w!r}.")
        return entries

    def build(self, y_pred: Any) -> None:
        """Matches the losses with the outputs, and makes them."""
        from keras_fn.metrics import Mean

        self.losses = [None if e is None else _loss(e) for e in self.match(y_pred)]
        counted = [x for x in self.losses if x is not None]
        if not counted:
            raise ArgumentError("`compile(loss=…)` gives no output a loss.")
        # the parts are shown where there are several
        self.trackers = [
            Mean(name=f"{n}_loss") if len(counted) > 1 and x is not None else None
            for n, x in zip(self.names, self.losses, strict=True)
        ]

    def metrics(self) -> list[Any]:
        """The running mean of each output's loss, where there are several."""
        return [t for t in self.trackers if t is not None]

    def check(self, y: Any, y_pred: Any) -> None:
        """Checks targets on the host, before a step meets them.

        Raises:
            ArgumentError, ShapeError: from the loss that they do not fit.
        """
        if self.losses is None:
            self.build(y_pred)
        losses: list[Any] = self.losses or []
        targets = match_targets(y, self.names, y_pred)
        for name, loss, target, pred in zip(self.names, losses, targets, trees.flatten(y_pred), strict=True):
            if loss is None:
                continue
            if target is None:
                raise ArgumentError(f"The output {name!r} has a loss and no target. Add it to `y`.")
            loss.check_targets(target, tuple(pred.shape))

    def __call__(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The weighted sum."""
        from keras_fn import ops

        if self.losses is None:
            self.build(y_pred)
        preds = trees.flatten(y_pred)
        targets = match_targets(y, self.names, y_pred)
        weights = match_weights(sample_weight, self.names, y_pred)
        total = None
        for i, (loss, pred) in enumerate(zip(self.losses or [], preds, strict=True)):
            if loss is None:
                continue
            if targets[i] is None:
                raise ArgumentError(f"The output {self.names[i]!r} has a loss and no target. Add it to `y`.")
            value = calls(loss, _is_own(loss), targets[i], pred, sample_weight=weights[i])
            if self.trackers[i] is not None and not isinstance(value, Spec):
                batch = ops.shape(pred)[0] if len(pred.shape) else 1
                self.trackers[i].update_state(ops.stop_gradient(value), sample_weight=batch)
            if self.weights[i] is not None:
                value = ops.multiply(value, self.weights[i])
            total = value if total is None else ops.add(total, value)
        return total


def _is_own(loss: Any) -> bool:
    """Whether a loss runs no code of the user's."""
    return is_own(type(loss)) and is_own(getattr(loss, "fn", loss))


def _is_loss(x: Any) -> bool:
    if isinstance(x, dict):
        return "class_name" in x and "config" in x
    return isinstance(x, str) or callable(x)


def _loss(entry: Any) -> Any:
    """A Loss object for a name, function, config or Loss."""
    from keras_fn import losses

    found = losses.get(entry)
    if isinstance(found, losses.Loss):
        return found
    name = getattr(found, "__name__", type(found).__name__)
    as_class = _class_of_function(found)
    return as_class() if as_class is not None else losses.LossFunctionWrapper(found, name=name)


def _class_of_function(fn: Any) -> Any:
    """The Loss class whose function this is: it brings the checks of targets."""
    from keras_fn import losses

    name = getattr(fn, "__name__", "")
    if getattr(losses, name, None) is not fn:
        return None
    camel = "".join(part.capitalize() for part in name.split("_"))
    return getattr(losses, camel, None)

"""Optimizers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_fn.core.lookup import Lookup
from keras_fn.optimizers import schedules
from keras_fn.optimizers.adadelta import Adadelta
from keras_fn.optimizers.adafactor import Adafactor
from keras_fn.optimizers.adagrad import Adagrad
from keras_fn.optimizers.adam import Adam
from keras_fn.optimizers.adamax import Adamax
from keras_fn.optimizers.adamw import AdamW
from keras_fn.optimizers.base import Optimizer
from keras_fn.optimizers.ftrl import Ftrl
from keras_fn.optimizers.lamb import Lamb
from keras_fn.optimizers.lion import Lion
from keras_fn.optimizers.loss_scale import LossScaleOptimizer, with_loss_scale
from keras_fn.optimizers.nadam import Nadam
from keras_fn.optimizers.rmsprop import RMSprop
from keras_fn.optimizers.sgd import SGD

LOOKUP = Lookup(
    "optimizer",
    [
        SGD, RMSprop, Adam, AdamW, Adamax, Nadam, Adagrad, Adadelta, Lion, Ftrl, Adafactor, Lamb, LossScaleOptimizer,
    ],
    lower=True,
    functions=False,
)  # fmt: skip


def get(identifier: Any) -> Any:
    """The optimizer that `identifier` means: a name (capitals make no difference), config, class or optimizer.

    Example:
        >>> get("adam").name.startswith("adam")
        True
    """
    return LOOKUP.get(identifier, check=lambda x: isinstance(x, Optimizer))


def serialize(optimizer: Optimizer) -> Any:
    """The optimizer as JSON-able config (without its state)."""
    return LOOKUP.serialize(optimizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """An optimizer from what `serialize` gave."""
    return LOOKUP.deserialize(config, custom_objects)


__all__ = [
    "LOOKUP", "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion",
    "LossScaleOptimizer", "Nadam", "Optimizer", "RMSprop", "deserialize", "get", "schedules", "serialize",
    "with_loss_scale",
]  # fmt: skip

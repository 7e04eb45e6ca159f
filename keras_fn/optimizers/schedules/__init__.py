"""Learning-rate schedules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_fn.core.lookup import Lookup
from keras_fn.optimizers.schedules.base import LearningRateSchedule
from keras_fn.optimizers.schedules.cosine import CosineDecay, CosineDecayRestarts
from keras_fn.optimizers.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)

LOOKUP = Lookup(
    "learning-rate schedule",
    [CosineDecay, CosineDecayRestarts, ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay],
)


def serialize(learning_rate_schedule: LearningRateSchedule) -> Any:
    """The schedule as JSON-able config."""
    return LOOKUP.serialize(learning_rate_schedule)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A schedule from what `serialize` gave."""
    return LOOKUP.deserialize(config, custom_objects)


__all__ = [
    "LOOKUP", "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule",
    "PiecewiseConstantDecay", "PolynomialDecay", "deserialize", "serialize",
]  # fmt: skip

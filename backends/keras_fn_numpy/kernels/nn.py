"""Faster ways for composites."""

from __future__ import annotations

from typing import Any

import numpy as np


def class_loss(target: Any, log_p: Any, axis: int) -> Any:
    inside = (target >= 0) & (target < log_p.shape[axis])
    picked = np.take_along_axis(log_p, np.expand_dims(np.where(inside, target, 0), axis), axis)
    return np.where(inside, -np.squeeze(picked, axis), log_p.dtype.type(0))


KERNELS: dict[str, Any] = {"_class_loss": class_loss}

"""First bias of an LSTM: ones for the forget gate."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.core.backend import active


def with_open_forget_gate(initializer: Any, units: int) -> Any:
    """An initializer for the bias of the gates input, forget, cell, output, whose forget part is ones.

    A gate that begins open lets gradients through from the start.
    Source: Jozefowicz et al. 2015, https://proceedings.mlr.press/v37/jozefowicz15.html
    """
    make = getattr(initializer, "draw", None) or initializer

    def on_host(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        values = make(shape, dtype=dtype)
        return active.backend.to_numpy(values) if active.backend.is_tensor(values) else np.asarray(values)

    def bias(shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
        before, after = on_host((units,), dtype), on_host((2 * units,), dtype)
        return np.concatenate([before, np.ones(units, before.dtype), after])

    return bias

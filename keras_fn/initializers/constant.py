"""Initializers that draw nothing: constants, the identity matrix, and the basis of a Fourier transform."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_fn.core.arguments import Finite
from keras_fn.core.errors import ArgumentError, ShapeError, printable
from keras_fn.initializers.base import Initializer, host_dtype, known_shape


class Zeros(Initializer):
    """All zeros.

    Example:
        >>> Zeros().draw((2, 2)).tolist()
        [[0.0, 0.0], [0.0, 0.0]]
    """

    def draw(self, shape: Any, dtype: Any = None) -> np.ndarray:
        return np.zeros(known_shape(shape), host_dtype(dtype))


class Ones(Initializer):
    """All ones.

    Example:
        >>> Ones().draw((2,)).tolist()
        [1.0, 1.0]
    """

    def draw(self, shape: Any, dtype: Any = None) -> np.ndarray:
        return np.ones(known_shape(shape), host_dtype(dtype))


class Constant(Initializer):
    """One value everywhere, or the values of an array.

    Args:
        value: number, or array that broadcasts to the shape asked for.

    Example:
        >>> Constant(3.0).draw((2,)).tolist()
        [3.0, 3.0]
    """

    def __init__(self, value: Any = 0.0) -> None:
        if not _holds_numbers(value):
            raise ArgumentError(f"`value` of Constant must be a number or an array, not {printable(repr(value), 200)}.")
        self.value = value

    def draw(self, shape: Any, dtype: Any = None) -> np.ndarray:
        from keras_fn import ops

        value = self.value if isinstance(self.value, (int, float, list, tuple)) else ops.convert_to_numpy(self.value)
        value = np.asarray(value, host_dtype(dtype))
        try:
            return np.broadcast_to(value, known_shape(shape)).copy()
        except ValueError as e:
            raise ShapeError(
                f"Constant holds values of the shape {value.shape}, which do not broadcast to {tuple(shape)}."
            ) from e

    def get_config(self) -> dict[str, Any]:
        from keras_fn.saving.config import serialize_keras_object

        return {"value": serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constant:
        from keras_fn.saving.config import deserialize_keras_object

        return cls(deserialize_keras_object(config["value"])) if "value" in config else cls()

    def __repr__(self) -> str:
        return f"Constant(value={self.value!r})"


class Identity(Initializer):
    """The identity matrix, times a factor. For matrices only; one that is not square has ones on its main diagonal.

    Args:
        gain: factor.

    Example:
        >>> Identity(gain=2.0).draw((2, 3)).tolist()
        [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    """

    def __init__(self, gain: Finite = 1.0) -> None:
        self.gain = gain

    def draw(self, shape: Any, dtype: Any = None) -> np.ndarray:
        shape = known_shape(shape)
        if len(shape) != 2:
            raise ShapeError(f"The Identity initializer makes matrices (2 dimensions), and the shape {shape} came.")
        return (self.gain * np.eye(*shape)).astype(host_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        # Keras writes no gain: files with gain 1 stay equal to its own, and others lose nothing
        return {} if self.gain == 1.0 else {"gain": self.gain}


class STFT(Initializer):
    """The real or imaginary part of the basis of a windowed discrete Fourier transform, as kernel of a Conv1D.

    The kernel at sample n and frequency k is `window[n] * cos(2 pi n k / N)` (real) or `-window[n] * sin(2 pi n k / N)`
    (imaginary), where N is the length of the transform: `2 * (bins - 1)`.

    Args:
        side: "real" or "imag".
        window: "hann", "hamming", None, or an array as long as the kernel.
        scaling: "density" (divides by the root of the window's energy), "spectrum" (by its sum), or None.
        periodic: whether the window is periodic instead of symmetric.

    The shape must be `(window length, 1, bins)`.

    Example:
        >>> STFT(window=None, scaling=None).draw((4, 1, 3))[:, 0, 2].round(3).tolist()
        [1.0, -1.0, 1.0, -1.0]
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ) -> None:
        if side not in ("real", "imag"):
            raise ArgumentError(f"`side` must be 'real' or 'imag', not {side!r}.")
        if isinstance(window, str) and window not in ("hann", "hamming"):
            raise ArgumentError(f"`window` must be 'hann', 'hamming', None or an array, not {window!r}.")
        if not isinstance(window, str) and window is not None and not _holds_numbers(window):
            raise ArgumentError(f"`window` must hold numbers, and is {printable(repr(window), 200)}.")
        if scaling not in ("density", "spectrum", None):
            raise ArgumentError(f"`scaling` must be 'density', 'spectrum' or None, not {scaling!r}.")
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def draw(self, shape: Any, dtype: Any = None) -> np.ndarray:
        shape = known_shape(shape)
        if len(shape) != 3 or shape[1] != 1:
            raise ShapeError(f"The STFT initializer makes kernels of the shape (window length, 1, bins), not {shape}.")
        length, _, bins = shape
        window = self._window(length)
        # frequencies are counted for a transform of 2 * (bins - 1) samples, whatever the window's length
        angle = 2 * math.pi * np.outer(np.arange(length), np.arange(bins)) / max(2 * (bins - 1), 1)
        basis = np.cos(angle) if self.side == "real" else -np.sin(angle)
        return (basis * window[:, None])[:, None, :].astype(host_dtype(dtype))

    def _window(self, length: int) -> np.ndarray:
        if self.window is None:
            window = np.ones(length)
        elif isinstance(self.window, str):
            offset = {"hann": 0.5, "hamming": 0.54}[self.window]
            steps = length if self.periodic else max(length - 1, 1)
            window = offset - (1 - offset) * np.cos(2 * math.pi * np.arange(length) / steps)
        else:
            window = np.asarray(self.window, "float64")
            if window.shape != (length,):
                raise ShapeError(f"The window has the shape {window.shape}, and the kernel's length is {length}.")
        if self.scaling == "density":
            window = window / math.sqrt(float(np.sum(window**2)))
        elif self.scaling == "spectrum":
            window = window / float(np.sum(window))
        return window

    def get_config(self) -> dict[str, Any]:
        return {"side": self.side, "window": self.window, "periodic": self.periodic, "scaling": self.scaling}


def _holds_numbers(value: Any) -> bool:
    """Whether a value is a number, an array or tensor, or a list of numbers (and of lists of them)."""
    if isinstance(value, (list, tuple)):
        return all(map(_holds_numbers, value))
    return not isinstance(value, (str, bytes)) and (hasattr(value, "__float__") or hasattr(value, "shape"))

"""Windows: weights that fall towards both ends of a piece of a signal.

They depend on a length alone, so they are worked out on the host, in double precision.
Source: F. J. Harris, On the use of windows for harmonic analysis, 1978, https://doi.org/10.1109/PROC.1978.10837
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.errors import ArgumentTypeError
from keras_fn.core.spec import Spec
from keras_fn.ops.known import host_values
from keras_fn.ops.shape import convert_to_tensor

__all__ = ["bartlett", "blackman", "hamming", "hanning", "kaiser"]


def _length(x: Any, name: str) -> int:
    if isinstance(x, int) and not isinstance(x, bool):
        return x
    value = None if isinstance(x, Spec) else host_values(x)
    if value is None or value.shape != () or (value.dtype.kind not in "iub" and value != np.floor(value)):
        raise ArgumentTypeError(f"ops.{name}: the length of the window must be an int, known at once, not {x!r}.")
    return operator.index(int(value))


def _tensor(window: Any) -> Any:
    return convert_to_tensor(window, dtypes.floatx())


def bartlett(x: Any) -> Any:
    """The Bartlett window: a triangle from 0 to 1 and back to 0.

    Args:
        x: int: number of points.

    Returns:
        Tensor of shape `(x,)` of the default float.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.bartlett(5)).tolist()
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    return _tensor(np.bartlett(_length(x, "bartlett")))


def blackman(x: Any) -> Any:
    """The Blackman window: `0.42 - 0.5 * cos(2 * pi * n / (x - 1)) + 0.08 * cos(4 * pi * n / (x - 1))`.

    Args:
        x: int: number of points.

    Returns:
        Tensor of shape `(x,)` of the default float.

    Example:
        >>> from keras_fn import ops
        >>> [round(abs(float(v)), 3) for v in ops.convert_to_numpy(ops.blackman(5))]
        [0.0, 0.34, 1.0, 0.34, 0.0]
    """
    return _tensor(np.blackman(_length(x, "blackman")))


def hamming(x: Any) -> Any:
    """The Hamming window: `0.54 - 0.46 * cos(2 * pi * n / (x - 1))`.

    Args:
        x: int: number of points.

    Returns:
        Tensor of shape `(x,)` of the default float.

    Example:
        >>> from keras_fn import ops
        >>> [round(float(v), 3) for v in ops.convert_to_numpy(ops.hamming(5))]
        [0.08, 0.54, 1.0, 0.54, 0.08]
    """
    return _tensor(np.hamming(_length(x, "hamming")))


def hanning(x: Any) -> Any:
    """The Hann window: `0.5 - 0.5 * cos(2 * pi * n / (x - 1))`.

    Args:
        x: int: number of points.

    Returns:
        Tensor of shape `(x,)` of the default float.

    Example:
        >>> from keras_fn import ops
        >>> [round(float(v), 3) for v in ops.convert_to_numpy(ops.hanning(5))]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    return _tensor(np.hanning(_length(x, "hanning")))


def kaiser(x: Any, beta: Any) -> Any:
    """The Kaiser window: `i0(beta * sqrt(1 - (2 * n / (x - 1) - 1)**2)) / i0(beta)`.

    Args:
        x: int: number of points.
        beta: number: how narrow it is; 0 gives a rectangle.

    Returns:
        Tensor of shape `(x,)` of the default float.

    Example:
        >>> from keras_fn import ops
        >>> [round(float(v), 3) for v in ops.convert_to_numpy(ops.kaiser(5, 14.0))]
        [0.0, 0.165, 1.0, 0.165, 0.0]
    """
    width = None if isinstance(beta, Spec) else host_values(beta)
    if width is None or width.shape != ():
        raise ArgumentTypeError(f"ops.kaiser: `beta` must be a number, known at once, not {beta!r}.")
    return _tensor(np.kaiser(_length(x, "kaiser"), float(width)))

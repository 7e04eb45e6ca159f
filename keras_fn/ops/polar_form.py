"""Complex numbers by their length and their angle."""

from __future__ import annotations

from keras_fn.core.op import floats, op
from keras_fn.ops import elementwise as e
from keras_fn.ops.complexes import complex_of

__all__ = ["polar"]


@op(dtype=floats("abs_", "angle"))
def polar(abs_, angle):
    """The complex numbers of given lengths and angles, `abs_ * (cos(angle) + 1j * sin(angle))`.

    Args:
        abs_: tensor of lengths.
        angle: tensor of angles in radians; the shapes broadcast.

    Returns:
        Complex tensor.

    Example:
        >>> from keras_fn import ops
        >>> complex(ops.convert_to_numpy(ops.polar(2.0, 0.0)))
        (2+0j)
    """
    return complex_of(e.multiply(abs_, e.cos(angle)), e.multiply(abs_, e.sin(angle)))

"""`Dot`: products of two inputs, sample by sample."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core import shapes
from keras_fn.core.errors import ArgumentError, ShapeError, StructureError
from keras_fn.layers.arguments import is_int
from keras_fn.layers.base import Layer
from keras_fn.layers.merging.base import checked_list

_LETTERS = "bcdefghijklmnopqrstuvwxyz"


class Dot(Layer):
    """Sums the products of two tensors over one axis of each, for each sample of the batch.

    `(batch, *a, n, *c)` and `(batch, *d, n, *e)` give `(batch, *a, *c, *d, *e)`, or `(batch, 1)` if nothing is left.

    Args:
        axes: the axis to sum over, or a pair of them, one for each input; not 0, the batch axis.
        normalize: whether each input is first divided by its Euclidean norm along that axis, which makes the result the
            cosine of the angle between them.

    Raises:
        ShapeError: where the lengths of the axes differ.

    Example:
        >>> import keras_fn
        >>> a, b = keras_fn.ops.ones((2, 3, 4)), keras_fn.ops.ones((2, 3, 5))
        >>> tuple(keras_fn.layers.Dot(axes=1)([a, b]).shape)
        (2, 4, 5)
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pair = isinstance(axes, (list, tuple)) and len(axes) == 2 and all(is_int(a) for a in axes)
        if not pair and not is_int(axes):
            raise ArgumentError(f"`axes` of Dot must be an int or a pair of ints, not {axes!r}.")
        self.axes = tuple(axes) if pair else axes
        self.normalize = bool(normalize)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Checks that two inputs came whose axes have one length."""
        dims = checked_list(self, input_shape)
        if len(dims) != 2:
            raise StructureError(f"Dot {self.name!r} takes exactly 2 inputs, and {len(dims)} came.")
        places = self._places(*map(len, dims))
        lengths = [s[a] for s, a in zip(dims, places, strict=True)]
        if None not in lengths and lengths[0] != lengths[1]:
            raise ShapeError(
                f"Dot {self.name!r} sums over the axes {places} of inputs of the shapes {dims[0]} and {dims[1]}, whose "
                f"lengths differ: {lengths[0]} and {lengths[1]}."
            )

    def _places(self, *ranks: int) -> list[int]:
        axes: Any = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        found = [shapes.canonical_axis(a, n) for a, n in zip(axes, ranks, strict=True)]
        if 0 in found:
            raise ArgumentError(
                f"Dot {self.name!r} cannot sum over axis 0, that of the batch (axes={self.axes}). Without a batch, "
                "add one with `ops.expand_dims(x, 0)`, or use `ops.tensordot`."
            )
        return found

    def call(self, inputs: Any) -> Any:
        """The products."""
        x, y = inputs
        i, j = self._places(len(x.shape), len(y.shape))
        if self.normalize:
            x, y = ops.normalize(x, i), ops.normalize(y, j)
        first = "a" + _LETTERS[: len(x.shape) - 1]
        rest = _LETTERS[len(x.shape) - 1 : len(x.shape) + len(y.shape) - 3]
        second = f"a{rest[: j - 1]}{first[i]}{rest[j - 1 :]}"
        out = "a" + (first[1:] + second[1:]).replace(first[i], "")
        product = ops.einsum(f"{first},{second}->{out}", x, y)
        return ops.expand_dims(product, 1) if len(out) == 1 else product

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """No mask: the axes that masks belong to are summed over or multiplied out."""
        return None


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """`Dot(axes, **kwargs)(inputs)`: products of two inputs, sample by sample.

    Args:
        inputs: list of two tensors.
        axes: the axis to sum over, or a pair of them.
        kwargs: arguments of the layer, such as `normalize`.

    Returns:
        Tensor.
    """
    return Dot(axes, **kwargs)(inputs)

"""`Cropping1D`, `Cropping2D`, `Cropping3D`: borders cut off."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.errors import ShapeError
from keras_fn.core.settings import standardize_data_format
from keras_fn.layers.arguments import pairs
from keras_fn.layers.base import Layer
from keras_fn.layers.input_spec import InputSpec


def _cropped(layer: Layer, x: Any, border: Any, data_format: str) -> Any:
    first = 2 if data_format == "channels_first" else 1
    dims = x.shape[first : first + len(border)]
    if any(isinstance(d, int) and d <= a + b for d, (a, b) in zip(dims, border, strict=True)):
        raise ShapeError(
            f"{type(layer).__name__} {layer.name!r} cuts off {tuple(border)}, which leaves nothing of an input of the "
            f"shape {tuple(x.shape)}."
        )
    return ops.get_item(x, (slice(None),) * first + tuple(slice(a, -b if b else None) for a, b in border))


class Cropping1D(Layer):
    """Cuts off steps: `(batch, steps, channels)` becomes `(batch, steps - left - right, channels)`.

    Args:
        cropping: int, or pair `(left, right)`.

    Raises:
        ShapeError: where nothing would be left.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.Cropping1D((1, 2))(keras_fn.ops.ones((1, 5, 4))).shape)
        (1, 2, 4)
    """

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = pairs(self, "cropping", cropping, 1)[0]
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        """What is left."""
        return _cropped(self, inputs, (self.cropping,), "channels_last")


class _Cropping(Layer):
    """What the layers over two and three axes have in common; `rank` is the number of spatial axes."""

    rank: int

    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = pairs(self, "cropping", cropping, self.rank)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """What is left."""
        return _cropped(self, inputs, self.cropping, self.data_format)


class Cropping2D(_Cropping):
    """Cuts borders off images `(batch, height, width, channels)`.

    Args:
        cropping: int; pair `(rows, columns)`; or pairs `((top, bottom), (left, right))`.
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, height, width)`; None for the default
            set in `keras_fn.config`.

    Raises:
        ShapeError: where nothing would be left.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.Cropping2D(((1, 0), (1, 1)))(keras_fn.ops.ones((1, 5, 5, 3))).shape)
        (1, 4, 3, 3)
    """

    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(_Cropping):
    """Cuts borders off volumes `(batch, x, y, z, channels)`.

    Args:
        cropping: int; one int an axis; or a pair `(before, after)` an axis.
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, x, y, z)`; None for the default set in
            `keras_fn.config`.

    Raises:
        ShapeError: where nothing would be left.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.Cropping3D((0, 1, 1))(keras_fn.ops.ones((1, 4, 4, 4, 3))).shape)
        (1, 4, 2, 2, 3)
    """

    rank = 3

    def __init__(
        self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)

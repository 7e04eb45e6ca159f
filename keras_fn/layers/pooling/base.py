"""What pooling layers have in common: sliding windows, whole axes, and windows of which the number is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn.core.settings import standardize_data_format
from keras_fn.core.shapes import tuple_of
from keras_fn.layers.arguments import choice
from keras_fn.layers.base import Layer
from keras_fn.layers.input_spec import InputSpec


class Pooling(Layer):
    """Base of layers that slide a window over the spatial axes.

    Attributes:
        rank: number of spatial axes.
        pool: the op.
    """

    rank: int
    pool: Callable[..., Any]

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = tuple_of(pool_size, self.rank, "pool_size")
        self.strides = self.pool_size if strides is None else tuple_of(strides, self.rank, "strides")
        self.padding = choice(self, "padding", padding, ("valid", "same"))
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """The pooled inputs."""
        return type(self).pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class GlobalPooling(Layer):
    """Base of layers that reduce all spatial axes.

    Attributes:
        rank: number of spatial axes.
        reduce: the op `(x, axis, keepdims)`.
    """

    rank: int
    reduce: Callable[..., Any]

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = bool(keepdims)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """The axes that are reduced."""
        first = 2 if self.data_format == "channels_first" else 1
        return tuple(range(first, first + self.rank))

    def call(self, inputs: Any) -> Any:
        """The reduced inputs."""
        return type(self).reduce(inputs, self.spatial_axes, self.keepdims)


class AdaptivePooling(Layer):
    """Base of layers that cover the spatial axes evenly with windows, as many as are asked for.

    Attributes:
        rank: number of spatial axes.
        pool: the op `(inputs, output_size, data_format)`.
    """

    rank: int
    pool: Callable[..., Any]

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_size = tuple_of(output_size, self.rank, "output_size")
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """The pooled inputs."""
        return type(self).pool(inputs, self.output_size, self.data_format)

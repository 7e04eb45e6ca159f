"""`Conv1D`, `Conv2D`, `Conv3D`: convolutions."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.layers.arguments import positive_int
from keras_fn.layers.convolutional.base import BaseConv


class _Conv(BaseConv):
    """A convolution over `rank` spatial axes."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive_int(self, "filters", filters)
        self.groups = positive_int(self, "groups", groups)
        if filters % groups:
            raise ArgumentError(
                f"`filters` of {type(self).__name__} must be a multiple of `groups`: {filters} is none of {groups}."
            )
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self._set_weight("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._set_output(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` of shape `(*kernel_size, channels / groups, filters)` and `bias` of shape `(filters,)`."""
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} cannot split the {channels} channels of an input of the shape "
                f"{tuple(input_shape)} into {self.groups} groups: `groups` must divide the number of channels."
            )
        self.kernel = self._add((*self.kernel_size, channels // self.groups, self.filters), "kernel")
        self.kernel.arrange("convolution")
        self._add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        """The convolved inputs."""
        inputs, padding = self._padded(inputs)
        return self._finish(
            ops.conv(inputs, self.kernel, self.strides, padding, self.data_format, self.dilation_rate)
        )


class Conv1D(_Conv):
    """A convolution over sequences: `activation(conv(inputs, kernel) + bias)`.

    `(batch, steps, channels)` becomes the same with `filters` channels and new lengths.

    Args:
        filters: number of output channels, a positive int.
        kernel_size: size of the window: int.
        strides: step of the window: int.
        padding: 'valid' (none), 'same' (zeros, so that a length n becomes `ceil(n / stride)`), or 'causal' (zeros
            before the first step, so that no output sees later inputs).
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, steps)`; None for the
            default set in `keras_fn.config`.
        dilation_rate: distance of the elements that the window sees: int; not with strides above 1.
        groups: number of groups that the channels are split into, each with its own share of the filters.
        activation: function, or its name; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernel.
        bias_initializer, bias_regularizer, bias_constraint: of the bias.
        activity_regularizer: penalty on the outputs.

    Raises:
        ShapeError: where the channels are unknown or no multiple of `groups`, or an axis is too short.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.Conv1D(8, 3)(keras_fn.ops.ones((1, 6, 3))).shape)
        (1, 4, 8)
    """

    rank = 1
    paddings = ("valid", "same", "causal")


class Conv2D(_Conv):
    """A convolution over images: `activation(conv(inputs, kernel) + bias)`.

    `(batch, height, width, channels)` becomes the same with `filters` channels and new lengths.

    Args:
        filters: number of output channels, a positive int.
        kernel_size: size of the window: int or 2 ints.
        strides: step of the window: int or 2 ints.
        padding: 'valid' (none), 'same' (zeros, so that a length n becomes `ceil(n / stride)`).
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, height, width)`; None for the
            default set in `keras_fn.config`.
        dilation_rate: distance of the elements that the window sees: int or 2 ints; not with strides above 1.
        groups: number of groups that the channels are split into, each with its own share of the filters.
        activation: function, or its name; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernel.
        bias_initializer, bias_regularizer, bias_constraint: of the bias.
        activity_regularizer: penalty on the outputs.

    Raises:
        ShapeError: where the channels are unknown or no multiple of `groups`, or an axis is too short.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.Conv2D(8, 3)(keras_fn.ops.ones((1, 6, 6, 3))).shape)
        (1, 4, 4, 8)
    """

    rank = 2


class Conv3D(_Conv):
    """A convolution over volumes: `activation(conv(inputs, kernel) + bias)`.

    `(batch, x, y, z, channels)` becomes the same with `filters` channels and new lengths.

    Args:
        filters: number of output channels, a positive int.
        kernel_size: size of the window: int or 3 ints.
        strides: step of the window: int or 3 ints.
        padding: 'valid' (none), 'same' (zeros, so that a length n becomes `ceil(n / stride)`).
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, x, y, z)`; None for the
            default set in `keras_fn.config`.
        dilation_rate: distance of the elements that the window sees: int or 3 ints; not with strides above 1.
        groups: number of groups that the channels are split into, each with its own share of the filters.
        activation: function, or its name; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernel.
        bias_initializer, bias_regularizer, bias_constraint: of the bias.
        activity_regularizer: penalty on the outputs.

    Raises:
        ShapeError: where the channels are unknown or no multiple of `groups`, or an axis is too short.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.Conv3D(8, 3)(keras_fn.ops.ones((1, 6, 6, 6, 3))).shape)
        (1, 4, 4, 4, 8)
    """

    rank = 3

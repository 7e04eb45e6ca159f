"""`Conv1DTranspose`, `Conv2DTranspose`, `Conv3DTranspose`: convolutions turned round."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.errors import ArgumentError
from keras_fn.core.shapes import tuple_of
from keras_fn.layers.arguments import positive_int
from keras_fn.layers.convolutional.base import BaseConv


class _ConvTranspose(BaseConv):
    """A transposed convolution over `rank` spatial axes."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.output_padding = output_padding
        if output_padding is not None:
            self.output_padding = tuple_of(output_padding, self.rank, "output_padding", zero=True)
            if any(p >= s for p, s in zip(self.output_padding, self.strides, strict=True)):
                raise ArgumentError(
                    f"`output_padding` of {type(self).__name__} must be less than `strides` ({self.strides}) along "
                    f"each axis, not {self.output_padding}."
                )
        self._set_weight("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._set_output(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` of shape `(*kernel_size, filters, channels)` and `bias` of shape `(filters,)`."""
        self.kernel = self._add((*self.kernel_size, self.filters, self._channels(input_shape)), "kernel")
        self.kernel.arrange("convolution")
        self._add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        """The transposed convolution."""
        return self._finish(
            ops.conv_transpose(
                inputs, self.kernel, self.strides, self.padding, self.output_padding, self.data_format,
                self.dilation_rate,
            )
        )  # fmt: skip


class Conv1DTranspose(_ConvTranspose):
    """The gradient of a convolution over sequences as a layer, which makes them larger.

    `(batch, steps, channels)` becomes the same with `filters` channels.
    `ops.conv_transpose` tells the new lengths.

    Args:
        filters: number of output channels, a positive int.
        kernel_size: size of the window: int.
        strides: how far the inputs are drawn apart: int.
        padding: 'valid', or 'same' (a length n becomes `n * stride`).
        output_padding: elements added at the end of each axis, less than the stride: int; or None.
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, steps)`; None for the
            default set in `keras_fn.config`.
        dilation_rate: distance of the elements that the window sees: int; not with strides above 1.
        activation: function, or its name; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernel.
        bias_initializer, bias_regularizer, bias_constraint: of the bias.
        activity_regularizer: penalty on the outputs.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.Conv1DTranspose(5, 3, strides=2, padding="same")(keras_fn.ops.ones((1, 4, 3))).shape)
        (1, 8, 5)
    """

    rank = 1


class Conv2DTranspose(_ConvTranspose):
    """The gradient of a convolution over images as a layer, which makes them larger.

    `(batch, height, width, channels)` becomes the same with `filters` channels.
    `ops.conv_transpose` tells the new lengths.

    Args:
        filters: number of output channels, a positive int.
        kernel_size: size of the window: int or 2 ints.
        strides: how far the inputs are drawn apart: int or 2 ints.
        padding: 'valid', or 'same' (a length n becomes `n * stride`).
        output_padding: elements added at the end of each axis, less than the stride: int or 2 ints; or None.
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, height, width)`; None for the
            default set in `keras_fn.config`.
        dilation_rate: distance of the elements that the window sees: int or 2 ints; not with strides above 1.
        activation: function, or its name; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernel.
        bias_initializer, bias_regularizer, bias_constraint: of the bias.
        activity_regularizer: penalty on the outputs.

    Example:
        >>> import keras_fn
        >>> layer = keras_fn.layers.Conv2DTranspose(5, 3, strides=2, padding="same")
        >>> tuple(layer(keras_fn.ops.ones((1, 4, 4, 3))).shape)
        (1, 8, 8, 5)
    """

    rank = 2


class Conv3DTranspose(_ConvTranspose):
    """The gradient of a convolution over volumes as a layer, which makes them larger.

    `(batch, x, y, z, channels)` becomes the same with `filters` channels.
    `ops.conv_transpose` tells the new lengths.

    Args:
        filters: number of output channels, a positive int.
        kernel_size: size of the window: int or 3 ints.
        strides: how far the inputs are drawn apart: int or 3 ints.
        padding: 'valid', or 'same' (a length n becomes `n * stride`).
        output_padding: elements added at the end of each axis, less than the stride: int or 3 ints; or None.
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, x, y, z)`; None for the
            default set in `keras_fn.config`.
        dilation_rate: distance of the elements that the window sees: int or 3 ints; not with strides above 1.
        activation: function, or its name; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernel.
        bias_initializer, bias_regularizer, bias_constraint: of the bias.
        activity_regularizer: penalty on the outputs.

    Example:
        >>> import keras_fn
        >>> layer = keras_fn.layers.Conv3DTranspose(5, 3, strides=2, padding="same")
        >>> tuple(layer(keras_fn.ops.ones((1, 4, 4, 4, 3))).shape)
        (1, 8, 8, 8, 5)
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = (1, 1, 1),
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
        # Keras has `data_format` before `output_padding` here, and only here
        super().__init__(
            filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip

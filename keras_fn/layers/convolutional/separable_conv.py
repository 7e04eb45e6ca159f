"""`SeparableConv1D`, `SeparableConv2D`: a depthwise convolution, then one that mixes the channels."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.layers.arguments import positive_int
from keras_fn.layers.convolutional.base import BaseConv


class _SeparableConv(BaseConv):
    """A separable convolution over `rank` spatial axes."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive_int(self, "filters", filters)
        self.depth_multiplier = positive_int(self, "depth_multiplier", depth_multiplier)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self._set_weight("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self._set_weight("pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint)
        self._set_output(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        """Makes `depthwise_kernel` `(*kernel_size, channels, depth_multiplier)`, `pointwise_kernel`, and `bias`."""
        channels, ones = self._channels(input_shape), (1,) * self.rank
        deep = channels * self.depth_multiplier
        self.depthwise_kernel = self._add(
            (*self.kernel_size, channels, self.depth_multiplier), "depthwise", "depthwise_kernel"
        )
        self.pointwise_kernel = self._add((*ones, deep, self.filters), "pointwise", "pointwise_kernel")
        self.pointwise_kernel.arrange("convolution")
        self._add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        """The convolved inputs."""
        return self._finish(
            ops.separable_conv(
                inputs, self.depthwise_kernel, self.pointwise_kernel, self.strides, self.padding, self.data_format,
                self.dilation_rate,
            )
        )  # fmt: skip


class SeparableConv1D(_SeparableConv):
    """A convolution over sequences in two parts: each channel by itself, then all channels at each place.

    `(batch, steps, channels)` becomes the same with `filters` channels and new lengths.

    Args:
        filters: number of output channels, a positive int.
        kernel_size: size of the window: int.
        strides: step of the window: int.
        padding: 'valid' (none), 'same' (zeros, so that a length n becomes `ceil(n / stride)`).
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, steps)`; None for the
            default set in `keras_fn.config`.
        dilation_rate: distance of the elements that the window sees: int; not with strides above 1.
        depth_multiplier: number of filters for each channel in the first part.
        activation: function, or its name; None for none.
        use_bias: whether there is a bias.
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: of the first kernel.
        pointwise_initializer, pointwise_regularizer, pointwise_constraint: of the second kernel.
        bias_initializer, bias_regularizer, bias_constraint: of the bias.
        activity_regularizer: penalty on the outputs.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.SeparableConv1D(8, 3)(keras_fn.ops.ones((1, 6, 3))).shape)
        (1, 4, 8)
    """

    rank = 1


class SeparableConv2D(_SeparableConv):
    """A convolution over images in two parts: each channel by itself, then all channels at each place.

    `(batch, height, width, channels)` becomes the same with `filters` channels and new lengths.

    Args:
        filters: number of output channels, a positive int.
        kernel_size: size of the window: int or 2 ints.
        strides: step of the window: int or 2 ints.
        padding: 'valid' (none), 'same' (zeros, so that a length n becomes `ceil(n / stride)`).
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, height, width)`; None for the
            default set in `keras_fn.config`.
        dilation_rate: distance of the elements that the window sees: int or 2 ints; not with strides above 1.
        depth_multiplier: number of filters for each channel in the first part.
        activation: function, or its name; None for none.
        use_bias: whether there is a bias.
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: of the first kernel.
        pointwise_initializer, pointwise_regularizer, pointwise_constraint: of the second kernel.
        bias_initializer, bias_regularizer, bias_constraint: of the bias.
        activity_regularizer: penalty on the outputs.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.SeparableConv2D(8, 3)(keras_fn.ops.ones((1, 6, 6, 3))).shape)
        (1, 4, 4, 8)
    """

    rank = 2

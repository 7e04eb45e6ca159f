"""`DepthwiseConv1D`, `DepthwiseConv2D`: each channel convolved by itself."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.layers.arguments import positive_int
from keras_fn.layers.convolutional.base import BaseConv


class _DepthwiseConv(BaseConv):
    """A depthwise convolution over `rank` spatial axes."""

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.depth_multiplier = positive_int(self, "depth_multiplier", depth_multiplier)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self._set_weight("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self._set_output(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` of shape `(*kernel_size, channels, depth_multiplier)` and `bias`, one for each output."""
        channels = self._channels(input_shape)
        self.kernel = self._add((*self.kernel_size, channels, self.depth_multiplier), "depthwise", "kernel")
        self._add_bias(channels * self.depth_multiplier)

    def call(self, inputs: Any) -> Any:
        """The convolved channels."""
        return self._finish(
            ops.depthwise_conv(
                inputs, self.kernel, self.strides, self.padding, self.data_format, self.dilation_rate
            )
        )


class DepthwiseConv1D(_DepthwiseConv):
    """A convolution over sequences in which each channel has filters of its own.

    `(batch, steps, channels)` becomes the same with `channels * depth_multiplier` channels, those
    of one input channel side by side.

    Args:
        kernel_size: size of the window: int.
        strides: step of the window: int.
        padding: 'valid' (none), 'same' (zeros, so that a length n becomes `ceil(n / stride)`).
        depth_multiplier: number of filters for each channel.
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, steps)`; None for the
            default set in `keras_fn.config`.
        dilation_rate: distance of the elements that the window sees: int; not with strides above 1.
        activation: function, or its name; None for none.
        use_bias: whether there is a bias.
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: of the kernel.
        bias_initializer, bias_regularizer, bias_constraint: of the bias.
        activity_regularizer: penalty on the outputs.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.DepthwiseConv1D(3, depth_multiplier=2)(keras_fn.ops.ones((1, 6, 3))).shape)
        (1, 4, 6)
    """

    rank = 1


class DepthwiseConv2D(_DepthwiseConv):
    """A convolution over images in which each channel has filters of its own.

    `(batch, height, width, channels)` becomes the same with `channels * depth_multiplier` channels, those
    of one input channel side by side.

    Args:
        kernel_size: size of the window: int or 2 ints.
        strides: step of the window: int or 2 ints.
        padding: 'valid' (none), 'same' (zeros, so that a length n becomes `ceil(n / stride)`).
        depth_multiplier: number of filters for each channel.
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, height, width)`; None for the
            default set in `keras_fn.config`.
        dilation_rate: distance of the elements that the window sees: int or 2 ints; not with strides above 1.
        activation: function, or its name; None for none.
        use_bias: whether there is a bias.
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: of the kernel.
        bias_initializer, bias_regularizer, bias_constraint: of the bias.
        activity_regularizer: penalty on the outputs.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.DepthwiseConv2D(3, depth_multiplier=2)(keras_fn.ops.ones((1, 6, 6, 3))).shape)
        (1, 4, 4, 6)
    """

    rank = 2

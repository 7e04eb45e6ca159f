"""What convolution layers have in common."""

from __future__ import annotations

from typing import Any

from keras_fn import activations, constraints, initializers, ops, regularizers
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.settings import standardize_data_format
from keras_fn.core.shapes import tuple_of
from keras_fn.layers.arguments import choice
from keras_fn.layers.base import Layer
from keras_fn.layers.input_spec import InputSpec


class BaseConv(Layer):
    """Base of convolutions: windows, channels, bias and activation.

    Attributes:
        rank: number of spatial axes.
        paddings: what `padding` may be.
    """

    rank: int
    paddings: tuple[str, ...] = ("valid", "same")

    def _set_window(self, kernel_size: Any, strides: Any, padding: str, data_format: Any, dilation_rate: Any) -> None:
        """Keeps the arguments that say how the window moves."""
        self.kernel_size = tuple_of(kernel_size, self.rank, "kernel_size")
        self.strides = tuple_of(strides, self.rank, "strides")
        self.padding = choice(self, "padding", padding, self.paddings)
        self.data_format = standardize_data_format(data_format)
        self.dilation_rate = tuple_of(dilation_rate, self.rank, "dilation_rate")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                f"`strides` and `dilation_rate` of {type(self).__name__} cannot both be more than 1, and are "
                f"{self.strides} and {self.dilation_rate}."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _set_output(
        self, activation: Any, use_bias: bool, initializer: Any, regularizer: Any, constraint: Any
    ) -> None:
        """Keeps the activation and the arguments of the bias."""
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self._set_weight("bias", initializer, regularizer, constraint)

    def _set_weight(self, name: str, initializer: Any, regularizer: Any, constraint: Any) -> None:
        """Keeps the arguments of one weight, under `<name>_initializer` and so on."""
        setattr(self, f"{name}_initializer", initializers.get(initializer))
        setattr(self, f"{name}_regularizer", regularizers.get(regularizer))
        setattr(self, f"{name}_constraint", constraints.get(constraint))

    def _add(self, shape: tuple[int, ...], kind: str, name: str | None = None) -> Any:
        """Makes a weight with the arguments kept for its kind."""
        return self.add_weight(
            shape=shape,
            initializer=getattr(self, f"{kind}_initializer"),
            regularizer=getattr(self, f"{kind}_regularizer"),
            constraint=getattr(self, f"{kind}_constraint"),
            name=name or kind,
        )

    def _add_bias(self, filters: int) -> None:
        self.bias = self._add((filters,), "bias") if self.use_bias else None

    def _channels(self, input_shape: Any) -> int:
        """The number of channels of the inputs, which is fixed from now on.

        Raises:
            ShapeError: where it is not known.
        """
        place = 1 if self.data_format == "channels_first" else len(input_shape) - 1
        channels = input_shape[place]
        if channels is None:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} needs a known number of channels in its input (axis {place}), "
                f"whose shape is {tuple(input_shape)}. Give `Input` the full shape there."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={place: channels})
        return channels

    def _padded(self, inputs: Any) -> tuple[Any, str]:
        """The inputs, and the padding that the op adds. Causal padding is added here: zeros before the first step."""
        if self.padding != "causal":
            return inputs, self.padding
        before = (self.dilation_rate[0] * (self.kernel_size[0] - 1), 0)
        none = (0, 0)
        border = (none, none, before) if self.data_format == "channels_first" else (none, before, none)
        return ops.pad(inputs, border), "valid"

    def _finish(self, outputs: Any) -> Any:
        """Bias and activation."""
        if self.bias is not None:
            bias = self.bias
            if self.data_format == "channels_first":
                bias = ops.reshape(bias, (1, bias.shape[0], *(1,) * self.rank))
            outputs = ops.add(outputs, bias)
        return self.activation(outputs)

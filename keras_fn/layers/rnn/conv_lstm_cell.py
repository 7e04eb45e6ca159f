"""`ConvLSTMCell`: one time step of an LSTM whose products are convolutions."""

from __future__ import annotations

from typing import Any

from keras_fn import activations, constraints, initializers, ops, regularizers
from keras_fn.core import shapes, windows
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.settings import standardize_data_format
from keras_fn.layers.base import Layer
from keras_fn.layers.rnn.dropout import RecurrentDropout, dropped
from keras_fn.layers.rnn.forget_bias import with_open_forget_gate
from keras_fn.layers.rnn.weights import add_cell_weight
from keras_fn.ops.rnn import lstm_gates


class ConvLSTMCell(RecurrentDropout, Layer):
    """One time step of a convolutional LSTM; formula as in `LSTMCell`, with convolutions for matrix products.

    `(batch, *spatial, channels)` and states `[h, c]`, each `(batch, *new spatial, filters)`, become the output and the
    new states. The state is convolved with stride 1 and padding "same".
    Source: Shi et al. 2015, https://arxiv.org/abs/1506.04214

    Args:
        rank: number of spatial axes: 1, 2 or 3.
        filters: number of output channels, a positive int.
        kernel_size: lengths of the kernel, an int or a tuple of `rank` ints.
        strides, padding, data_format, dilation_rate: of the input's convolution, as in `ops.conv`.
        activation, recurrent_activation: functions in the place of tanh and sigmoid, or their names.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights begin.
        unit_forget_bias: whether the bias of the forget gate begins with ones.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        kernel_constraint, recurrent_constraint, bias_constraint: projections applied after each update.
        dropout, recurrent_dropout: fractions of the input's and of the state's elements that are dropped in training.
        seed: int for the dropout; None for one drawn at random.
    """

    gates = 4

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(filters, int) or isinstance(filters, bool) or filters < 1:
            raise ArgumentError(f"`filters` of a ConvLSTM must be a positive int, not {filters!r}.")
        if str(padding).lower() not in ("valid", "same"):
            raise ArgumentError(f"`padding` of a ConvLSTM must be 'valid' or 'same', not {padding!r}.")
        self.rank = rank
        self.filters = filters
        self.kernel_size = shapes.tuple_of(kernel_size, rank, "kernel_size")
        self.strides = shapes.tuple_of(strides, rank, "strides")
        self.padding = padding.lower()
        self.data_format = standardize_data_format(data_format)
        self.dilation_rate = shapes.tuple_of(dilation_rate, rank, "dilation_rate")
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.unit_forget_bias = unit_forget_bias
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self._set_dropout(dropout, recurrent_dropout, seed)
        self.state_size = [(-1,) * rank + (filters,)] * 2  # spatial lengths follow from the input
        self.spatial: tuple[Any, ...] | None = None

    @property
    def channel_axis(self) -> int:
        """The axis of the channels in a batch of frames."""
        return -1 if self.data_format == "channels_last" else 1

    def build(self, inputs_shape: Any, states_shape: Any = None) -> None:
        """Makes `kernel`, `recurrent_kernel` and `bias` for frames of a shape."""
        channels = inputs_shape[self.channel_axis]
        if channels is None:
            raise ShapeError(
                f"{self.name!r} needs a known number of channels, and its frames have the shape {tuple(inputs_shape)}."
            )
        n = 4 * self.filters
        outer, inner = (*self.kernel_size, channels, n), (*self.kernel_size, self.filters, n)
        self.kernel = add_cell_weight(self, "kernel", outer, self.kernel_initializer)
        self.recurrent_kernel = add_cell_weight(self, "recurrent_kernel", inner, self.recurrent_initializer)
        self.bias = None
        if self.use_bias:
            first = self.bias_initializer
            first = with_open_forget_gate(first, self.filters) if self.unit_forget_bias else first
            self.bias = add_cell_weight(self, "bias", (n,), first)
        axes = slice(1, -1) if self.data_format == "channels_last" else slice(2, None)
        self.spatial = tuple(map(self._new_length, inputs_shape[axes], range(self.rank)))
        self.state_size = [(*self.spatial, self.filters)] * 2
        self.built = True

    def _new_length(self, length: Any, axis: int) -> Any:
        window = windows.span(self.kernel_size[axis], self.dilation_rate[axis])
        return windows.count(length, window, self.strides[axis], self.padding)

    def state_shape(self, batch: Any) -> tuple[Any, ...]:
        """The shape of each state."""
        spatial = self.spatial or (None,) * self.rank
        return (batch, *spatial, self.filters) if self.channel_axis == -1 else (batch, self.filters, *spatial)

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros for h and c."""
        return [ops.zeros(self.state_shape(batch_size), dtype=self.compute_dtype) for _ in range(2)]

    def states_like(self, projected: Any) -> list[Any]:
        """Zeros for h and c, from one projected frame, where the lengths are unknown before there is one."""
        like = ops.split(projected, 4, self.channel_axis)[0]
        return [ops.zeros_like(like), ops.zeros_like(like)]

    def project(self, frames: Any, masks: Any = None) -> Any:
        """The input's part of the gates, of 4 * filters channels."""
        options = {"data_format": self.data_format, "dilation_rate": self.dilation_rate}
        z = self._conv(frames, self.kernel, masks, strides=self.strides, padding=self.padding, **options)
        if self.bias is None:
            return z
        bias = self.bias if self.channel_axis == -1 else ops.reshape(self.bias, (-1, *(1,) * self.rank))
        return ops.add(z, bias)

    def step(self, projected: Any, states: Any, masks: Any = None) -> tuple[Any, list[Any]]:
        """`(output, [h, c])` from a projected frame."""
        h, c = states
        z = self._conv(h, self.recurrent_kernel, masks, padding="same", data_format=self.data_format)
        z = ops.add(projected, z)
        first = self.channel_axis != -1
        if first:  # the gates lie side by side in the last axis
            z, c = ops.moveaxis(z, 1, -1), ops.moveaxis(c, 1, -1)
        h, c = lstm_gates(z, c, self.activation, self.recurrent_activation)
        if first:
            h, c = ops.moveaxis(h, -1, 1), ops.moveaxis(c, -1, 1)
        return h, [h, c]

    def _conv(self, x: Any, kernel: Any, masks: Any, **options: Any) -> Any:
        if masks is None:
            return ops.conv(x, kernel, **options)
        parts = ops.split(kernel, 4, -1)
        return ops.concatenate(
            [ops.conv(dropped(x, masks, i), part, **options) for i, part in enumerate(parts)], self.channel_axis
        )

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """`(output, [h, c])` after one step."""
        masks = self.masks(inputs, states[0], training)
        return self.step(self.project(inputs, masks.inputs), states, masks.state)

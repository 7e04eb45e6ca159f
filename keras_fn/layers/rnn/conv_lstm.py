"""`ConvLSTM1D`, `ConvLSTM2D`, `ConvLSTM3D`: LSTMs over sequences of signals, images and volumes."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.spec import Spec
from keras_fn.layers.config import base_config
from keras_fn.layers.input_spec import InputSpec
from keras_fn.layers.rnn.conv_lstm_cell import ConvLSTMCell
from keras_fn.layers.rnn.of_cell import LOOP_SETTINGS
from keras_fn.layers.rnn.rnn import RNN
from keras_fn.ops.rnn import RecurrentPath, rnn

_BASE = ("name", "trainable", "dtype", "rank")


class ConvLSTM(RNN):
    """Convolutional LSTM over `rank` spatial axes: an LSTM whose products are convolutions.

    With `channels_last`, `(batch, time, *spatial, channels)` becomes `(batch, *new spatial, filters)`, the last output,
    or `(batch, time, *new spatial, filters)` with `return_sequences`. With `return_state` a tuple `(output, h, c)` is
    returned. The input's convolutions of all steps run as one, the state's in a loop over time.
    Source: Shi et al. 2015, https://arxiv.org/abs/1506.04214

    Args:
        filters: number of output channels, a positive int.
        kernel_size: lengths of the kernel, an int or a tuple of ints.
        strides, padding, dilation_rate: of the input's convolution, as in `ops.conv`.
        data_format: "channels_last" or "channels_first"; None for the setting of `keras_fn.config`.
        activation: function in the place of tanh, or its name.
        recurrent_activation: function in the place of sigmoid, or its name.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights begin.
        unit_forget_bias: whether the bias of the forget gate begins with ones.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the outputs.
        kernel_constraint, recurrent_constraint, bias_constraint: projections applied after each update.
        dropout: fraction of the input's elements that are dropped in training.
        recurrent_dropout: fraction of the state's elements that are dropped in training.
        seed: int for the dropout; None for one drawn at random.
        return_sequences, return_state, go_backwards, stateful: as in `RNN`.

    Call arguments:
        sequences: tensor `(batch, time, *spatial, channels)`.
        initial_state: list `[h, c]`; zeros where None.
        mask: bools `(batch, time)`; a step where it is False is passed over.
        training: whether dropout is at work.
    """

    rank = 0

    def __init__(
        self,
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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = ConvLSTMCell(
            self.rank, filters, kernel_size, strides, padding, data_format, dilation_rate, activation,
            recurrent_activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            unit_forget_bias, kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint,
            recurrent_constraint, bias_constraint, dropout, recurrent_dropout, seed,
            dtype=kwargs.get("dtype"), trainable=kwargs.get("trainable", True), name="conv_lstm_cell",
        )  # fmt: skip
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=self.rank + 3)

    def _states_of_one(self) -> Any:
        shape = self.cell.state_shape(1)
        return [Spec(shape, self.compute_dtype), Spec(shape, self.compute_dtype)]

    def _first_states(self, sequences: Any) -> list[Any]:
        if self.cell.spatial is None or None in self.cell.spatial:
            return self.cell.states_like(self.cell.project(sequences[:, 0]))
        return super()._first_states(sequences)

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        """Convolves all frames at once, then runs the loop over time."""
        cell = self.cell
        masks = cell.masks(sequences[:, 0], initial_state[0], training)
        batch, time, *frame = ops.shape(sequences)
        of_inputs = masks.inputs and [_for_each_step(m, time) for m in masks.inputs]
        projected = cell.project(ops.reshape(sequences, (-1, *frame)), of_inputs)
        return rnn(
            lambda z, states: cell.step(z, states, masks.state),
            ops.reshape(projected, (batch, time, *ops.shape(projected)[1:])),
            initial_state,
            go_backwards=self.go_backwards,
            mask=mask,
            unroll=self.unroll,
            zero_output_for_mask=self.zero_output_for_mask,
            return_all_outputs=self.return_sequences,
            output_like=initial_state[0],
        )

    def recurrent_path(self, mask: Any = None, training: bool = False) -> RecurrentPath:
        """Always "loop": there is no fused kernel for convolutional LSTMs."""
        return RecurrentPath("loop", "no framework has a fused kernel for convolutional LSTMs")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = base_config(self)
        config.setdefault("activity_regularizer", None)
        config.update({name: getattr(self, name) for name in LOOP_SETTINGS})
        config.update({name: value for name, value in self.cell.get_config().items() if name not in _BASE})
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> ConvLSTM:
        """A layer from the result of `get_config`."""
        return cls(**config)


def _for_each_step(mask: Any, time: Any) -> Any:
    """A mask for frames of one step, repeated for a batch of all steps of all sequences."""
    return ops.repeat(mask, time, axis=0)


class ConvLSTM1D(ConvLSTM):
    """Convolutional LSTM over sequences of signals: `(batch, time, length, channels)`.

    Arguments as in `ConvLSTM`.

    Example:
        >>> import keras_fn
        >>> from keras_fn import layers, ops
        >>> layers.ConvLSTM1D(4, 3, padding="same")(ops.ones((1, 2, 5, 1))).shape == (1, 5, 4)
        True
    """

    rank = 1


class ConvLSTM2D(ConvLSTM):
    """Convolutional LSTM over sequences of images: `(batch, time, height, width, channels)`.

    Arguments as in `ConvLSTM`.

    Example:
        >>> import keras_fn
        >>> from keras_fn import layers, ops
        >>> layers.ConvLSTM2D(4, 3, padding="same")(ops.ones((1, 2, 5, 5, 1))).shape == (1, 5, 5, 4)
        True
    """

    rank = 2


class ConvLSTM3D(ConvLSTM):
    """Convolutional LSTM over sequences of volumes: `(batch, time, depth, height, width, channels)`.

    Arguments as in `ConvLSTM`.

    Example:
        >>> import keras_fn
        >>> from keras_fn import layers, ops
        >>> layers.ConvLSTM3D(4, 3, padding="same")(ops.ones((1, 2, 5, 5, 5, 1))).shape == (1, 5, 5, 5, 4)
        True
    """

    rank = 3

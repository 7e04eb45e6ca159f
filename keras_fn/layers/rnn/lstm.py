"""`LSTM`: long short-term memory."""

from __future__ import annotations

from typing import Any

from keras_fn.layers.rnn.lstm_cell import LSTMCell
from keras_fn.layers.rnn.of_cell import CellNetwork, of_cell
from keras_fn.ops.rnn import lstm


class LSTM(CellNetwork):
    """Long short-term memory over a batch of sequences.

    With i, f, g, o the four parts of `x @ kernel + h @ recurrent_kernel + bias`, each step computes
    `c = sigmoid(f) * c + sigmoid(i) * tanh(g)` and `h = sigmoid(o) * tanh(c)`; h is the output.

    `(batch, time, features)` becomes `(batch, units)`, the last output, or `(batch, time, units)` with
    `return_sequences`. With `return_state` a tuple `(output, h, c)` is returned.
    The backend's fused kernel does the work where there is one and it applies; `recurrent_path` tells.
    Source: Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735

    Args:
        units: width of the state, a positive int.
        activation: function in the place of tanh, or its name; None for none.
        recurrent_activation: function of the gates, in the place of sigmoid, or its name; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights begin.
        unit_forget_bias: whether the bias of the forget gate begins with ones.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the outputs.
        kernel_constraint, recurrent_constraint, bias_constraint: projections applied after each update.
        dropout: fraction of the input's elements that are dropped in training.
        recurrent_dropout: fraction of the state's elements that are dropped in training.
        seed: int for the dropout; None for one drawn at random.
        return_sequences, return_state, go_backwards, stateful, unroll: as in `RNN`.
        use_cudnn: "auto": the fused kernel where it applies. True: it or an error. False: the plain loop.

    Call arguments:
        sequences: tensor `(batch, time, features)`.
        initial_state: list `[h, c]` of tensors `(batch, units)`; zeros where None.
        mask: bools `(batch, time)`; a step where it is False is passed over.
        training: whether dropout is at work.

    Example:
        >>> import keras_fn
        >>> layer = keras_fn.layers.LSTM(4, return_sequences=True, return_state=True)
        >>> outputs, *states = layer(keras_fn.ops.ones((2, 5, 3)))
        >>> tuple(outputs.shape), [tuple(s.shape) for s in states]
        ((2, 5, 4), [(2, 4), (2, 4)])
        >>> [w.name for w in layer.weights]
        ['kernel', 'recurrent_kernel', 'bias']
    """

    kind = "lstm"
    recurrent_activation = of_cell("recurrent_activation")
    unit_forget_bias = of_cell("unit_forget_bias")

    def __init__(
        self,
        units: int,
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
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        cell = LSTMCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            unit_forget_bias=unit_forget_bias,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            implementation=kwargs.pop("implementation", 2),
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name="lstm_cell",
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            activity_regularizer=activity_regularizer,
            use_cudnn=use_cudnn,
            **kwargs,
        )

    def _network(self, *tensors: Any, **options: Any) -> Any:
        cell = self.cell
        return lstm(
            *tensors,
            activation=cell.activation,
            recurrent_activation=cell.recurrent_activation,
            **options,
        )

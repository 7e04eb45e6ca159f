"""`SimpleRNN`: a fully connected recurrent layer."""

from __future__ import annotations

from typing import Any

from keras_fn.layers.rnn.of_cell import CellNetwork
from keras_fn.layers.rnn.simple_rnn_cell import SimpleRNNCell
from keras_fn.ops.rnn import simple_rnn


class SimpleRNN(CellNetwork):
    """A recurrent layer: `h = tanh(x @ kernel + h @ recurrent_kernel + bias)` at each time step.

    `(batch, time, features)` becomes `(batch, units)`, the last output, or `(batch, time, units)` with
    `return_sequences`. With `return_state` a tuple `(output, h)` is returned.
    The backend's fused kernel does the work where there is one and it applies; `recurrent_path` tells.
    Source: Elman 1990, https://doi.org/10.1207/s15516709cog1402_1

    Args:
        units: width of the state, a positive int.
        activation: function in the place of tanh, or its name; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights begin.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the outputs.
        kernel_constraint, recurrent_constraint, bias_constraint: projections applied after each update.
        dropout: fraction of the input's elements that are dropped in training.
        recurrent_dropout: fraction of the state's elements that are dropped in training.
        seed: int for the dropout; None for one drawn at random.
        return_sequences, return_state, go_backwards, stateful, unroll: as in `RNN`.

    Call arguments:
        sequences: tensor `(batch, time, features)`.
        initial_state: tensor `(batch, units)`, or a list of it; zeros where None.
        mask: bools `(batch, time)`; a step where it is False is passed over.
        training: whether dropout is at work.

    Example:
        >>> import keras_fn
        >>> layer = keras_fn.layers.SimpleRNN(4, return_sequences=True, return_state=True)
        >>> outputs, *states = layer(keras_fn.ops.ones((2, 5, 3)))
        >>> tuple(outputs.shape), [tuple(s.shape) for s in states]
        ((2, 5, 4), [(2, 4)])
        >>> [w.name for w in layer.weights]
        ['kernel', 'recurrent_kernel', 'bias']
    """

    kind = "simple_rnn"

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        cell = SimpleRNNCell(
            units,
            activation=activation,
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
            name="simple_rnn_cell",
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )

    def _network(self, *tensors: Any, **options: Any) -> Any:
        return simple_rnn(*tensors, activation=self.cell.activation, **options)

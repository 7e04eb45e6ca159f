"""`GRU`: gated recurrent unit."""

from __future__ import annotations

from typing import Any

from keras_fn.layers.rnn.gru_cell import GRUCell
from keras_fn.layers.rnn.of_cell import CellNetwork, of_cell
from keras_fn.ops.rnn import gru


class GRU(CellNetwork):
    """Gated recurrent unit over a batch of sequences.

    With an update gate z, a reset gate r and a candidate n, each step computes `h = z * h + (1 - z) * n`. With
    `reset_after`, `n = tanh(x @ W + b + r * (h @ R + c))`, otherwise `n = tanh(x @ W + b + (r * h) @ R)`.

    `(batch, time, features)` becomes `(batch, units)`, the last output, or `(batch, time, units)` with
    `return_sequences`. With `return_state` a tuple `(output, h)` is returned.
    The backend's fused kernel does the work where there is one and it applies; `recurrent_path` tells.
    Source: Cho et al. 2014, https://arxiv.org/abs/1406.1078

    Args:
        units: width of the state, a positive int.
        activation: function in the place of tanh, or its name; None for none.
        recurrent_activation: function of the gates, in the place of sigmoid, or its name; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights begin.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the outputs.
        kernel_constraint, recurrent_constraint, bias_constraint: projections applied after each update.
        dropout: fraction of the input's elements that are dropped in training.
        recurrent_dropout: fraction of the state's elements that are dropped in training.
        seed: int for the dropout; None for one drawn at random.
        return_sequences, return_state, go_backwards, stateful, unroll: as in `RNN`.
        reset_after: whether the reset gate multiplies after the matrix product; it is the form that fused kernels have.
        use_cudnn: "auto": the fused kernel where it applies. True: it or an error. False: the plain loop.

    Call arguments:
        sequences: tensor `(batch, time, features)`.
        initial_state: tensor `(batch, units)`, or a list of it; zeros where None.
        mask: bools `(batch, time)`; a step where it is False is passed over.
        training: whether dropout is at work.

    Example:
        >>> import keras_fn
        >>> layer = keras_fn.layers.GRU(4, return_sequences=True, return_state=True)
        >>> outputs, *states = layer(keras_fn.ops.ones((2, 5, 3)))
        >>> tuple(outputs.shape), [tuple(s.shape) for s in states]
        ((2, 5, 4), [(2, 4)])
        >>> [w.name for w in layer.weights]
        ['kernel', 'recurrent_kernel', 'bias']
    """

    kind = "gru"
    recurrent_activation = of_cell("recurrent_activation")
    reset_after = of_cell("reset_after")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        cell = GRUCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            reset_after=reset_after,
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
            name="gru_cell",
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
        return gru(
            *tensors,
            activation=cell.activation,
            recurrent_activation=cell.recurrent_activation,
            reset_after=cell.reset_after,
            **options,
        )

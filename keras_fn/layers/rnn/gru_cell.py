"""`GRUCell`: one time step of a GRU."""

from __future__ import annotations

from typing import Any

from keras_fn import activations, ops
from keras_fn.layers.rnn.cell import RecurrentCell
from keras_fn.layers.rnn.dropout import dropped, matmul_by_gate


class GRUCell(RecurrentCell):
    """One time step of a gated recurrent unit.

    With an update gate z, a reset gate r and a candidate n, the new state, which is also the output, is
    `h = z * h + (1 - z) * n`. With `reset_after`, `n = tanh(x @ W + b + r * (h @ R + c))`, otherwise
    `n = tanh(x @ W + b + (r * h) @ R)`. Shapes: `(batch, features)` and `(batch, units)` give `(batch, units)`.
    Source: Cho et al. 2014, https://arxiv.org/abs/1406.1078

    Args:
        units: width of the state, a positive int.
        activation: function in the place of tanh, or its name; None for none.
        recurrent_activation: function of the gates, or its name; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights begin.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        kernel_constraint, recurrent_constraint, bias_constraint: projections applied after each update.
        dropout: fraction of the input's elements that are dropped in training.
        recurrent_dropout: fraction of the state's elements that are dropped in training.
        reset_after: whether the reset gate multiplies after the matrix product; it is the form that fused kernels have.
        seed: int for the dropout; None for one drawn at random.

    Example:
        >>> import keras_fn
        >>> cell = keras_fn.layers.GRUCell(3)
        >>> output, states = cell(keras_fn.ops.ones((2, 5)), cell.get_initial_state(batch_size=2))
        >>> [w.shape for w in cell.weights]
        [(5, 9), (3, 9), (2, 9)]
    """

    gates = 3

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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed, **kwargs,
        )  # fmt: skip
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = reset_after

    def _bias_shape(self) -> tuple[int, ...]:
        # the state's own bias matters only where the reset gate multiplies it
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """`(output, [state])` after one step."""
        h = states[0] if isinstance(states, (list, tuple)) else states
        masks = self.masks(inputs, h, training)
        bias, state_bias = self.bias, None
        if bias is not None and self.reset_after:
            bias, state_bias = bias[0], bias[1]
        xz, xr, xn = ops.split(self._project(inputs, self.kernel, bias, masks.inputs), 3, -1)
        hn: Any = None
        candidate: Any = None
        if self.reset_after:
            hz, hr, hn = ops.split(self._project(h, self.recurrent_kernel, state_bias, masks.state), 3, -1)
        else:
            gates, candidate = ops.split(self.recurrent_kernel, [2 * self.units], -1)
            hz, hr = ops.split(matmul_by_gate(h, gates, masks.state and masks.state[:2]), 2, -1)
        z, r = self.recurrent_activation(ops.add(xz, hz)), self.recurrent_activation(ops.add(xr, hr))
        if self.reset_after:
            remembered = ops.multiply(r, hn)
        else:
            remembered = ops.matmul(ops.multiply(r, dropped(h, masks.state, 2)), candidate)
        n = self.activation(ops.add(xn, remembered))
        h = ops.add(n, ops.multiply(z, ops.subtract(h, n)))
        return h, [h]

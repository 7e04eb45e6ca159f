"""What the cells of the simple RNN, LSTM and GRU share: arguments and weights."""

from __future__ import annotations

from typing import Any

from keras_fn import activations, constraints, initializers, ops, regularizers
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.layers.base import Layer
from keras_fn.layers.rnn.dropout import RecurrentDropout, matmul_by_gate
from keras_fn.layers.rnn.weights import add_cell_weight


class RecurrentCell(RecurrentDropout, Layer):
    """One time step of a recurrent network, with weights `kernel`, `recurrent_kernel` and `bias`.

    Subclasses set `gates`, the number of `units`-wide column blocks of the kernels, and define `call(inputs, states)`.
    Their constructors name all the arguments.
    """

    def __init__(
        self,
        units: int,
        activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        recurrent_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        recurrent_regularizer: Any,
        bias_regularizer: Any,
        kernel_constraint: Any,
        recurrent_constraint: Any,
        bias_constraint: Any,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(units, int) or isinstance(units, bool) or units < 1:
            raise ArgumentError(f"`units` of {type(self).__name__} must be a positive int, not {units!r}.")
        if implementation not in (0, 1, 2):
            raise ArgumentError(f"`implementation` is 1 or 2 (both compute the same here), not {implementation!r}.")
        self.implementation = implementation
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self._set_dropout(dropout, recurrent_dropout, seed)
        self.state_size: Any = units
        self.output_size = units

    def build(self, input_shape: Any) -> None:
        """Makes `kernel`, `recurrent_kernel` and `bias` for inputs of shape `(batch, features)`."""
        features = input_shape[-1]
        if features is None:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} needs a known last axis, and its input has the shape "
                f"{tuple(input_shape)}."
            )
        columns = self.gates * self.units
        self.kernel = add_cell_weight(self, "kernel", (features, columns), self.kernel_initializer)
        square = (self.units, columns)
        self.recurrent_kernel = add_cell_weight(self, "recurrent_kernel", square, self.recurrent_initializer)
        self.bias = add_cell_weight(self, "bias", self._bias_shape(), self._first_bias()) if self.use_bias else None
        self.built = True

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _first_bias(self) -> Any:
        return self.bias_initializer

    def _project(self, x: Any, kernel: Any, bias: Any, masks: list[Any] | None) -> Any:
        """`x @ kernel + bias`, with dropout of x."""
        y = matmul_by_gate(x, kernel, masks)
        return y if bias is None else ops.add(y, bias)

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros for each state, of shape `(batch_size, units)`."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in sizes]

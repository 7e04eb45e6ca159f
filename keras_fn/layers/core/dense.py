"""`Dense`: a fully connected layer."""

from __future__ import annotations

from typing import Any

from keras_fn import activations, constraints, initializers, ops, regularizers
from keras_fn.core.errors import ShapeError
from keras_fn.layers.arguments import positive_int, unsupported
from keras_fn.layers.base import Layer
from keras_fn.layers.input_spec import InputSpec
from keras_fn.ops.linear import _linear


class Dense(Layer):
    """A fully connected layer: `activation(inputs @ kernel + bias)`.

    Works on the last axis: `(batch, …, features)` becomes `(batch, …, units)`.

    Args:
        units: number of outputs, a positive int.
        activation: function, or its name; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer: how the weights begin.
        kernel_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the outputs.
        kernel_constraint, bias_constraint: projections applied after each update.
        lora_rank, lora_alpha, quantization_config: must be None.

    Raises:
        ArgumentError: where `units` is not a positive int.
        ShapeError: where the last axis of the input has no known length.

    Example:
        >>> import keras_fn
        >>> layer = keras_fn.layers.Dense(3, activation="relu")
        >>> tuple(layer(keras_fn.ops.ones((2, 5))).shape)
        (2, 3)
        >>> [w.shape for w in layer.weights]
        [(5, 3), (3,)]
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: Any = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        unsupported(self, lora_rank=lora_rank, lora_alpha=lora_alpha, quantization_config=quantization_config)
        self.units = positive_int(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` of shape `(features, units)` and `bias` of shape `(units,)`."""
        features = input_shape[-1]
        if features is None:
            raise ShapeError(f"Dense {self.name!r} needs a known last axis, and its input has the shape {input_shape}.")
        self.kernel = self.add_weight(
            shape=(features, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """The outputs, shape `(batch, …, units)`."""
        if self.bias is None:
            outputs = ops.matmul(inputs, self.kernel)
        else:
            outputs = _linear(inputs, self.kernel, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

"""What normalisation layers have in common: a factor `gamma` and a shift `beta`."""

from __future__ import annotations

from typing import Any

from keras_fn import constraints, initializers, ops, regularizers
from keras_fn.core import dtypes
from keras_fn.layers.arguments import number
from keras_fn.layers.base import Layer


def as_floats(layer: Layer, inputs: Any) -> Any:
    """The inputs; whole numbers in the compute dtype, which is that of the result."""
    return inputs if dtypes.is_float(dtypes.standardize(inputs.dtype)) else ops.cast(inputs, layer.compute_dtype)


class ScaleAndShift(Layer):
    """Base of normalisations with learned `gamma` and `beta`, each of which can be left out."""

    def _set_weights(
        self,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
    ) -> None:
        """Keeps the arguments that all of them take."""
        self.epsilon = number(self, "epsilon", epsilon, 0)
        self.center, self.scale = bool(center), bool(scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True

    def _add_weights(self, shape: tuple[int, ...]) -> None:
        """Makes `gamma` and `beta`, or None for what is left out."""
        self.gamma = self._add_one("gamma", shape) if self.scale else None
        self.beta = self._add_one("beta", shape) if self.center else None

    def _add_one(self, name: str, shape: tuple[int, ...]) -> Any:
        return self.add_weight(
            shape=shape,
            initializer=getattr(self, f"{name}_initializer"),
            regularizer=getattr(self, f"{name}_regularizer"),
            constraint=getattr(self, f"{name}_constraint"),
            name=name,
        )

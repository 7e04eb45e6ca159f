"""`LayerNormalization`: each sample, or place of it, with mean 0 and variance 1."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core import shapes
from keras_fn.core.errors import ArgumentError
from keras_fn.layers.arguments import axes
from keras_fn.layers.normalization.base import ScaleAndShift, as_floats


class LayerNormalization(ScaleAndShift):
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, with mean and variance of x along `axis`.

    Any shape in, the same shape out. The batch plays no part, so training and inference do the same.

    Args:
        axis: axis, or list of axes, that are normalised together.
        epsilon: small number added to the variance.
        center: whether there is a `beta`.
        scale: whether there is a `gamma`.
        beta_initializer, beta_regularizer, beta_constraint: of the shift.
        gamma_initializer, gamma_regularizer, gamma_constraint: of the factor.

    Example:
        >>> import keras_fn
        >>> y = keras_fn.layers.LayerNormalization()(keras_fn.ops.convert_to_tensor([[1.0, 3.0]]))
        >>> keras_fn.ops.convert_to_numpy(y).round(2).tolist()
        [[-1.0, 1.0]]

    Source: https://arxiv.org/abs/1607.06450
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("rms_scaling", False):
            raise ArgumentError("`rms_scaling=True` of LayerNormalization is an old form: use `RMSNormalization`.")
        super().__init__(**kwargs)
        self.axis = axes(self, "axis", axis)
        self._set_weights(
            epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
            beta_constraint, gamma_constraint,
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        """Makes `gamma` and `beta` in the shape of the inputs along `axis`."""
        found = sorted(shapes.canonical_axes(self.axis, len(input_shape)))
        self._add_weights(tuple(input_shape[a] for a in found))

    def call(self, inputs: Any) -> Any:
        """The normalised inputs."""
        return ops.layer_normalization(as_floats(self, inputs), self.gamma, self.beta, self.axis, self.epsilon)

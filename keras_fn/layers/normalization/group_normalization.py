"""`GroupNormalization`: groups of channels with mean 0 and variance 1."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core import shapes
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.layers.arguments import is_int
from keras_fn.layers.input_spec import InputSpec
from keras_fn.layers.normalization.base import ScaleAndShift
from keras_fn.ops.nn import _group_normalization


class GroupNormalization(ScaleAndShift):
    """Splits the channels into groups and normalises each over itself and all spatial axes, sample by sample.

    `(x - mean) / sqrt(variance + epsilon) * gamma + beta`. Any shape `(batch, …)` in, the same shape out. One group is
    layer normalisation, one group a channel is instance normalisation.

    Args:
        groups: number of groups, which divides the number of channels; -1 for one group a channel.
        axis: the axis of the channels.
        epsilon: small number added to the variance.
        center: whether there is a `beta`.
        scale: whether there is a `gamma`.
        beta_initializer, beta_regularizer, beta_constraint: of the shift.
        gamma_initializer, gamma_regularizer, gamma_constraint: of the factor.

    Raises:
        ShapeError: where `groups` does not divide the number of channels.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.GroupNormalization(groups=2)(keras_fn.ops.ones((1, 5, 5, 4))).shape)
        (1, 5, 5, 4)

    Source: https://arxiv.org/abs/1803.08494
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
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
        super().__init__(**kwargs)
        if not is_int(groups) or (groups < 1 and groups != -1):
            raise ArgumentError(f"`groups` of GroupNormalization must be a positive int or -1, not {groups!r}.")
        if not is_int(axis) or axis == 0:
            raise ArgumentError(f"`axis` of GroupNormalization must be an int other than 0, not {axis!r}.")
        self.groups, self.axis = groups, axis
        self._set_weights(
            epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
            beta_constraint, gamma_constraint,
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        """Makes `gamma` and `beta` of shape `(channels,)`."""
        place = shapes.canonical_axis(self.axis, len(input_shape))
        channels = input_shape[place]
        if channels is None:
            raise ShapeError(f"GroupNormalization {self.name!r} needs a known axis {self.axis}, not {input_shape}.")
        if self.groups != -1 and channels % self.groups:
            raise ShapeError(
                f"GroupNormalization {self.name!r} cannot split the {channels} channels of an input of the shape "
                f"{input_shape} into {self.groups} groups: the number of groups must divide that of the channels."
            )
        self._add_weights((channels,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={place: channels})

    def call(self, inputs: Any) -> Any:
        """The normalised inputs."""
        place = shapes.canonical_axis(self.axis, len(inputs.shape))
        groups = inputs.shape[place] if self.groups == -1 else self.groups
        x = _group_normalization(inputs, self.gamma, self.beta, groups, place, self.epsilon)
        return ops.cast(x, self.compute_dtype)

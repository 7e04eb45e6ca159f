"""`BatchNormalization`: each channel with mean 0 and variance 1 over the batch."""

from __future__ import annotations

from typing import Any

from keras_fn import initializers, ops
from keras_fn.core import dtypes, shapes
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.settings import epsilon as small
from keras_fn.core.spec import Spec
from keras_fn.layers.arguments import is_int, share
from keras_fn.layers.input_spec import InputSpec
from keras_fn.layers.normalization.base import ScaleAndShift
from keras_fn.ops.batch_statistics import _normalize_batch


class BatchNormalization(ScaleAndShift):
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, channel by channel. Any shape in, the same shape out.

    In training, mean and variance are those of the batch, and running averages of them are kept:
    `moving = moving * momentum + batch * (1 - momentum)`. In inference, and where `trainable` is False, the running
    averages are used and stay as they are.

    Args:
        axis: the axis of the channels.
        momentum: how slowly the running averages move, from 0 to 1.
        epsilon: small number added to the variance.
        center: whether there is a `beta`.
        scale: whether there is a `gamma`.
        beta_initializer, beta_regularizer, beta_constraint: of the shift.
        gamma_initializer, gamma_regularizer, gamma_constraint: of the factor.
        moving_mean_initializer, moving_variance_initializer: how the running averages begin.
        renorm, renorm_clipping, renorm_momentum: batch renormalisation, which is not supported: `renorm` must be False.
        synchronized: whether statistics are taken over all devices of a distributed run.

    Call arguments:
        inputs: tensor.
        training: whether batch statistics are used and noted.
        mask: bool tensor of the inputs' first axes: only where it is True do values count for the statistics.

    Example:
        >>> import keras_fn
        >>> y = keras_fn.layers.BatchNormalization()(keras_fn.ops.convert_to_tensor([[1.0], [3.0]]), training=True)
        >>> keras_fn.ops.convert_to_numpy(y).round(2).tolist()
        [[-1.0], [1.0]]

    Source: https://arxiv.org/abs/1502.03167
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: dict[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if renorm:
            raise ArgumentError(
                "`renorm=True` of BatchNormalization (batch renormalisation) is not supported. Use renorm=False, or "
                "LayerNormalization or GroupNormalization where batches are small."
            )
        if isinstance(axis, (list, tuple)) and len(axis) == 1:
            axis = axis[0]  # of older files
        if not is_int(axis):
            raise ArgumentError(f"`axis` of BatchNormalization must be an int, not {axis!r}.")
        self.axis = axis
        self.momentum = share(self, "momentum", momentum)
        self._set_weights(
            epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
            beta_constraint, gamma_constraint,
        )  # fmt: skip
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.renorm = False
        self.renorm_clipping, self.renorm_momentum = renorm_clipping, renorm_momentum
        self.synchronized = bool(synchronized)

    def build(self, input_shape: Any) -> None:
        """Makes `gamma`, `beta`, `moving_mean` and `moving_variance`, each of shape `(channels,)`."""
        place = shapes.canonical_axis(self.axis, len(input_shape))
        channels = input_shape[place]
        if channels is None:
            raise ShapeError(f"BatchNormalization {self.name!r} needs a known axis {self.axis}, not {input_shape}.")
        self._add_weights((channels,))
        self.moving_mean, self.moving_variance = (
            self.add_weight((channels,), initializer, trainable=False, autocast=False, name=name)
            for name, initializer in (
                ("moving_mean", self.moving_mean_initializer),
                ("moving_variance", self.moving_variance_initializer),
            )
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={place: channels})

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The normalised inputs; in training the running averages move."""
        place = shapes.canonical_axis(self.axis, len(inputs.shape))
        wide = dtypes.result_type(inputs.dtype, "float32")  # half floats are normalised in float32
        x = ops.cast(inputs, wide)
        if not (training and self.trainable):
            x = self._normalized(x, self.moving_mean, self.moving_variance, place)
        elif mask is None and not self.synchronized:
            x, mean, variance = _normalize_batch(x, place, self.beta, self.gamma, self.epsilon)
            self._move(mean, variance)
        else:
            mean, variance = self._statistics(x, place, mask)
            x = self._normalized(x, mean, variance, place)
            self._move(mean, variance)
        return ops.cast(x, self.compute_dtype)

    def _normalized(self, x: Any, mean: Any, variance: Any, place: int) -> Any:
        return ops.batch_normalization(x, mean, variance, place, self.beta, self.gamma, self.epsilon)

    def _statistics(self, x: Any, place: int, mask: Any) -> Any:
        """Mean and variance of each channel; with a mask, of the values that count."""
        reduced = tuple(a for a in range(len(x.shape)) if a != place)
        if mask is None:
            return ops.moments(x, reduced, synchronized=self.synchronized)
        weights = ops.cast(mask, x.dtype)
        while len(weights.shape) < len(x.shape):
            weights = ops.expand_dims(weights, -1)
        weights = ops.broadcast_to(weights, ops.shape(x))
        count = ops.add(ops.sum(weights, reduced, True), small())
        mean = ops.true_divide(ops.sum(ops.multiply(weights, x), reduced, True), count)
        squares = ops.multiply(weights, ops.square(ops.subtract(x, mean)))
        variance = ops.true_divide(ops.sum(squares, reduced), ops.squeeze(count, reduced))
        return ops.squeeze(mean, reduced), variance

    def _move(self, mean: Any, variance: Any) -> None:
        """A step of the running averages."""
        if isinstance(mean, Spec):
            return
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(ops.add(ops.multiply(moving, self.momentum), ops.multiply(batch, 1.0 - self.momentum)))

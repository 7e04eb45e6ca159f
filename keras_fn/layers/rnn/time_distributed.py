"""`TimeDistributed`: a layer applied to each time step."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core import trees
from keras_fn.core.errors import ShapeError
from keras_fn.layers.rnn.inner import build_inner
from keras_fn.layers.wrappers.wrapper import Wrapper


class TimeDistributed(Wrapper):
    """Applies a layer to each time step: `outputs[:, t] = layer(inputs[:, t])`.

    `(batch, time, …)` becomes `(batch, time, *shape of the layer's output)`. The steps of all sequences go through the
    layer as one batch of `batch * time` samples, so a layer that looks across its batch (BatchNormalization) sees them
    together.

    Args:
        layer: the layer that is applied.

    Call arguments:
        inputs: tensor `(batch, time, …)`, or a structure of them.
        training: passed on to the layer.
        mask: bools `(batch, time, …)`, passed on to a layer that takes a mask.

    Raises:
        ShapeError: where an input has fewer than three dimensions.

    Example:
        >>> import keras_fn
        >>> from keras_fn import layers, ops
        >>> layers.TimeDistributed(layers.Dense(8))(ops.ones((2, 10, 16))).shape == (2, 10, 8)
        True
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Builds the layer for one time step."""
        build_inner(self, self.layer, _without_time(input_shape, self.name))
        self.built = True

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The outputs of all steps."""
        batch, time = ops.shape(trees.flatten(inputs)[0])[:2]
        extra = {"training": training} if self.layer._kf_facts.training else {}
        if mask is not None and "mask" in self.layer._kf_facts.params:
            extra["mask"] = trees.map(_merged, mask)
        outputs = self.layer(trees.map(_merged, inputs), **extra)
        return trees.map(lambda y: ops.reshape(y, (batch, time, *ops.shape(y)[1:])), outputs)

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        """The mask of the inputs; of what lies inside a step only whether there is anything."""
        if mask is None or isinstance(mask, (list, tuple, dict)) or ops.ndim(mask) <= 2:
            return mask
        flat = self.layer.compute_mask(trees.map(_merged, inputs), _merged(mask))
        if flat is None:
            return ops.any(mask, axis=tuple(range(2, ops.ndim(mask))))
        return ops.reshape(flat, (*ops.shape(mask)[:2], *ops.shape(flat)[1:]))


def _merged(x: Any) -> Any:
    """Batch and time axes as one."""
    return None if x is None else ops.reshape(x, (-1, *ops.shape(x)[2:]))


def _without_time(shape: Any, name: str) -> Any:
    if isinstance(shape, dict):
        return {k: _without_time(s, name) for k, s in shape.items()}
    if shape and isinstance(shape[0], (list, tuple)):
        return type(shape)(_without_time(s, name) for s in shape)
    if len(shape) < 3:
        raise ShapeError(f"TimeDistributed {name!r} needs inputs of the shape (batch, time, ...), not {tuple(shape)}.")
    return (shape[0], *shape[2:])

"""`AdditiveAttention`: attention whose scores are sums."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.layers.attention.attention import Attention, _check_inputs


class AdditiveAttention(Attention):
    """`Attention` with the scores `sum(scale * tanh(query + key))`.

    Args:
        use_scale: whether there is a learned vector `scale`; it is 1 otherwise.
        dropout: share of the weights to drop in training.

    Call arguments: as for `Attention`; query, value and key must have one size.

    Example:
        >>> import keras_fn
        >>> query, value = keras_fn.ops.ones((2, 3, 4)), keras_fn.ops.ones((2, 5, 4))
        >>> tuple(keras_fn.layers.AdditiveAttention()([query, value]).shape)
        (2, 3, 4)

    Source: https://arxiv.org/abs/1409.0473
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Makes `scale` of shape `(size,)`."""
        _check_inputs(self, input_shape)
        self.scale = self.add_weight((input_shape[0][-1],), name="scale") if self.use_scale else None

    def _scores(self, query: Any, key: Any) -> Any:
        """The scores, `(batch, queries, keys)`."""
        both = ops.tanh(ops.add(ops.expand_dims(query, 2), ops.expand_dims(key, 1)))
        return ops.sum(both if self.scale is None else ops.multiply(both, self.scale), -1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "seed": self.seed}

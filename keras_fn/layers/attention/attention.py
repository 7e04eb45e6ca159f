"""`Attention`: dot-product attention without weights for query, key and value."""

from __future__ import annotations

from typing import Any

from keras_fn import ops, random
from keras_fn.core import dtypes
from keras_fn.core.errors import StructureError
from keras_fn.layers.arguments import choice, share
from keras_fn.layers.base import Layer

# taken off the scores of masked places: enough to make their weight 0, and within the range of the dtype
_FAR = {"float16": 65504.0}


class Attention(Layer):
    """Each query looks at all keys and gets the mean of their values, weighted by the softmax of the scores.

    Args:
        use_scale: whether scores are multiplied by a learned number.
        score_mode: 'dot', `query . key`; or 'concat', a learned number times `sum(tanh(query + key))`.
        dropout: share of the weights to drop in training.
        seed: int for the same draws in every run.

    Call arguments:
        inputs: list `[query, value]` or `[query, value, key]` of tensors `(batch, queries, size)`,
            `(batch, keys, value_size)` and `(batch, keys, size)`; the key is the value where it is left out.
        mask: list `[query_mask, value_mask]` of bool tensors or None: results of masked queries are 0, masked values
            are not looked at.
        return_attention_scores: whether `(outputs, weights)` is returned.
        use_causal_mask: whether a query sees only keys up to its own place.

    Returns:
        Tensor `(batch, queries, value_size)`; with it the weights `(batch, queries, keys)` where asked for.

    Example:
        >>> import keras_fn
        >>> query, value = keras_fn.ops.ones((2, 3, 4)), keras_fn.ops.ones((2, 5, 4))
        >>> tuple(keras_fn.layers.Attention()([query, value]).shape)
        (2, 3, 4)

    Source: https://arxiv.org/abs/1508.04025
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.use_scale = bool(use_scale)
        self.score_mode = choice(self, "score_mode", score_mode, ("dot", "concat"))
        self.dropout = share(self, "dropout", dropout)
        self.seed = seed
        if dropout > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Makes the scalars `scale` and `concat_score_weight` where they are used."""
        _check_inputs(self, input_shape)
        self.scale = self.add_weight((), "ones", name="scale") if self.use_scale else None
        self.concat_score_weight = None
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def _scores(self, query: Any, key: Any) -> Any:
        """The scores, `(batch, queries, keys)`."""
        if self.score_mode == "dot":
            scores = ops.einsum("bqd,bkd->bqk", query, key)
            return scores if self.scale is None else ops.multiply(scores, self.scale)
        both = ops.add(ops.expand_dims(query, 2), ops.expand_dims(key, 1))
        if self.scale is not None:
            both = ops.multiply(both, self.scale)
        return ops.multiply(self.concat_score_weight, ops.sum(ops.tanh(both), -1))

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """The attended values, and the weights where they are asked for."""
        query, value, *rest = inputs
        key = rest[0] if rest else value
        query_mask, value_mask, *_ = [*mask, None, None] if mask is not None else (None, None)
        scores = self._scores(query, key)
        seen = None if value_mask is None else ops.expand_dims(ops.cast(value_mask, "bool"), 1)
        if use_causal_mask:
            causal = _causal(scores)
            seen = causal if seen is None else ops.logical_and(seen, causal)
        if seen is not None:
            dtype = dtypes.standardize(scores.dtype)
            hidden = ops.cast(ops.logical_not(seen), dtype)
            scores = ops.subtract(scores, ops.multiply(hidden, _FAR.get(dtype, 1e9)))
        weights = ops.softmax(scores, -1)
        if training and self.dropout > 0:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        outputs = ops.einsum("bqk,bkd->bqd", weights, value)
        if query_mask is not None:
            outputs = ops.multiply(outputs, ops.expand_dims(ops.cast(query_mask, outputs.dtype), -1))
        return (outputs, weights) if return_attention_scores else outputs

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask of the query."""
        return previous_mask[0] if isinstance(previous_mask, (list, tuple)) else None


def _check_inputs(layer: Layer, input_shape: Any) -> None:
    if not isinstance(input_shape, (list, tuple)) or len(input_shape) not in (2, 3) or not all(
        isinstance(s, (list, tuple)) for s in input_shape
    ):
        raise StructureError(
            f"{type(layer).__name__} {layer.name!r} takes a list [query, value] or [query, value, key], and "
            f"inputs of the shape {input_shape} came."
        )


def _causal(scores: Any) -> Any:
    """True where a key is not behind the query, shape `(1, queries, keys)`."""
    ones = ops.ones_like(scores, "int32")
    return ops.greater_equal(ops.cumsum(ones, -2), ops.cumsum(ones, -1))

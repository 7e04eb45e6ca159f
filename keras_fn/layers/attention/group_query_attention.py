"""`GroupQueryAttention`: attention in which several heads of the query share a head of key and value."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.errors import ArgumentError
from keras_fn.layers.activations.softmax import Softmax
from keras_fn.layers.arguments import positive_int
from keras_fn.layers.attention.masks import attention_mask as combined_mask
from keras_fn.layers.attention.multi_head_attention import ProjectedAttention, for_heads
from keras_fn.layers.regularization.dropout import Dropout


class GroupQueryAttention(ProjectedAttention):
    """`MultiHeadAttention` with fewer heads of keys and values than of queries: neighbouring queries' heads share them.

    Args:
        head_dim: size of each head.
        num_query_heads: number of the query's heads.
        num_key_value_heads: number of heads of key and value, which divides that of the query.
        dropout: share of the attention weights to drop in training.
        use_bias: whether the projections have biases.
        sliding_window: how near a key must be to be seen: less than so many places away; None for any distance.
        flash_attention: True asks for a fused kernel, False forbids it, None leaves it to the backend.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the projections' kernels.
        bias_initializer, bias_regularizer, bias_constraint: of their biases.
        activity_regularizer: penalty on the outputs.
        use_gate: whether the heads' results are multiplied by the sigmoid of one more projection of the query.
        seed: int for the same draws of dropout in every run.

    Call arguments: as for `MultiHeadAttention`; query, value and key have three axes.

    Example:
        >>> import keras_fn
        >>> layer = keras_fn.layers.GroupQueryAttention(head_dim=4, num_query_heads=4, num_key_value_heads=2)
        >>> tuple(layer(keras_fn.ops.ones((1, 3, 8)), keras_fn.ops.ones((1, 5, 6))).shape)
        (1, 3, 8)

    Source: https://arxiv.org/abs/2305.13245
    """

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.head_dim = positive_int(self, "head_dim", head_dim)
        self.num_query_heads = positive_int(self, "num_query_heads", num_query_heads)
        self.num_key_value_heads = positive_int(self, "num_key_value_heads", num_key_value_heads)
        if num_query_heads % num_key_value_heads:
            raise ArgumentError(
                f"`num_query_heads` of GroupQueryAttention must be a multiple of `num_key_value_heads`: "
                f"{num_query_heads} is none of {num_key_value_heads}."
            )
        self._set_projections(
            use_bias, use_gate, dropout, seed, sliding_window, flash_attention,
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        """Makes the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        self._query_dense = self._heads("query", "bqm,muh->bquh", self.num_query_heads, query_shape)
        self._key_dense = self._heads("key", "bkm,mvh->bkvh", self.num_key_value_heads, key_shape)
        if self.use_gate:
            self._gate_dense = self._heads("gate", "bqm,muh->bquh", self.num_query_heads, query_shape, "sigmoid")
        self._value_dense = self._heads("value", "bkm,mvh->bkvh", self.num_key_value_heads, value_shape)
        self._softmax = Softmax(axis=-1, dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, dtype=self.dtype_policy, seed=self.seed)
        self._output_dense = self._projection("attention_output", "bquh,uhm->bqm", (None, query_shape[-1]), "m")
        self._output_dense.build_from_config(
            {"input_shape": (*query_shape[:2], self.num_query_heads, self.head_dim)}
        )

    def _heads(self, name: str, equation: str, heads: int, shape: Any, activation: Any = None) -> Any:
        made = self._projection(name, equation, (None, heads, self.head_dim), equation[-2:], activation)
        made.build_from_config({"input_shape": tuple(shape)})
        return made

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """The attended values, and the weights `(batch, query_heads, queries, keys)` where they are asked for."""
        key = value if key is None else key
        mask = combined_mask(
            query, value, value_mask, key_mask, attention_mask, use_causal_mask, self.sliding_window
        )
        mask = None if mask is None else for_heads(mask, 1, 4)
        q, k, v = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        weights = None
        if return_attention_scores or (training and self.dropout > 0):
            outputs, weights = self._attend(q, k, v, mask, training)
        else:
            outputs = ops.dot_product_attention(q, k, v, mask=mask, flash_attention=self.flash_attention)
        if self.use_gate:
            outputs = ops.multiply(outputs, self._gate_dense(query))
        outputs = self._output_dense(outputs)
        return (outputs, weights) if return_attention_scores else outputs

    def _attend(self, q: Any, k: Any, v: Any, mask: Any, training: bool | None) -> Any:
        """Attention by its definition."""
        if self.flash_attention:
            raise ArgumentError("flash_attention=True does not go with return_attention_scores=True.")
        shared = self.num_query_heads // self.num_key_value_heads
        k, v = ops.repeat(k, shared, 2), ops.repeat(v, shared, 2)
        scores = ops.einsum("bquh,bkuh->buqk", ops.multiply(q, self.head_dim**-0.5), k)
        weights = self._softmax(scores, mask=mask)
        dropped = self._dropout_layer(weights, training=training) if self.dropout > 0 else weights
        return ops.einsum("buqk,bkuh->bquh", dropped, v), weights



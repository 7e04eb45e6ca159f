"""`MultiHeadAttention`: several attentions side by side, each over projections of its own."""

from __future__ import annotations

import math
import string
from typing import Any

from keras_fn import constraints, initializers, ops, regularizers
from keras_fn.core import shapes
from keras_fn.core.arguments import Axes
from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.layers.activations.softmax import Softmax
from keras_fn.layers.arguments import is_int, positive_int, share
from keras_fn.layers.attention.masks import attention_mask as combined_mask
from keras_fn.layers.base import Layer
from keras_fn.layers.core.einsum_dense import EinsumDense
from keras_fn.layers.regularization.dropout import Dropout

_WEIGHTS = ("kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer", "kernel_constraint",
            "bias_constraint")  # fmt: skip


class ProjectedAttention(Layer):
    """What attentions with learned projections have in common: the arguments of their weights, and dropout."""

    def _set_projections(
        self, use_bias: bool, use_gate: bool, dropout: float, seed: int | None, sliding_window: Any, flash: Any,
        **weights: Any,
    ) -> None:  # fmt: skip
        """Keeps the arguments that all of them take."""
        self.use_bias, self.use_gate = bool(use_bias), bool(use_gate)
        self.dropout = share(self, "dropout", dropout)
        self.seed = seed
        self.sliding_window = None if sliding_window is None else positive_int(self, "sliding_window", sliding_window)
        self.flash_attention = flash
        if flash and (dropout > 0 or sliding_window is not None):
            raise ArgumentError(
                f"flash_attention=True of {type(self).__name__} goes with neither dropout ({dropout}) nor a "
                f"sliding_window ({sliding_window})."
            )
        for name in _WEIGHTS:
            module = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}
            setattr(self, name, module[name.partition("_")[2]].get(weights[name]))
        self.supports_masking = True

    def _projection(self, name: str, equation: str, output_shape: Any, bias_axes: str, activation: Any = None) -> Any:
        """A projection, with initializers of its own: one object would draw the same numbers for all of them."""
        options = {
            n: type(v).from_config(v.get_config()) if n.endswith("initializer") and hasattr(v, "get_config") else v
            for n, v in ((n, getattr(self, n)) for n in _WEIGHTS)
        }
        return EinsumDense(
            equation, output_shape, activation, bias_axes if self.use_bias else None, name=name,
            dtype=self.dtype_policy, **options,
        )  # fmt: skip


class MultiHeadAttention(ProjectedAttention):
    """Query, key and value are projected once for each head; the heads' results are joined and projected.

    Head by head: `softmax(q @ k.T / sqrt(key_dim)) @ v`, where q, k and v are the projections.

    Args:
        num_heads: number of heads.
        key_dim: size of each head's query and key.
        value_dim: size of each head's value; None for `key_dim`.
        dropout: share of the attention weights to drop in training.
        use_bias: whether the projections have biases.
        output_shape: shape of the outputs' features, an int or a tuple; None for that of the query.
        attention_axes: axes that attention runs along; None for all between batch and features.
        sliding_window: how near a key must be to be seen: less than so many places away; None for any distance.
        flash_attention: True asks for a fused kernel, False forbids it, None leaves it to the backend.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the projections' kernels.
        bias_initializer, bias_regularizer, bias_constraint: of their biases.
        activity_regularizer: penalty on the outputs.
        use_gate: whether the heads' results are multiplied by the sigmoid of one more projection of the query.
        seed: int for the same draws of dropout in every run.

    Call arguments:
        query: tensor `(batch, queries, features)`; more axes between batch and features are taken along.
        value: tensor `(batch, keys, features)`.
        key: tensor `(batch, keys, features)`; None for `value`.
        query_mask, value_mask, key_mask: bool tensors `(batch, length)`; those that travel with the inputs are found.
            Masked keys and values are not looked at; the mask of the query travels on with the outputs.
        attention_mask: bool tensor that broadcasts to `(batch, queries, keys)`: False where a query must not look.
        return_attention_scores: whether `(outputs, weights)` is returned.
        use_causal_mask: whether a query sees only keys up to its own place.

    Returns:
        Tensor `(batch, queries, *output_shape)`; with it the weights `(batch, heads, queries, keys)` where asked for.

    Example:
        >>> import keras_fn
        >>> layer = keras_fn.layers.MultiHeadAttention(num_heads=2, key_dim=4)
        >>> tuple(layer(keras_fn.ops.ones((1, 3, 8)), keras_fn.ops.ones((1, 5, 6))).shape)
        (1, 3, 8)

    Source: https://arxiv.org/abs/1706.03762; the gate: https://arxiv.org/abs/2505.06708
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Axes | None = None,
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
        self.num_heads = positive_int(self, "num_heads", num_heads)
        self.key_dim = positive_int(self, "key_dim", key_dim)
        self.value_dim = self.key_dim if value_dim is None else positive_int(self, "value_dim", value_dim)
        self.output_shape = _sizes(output_shape)
        axes = attention_axes
        self.attention_axes = None if axes is None else tuple([axes] if is_int(axes) else axes)
        self._set_projections(
            use_bias, use_gate, dropout, seed, sliding_window, flash_attention,
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        """Makes the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        query, key, value = (tuple(s) for s in (query_shape, key_shape, value_shape))
        axes = range(1, len(query) - 1) if self.attention_axes is None else self.attention_axes
        self._axes = tuple(sorted(shapes.canonical_axes(tuple(axes), len(query))))
        self._query_dense = self._head_projection("query", query, self.key_dim)
        self._key_dense = self._head_projection("key", key, self.key_dim)
        if self.use_gate:
            self._gate_dense = self._head_projection("gate", query, self.value_dim, "sigmoid")
        self._value_dense = self._head_projection("value", value, self.value_dim)
        self._softmax = Softmax(axis=tuple(range(-len(self._axes), 0)), dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, dtype=self.dtype_policy, seed=self.seed)
        if self.dropout > 0:
            self.seed_generator = self._dropout_layer.seed_generator
        self._output_dense = self._joining_projection(query)

    # the names under which files hold the projections
    @property
    def query_dense(self) -> EinsumDense:
        """The projection of the query."""
        return self._query_dense

    @property
    def key_dense(self) -> EinsumDense:
        """The projection of the key."""
        return self._key_dense

    @property
    def value_dense(self) -> EinsumDense:
        """The projection of the value."""
        return self._value_dense

    @property
    def output_dense(self) -> EinsumDense:
        """The projection of the joined heads."""
        return self._output_dense

    def _head_projection(self, name: str, shape: Any, size: int, activation: Any = None) -> Any:
        """From features to heads and their features: 'abc,cde->abde'."""
        free = string.ascii_lowercase[: len(shape) - 1]
        features, heads, inner = string.ascii_lowercase[len(shape) - 1 : len(shape) + 2]
        equation = f"{free}{features},{features}{heads}{inner}->{free}{heads}{inner}"
        output_shape = (*(None,) * (len(shape) - 2), self.num_heads, size)
        made = self._projection(name, equation, output_shape, heads + inner, activation)
        made.build_from_config({"input_shape": shape})
        return made

    def _joining_projection(self, query: Any) -> Any:
        """From heads and their features to features: 'abcd,cde->abe'."""
        wanted = (query[-1],) if self.output_shape is None else self.output_shape
        n = len(query) - 1
        free, (heads, inner), out = (
            string.ascii_lowercase[:n], string.ascii_lowercase[n : n + 2],
            string.ascii_lowercase[n + 2 : n + 2 + len(wanted)],
        )  # fmt: skip
        equation = f"{free}{heads}{inner},{heads}{inner}{out}->{free}{out}"
        made = self._projection("attention_output", equation, (*(None,) * (n - 1), *wanted), out)
        made.build_from_config({"input_shape": (*query[:-1], self.num_heads, self.value_dim)})
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
        """The attended values, and the weights where they are asked for."""
        key = value if key is None else key
        mask = combined_mask(
            query, value, value_mask, key_mask, attention_mask, use_causal_mask, self.sliding_window
        )
        q, k, v = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        fused = len(q.shape) == 4 and self._axes == (1,) and not return_attention_scores
        if fused and not (training and self.dropout > 0):
            if mask is not None:
                mask = for_heads(mask, 1, 4)
            outputs, weights = ops.dot_product_attention(q, k, v, mask=mask, flash_attention=self.flash_attention), None
        else:
            self._refuse_flash(return_attention_scores)
            outputs, weights = self._attend(q, k, v, mask, training)
        if self.use_gate:
            outputs = ops.multiply(outputs, self._gate_dense(query))
        outputs = self._output_dense(outputs)
        return (outputs, weights) if return_attention_scores else outputs

    def _refuse_flash(self, scores: bool) -> None:
        if self.flash_attention:
            why = "return_attention_scores=True" if scores else f"attention_axes={self._axes}"
            raise ArgumentError(f"flash_attention=True of MultiHeadAttention {self.name!r} does not go with {why}.")

    def _attend(self, q: Any, k: Any, v: Any, mask: Any, training: bool | None) -> Any:
        """Attention along any axes, by its definition."""
        scores_equation, values_equation = self._equations(len(q.shape))
        scores = ops.einsum(scores_equation, ops.multiply(q, 1.0 / math.sqrt(self.key_dim)), k)
        if mask is not None:
            mask = for_heads(mask, len(self._axes), len(scores.shape))
        weights = self._softmax(scores, mask=mask)
        dropped = self._dropout_layer(weights, training=training) if self.dropout > 0 else weights
        return ops.einsum(values_equation, dropped, v), weights

    def _equations(self, rank: int) -> tuple[str, str]:
        """Scores, `(batch, other axes, heads, queries, keys)`, from queries and keys; and results from them and values.

        The tensors of the heads have the axes `(batch, …, heads, features)`; attention runs along some of `…`.
        """
        letters = string.ascii_lowercase
        queries = letters[:rank]
        keys = "".join(letters[rank + i] if i in self._axes else c for i, c in enumerate(queries[:-2])) + queries[-2:]
        values = keys[:-1] + letters[2 * rank]  # a letter of its own: values may have another size
        other = "".join(c for i, c in enumerate(queries[:-1]) if i not in self._axes)
        scores = other + "".join(queries[i] for i in self._axes) + "".join(keys[i] for i in self._axes)
        return f"{queries},{keys}->{scores}", f"{scores},{values}->{queries[:-1]}{values[-1]}"


def for_heads(mask: Any, axes: int, rank: int) -> Any:
    """A mask with axes for heads, and what lies between them and the batch, before those of queries and keys."""
    while len(mask.shape) < rank:
        mask = ops.expand_dims(mask, -2 * axes - 1)
    return mask


def _sizes(output_shape: Any) -> tuple[int, ...] | None:
    if output_shape is None:
        return None
    found = (output_shape,) if is_int(output_shape) else output_shape
    if not isinstance(found, (list, tuple)) or not found or not all(is_int(n) and n > 0 for n in found):
        raise ArgumentTypeError(f"`output_shape` of MultiHeadAttention must be an int or ints, not {output_shape!r}.")
    return tuple(found)

"""`Embedding`: a learned vector for each id."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn import constraints, initializers, ops, regularizers
from keras_fn.core import dtypes
from keras_fn.core.errors import ArgumentError
from keras_fn.core.ids import all_below
from keras_fn.layers.arguments import positive_int, unsupported
from keras_fn.layers.base import Layer


class Embedding(Layer):
    """Looks up a learned vector for each id: ints of the shape `(…)` become floats of the shape `(…, output_dim)`.

    Args:
        input_dim: number of ids, which run from 0 to `input_dim - 1`.
        output_dim: length of the vectors.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: of the table of vectors.
        mask_zero: whether id 0 means "no value here" and is masked for later layers.
        weights: values for the table, shape `(input_dim, output_dim)`; None draws them.
        lora_rank, lora_alpha, quantization_config: must be None.

    Raises:
        ArgumentError: where a dimension is not a positive int.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.Embedding(10, 4)(keras_fn.ops.convert_to_tensor([[1, 2, 3]])).shape)
        (1, 3, 4)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: Any = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("input_length", None)  # of older Keras; the length is read off the inputs
        super().__init__(**kwargs)
        unsupported(self, lora_rank=lora_rank, lora_alpha=lora_alpha, quantization_config=quantization_config)
        self.input_dim = positive_int(self, "input_dim", input_dim)
        self.output_dim = positive_int(self, "output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = bool(mask_zero)
        self.supports_masking = self.mask_zero
        self.autocast = False  # float ids would lose digits; only the vectors that were looked up are cast
        if weights is not None:
            self._table = weights[0] if isinstance(weights, (list, tuple)) and len(weights) == 1 else weights

    def build(self, input_shape: Any = None) -> None:
        """Makes `embeddings` of shape `(input_dim, output_dim)`."""
        self.embeddings = self.add_weight(
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
            name="embeddings",
        )
        table = self.__dict__.pop("_table", None)
        if table is not None:
            self.embeddings.assign(table)

    def call(self, inputs: Any) -> Any:
        """The vectors."""
        if not dtypes.is_integer(dtypes.standardize(inputs.dtype)):
            inputs = ops.cast(inputs, "int32")
        return ops.cast(ops.take(self.embeddings, inputs, 0), self.compute_dtype)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """True where the id is not 0; None where 0 is an id as any other."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def check_ids(self, ids: Any) -> None:
        """Checks ids on the host. In compiled code a backend cannot raise, and would look up a wrong vector or NaN.

        Args:
            ids: NumPy array (or list) of ids.

        Raises:
            ArgumentError: naming the first id that is out of range, and its position.

        Example:
            >>> import keras_fn
            >>> words = keras_fn.layers.Embedding(10, 4)
            >>> words.check_ids([[1, 9]])
            >>> try:
            ...     words.check_ids([[1, 12]])
            ... except ValueError as error:
            ...     "the id 12 came, at position (0, 1)" in str(error)
            True
        """
        ids = np.asarray(ids)
        if all_below(ids, self.input_dim):
            return
        wrong = (ids < 0) | (ids >= self.input_dim) | (ids != ids)
        if wrong.any():
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise ArgumentError(
                f"Embedding {self.name!r} has vectors for the ids 0 to {self.input_dim - 1} (input_dim="
                f"{self.input_dim}), and the id {ids[place].item()} came, at position {place} of the inputs of shape "
                f"{ids.shape}; {int(wrong.sum())} of {ids.size} ids are out of range. Set `input_dim` to the largest "
                "id plus 1, or map unknown ids to one that is kept for them."
            )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; the initial values are no part of them."""
        config = super().get_config()
        config.pop("weights", None)
        return config

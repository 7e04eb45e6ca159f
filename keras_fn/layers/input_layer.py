"""`Input` and `InputLayer`: where data enters a graph."""

from __future__ import annotations

import weakref
from typing import Any

from keras_fn.core import dtypes, shapes
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError
from keras_fn.core.sparse import check_kinds
from keras_fn.core.spec import Spec
from keras_fn.graph.node import Node
from keras_fn.graph.symbol import KerasTensor
from keras_fn.layers.base import Layer


class InputLayer(Layer):
    """The entry of a graph; `Input` makes one and returns its symbol.

    Args:
        shape: shape of one sample, without the batch axis.
        batch_size: length of the batch axis, where it is fixed.
        dtype: dtype name.
        sparse: whether sparse tensors come in.
        ragged: whether ragged tensors come in.
        batch_shape: shape with the batch axis, instead of `shape` and `batch_size`.
        input_tensor: a symbol to take the place of a new one.
        optional: whether None may come in.
        name: name of the input; data passed by name finds it by this.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if "input_shape" in kwargs:
            shape = kwargs.pop("input_shape")
        if "batch_input_shape" in kwargs:
            batch_shape = kwargs.pop("batch_input_shape")
        super().__init__(name=name, **kwargs)
        if input_tensor is not None:
            if not isinstance(input_tensor, KerasTensor):
                raise ArgumentError(f"`input_tensor` must be a KerasTensor, not {type(input_tensor).__name__}.")
            batch_shape, dtype = input_tensor.shape, input_tensor.dtype
        if (shape is None) == (batch_shape is None):
            raise ArgumentError("An input needs either `shape` (without the batch axis) or `batch_shape` (with it).")
        if shape is not None:
            batch_shape = (batch_size, *shapes.standardize(shape))
        self.batch_shape = shapes.standardize(batch_shape)
        self._input_dtype = dtypes.standardize(dtype)
        if sparse or ragged:
            check_kinds(active.backend, bool(sparse), bool(ragged))
        self.sparse, self.ragged, self.optional = bool(sparse), bool(ragged), bool(optional)
        self.built = True

    def symbol(self) -> KerasTensor:
        """The symbol of the data: the one in use, or a new one."""
        calls = self.calls
        node = calls[0] if calls else Node(self, (), {}, Spec(self.batch_shape, self._input_dtype, self.sparse))
        if not calls:
            self._kf_calls[:] = [weakref.ref(node)]
        symbol = node.symbol(0)
        symbol.name, symbol.ragged = self.name, self.ragged
        return symbol

    def call(self) -> Any:
        """An input computes nothing."""
        raise ArgumentError("An InputLayer is not called: pass data to the model.")

    @property
    def dtype(self) -> str:
        """dtype of the data."""
        return self._input_dtype

    @property
    def output(self) -> KerasTensor:
        """The symbol of the data."""
        return self.symbol()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "batch_shape": self.batch_shape,
            "dtype": self._input_dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            **({"optional": True} if self.optional else {}),
        }


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> KerasTensor:
    """A symbol for data: where a functional model begins.

    Args:
        shape: shape of one sample, without the batch axis; None for an axis whose length varies.
        batch_size: length of the batch axis, where it is fixed.
        dtype: dtype name; the default float where None.
        sparse: whether sparse tensors come in.
        ragged: whether ragged tensors come in.
        batch_shape: shape with the batch axis, instead of `shape` and `batch_size`.
        name: name; data passed by name finds the input by it.
        tensor: a symbol to take the place of a new one.
        optional: whether None may come in.

    Returns:
        A KerasTensor.

    Example:
        >>> import keras_fn
        >>> x = keras_fn.Input(shape=(32,))
        >>> x.shape
        (None, 32)
    """
    return InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name).symbol()

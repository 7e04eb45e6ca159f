"""`KerasTensor`: a spec that knows which call made it."""

from __future__ import annotations

from typing import Any

from keras_fn.core import naming
from keras_fn.core.backend import active
from keras_fn.core.sparse import check_kinds
from keras_fn.core.spec import Spec


class KerasTensor(Spec):
    """A tensor of a graph that is being described: shape, dtype, and the call that it comes from.

    `keras_fn.Input` makes them, and every layer or op called on one gives others. They take arithmetic, indexing and
    comparison, each of which is recorded.

    Args:
        shape: tuple of ints, None for a dimension that is not known.
        dtype: dtype name.
        sparse: whether the values will be sparse.
        ragged: whether the values will be ragged.
        record_history: kept for Keras's signature; calls on symbols are always recorded.
        name: name.
    """

    __slots__ = ("_index", "_node", "name", "ragged")

    def __init__(
        self,
        shape: Any,
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if sparse and ragged:
            check_kinds(active.backend, bool(sparse), bool(ragged))
        super().__init__(shape, dtype, bool(sparse))
        self.name = name or naming.unique("keras_tensor")
        self.ragged = ragged
        self._node: Any = None
        self._index = 0

    @property
    def node(self) -> Any:
        """The call that made this, None for a symbol made by hand."""
        return self._node

    def spec(self) -> Spec:
        """Shape and dtype alone, with the mask's spec if there is one."""
        out = object.__new__(Spec)  # shape and dtype are in standard form
        out.shape, out.dtype, out.sparse = self.shape, self.dtype, self.sparse
        mask = self._keras_mask
        out._keras_mask = mask.spec() if isinstance(mask, KerasTensor) else mask
        return out

    def __repr__(self) -> str:
        source = f", from {self._node.operation.name!r}" if self._node is not None else ""
        kind = ", sparse" if self.sparse else ", ragged" if self.ragged else ""
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}{kind}, name={self.name}{source}>"


def is_keras_tensor(x: Any) -> bool:
    """Whether x is a symbol of a graph."""
    return isinstance(x, KerasTensor)


def symbol_for(spec: Spec, node: Any, index: int, name: str | None = None) -> KerasTensor:
    """The symbol of an output of a node."""
    symbol = object.__new__(KerasTensor)
    symbol.shape, symbol.dtype, symbol.sparse = spec.shape, spec.dtype, spec.sparse
    symbol._keras_mask = spec._keras_mask
    symbol.name = name or f"{node.operation.name}_output" + (f"_{index}" if index else "")
    symbol.ragged = False
    symbol._node, symbol._index = node, index
    return symbol

"""`Spec`: a tensor without values. And the operators that specs, symbols and variables share."""

from __future__ import annotations

import importlib
from typing import Any

from keras_fn.core import dtypes, shapes

# Filled by keras_fn.core.op as ops are declared: name -> Op. Operators look their op up here.
REGISTRY: dict[str, Any] = {}
# The public functions of ops, filled by keras_fn.ops.
FUNCTIONS: dict[str, Any] = {}


def _function(name: str) -> Any:
    """The public function of an op. Operators work before anybody imported keras_fn.ops, so it is imported here."""
    if name not in FUNCTIONS:
        importlib.import_module("keras_fn.ops")
    return FUNCTIONS[name]


class TensorOperators:
    """Python's operators, each one an op: for objects that are no framework tensor but stand for one."""

    __slots__ = ()
    __array_priority__ = 100.0  # NumPy arrays on the left hand side leave the operation to us
    __array_ufunc__ = None

    def __getitem__(self, key: Any) -> Any:
        return _function("get_item")(self, key)

    def __neg__(self) -> Any:
        return _function("negative")(self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return _function("absolute")(self)

    def __invert__(self) -> Any:
        return _function("logical_not")(self)

    def __round__(self, ndigits: int | None = None) -> Any:
        return _function("round")(self, ndigits or 0)


def _operator(op: str, reflected: bool) -> Any:
    if reflected:
        return lambda self, other: _function(op)(other, self)
    return lambda self, other: _function(op)(self, other)


for _symbol, _op in {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide", "floordiv": "floor_divide",
    "mod": "mod", "pow": "power", "matmul": "matmul", "and": "logical_and", "or": "logical_or", "xor": "logical_xor",
}.items():  # fmt: skip
    setattr(TensorOperators, f"__{_symbol}__", _operator(_op, reflected=False))
    setattr(TensorOperators, f"__r{_symbol}__", _operator(_op, reflected=True))
for _symbol, _op in {
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "ne": "not_equal",
}.items():  # fmt: skip
    setattr(TensorOperators, f"__{_symbol}__", _operator(_op, reflected=False))


class Spec(TensorOperators):
    """Shape and dtype of a tensor that has no values yet.

    Ops and layers run on specs as they run on tensors and give the spec of their result: that is how shapes are
    inferred while a model is built, with no framework at work.

    Args:
        shape: tuple of ints, None for a dimension that is not known.
        dtype: dtype name.
    """

    __slots__ = ("__weakref__", "_keras_mask", "dtype", "shape", "sparse")

    def __init__(self, shape: Any, dtype: Any = None, sparse: bool = False) -> None:
        self.shape = shapes.standardize(shape)
        self.dtype = dtypes.standardize(dtype)
        self.sparse = sparse
        self._keras_mask: Any = None

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def rank(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int | None:
        """Number of elements, None where a dimension is unknown."""
        return shapes.size(self.shape)

    def reshape(self, *newshape: Any) -> Any:
        """`ops.reshape` of this."""
        return _function("reshape")(self, newshape[0] if len(newshape) == 1 else newshape)

    def squeeze(self, axis: Any = None) -> Any:
        """`ops.squeeze` of this."""
        return _function("squeeze")(self, axis)

    @property
    def T(self) -> Any:
        """`ops.transpose` of this."""
        return _function("transpose")(self)

    def __len__(self) -> int:
        if not self.shape or self.shape[0] is None:
            raise TypeError(f"len() of {self!r}: its first dimension has no known length while the model is built.")
        return self.shape[0]

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self!r} has no value yet, so it cannot decide an `if`, `while`, `and` or `not`. "
            "Use `ops.where`, `ops.cond` or `ops.logical_and`, or put the code into the `call` of a layer."
        )

    def __float__(self) -> float:
        raise TypeError(f"{self!r} has no value yet and cannot become a Python number. {_USE_LAYER}")

    __int__ = __index__ = __float__  # type: ignore[assignment]

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{self!r} has no value yet and cannot become a NumPy array. {_USE_LAYER}")

    def __repr__(self) -> str:
        return f"<Spec shape={self.shape} dtype={self.dtype}>"


_USE_LAYER = "Put code that needs values into the `call` of a layer: it runs when data comes."

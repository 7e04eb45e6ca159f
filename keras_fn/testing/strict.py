"""The backend `strict`: NumPy's kernels over arrays that promise a shape and a dtype, and nothing else.

A framework's tensors have operators, methods and conversions, each a little different. Code above the backends that
uses them works on one framework and fails on the next. Here such code fails at once, and the message says where.

    >>> import keras_fn
    >>> from keras_fn.core.backend import using
    >>> from keras_fn.testing import strict
    >>> name = strict.install().name
    >>> with using(name):
    ...     x = keras_fn.ops.ones((2, 3))
    ...     try:
    ...         x + 1
    ...     except strict.NotPromisedError as e:
    ...         print(e)
    `__add__` of a tensor was used, which backends do not promise. Write it with keras_fn.ops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.backend import Backend, load, register


class NotPromisedError(TypeError):
    """Code used more of a tensor than a backend promises."""


class OpaqueDtype:
    """The dtype of an opaque array: an object with a name, which is neither text nor a dtype of NumPy."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        if isinstance(other, OpaqueDtype):
            return self is other
        raise NotPromisedError(
            f"A tensor's dtype was compared with {other!r}. It is the framework's object: compare "
            "`keras_fn.backend.standardize_dtype(x.dtype)`."
        )

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"<opaque {self.name}>"


_DTYPES = {name: OpaqueDtype(name) for name in dtypes.ALL}


class Opaque:
    """A tensor with a shape and a dtype. Whatever else is asked of it raises NotPromisedError."""

    __slots__ = ("__weakref__", "_array", "_keras_mask", "dtype")

    def __init__(self, array: Any) -> None:
        self._array = np.asarray(array)
        self.dtype = _DTYPES[dtypes.standardize(self._array.dtype)]
        self._keras_mask: Any = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape: a tuple of ints."""
        return self._array.shape

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self._array.ndim

    def __getattr__(self, name: str) -> Any:
        # protocols that are looked for (`__array_interface__` …) are simply not there
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotPromisedError(_message(name))

    def __repr__(self) -> str:
        return f"<Opaque shape={self.shape} dtype={self.dtype.name}>"


def _message(name: str) -> str:
    return f"`{name}` of a tensor was used, which backends do not promise. Write it with keras_fn.ops."


def _refusal(name: str) -> Callable[..., Any]:
    def refuse(self: Opaque, *args: Any, **kwargs: Any) -> Any:
        raise NotPromisedError(_message(name))

    return refuse


_BINARY = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split()
for _name in (
    *_BINARY, *(f"r{b}" for b in _BINARY), *(f"i{b}" for b in _BINARY), "neg", "pos", "abs", "invert", "round", "lt",
    "le", "gt", "ge", "eq", "ne", "getitem", "setitem", "len", "iter", "contains", "bool", "int", "float", "complex",
    "index", "array",
):  # fmt: skip
    setattr(Opaque, f"__{_name}__", _refusal(f"__{_name}__"))
Opaque.__hash__ = object.__hash__  # type: ignore[method-assign]


def unwrap(x: Any) -> Any:
    """The arrays in a structure of opaque ones; functions become functions of arrays."""
    return _converted(x, Opaque, lambda o: o._array, lambda f: lambda *args: unwrap(f(*wrap(args))))


def wrap(x: Any) -> Any:
    """A structure of arrays as opaque ones."""
    return _converted(x, (np.ndarray, np.generic), Opaque, lambda f: f)


def _converted(x: Any, kind: Any, leaf: Callable[[Any], Any], function: Callable[[Any], Any]) -> Any:
    if isinstance(x, kind):
        return leaf(x)
    if isinstance(x, (list, tuple)):
        parts = [_converted(v, kind, leaf, function) for v in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    if isinstance(x, dict):
        return {k: _converted(v, kind, leaf, function) for k, v in x.items()}
    return function(x) if callable(x) and not isinstance(x, type) else x


def _wrapped(kernel: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: wrap(kernel(*unwrap(args)))


class StrictBackend(Backend):
    """The kernels of another backend whose tensors are NumPy arrays, over opaque arrays.

    Args:
        inner: the other backend.
    """

    name = "strict"
    tensor_class = Opaque
    differentiable = False

    def __init__(self, inner: Backend) -> None:
        self.inner = inner
        self.kernels = {name: _wrapped(kernel) for name, kernel in inner.kernels.items()}

    def is_tensor(self, x: Any) -> bool:
        return isinstance(x, Opaque)

    def dtype_of(self, x: Any) -> str:
        return x.dtype.name

    def convert(self, x: Any, dtype: str | None) -> Any:
        if isinstance(x, Opaque):
            return x if dtype in (None, x.dtype.name) else self.cast(x, dtype or x.dtype.name)
        return Opaque(self.inner.convert(x, dtype))

    def cast(self, x: Any, dtype: str) -> Any:
        return Opaque(self.inner.cast(x._array, dtype))

    def to_numpy(self, x: Any) -> Any:
        return x._array if isinstance(x, Opaque) else np.asarray(x)

    def set_mask(self, x: Any, mask: Any) -> Any:
        copy = Opaque(x._array)
        copy._keras_mask = mask
        return copy

    def new_cell(self, value: Any, dtype: str, trainable: bool, name: str) -> Any:
        return Opaque(self.inner.new_cell(unwrap(value), dtype, trainable, name))

    def write_cell(self, cell: Any, value: Any) -> Any:
        return Opaque(self.inner.write_cell(cell._array, value._array))

    def value_and_grad(self, fn: Any, variables: Any, has_aux: bool) -> Any:
        return self.inner.value_and_grad(fn, variables, has_aux)

    def abstract_call(self, fn: Any, specs: Any) -> Any:
        return self.inner.abstract_call(fn, specs)


def install() -> Backend:
    """Makes the backend known, for `keras_fn.backend.use("strict")`, and returns it."""
    return register(StrictBackend(load("numpy")))

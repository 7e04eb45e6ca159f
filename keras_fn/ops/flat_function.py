"""Functions of trees, given to loops and choices, as functions from tensors to a flat list of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optree

from keras_fn.core import dtypes, shapes
from keras_fn.core import op as core_op
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentTypeError, DtypeError, GraphError, ShapeError, StructureError
from keras_fn.core.reading import inlined
from keras_fn.core.spec import Spec
from keras_fn.core.variable import StatelessScope, unwrap

__all__: list[str] = []  # for the modules beside this one


class MetSpec(Exception):
    """A function that should compute returned a spec: one from outside it is at work, so all is inferred instead."""


class FlatFunction:
    """A function of trees as a function from tensors to a flat list of tensors.

    Args:
        fn: the user's function.
        name: which argument of which op it is, for messages.
        tree: the tree of its arguments, a tuple.
        keeps: so many results, from the first, must have the shapes and dtypes of the first arguments.
        accept: called with the tree of the result; raises where it does not fit.
        result: where the tree of the result is kept; functions that share it must give equal trees.
    """

    __slots__ = ("accept", "fn", "keeps", "name", "result", "tree")

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str,
        tree: Any = None,
        keeps: int = 0,
        accept: Callable[[Any], None] | None = None,
        result: list[Any] | None = None,
    ) -> None:
        if not callable(fn):
            raise ArgumentTypeError(f"{name} must be a function, and {fn!r} came.")
        self.fn, self.name, self.tree, self.keeps, self.accept = fn, name, tree, keeps, accept
        self.result = [] if result is None else result

    @inlined
    def __call__(self, *leaves: Any) -> list[Any]:
        """The result for tensors."""
        backend = active.backend
        out = self._leaves(leaves)
        for i, x in enumerate(out):
            x = unwrap(x)
            if isinstance(x, Spec):
                raise MetSpec
            like = leaves[i] if i < self.keeps else None
            if not backend.is_tensor(x):
                x = backend.convert(x, backend.dtype_of(like) if like is not None and _is_number(x) else None)
            if like is not None and (x.dtype != like.dtype or x.shape != like.shape):
                self._check(i, tuple(x.shape), backend.dtype_of(x), tuple(like.shape), backend.dtype_of(like))
            out[i] = x
        return out

    def infer(self, *leaves: Spec) -> list[Spec]:
        """The specs of the result for specs."""
        # without their producers, so that nothing is recorded in here
        specs = [Spec(x.shape, x.dtype) for x in leaves]
        with StatelessScope():
            out = self._leaves(specs)
        for i, x in enumerate(out):
            if is_symbol(x):
                raise GraphError(
                    f"{self.name} uses a KerasTensor from outside of it. Pass it in with the arguments of the loop, "
                    "or put the whole into the `call` of a layer."
                )
            like = specs[i] if i < self.keeps else None
            spec = spec_of(x, like)
            if like is not None:
                self._check(i, spec.shape, spec.dtype, like.shape, like.dtype)
                spec = Spec(common(like.shape, spec.shape), like.dtype)
            out[i] = spec
        return out

    @inlined
    def _leaves(self, leaves: Any) -> list[Any]:
        args = () if self.tree is None else optree.tree_unflatten(self.tree, leaves)
        out, tree = optree.tree_flatten(self.fn(*args))
        if not self.result:
            if self.accept is not None:
                self.accept(tree)
            self.result.append(tree)
        elif tree != self.result[0]:
            raise StructureError(
                f"{self.name} returned the structure {tree}, and {self.result[0]} was expected: "
                "all branches and all steps must return one structure."
            )
        return out

    def _check(self, i: int, shape: Any, dtype: str, like: Any, like_dtype: str) -> None:
        if dtype != like_dtype:
            raise DtypeError(
                f"{self.name} must keep the dtypes of what it carries: value {i} came as {like_dtype} and was returned "
                f"as {dtype}. Cast it with `ops.cast`."
            )
        if not compatible(shape, like):
            raise ShapeError(
                f"{self.name} must keep the shapes of what it carries: value {i} came as {like} and was returned as "
                f"{shape}."
            )


def is_symbol(x: Any) -> bool:
    """Whether x is a KerasTensor: a spec that a graph computes."""
    return isinstance(x, core_op.Recording.symbol)


def _is_number(x: Any) -> bool:
    return type(x) in (bool, int, float, complex)


def spec_of(x: Any, like: Spec | None = None) -> Spec:
    """Shape and dtype of anything that can become a tensor; a number takes the dtype of `like`."""
    if isinstance(x, Spec):
        return Spec(x.shape, x.dtype)
    if _is_number(x):
        return Spec((), like.dtype if like is not None else dtypes.result_type(type(x)))
    backend = active.backend
    x = unwrap(x)
    x = x if backend.is_tensor(x) else backend.convert(x, None)
    return Spec(tuple(x.shape), backend.dtype_of(x))


def compatible(a: shapes.Shape, b: shapes.Shape) -> bool:
    """Whether two shapes are equal as far as they are known."""
    return len(a) == len(b) and all(m == n or m is None or n is None for m, n in zip(a, b, strict=True))


def common(a: shapes.Shape, b: shapes.Shape) -> shapes.Shape:
    """What two shapes of one rank have in common; what differs is unknown."""
    return tuple(m if m == n else None for m, n in zip(a, b, strict=True))

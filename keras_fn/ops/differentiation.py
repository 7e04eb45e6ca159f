"""Functions with a gradient of their own, and derivatives along a direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optree

from keras_fn.core import dtypes
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, ShapeError, StructureError
from keras_fn.core.op import op
from keras_fn.core.spec import Spec
from keras_fn.core.variable import unwrap
from keras_fn.ops.control import _call, _own_dtypes
from keras_fn.ops.elementwise import cast
from keras_fn.ops.flat_function import FlatFunction, compatible, spec_of

__all__ = ["custom_gradient", "jvp"]


class GradientPair:
    """A function that returns `(result, gradient function)`, as a function of flat lists.

    Args:
        fn: the user's function.
        tree: the tree of its arguments.
        kwargs: arguments that are no tensors.
    """

    __slots__ = ("fn", "kwargs", "result", "tree")

    def __init__(self, fn: Callable[..., Any], tree: Any, kwargs: dict[str, Any]) -> None:
        self.fn, self.tree, self.kwargs = fn, tree, kwargs
        self.result: list[Any] = []

    def __call__(self, *leaves: Any) -> tuple[list[Any], Callable[[list[Any]], list[Any]]]:
        """The flat result, and what takes the flat upstream gradients to those of the leaves."""
        pair = self.fn(*optree.tree_unflatten(self.tree, leaves), **self.kwargs)
        if not isinstance(pair, tuple) or len(pair) != 2 or not callable(pair[1]):
            raise StructureError(f"{self.fn} must return a pair (result, gradient function), and returned {pair}.")
        out, tree = optree.tree_flatten(pair[0])
        self.result[:] = [tree]

        def pull(upstream: list[Any]) -> list[Any]:
            found = optree.tree_leaves(pair[1](optree.tree_unflatten(tree, upstream)))
            if len(found) != len(leaves):
                raise StructureError(
                    f"A custom gradient must give one for each of the {len(leaves)} arguments, and gave {len(found)}."
                )
            return found

        return [unwrap(x) for x in out], pull


def _result_specs(operands: list[Spec], pair: GradientPair) -> list[Spec]:
    return [Spec(x.shape, x.dtype) for x in pair(*(Spec(x.shape, x.dtype) for x in operands))[0]]


@op(dtype=_own_dtypes, shape=_result_specs)
def _custom_gradient(operands, pair):
    """`custom_gradient` over a flat function."""


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that says itself what its gradient is.

    Args:
        f: function of tensors (or trees of them) that returns a pair: the result, and a function from the gradient of
            the loss with respect to the result to those with respect to the arguments (one, or a tuple of them). It
            may have the signature `grad(*args, upstream=None)`, with the upstream gradient for its only argument.

    Returns:
        A function of the same arguments that returns the result alone.

    Example:
        >>> from keras_fn import ops
        >>> @ops.custom_gradient
        ... def rounded(x):
        ...     return ops.round(x), lambda upstream: upstream
        >>> float(rounded(ops.convert_to_tensor(1.7)))
        2.0
    """
    if not callable(f):
        raise ArgumentTypeError(f"ops.custom_gradient takes a function, and {f!r} came.")

    def with_gradient(*args: Any, **kwargs: Any) -> Any:
        leaves, tree = optree.tree_flatten(args)  # pyright: ignore[reportArgumentType]
        pair = GradientPair(f, tree, kwargs)
        out = _custom_gradient(leaves, pair)
        return optree.tree_unflatten(pair.result[0], out)

    with_gradient.__name__ = getattr(f, "__name__", "with_gradient")
    with_gradient.__doc__ = f.__doc__
    return with_gradient


# --- derivatives along a direction
def _jvp_specs(operands: list[Spec], f: FlatFunction) -> list[Spec]:
    out = f.infer(*operands[: len(operands) // 2])
    return [*out, *(Spec(x.shape, x.dtype) for x in out)]


@op(dtype=_own_dtypes, shape=_jvp_specs)
def _jvp(operands, f):
    """`jvp` over a flat function: the first half of the operands are the primals, the second the tangents."""


def _direction(primal: Any, tangent: Any) -> Any:
    """The tangent in the dtype of its primal."""
    wanted, found = spec_of(primal), spec_of(tangent)
    if not compatible(wanted.shape, found.shape):
        raise ShapeError(
            f"A tangent of ops.jvp has the shape of its primal: {wanted.shape} was expected, and {found.shape} came."
        )
    return tangent if wanted.dtype == found.dtype or not dtypes.is_float(wanted.dtype) else cast(tangent, wanted.dtype)


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """What a function gives, and how fast that changes along a direction: the product of its Jacobian and a vector.

    Computed forwards, beside the function itself. Not on the numpy backend, which has no gradients.

    Args:
        fun: function of tensors (or trees of them).
        primals: tuple or list of its arguments.
        tangents: the direction: a tuple or list like `primals`.
        has_aux: whether `fun` returns a pair whose second part is not to be differentiated.

    Returns:
        A pair `(fun(*primals), tangent)`, with the second part of the pair after these where `has_aux`.

    Raises:
        ArgumentError: where `tangents` is no tree like `primals`.
        ShapeError: where a tangent has another shape than its primal.
        BackendError: where the backend has no gradients.
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise ArgumentTypeError("`primals` and `tangents` of ops.jvp must be tuples or lists of tensors.")
    leaves, tree = optree.tree_flatten(tuple(primals))  # pyright: ignore[reportArgumentType]
    directions, other = optree.tree_flatten(tuple(tangents))  # pyright: ignore[reportArgumentType]
    if tree != other:
        raise ArgumentError(f"`tangents` of ops.jvp must be a tree like `primals` {tree}, not {other}.")

    def accept(found: Any) -> None:
        if has_aux and (found.type is not tuple or found.num_children != 2):
            raise StructureError(f"`fun` of ops.jvp must return (result, aux) where `has_aux`, and returned {found}.")

    flat = FlatFunction(fun, "`fun` of ops.jvp", tree, accept=accept)
    directions = [_direction(x, t) for x, t in zip(leaves, directions, strict=True)]
    found = _call(_jvp, [*leaves, *directions], flat)
    results = flat.result[0]
    half = len(found) // 2
    if not has_aux:
        return optree.tree_unflatten(results, found[:half]), optree.tree_unflatten(results, found[half:])
    out, aux = results.children()
    n = out.num_leaves
    return (
        optree.tree_unflatten(out, found[:n]),
        optree.tree_unflatten(out, found[half : half + n]),
        optree.tree_unflatten(aux, found[n:half]),
    )

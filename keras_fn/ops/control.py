"""Control flow over functions that are written in ops: choices and loops that differentiate and compile.

Every function here takes trees (nested tuples, lists, dicts) of tensors, flattens them, and calls a primitive on a
flat list. Rules that hold on every backend:

- A loop variable keeps its shape and dtype.
- A function may read and write Variables. Under JAX, where a write inside a traced loop would leak a tracer, what is
  written is carried through the loop and rebound after it.
- While a model is built, functions run once on specs, and what they write is dropped. They may not use a KerasTensor
  from outside: it has no value in the loop. Pass it in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import optree

import keras_fn.ops.shape as s
from keras_fn.core import dtypes, shapes
from keras_fn.core import op as core_op
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, DtypeError, GraphError, ShapeError, StructureError
from keras_fn.core.op import DtypeRule, Op, casts, op
from keras_fn.core.spec import Spec
from keras_fn.core.variable import StatelessScope, unwrap
from keras_fn.ops import elementwise as e

__all__ = ["cond", "fori_loop", "map", "scan", "switch", "vectorized_map", "while_loop"]


class _MetSpec(Exception):
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

    def __call__(self, *leaves: Any) -> list[Any]:
        """The result for tensors."""
        backend = active.backend
        out = self._leaves(leaves)
        for i, x in enumerate(out):
            x = unwrap(x)
            if isinstance(x, Spec):
                raise _MetSpec
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
            spec = _spec(x, like)
            if like is not None:
                self._check(i, spec.shape, spec.dtype, like.shape, like.dtype)
                spec = Spec(_common(like.shape, spec.shape), like.dtype)
            out[i] = spec
        return out

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
        if not _compatible(shape, like):
            raise ShapeError(
                f"{self.name} must keep the shapes of what it carries: value {i} came as {like} and was returned as "
                f"{shape}."
            )


def is_symbol(x: Any) -> bool:
    """Whether x is a KerasTensor: a spec that a graph computes."""
    return isinstance(x, core_op.Recording.symbol)


def _is_number(x: Any) -> bool:
    return type(x) in (bool, int, float, complex)


def _spec(x: Any, like: Spec | None = None) -> Spec:
    if isinstance(x, Spec):
        return Spec(x.shape, x.dtype)
    if _is_number(x):
        return Spec((), like.dtype if like is not None else dtypes.result_type(type(x)))
    backend = active.backend
    x = unwrap(x)
    x = x if backend.is_tensor(x) else backend.convert(x, None)
    return Spec(tuple(x.shape), backend.dtype_of(x))


def _compatible(a: shapes.Shape, b: shapes.Shape) -> bool:
    return len(a) == len(b) and all(m == n or m is None or n is None for m, n in zip(a, b, strict=True))


def _common(a: shapes.Shape, b: shapes.Shape) -> shapes.Shape:
    return tuple(m if m == n else None for m, n in zip(a, b, strict=True))


def _call(primitive: Op, operands: Any, *rest: Any) -> list[Any]:
    """The primitive on the operands; by inference where a function turns out to use specs from outside."""
    try:
        return primitive(operands, *rest)
    except _MetSpec:
        many = isinstance(operands, list)
        specs = [_spec(x) for x in (operands if many else [operands])]
        return primitive.infer(active.backend, [specs if many else specs[0], *rest], specs)


_own_dtypes = DtypeRule(("*operands",), lambda *found: (None, None))


# --- choices
def _agreed(results: list[list[Spec]], name: str) -> list[Spec]:
    """What branches agree on, output by output."""
    agreed = []
    for i, specs in enumerate(zip(*results, strict=True)):
        first = specs[0]
        for spec in specs[1:]:
            if spec.dtype != first.dtype or len(spec.shape) != len(first.shape):
                raise StructureError(
                    f"The branches of ops.{name} must return the same: output {i} is {first!r} in one and {spec!r} in "
                    "another. Use `ops.cast` and `ops.reshape`."
                )
            first = Spec(_common(first.shape, spec.shape), first.dtype)
        agreed.append(first)
    return agreed


def _cond_specs(pred: Spec, true_fn: FlatFunction, false_fn: FlatFunction) -> list[Spec]:
    if pred.shape != ():
        raise ShapeError(f"`pred` of ops.cond must be a scalar, not of the shape {pred.shape}. Use ops.where or any.")
    return _agreed([true_fn.infer(), false_fn.infer()], "cond")


@op(dtype=casts("bool", "pred"), shape=_cond_specs)
def _cond(pred, true_fn, false_fn):
    """`cond` over flat functions."""


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """The result of one of two functions.

    Only the function that is chosen runs, except on a KerasTensor when the functions use other KerasTensors: then
    both do, and `ops.where` selects.

    Args:
        pred: bool, or scalar tensor.
        true_fn: called without arguments where `pred` is true.
        false_fn: called without arguments elsewhere; returns the same structure, shapes and dtypes.

    Returns:
        What the function returned.

    Example:
        >>> from keras_fn import ops
        >>> x = ops.convert_to_tensor(3.0)
        >>> float(ops.cond(x > 2.0, lambda: x * 2.0, lambda: x))
        6.0
    """
    result: list[Any] = []
    true = FlatFunction(true_fn, "`true_fn` of ops.cond", result=result)
    false = FlatFunction(false_fn, "`false_fn` of ops.cond", result=result)
    if isinstance(pred, (bool, np.bool_)):
        return true_fn() if pred else false_fn()
    if isinstance(pred, Spec):
        with StatelessScope():
            pair = true._leaves(()), false._leaves(())
        if any(is_symbol(x) for leaves in pair for x in leaves):
            _agreed([[_spec(x) for x in leaves] for leaves in pair], "cond")
            leaves = [e.where(pred, a, b) for a, b in zip(*pair, strict=True)]
            return optree.tree_unflatten(result[0], leaves)
    leaves = _call(_cond, pred, true, false)
    return optree.tree_unflatten(result[0], leaves)


def _switch_specs(operands: list[Spec], branches: list[FlatFunction]) -> list[Spec]:
    if operands[0].shape != () or not dtypes.is_integer(operands[0].dtype):
        raise ShapeError(f"`index` of ops.switch must be a scalar integer, and {operands[0]!r} came.")
    return _agreed([b.infer(*operands[1:]) for b in branches], "switch")


@op(dtype=_own_dtypes, shape=_switch_specs)
def _switch(operands, branches):
    """`switch` over flat functions; the index is the first operand."""


def switch(index: Any, branches: Any, *operands: Any) -> Any:
    """The result of one of several functions, chosen by a number.

    Args:
        index: int, or scalar integer tensor; out of range it is moved to the nearest branch.
        branches: functions of the operands that return equal structures, shapes and dtypes.
        operands: trees of tensors.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.switch(1, [lambda x: x + 1.0, lambda x: x * 10.0], ops.convert_to_tensor(2.0)))
        20.0
    """
    branches = list(branches)
    if not branches:
        raise ArgumentError("ops.switch needs one branch at least, and `branches` is empty.")
    if isinstance(index, (int, np.integer)):
        return branches[min(max(int(index), 0), len(branches) - 1)](*operands)
    leaves, tree = optree.tree_flatten(operands)  # pyright: ignore[reportArgumentType]
    result: list[Any] = []
    flat = [FlatFunction(b, f"branch {i} of ops.switch", tree, result=result) for i, b in enumerate(branches)]
    leaves = _call(_switch, [index, *leaves], flat)
    return optree.tree_unflatten(result[0], leaves)


# --- loops
def _while_specs(operands: list[Spec], condition: FlatFunction, body: FlatFunction, maximum: Any) -> list[Spec]:
    test = condition.infer(*operands)
    if len(test) != 1 or test[0].shape != ():
        raise ShapeError(f"`cond` of ops.while_loop must return one scalar, and it returned {test}.")
    return body.infer(*operands)


@op(dtype=_own_dtypes, shape=_while_specs)
def _while_loop(operands, condition, body, maximum):
    """`while_loop` over flat functions."""


def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """Repeats `loop_vars = body(*loop_vars)` while `cond(*loop_vars)` is true.

    JAX differentiates it forwards only; take `fori_loop` or `scan` where the number of steps is known.

    Args:
        cond: function of the loop variables that returns a scalar bool.
        body: function of the loop variables that returns as many, of the same structure, shapes and dtypes.
        loop_vars: tuple or list of trees of tensors, or one that is neither.
        maximum_iterations: steps after which the loop ends in any case.

    Returns:
        The last loop variables.

    Example:
        >>> from keras_fn import ops
        >>> i, total = ops.while_loop(lambda i, t: i < 4, lambda i, t: (i + 1, t + i), (0, 0))
        >>> int(total)
        6
    """
    many = isinstance(loop_vars, (tuple, list))
    leaves, tree = optree.tree_flatten(tuple(loop_vars) if many else (loop_vars,))  # pyright: ignore[reportArgumentType]

    def step(*args: Any) -> tuple[Any, ...]:
        out = body(*args)
        return tuple(out) if many and isinstance(out, (tuple, list)) else (out,)

    def accept(found: Any) -> None:
        if found != tree:
            raise StructureError(f"`body` of ops.while_loop must return the structure {tree}, and returned {found}.")

    if not callable(body):
        raise ArgumentTypeError(f"`body` of ops.while_loop must be a function, and {body!r} came.")
    flat_cond = FlatFunction(cond, "`cond` of ops.while_loop", tree)
    flat_body = FlatFunction(step, "`body` of ops.while_loop", tree, len(leaves), accept)
    out = optree.tree_unflatten(tree, _call(_while_loop, leaves, flat_cond, flat_body, maximum_iterations))
    return out if many else out[0]


def _scan_specs(
    operands: list[Spec], f: FlatFunction, carried: int, length: int | None, reverse: bool, unroll: Any
) -> list[Spec]:
    for x in operands[carried:]:
        length = x.shape[0] if length is None else length
    out = f.infer(*operands[:carried], *(Spec(x.shape[1:], x.dtype) for x in operands[carried:]))
    return [*out[:carried], *(Spec((length, *y.shape), y.dtype) for y in out[carried:])]


@op(dtype=_own_dtypes, shape=_scan_specs)
def _scan(operands, f, carried, length, reverse, unroll):
    """`scan` over a flat function; the first `carried` operands are the carry, the rest is sliced."""


def scan(
    f: Callable[[Any, Any], Any],
    init: Any = None,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> Any:
    """Runs `carry, y = f(carry, x)` over the slices x of `xs` along the first axis.

    Args:
        f: function of the carry and a slice; returns a pair: the new carry, of the same structure, shapes and dtypes,
            and a tree of results (or None).
        init: the first carry, a tree of tensors.
        xs: tree of tensors of one length in the first axis; None where `length` says how often.
        length: number of steps.
        reverse: from the last slice to the first; results stay in the places of their slices.
        unroll: how many steps a compiler should write out in a row (JAX); True for all.

    Returns:
        A pair: the last carry, and the results stacked along a new first axis.

    Example:
        >>> from keras_fn import ops
        >>> total, sums = ops.scan(lambda c, x: (c + x, c + x), 0.0, ops.convert_to_tensor([1.0, 2.0, 3.0]))
        >>> ops.convert_to_numpy(sums).tolist()
        [1.0, 3.0, 6.0]
    """
    carry, carry_tree = optree.tree_flatten(init)
    slices, slice_tree = optree.tree_flatten(xs)
    length = _scan_length(slices, length)

    def accept(found: Any) -> None:
        if found.type is not tuple or found.num_children != 2:
            raise StructureError(f"`f` of ops.scan must return a pair (carry, result), and returned {found}.")
        if found.child(0) != carry_tree:
            raise StructureError(f"`f` of ops.scan must return a carry like `init` {carry_tree}, not {found.child(0)}.")

    args = optree.treespec_tuple((carry_tree, slice_tree))
    flat = FlatFunction(f, "`f` of ops.scan", args, len(carry), accept)
    rest = (flat, len(carry), length, bool(reverse), unroll)
    if length == 0 and not any(isinstance(x, Spec) for x in carry + slices):
        specs = [_spec(x) for x in carry + slices]
        ys = _scan.infer(active.backend, [specs, *rest], specs)[len(carry) :]
        leaves = [s.convert_to_tensor(x) for x in carry] + [s.zeros(y.shape, y.dtype) for y in ys]
    else:
        leaves = _call(_scan, carry + slices, *rest)
    return optree.tree_unflatten(flat.result[0], leaves)


def _scan_length(slices: list[Any], length: int | None) -> int | None:
    """The number of steps where it is known; checks that all agree."""
    known = set() if length is None else {int(length)}
    for x in slices:
        if not s.ndim(x):
            raise ShapeError("ops.scan goes along the first axis of `xs`, and a scalar has none.")
        n = x.shape[0] if hasattr(x, "shape") else len(x)
        if n is not None:
            known.add(int(n))
    if len(known) > 1:
        raise ShapeError(f"ops.scan needs one length for all of `xs` and `length`, and found {sorted(known)}.")
    if not known and not slices:
        raise ArgumentError("ops.scan needs `xs` or `length` to know how many steps to take.")
    return known.pop() if known else None


def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """Runs `value = body_fun(i, value)` for i from `lower` up to, without, `upper`.

    Where both bounds are Python ints the loop differentiates on every backend.

    Args:
        lower, upper: ints, or scalar integer tensors.
        body_fun: function of the index (a scalar int32 tensor) and the value; keeps structure, shapes and dtypes.
        init_val: tree of tensors.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.fori_loop(0, 3, lambda i, x: x * 2.0, ops.convert_to_tensor(1.0)))
        8.0
    """
    if isinstance(lower, int) and isinstance(upper, int):
        index = s.arange(lower, max(lower, upper), dtype="int32")
        return scan(lambda value, i: (body_fun(i, value), None), init_val, index)[0]
    lower = e.cast(lower, "int32") if not isinstance(lower, int) else lower
    upper = e.cast(upper, "int32") if not isinstance(upper, int) else upper
    step = lambda i, value: (e.add(i, 1), body_fun(i, value))  # noqa: E731
    return while_loop(lambda i, value: e.less(i, upper), step, (lower, init_val))[1]


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """`f` of each slice of `xs` along the first axis, one after another, stacked.

    Args:
        f: function of a tree of slices.
        xs: tree of tensors of one length in the first axis.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.map(lambda x: x * x, ops.convert_to_tensor([1.0, 2.0, 3.0]))).tolist()
        [1.0, 4.0, 9.0]
    """
    return scan(lambda carry, x: (carry, f(x)), (), xs)[1]


def _mapped_specs(operands: list[Spec], f: FlatFunction) -> list[Spec]:
    length = next((x.shape[0] for x in operands if x.shape[0] is not None), None)
    out = f.infer(*(Spec(x.shape[1:], x.dtype) for x in operands))
    return [Spec((length, *y.shape), y.dtype) for y in out]


@op(dtype=_own_dtypes, shape=_mapped_specs)
def _vectorized_map(operands, f):
    """`vectorized_map` over a flat function."""


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """`function` of each slice of `elements` along the first axis, all at once where the framework can.

    Args:
        function: function of a tree of slices; it should not write Variables.
        elements: tree of tensors of one length in the first axis.

    Example:
        >>> from keras_fn import ops
        >>> x = ops.convert_to_tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> ops.convert_to_numpy(ops.vectorized_map(lambda row: ops.sum(row * row), x)).tolist()
        [5.0, 25.0]
    """
    leaves, tree = optree.tree_flatten((elements,))  # pyright: ignore[reportArgumentType]
    if not leaves:
        raise ArgumentError("ops.vectorized_map needs tensors to go along, and `elements` holds none.")
    _scan_length(leaves, None)
    flat = FlatFunction(function, "`function` of ops.vectorized_map", tree)
    leaves = _call(_vectorized_map, leaves, flat)
    return optree.tree_unflatten(flat.result[0], leaves)

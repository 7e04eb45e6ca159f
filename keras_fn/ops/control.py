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
from keras_fn.core import dtypes
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError, StructureError
from keras_fn.core.op import DtypeRule, Op, casts, op
from keras_fn.core.reading import inlined
from keras_fn.core.spec import Spec
from keras_fn.core.variable import StatelessScope
from keras_fn.ops import elementwise as e
from keras_fn.ops.flat_function import FlatFunction, MetSpec, common, is_symbol, spec_of

__all__ = ["cond", "fori_loop", "map", "scan", "switch", "vectorized_map", "while_loop"]


@inlined
def _call(primitive: Op, operands: Any, *rest: Any) -> list[Any]:
    """The primitive on the operands; by inference where a function turns out to use specs from outside."""
    try:
        return primitive(operands, *rest)
    except MetSpec:
        many = isinstance(operands, list)
        specs = [spec_of(x) for x in (operands if many else [operands])]
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
            first = Spec(common(first.shape, spec.shape), first.dtype)
        agreed.append(first)
    return agreed


class _Branch(FlatFunction):
    """One of several functions that share `result`. A compiler runs all of them, and then their results must agree."""

    __slots__ = ()

    @inlined
    def __call__(self, *leaves: Any) -> list[Any]:
        out = super().__call__(*leaves)
        specs = [spec_of(x) for x in out]
        if len(self.result) == 1:
            self.result.append(specs)
        else:
            _agreed([self.result[1], specs], self.name.rpartition(".")[2])
        return out


def _check_pred(pred: Any) -> None:
    if pred is None:
        raise ArgumentTypeError("`pred` of ops.cond must be a bool or a scalar tensor, and None came.")
    if len(getattr(pred, "shape", ())):
        raise ShapeError(
            f"`pred` of ops.cond must be a scalar, not of the shape {tuple(pred.shape)}: it chooses for all elements "
            "together. Take `ops.where` to choose for each, or `ops.any` or `ops.all` to make one of them."
        )


def _cond_specs(pred: Spec, true_fn: FlatFunction, false_fn: FlatFunction) -> list[Spec]:
    return _agreed([true_fn.infer(), false_fn.infer()], "cond")


@op(dtype=casts("bool", "pred"), shape=_cond_specs)
def _cond(pred, true_fn, false_fn):
    """`cond` over flat functions."""


@inlined
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
    true = _Branch(true_fn, "`true_fn` of ops.cond", result=result)
    false = _Branch(false_fn, "`false_fn` of ops.cond", result=result)
    if isinstance(pred, (bool, np.bool_)):
        return true_fn() if pred else false_fn()
    _check_pred(pred)
    if isinstance(pred, Spec):
        with StatelessScope():
            pair = true._leaves(()), false._leaves(())
        if any(is_symbol(x) for leaves in pair for x in leaves):
            _agreed([[spec_of(x) for x in leaves] for leaves in pair], "cond")
            leaves = [e.where(pred, a, b) for a, b in zip(*pair, strict=True)]
            return optree.tree_unflatten(result[0], leaves)
    leaves = _call(_cond, pred, true, false)
    return optree.tree_unflatten(result[0], leaves)


def _check_index(index: Spec) -> None:
    if index.shape != ():
        raise ShapeError(f"`index` of ops.switch must be a scalar, not of the shape {index.shape}: one branch runs.")
    if not dtypes.is_integer(index.dtype):
        raise DtypeError(f"`index` of ops.switch must be an integer, not {index.dtype}. Use ops.cast(x, 'int32').")


def _switch_specs(operands: list[Spec], branches: list[FlatFunction]) -> list[Spec]:
    return _agreed([b.infer(*operands[1:]) for b in branches], "switch")


@op(dtype=_own_dtypes, shape=_switch_specs)
def _switch(operands, branches):
    """`switch` over flat functions; the index is the first operand."""


@inlined
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
    _check_index(spec_of(index))
    leaves, tree = optree.tree_flatten(operands)  # pyright: ignore[reportArgumentType]
    result: list[Any] = []
    flat = [_Branch(b, f"branch {i} of ops.switch", tree, result=result) for i, b in enumerate(branches)]
    leaves = _call(_switch, [index, *leaves], flat)
    return optree.tree_unflatten(result[0], leaves)


# --- loops
def _while_specs(operands: list[Spec], condition: FlatFunction, body: FlatFunction, maximum: Any) -> list[Spec]:
    condition.infer(*operands)
    return body.infer(*operands)


@op(dtype=_own_dtypes, shape=_while_specs)
def _while_loop(operands, condition, body, maximum):
    """`while_loop` over flat functions."""


@inlined
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
    for fn, name in ((cond, "cond"), (body, "body")):
        if not callable(fn):
            raise ArgumentTypeError(f"`{name}` of ops.while_loop must be a function, and {fn!r} came.")
    return _repeated(cond, body, loop_vars, maximum_iterations, "`body` of ops.while_loop")


@inlined
def _repeated(cond: Any, body: Any, loop_vars: Any, maximum: int | None, name: str) -> Any:
    many = isinstance(loop_vars, (tuple, list))
    leaves, tree = optree.tree_flatten(tuple(loop_vars) if many else (loop_vars,))  # pyright: ignore[reportArgumentType]

    def step(*args: Any) -> tuple[Any, ...]:
        out = body(*args)
        return tuple(out) if many and isinstance(out, (tuple, list)) else (out,)

    def test(*args: Any) -> Any:
        out = cond(*args)
        if isinstance(out, (tuple, list, dict)) or len(getattr(out, "shape", ())):
            came = repr(out) if isinstance(out, (tuple, list, dict)) else f"the shape {tuple(out.shape)}"
            raise ShapeError(
                f"`cond` of ops.while_loop must return one scalar, and returned {came}. Take `ops.any` or `ops.all`."
            )
        return out

    def accept(found: Any) -> None:
        if found != tree:
            raise StructureError(f"{name} must return the structure {tree}, and returned {found}.")

    flat_cond = FlatFunction(test, "`cond` of ops.while_loop", tree)
    flat_body = FlatFunction(step, name, tree, len(leaves), accept)
    out = optree.tree_unflatten(tree, _call(_while_loop, leaves, flat_cond, flat_body, maximum))
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


@inlined
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
    if not callable(f):
        raise ArgumentTypeError(f"`f` of ops.scan must be a function, and {f!r} came.")
    if not isinstance(unroll, bool) and (not isinstance(unroll, int) or unroll < 1):
        raise ArgumentError(f"`unroll` of ops.scan must be a number of steps from 1, or a bool, and {unroll!r} came.")
    return _stepped(f, init, xs, length, reverse, unroll, "`f` of ops.scan", "init")


@inlined
def _stepped(
    f: Any, init: Any, xs: Any, length: int | None, reverse: bool, unroll: int | bool, name: str, start: str
) -> Any:
    """`scan` for a function that messages call `name`, whose first carry they call `start`."""
    carry, carry_tree = optree.tree_flatten(init)
    slices, slice_tree = optree.tree_flatten(xs)
    length = _length(slices, length, name)

    def accept(found: Any) -> None:
        if found.type is not tuple or found.num_children != 2:
            raise StructureError(f"{name} must return a pair (carry, result), and returned {found}.")
        if found.child(0) != carry_tree:
            raise StructureError(
                f"{name} must return a carry like `{start}`, of the structure {carry_tree}, not {found.child(0)}."
            )

    args = optree.treespec_tuple((carry_tree, slice_tree))
    flat = FlatFunction(f, name, args, len(carry), accept)
    rest = (flat, len(carry), length, bool(reverse), unroll)
    if length == 0 and not any(isinstance(x, Spec) for x in carry + slices):
        specs = [spec_of(x) for x in carry + slices]
        ys = _scan.infer(active.backend, [specs, *rest], specs)[len(carry) :]
        leaves = [s.convert_to_tensor(x) for x in carry] + [s.zeros(y.shape, y.dtype) for y in ys]
    else:
        leaves = _call(_scan, carry + slices, *rest)
    return optree.tree_unflatten(flat.result[0], leaves)


def _length(slices: list[Any], length: int | None, name: str) -> int | None:
    """The number of steps where it is known; checks that all agree."""
    known = set() if length is None else {int(length)}
    for x in slices:
        if not s.ndim(x):
            raise ShapeError(f"{name} gets slices along the first axis, and a scalar has none.")
        n = x.shape[0] if hasattr(x, "shape") else len(x)
        if n is not None:
            known.add(int(n))
    if len(known) > 1:
        raise ShapeError(f"{name} gets slices along the first axis, of one length in all, and found {sorted(known)}.")
    if not known and not slices:
        raise ArgumentError(f"{name} would run forever: give tensors to go along, or `length` for ops.scan.")
    return known.pop() if known else None


@inlined
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
    name = "`body_fun` of ops.fori_loop"
    if not callable(body_fun):
        raise ArgumentTypeError(f"{name} must be a function, and {body_fun!r} came.")
    if isinstance(lower, int) and isinstance(upper, int):
        index = s.arange(lower, max(lower, upper), dtype="int32")
        one = lambda value, i: (body_fun(i, value), None)  # noqa: E731
        return _stepped(one, init_val, index, None, False, 1, name, "init_val")[0]
    lower = e.cast(lower, "int32") if not isinstance(lower, int) else lower
    upper = e.cast(upper, "int32") if not isinstance(upper, int) else upper
    step = lambda i, value: (e.add(i, 1), body_fun(i, value))  # noqa: E731
    return _repeated(lambda i, value: e.less(i, upper), step, (lower, init_val), None, name)[1]


@inlined
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
    name = "`f` of ops.map"
    if not callable(f):
        raise ArgumentTypeError(f"{name} must be a function, and {f!r} came.")
    return _stepped(lambda carry, x: (carry, f(x)), (), xs, None, False, 1, name, "init")[1]


def _mapped_specs(operands: list[Spec], f: FlatFunction) -> list[Spec]:
    length = next((x.shape[0] for x in operands if x.shape[0] is not None), None)
    out = f.infer(*(Spec(x.shape[1:], x.dtype) for x in operands))
    return [Spec((length, *y.shape), y.dtype) for y in out]


@op(dtype=_own_dtypes, shape=_mapped_specs)
def _vectorized_map(operands, f):
    """`vectorized_map` over a flat function."""


@inlined
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
    flat = FlatFunction(function, "`function` of ops.vectorized_map", tree)
    length = _length(leaves, None, flat.name)
    if length == 0 and not any(isinstance(x, Spec) for x in leaves):  # not every backend has a result to show for it
        specs = [spec_of(x) for x in leaves]
        leaves = [s.zeros(y.shape, y.dtype) for y in _vectorized_map.infer(active.backend, [specs, flat], specs)]
    else:
        leaves = _call(_vectorized_map, leaves, flat)
    return optree.tree_unflatten(flat.result[0], leaves)

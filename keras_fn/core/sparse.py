"""Ops on sparse tensors: reached where an operand is of one of the backend's sparse classes, and by nothing else.

What an op does to sparse operands is a `Rule`, found by the op's name in `keras_fn.ops.sparse`, which is imported when
the first sparse tensor (or spec) meets an op. Tensors and specs go by the same rule, so a model that is being built
knows what will be sparse. An op without a rule is tried by its body, whose ops have rules of their own; a primitive
without one refuses.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

from keras_fn.core import dtypes
from keras_fn.core.backend import active
from keras_fn.core.context import context
from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.core.spec import Spec
from keras_fn.core.variable import Variable

_SCALARS = (bool, int, float, complex)

VALUES = "values"  # the op runs on the stored values; what is not stored stays zero
SPARSE = "sparse"  # a body for sparse tensors, which gives one
DENSE = "dense"  # a body for sparse tensors, which gives a dense one
DENSIFY = "densify"  # operands are made dense first


class Rule(NamedTuple):
    """What an op does to sparse operands.

    Args:
        outcome: told of each operand whether it is sparse: `VALUES`, `SPARSE`, `DENSE`, `DENSIFY`, or None to refuse.
        body: what computes `SPARSE` and `DENSE` results, from the op's arguments.
    """

    outcome: Callable[..., str | None]
    body: Callable[..., Any] | None = None


def is_sparse(x: Any, backend: Any) -> bool:
    """Whether x is a sparse tensor, or the spec of one."""
    return x.__class__ in backend.sparse_classes or (isinstance(x, Spec) and x.sparse)


def check_kinds(backend: Any, sparse: bool, ragged: bool) -> None:
    """Refuses sparse or ragged tensors where the backend has none."""
    if sparse and ragged:
        raise ArgumentError("A tensor is either sparse or ragged: choose one of `sparse=True` and `ragged=True`.")
    for kind, wanted, there in (
        ("sparse", sparse, backend.supports_sparse),
        ("ragged", ragged, backend.supports_ragged),
    ):
        if wanted and not there:
            able = "jax or tensorflow" if kind == "sparse" else "tensorflow"
            raise ArgumentError(
                f"`{kind}=True` is not for the backend {backend.name!r}, which has no {kind} tensors: leave it out, or "
                f"take a backend that has them (KERAS_BACKEND={able})."
            )


def run(op: Any, backend: Any, values: list[Any], operands: list[Any]) -> Any:
    """The result of an op for tensors, sparse ones among them."""
    if context.tape is not None and not context.tape.hidden:
        context.tape.fail("a sparse tensor")  # what is done to one is not noted: the layer stays one step
    flags = [x.__class__ in backend.sparse_classes for x in operands]
    kind, body = _outcome(op, flags, operands)
    if kind == DENSIFY:
        op._replace(values, iter([backend.densify(x) if f else x for x, f in zip(operands, flags, strict=True)]))
        return op(*values)
    if kind == VALUES:
        return backend.map_values(lambda stored: op(*[stored if v is operands[0] else v for v in values]), operands[0])
    op._replace(values, iter(agreed(op, backend, operands)))
    return (body or op.fn)(*values)


def infer(op: Any, backend: Any, values: list[Any], specs: list[Any]) -> Any:
    """The spec of that result."""
    flags = [getattr(s, "sparse", False) for s in specs]
    kind, _ = _outcome(op, flags, specs)
    if kind is None:  # the body's own ops say what becomes of it
        target, _ = op.dtype(tuple(s if s in _SCALARS else s.dtype for s in specs))
        op._replace(values, iter([_cast(s, target) for s in specs]))
        return op.fn(*values)
    # numbers stay numbers: a spec of one would be no weak operand
    dense = [
        Spec(s.shape, s.dtype) if f else x if s in _SCALARS else s
        for x, s, f in zip(op._operands(values), specs, flags, strict=True)
    ]
    op._replace(values, iter(dense))
    out = op.infer(backend, values, dense)
    if kind in (VALUES, SPARSE):
        out.sparse = True
    return out


def _outcome(op: Any, flags: list[bool], operands: list[Any]) -> tuple[str | None, Callable[..., Any] | None]:
    rule = importlib.import_module("keras_fn.ops.sparse").RULES.get(op.name)
    kind = None if rule is None else rule.outcome(*flags)
    if kind is None and (op.shape is not None or rule is not None):
        backend = active.backend
        if all(x.__class__ in backend.row_classes for x, flag in zip(operands, flags, strict=True) if flag):
            return DENSIFY, None
        which = operands[flags.index(True)]
        raise ArgumentTypeError(
            f"ops.{op.name.strip('_')} takes no sparse tensor here, and one of shape {tuple(which.shape)} came. If "
            "there is memory for all its zeros, make it dense first: `ops.convert_to_tensor(x, sparse=False)`."
        )
    return kind, None if rule is None else rule.body


def agreed(op: Any, backend: Any, operands: list[Any]) -> list[Any]:
    """The operands in the dtypes of the op's rule; sparse and ragged ones stay so, and numbers may stay numbers."""
    tensors = [_tensor(x, backend) for x in operands]
    found = tuple(type(x) if type(x) in _SCALARS else backend.dtype_of(x) for x in tensors)
    target, _ = op.dtype(found)
    return [
        _scalar(x, target, op, backend) if f in _SCALARS
        else x if target is None or f == target
        else backend.map_values(lambda v: backend.cast(v, target), x) if x.__class__ in backend.sparse_classes
        else backend.cast(x, target)
        for x, f in zip(tensors, found, strict=True)
    ]  # fmt: skip


def _tensor(x: Any, backend: Any) -> Any:
    if isinstance(x, Variable):
        return x.value
    if backend.is_tensor(x) or type(x) in _SCALARS or x.__class__ in backend.sparse_classes:
        return x
    if x.__class__ in backend.ragged_classes:
        return x
    return backend.convert(x, None)


def _scalar(x: Any, target: str | None, op: Any, backend: Any) -> Any:
    if op.dtype.keeps_scalars:
        return int(x) if type(x) is bool and target != "bool" else x
    return backend.convert(x, target or dtypes.result_type(type(x)))


def _cast(spec: Any, target: str | None) -> Spec:
    if spec in _SCALARS:
        return Spec((), target or dtypes.result_type(spec))
    return spec if target is None or spec.dtype == target else Spec(spec.shape, target, spec.sparse)

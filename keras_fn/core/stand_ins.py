"""Dtypes that a framework does not have, or not for every op, and those that stand in for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_fn.core import trees
from keras_fn.core.errors import KerasFnError, NoKernelError
from keras_fn.core.spec import Spec


def narrowed(tree: Any, narrower: Mapping[str, str]) -> Any:
    """Specs as the backend will hold their tensors, which lacks some dtypes."""
    if isinstance(tree, (list, tuple, dict)):
        return trees.map(lambda s: narrowed(s, narrower), tree)
    if isinstance(tree, Spec) and tree.dtype in narrower:
        return Spec(tree.shape, narrower[tree.dtype], tree.sparse)
    return tree


def run(op: Any, backend: Any, values: list[Any], error: Exception) -> Any:
    """A call of a kernel that failed, once more in dtypes for which there is one; the result is cast back.

    Args:
        op: the op.
        backend: whose kernel it was.
        values: its arguments.
        error: how it failed, which is raised where no dtype is to blame.
    """
    kernel = backend.kernels.get(op.name)
    if kernel is None or isinstance(error, KerasFnError):  # of a composite the kernels within have been tried
        raise error
    operands = op._operands(values)
    found: list[Any] = [backend.dtype_of(x) if backend.is_tensor(x) else None for x in operands]
    rare = sorted({d for d in found if d in backend.stand_ins})
    rare = [d for d in rare if d != "bool"] or rare  # a condition beside them is no number
    if not rare:
        op.infer(backend, list(values), operands)  # where the shapes are to blame, the error of all backends
        raise error
    if op.facts.get("bits") or any(backend.stand_ins[d] is None for d in rare):
        raise NoKernelError(
            f"The backend {backend.name!r} has no kernel of ops.{op.name} for {', '.join(rare)}: {error} "
            "Cast with `ops.cast` first."
        ) from error
    promised = trees.flatten(op.infer(backend, list(values), operands))
    wider = [backend.cast(x, backend.stand_ins[d]) if d in rare else x for x, d in zip(operands, found, strict=True)]
    op._replace(values, iter(wider))
    try:
        out = kernel(*values)
    except backend.missing_kernel:
        raise error from None
    results = [
        x if backend.dtype_of(x) == s.dtype else backend.cast(x, s.dtype)
        for x, s in zip(trees.flatten(out), promised, strict=True)
    ]
    return trees.unflatten(out, results)

"""The ops that files may name: fixed before any file is read.

They are the public ops that take tensors and settings, and the declared ones behind them. Ops that run functions
(loops, branches, maps), and those that leave the graph, are no layers of a file.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from keras_fn.core.op import Op
from keras_fn.core.spec import REGISTRY

_LEAVE = frozenset({"convert_to_numpy", "convert_to_tensor", "is_tensor", "shape", "ndim", "dtype", "device"})
# parameters that take functions
_RUN = frozenset(
    {
        "f", "fn", "func", "function", "body", "body_fun", "fun", "true_fn", "false_fn", "cond", "cond_fun", "branches",
        "func1d", "elementwise_fn", "pyfunc",
    }
)  # fmt: skip


@cache
def public() -> dict[str, Callable[..., Any]]:
    """Name -> public op."""
    ops = importlib.import_module("keras_fn.ops")
    image = {n: getattr(ops.image, n) for n in ops.image.__all__}
    listed = {n: getattr(ops, n) for n in ops.__all__}
    return {
        n: f for n, f in {**image, **listed}.items() if n not in _LEAVE and not n.startswith("_") and _of_tensors(f)
    }


@cache
def declared() -> dict[str, Op]:
    """Name -> op that `@op` declared in this library."""
    public()  # all ops are there then
    ours = {n: op for n, op in REGISTRY.items() if op.__module__.startswith("keras_fn.ops.")}
    named = {n: op for n, op in ours.items() if not n.startswith("_") or n == "_get_item"}
    return {n: op for n, op in named.items() if n not in _LEAVE and _of_tensors(op)}


def _of_tensors(value: Any) -> bool:
    module = getattr(value, "__module__", None) or ""
    if not callable(value) or isinstance(value, type) or not module.startswith("keras_fn."):
        return False
    return not module.startswith("keras_fn.ops.control") and not _RUN & inspect.signature(value).parameters.keys()

"""Group `dtype`: every op with tensors of every dtype, and every pair of dtypes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.testing.conformance.calls import (
    Mismatch,
    apply,
    arrays_of,
    compare,
    facts,
    leaves,
    on_numpy,
    specs,
    tensors,
)
from keras_fn.testing.samples import Sample

# Python numbers beside a tensor are weak: they promote by their kind only
SCALARS: dict[str, Any] = {"py_bool": True, "py_int": 2, "py_float": 1.5}
# each one a rule of its own. Ops that are not plain functions of two numbers are tried in these only: all operands
# are brought to their dtype in one place
QUICK_PAIRS = {("float16", "float32"), ("bfloat16", "float16"), ("int8", "uint8"), ("int32", "float16"),
               ("bool", "int8"), ("int32", "py_float"), ("float16", "py_int"), ("bool", "py_int")}  # fmt: skip
QUICK = ("int32", "bfloat16")


def kinds(sample: Sample, have: list[str]) -> list[str]:
    """The dtypes in which the float tensors of a sample are tried."""
    if sample.grid == "floats":
        return [d for d in have if dtypes.is_float(d)]
    return [d for d in have if d != "bool"] if sample.grid == "numbers" else list(have)


def combinations(sample: Sample, have: list[str], quick: bool) -> Iterator[tuple[str, ...]]:
    """Names of dtypes for the float tensors of a sample's base call: one for all, or one each for the first two."""
    if sample.grid == "none":
        return
    base = arrays_of(sample.calls[0])
    count = sum(a.dtype.kind == "f" for a in base)
    names = kinds(sample, have)
    for name in names:
        if not quick or name in QUICK:
            yield (name,)
    if count < 2 or (quick and not sample.scalars):
        return
    others = [*names, *SCALARS] if sample.scalars else names
    for a in names:
        for b in others:
            if a != b and ((a, b) in QUICK_PAIRS if quick or not sample.scalars else True):
                yield a, b


def check_dtype(sample: Sample, names: tuple[str, ...]) -> None:
    """The result has the dtype that was inferred, and the value that NumPy gives for operands of these dtypes."""
    call = sample.calls[0]
    values = arrays_of(call)
    floating = [i for i, a in enumerate(values) if a.dtype.kind == "f"]
    chosen = dict(zip(floating, names if len(names) > 1 else names * len(floating), strict=False))
    operands: list[Any] = [as_dtype(v, chosen.get(i), sample.nonzero) for i, v in enumerate(values)]
    inferred = [facts(x) for x in leaves(apply(sample, call, specs(operands)))]
    out = leaves(apply(sample, call, tensors(operands)))
    real = [facts(x) for x in out]
    if inferred != real:
        raise Mismatch(f"For operands of {', '.join(names)}, {inferred} was inferred, and {real} came.")
    wanted = on_numpy(sample, call, [_wide(v) for v in operands])
    compare(out, _in_lattice(wanted, real), sample.tolerance * 3)


def _in_lattice(wanted: list[np.ndarray], real: list[Any]) -> list[np.ndarray]:
    """Results that were computed wider, as far as the dtype of the result can say them."""
    return [np.asarray(w, "float64") if dtypes.is_float(name) else w for w, (_, name) in zip(wanted, real, strict=True)]


def _wide(v: Any) -> Any:
    return v.astype("float64") if isinstance(v, np.ndarray) and dtypes.is_float(dtypes.standardize(v.dtype)) else v


def as_dtype(values: np.ndarray, name: str | None, nonzero: bool) -> Any:
    """Values that the dtype can hold, or a Python number."""
    if name is None:
        return values
    if name in SCALARS:
        return SCALARS[name]
    if name == "bool":
        return np.ones(values.shape, bool) if nonzero else np.round(values) % 2 != 0
    if dtypes.is_integer(name):
        whole = np.round(values * 2)
        whole = np.abs(whole) if name.startswith("u") else whole
        return np.where((whole == 0) & nonzero, 1, whole).astype(name)
    import ml_dtypes

    return values.astype(ml_dtypes.bfloat16 if name == "bfloat16" else name)

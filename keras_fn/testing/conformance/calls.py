"""How a sample's call is run on tensors, on specs and by the oracle, and how results are compared."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.backend import Backend, active, using
from keras_fn.core.spec import REGISTRY, Spec
from keras_fn.testing.samples import Call, Sample
from keras_fn.testing.samples.sample import OPEN

# relative and absolute tolerance by dtype, for a few roundings; a sample's `tolerance` is a factor on both
TOLERANCES = {"float64": 1e-8, "float32": 2e-5, "float16": 4e-3, "bfloat16": 3e-2, "complex64": 2e-5,
              "float8_e4m3fn": 1e-6, "float8_e5m2": 1e-6}  # fmt: skip
# the dtypes of the grid; a backend is asked for each whether it has it
GRID = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64")
# dtypes that a call may name as well; whole ops are not tried in them
EIGHT_BITS = ("float8_e4m3fn", "float8_e5m2")


class Mismatch(AssertionError):
    """A backend does not do what an op promises."""


def arrays_of(call: Call) -> list[np.ndarray]:
    """The arrays of a call that stand for tensors: arguments, and elements of lists."""
    found = []
    for a in call.args:
        found.extend(x for x in (a if isinstance(a, list) else [a]) if isinstance(x, np.ndarray))
    return found


def filled(call: Call, values: Sequence[Any]) -> tuple[Any, ...]:
    """The arguments of a call with other values in the place of its arrays."""
    left = iter(values)

    def one(x: Any) -> Any:
        return next(left) if isinstance(x, np.ndarray) else x

    return tuple([one(x) for x in a] if isinstance(a, list) else one(a) for a in call.args)


def apply(sample: Sample, call: Call, values: Sequence[Any]) -> Any:
    """The sample's function with the given values in the place of the call's arrays."""
    return sample.function(*filled(call, values), **call.kwargs)


def tensors(values: Sequence[Any]) -> list[Any]:
    """The arrays as tensors of the active backend, in their own dtypes; Python numbers as they are."""
    convert = active.backend.convert
    return [convert(v, dtypes.standardize(v.dtype)) if isinstance(v, np.ndarray) else v for v in values]


def specs(values: Sequence[Any]) -> list[Any]:
    """The arrays as specs; Python numbers as they are."""
    return [Spec(v.shape, v.dtype) if isinstance(v, np.ndarray) else v for v in values]


def leaves(tree: Any) -> list[Any]:
    """The leaves of nested tuples, lists and dicts, in order."""
    return list(_leaves(tree))


def _leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, dict):
        tree = [tree[k] for k in sorted(tree)]
    if isinstance(tree, (list, tuple)):
        for branch in tree:
            yield from _leaves(branch)
    elif tree is not None:
        yield tree


def facts(x: Any) -> tuple[tuple[Any, ...], str]:
    """Shape and dtype name of a tensor or spec."""
    if isinstance(x, Spec):
        return tuple(x.shape), x.dtype
    backend = active.backend
    if backend.is_tensor(x):
        return tuple(x.shape), backend.dtype_of(x)
    raise Mismatch(f"A tensor should have come out, and {type(x).__name__} came: {x!r}.")


def computed(sample: Sample, call: Call, values: Sequence[Any]) -> list[Any]:
    """The tensors that the call gives on the active backend."""
    with np.errstate(all="ignore"):  # NumPy warns where others do not; the values are compared
        out = leaves(apply(sample, call, tensors(values)))
    for x in out:
        facts(x)
    return out


def numpy_of(x: Any) -> np.ndarray:
    """The values of a tensor, as wide as NumPy can compare them."""
    return wide(np.asarray(active.backend.to_numpy(x)))


def wide(x: np.ndarray) -> np.ndarray:
    """Floats in 64 bits; all else as it is."""
    x = np.asarray(x)
    return x.astype("float64") if dtypes.is_float(dtypes.standardize(x.dtype)) else x


def truth(sample: Sample, call: Call, values: Sequence[Any] | None = None) -> list[np.ndarray]:
    """The right result, in 64 bits."""
    if call.expected is not OPEN:
        return [wide(np.asarray(x)) for x in _expected(call.expected)]
    values = [wide(v) for v in (arrays_of(call) if values is None else values)]
    with np.errstate(all="ignore"):
        oracle = sample.oracle or _named(REGISTRY[sample.op].facts.get("oracle"))
        if oracle is not None:
            return [wide(np.asarray(x)) for x in leaves(oracle(*filled(call, values), **call.kwargs))]
        return on_numpy(sample, call, values)


def _expected(expected: Any) -> list[Any]:
    """An expected result; a list is one tensor, a tuple several."""
    return list(expected) if isinstance(expected, tuple) else [expected]


def on_numpy(sample: Sample, call: Call, values: Sequence[Any]) -> list[np.ndarray]:
    """The call on the NumPy backend."""
    with using("numpy"), np.errstate(all="ignore"):
        return [numpy_of(x) for x in computed(sample, call, values)]


def _named(path: str | None) -> Callable[..., Any] | None:
    if path is None:
        return None
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def compare(got: Sequence[Any], wanted: Sequence[np.ndarray], factor: float = 1.0, zeros: bool = False) -> None:
    """Raises Mismatch where tensors are not as wanted; `zeros` looks at the sign of zeros too."""
    if len(got) != len(wanted):
        raise Mismatch(f"{len(wanted)} tensors were wanted, and {len(got)} came.")
    for i, (x, right) in enumerate(zip(got, wanted, strict=True)):
        shape, name = facts(x)
        found = numpy_of(x)
        if found.shape != right.shape:
            raise Mismatch(f"Result {i} has the shape {found.shape}; {right.shape} was wanted.")
        if shape != found.shape:
            raise Mismatch(f"Result {i} says that its shape is {shape}, and holds {found.shape}.")
        within = TOLERANCES.get(name, 0.0) * factor
        same = equal(found, right, within)
        if zeros and dtypes.is_float(name):
            same = same & ((found != 0) | (right != 0) | (np.signbit(found) == np.signbit(right)))
        if not np.all(same):
            raise Mismatch(_difference(i, found, right, same, within))


def equal(found: np.ndarray, right: np.ndarray, within: float) -> np.ndarray:
    """Where two arrays are equal: NaN with NaN, infinities with their sign, numbers within a tolerance."""
    if not within or right.size == 0 or found.dtype.kind not in "fc":
        return np.asarray(found == right)
    right = right.astype(found.dtype)
    return np.isclose(found, right, rtol=within, atol=within, equal_nan=True)


def _difference(i: int, found: np.ndarray, right: np.ndarray, same: np.ndarray, within: float) -> str:
    at = tuple(int(n) for n in np.argwhere(~np.atleast_1d(same))[0])
    a, b = np.atleast_1d(found)[at], np.atleast_1d(right)[at]
    count = int(np.size(same) - np.count_nonzero(same))
    return (
        f"Result {i} differs in {count} of {np.size(same)} elements, first at {at}: {a!r} came, {b!r} was wanted "
        + (f"(tolerance {within:g})." if within else "(exactly).")
    )


def supported() -> list[str]:
    """The dtypes of the grid that the active backend has: what is converted to one comes out as one."""
    return [name for name in GRID if has(active.backend, name)]


def has(backend: Backend, name: str) -> bool:
    """Whether a backend has a dtype."""
    try:
        x = backend.convert(np.ones(1, "float32"), name)
    except (TypeError, ValueError, RuntimeError, NotImplementedError, KeyError, AttributeError):
        return False  # how a framework says that it lacks a dtype
    return backend.is_tensor(x) and backend.dtype_of(x) == name

"""Groups `gradient` and `second`: derivatives against differences of the op on the NumPy backend in 64 bits.

They are taken in a compiled step, as in training. Where every op that runs at once is compiled by itself, that takes a
third of the time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.core import dtypes
from keras_fn.core.backend import active
from keras_fn.core.gradients import grad
from keras_fn.core.spec import REGISTRY
from keras_fn.core.variable import Variable
from keras_fn.testing.conformance.calls import Mismatch, apply, arrays_of, facts, leaves, on_numpy, supported, tensors
from keras_fn.testing.samples import Call, Sample

Arrays = Sequence[np.ndarray]
# operands of up to so many elements are moved in each of them, larger ones in a few random directions
FEW, DIRECTIONS = 32, 4


def check_gradient(sample: Sample, call: Call) -> None:
    """The gradient of a weighted sum of the results is what finite differences say."""
    loss = WeightedSum(sample, call)
    variables, fn = loss.on_backend()
    found = _in_step(fn, variables)
    _compare(loss, loss, found, step=1e-5, factor=1.0)


def check_second(sample: Sample, call: Call) -> None:
    """The gradient of the slope along a direction, likewise."""
    loss, step = WeightedSum(sample, call), 2e-4
    variables, fn = loss.on_backend()
    direction = {i: _weights(loss.values[i].shape, 7 + i) for i in loss.which}

    def inner() -> Any:
        total: Any = 0.0
        for g, i in zip(grad(fn, variables)(), loss.which, strict=True):
            total = ops.add(total, ops.sum(ops.multiply(g, ops.cast(direction[i].astype("float32"), g.dtype))))
        return total

    def along(at: Arrays) -> float:
        def moved(by: float) -> list[np.ndarray]:
            return [v + by * direction[i] if i in direction else v for i, v in enumerate(at)]

        return (loss(moved(step)) - loss(moved(-step))) / (2 * step)

    _compare(loss, along, _in_step(inner, variables), step, factor=10.0)


def _in_step(fn: Callable[[], Any], variables: list[Variable]) -> list[np.ndarray]:
    """The gradients of `fn`, from a compiled step."""
    return [_host(g) for g in active.backend.compile_step(grad(fn, variables), lambda: variables, "auto")()]


class WeightedSum:
    """The sum of an op's results, each element with a weight of its own, as a function of its operands.

    A complex operand or result counts as real numbers, two an element, in a last axis of their own.

    Args:
        sample: the op.
        call: its operands.
    """

    def __init__(self, sample: Sample, call: Call) -> None:
        arrays = arrays_of(call)
        self.sample, self.call = sample, call
        self.complexes = {i for i, v in enumerate(arrays) if v.dtype.kind == "c"}
        self.values = [_as_reals(v) for v in arrays]
        self.which = [i for i in sample.grad if i < len(arrays) and arrays[i].dtype.kind in "fc"]
        self.weights = [_weights(y.shape, i) for i, y in enumerate(self._results(self.values))]

    def __call__(self, values: Arrays) -> float:
        """The sum on the NumPy backend."""
        pairs = zip(self._results(values), self.weights, strict=True)
        return float(sum((y * w).sum() for y, w in pairs if y.dtype.kind == "f"))

    def _results(self, values: Arrays) -> list[np.ndarray]:
        operands = [v[..., 0] + 1j * v[..., 1] if i in self.complexes else v for i, v in enumerate(values)]
        return [_as_reals(y) for y in on_numpy(self.sample, self.call, operands)]

    def on_backend(self) -> tuple[list[Variable], Callable[[], Any]]:
        """Variables for what is differentiated, and the sum on the active backend, which reads them."""
        precise = "float64" if "float64" in supported() else "float32"
        host = [v.astype(precise) if v.dtype.kind == "f" else v for v in self.values]
        variables = {i: Variable(host[i], dtype=precise, name=f"x{i}") for i in self.which}
        constants = tensors(host)

        def fn() -> Any:
            operands = [variables[i].value if i in variables else c for i, c in enumerate(constants)]
            operands = [ops.view_as_complex(x) if i in self.complexes else x for i, x in enumerate(operands)]
            parts = []
            for y, w in zip(leaves(apply(self.sample, self.call, operands)), self.weights, strict=True):
                name = facts(y)[1]
                if dtypes.is_float(name):
                    parts.append(ops.sum(ops.multiply(y, w.astype(name))))
                elif name in dtypes.COMPLEX:
                    y = ops.view_as_real(y)
                    parts.append(ops.sum(ops.multiply(y, w.astype(facts(y)[1]))))
            return sum(parts[1:], parts[0])

        return list(variables.values()), fn


def _as_reals(v: np.ndarray) -> np.ndarray:
    if v.dtype.kind == "c":
        v = np.stack([np.real(v), np.imag(v)], -1)
    return v.astype("float64") if v.dtype.kind == "f" else v


def _weights(shape: Any, seed: int) -> np.ndarray:
    return np.round(np.random.default_rng(seed).uniform(0.5, 1.5, shape), 2)


def _host(x: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(x), "float64")


def _compare(
    loss: WeightedSum, fn: Callable[[Arrays], float], found: list[np.ndarray], step: float, factor: float
) -> None:
    """Raises Mismatch where gradients do not say how fast a function changes."""
    within = (1e-5 if "float64" in supported() else 5e-4 * max(1.0, loss.sample.tolerance**0.5)) * factor
    for i, gradient in zip(loss.which, found, strict=True):
        shape = loss.values[i].shape
        if gradient.shape != shape:
            raise Mismatch(f"The gradient of operand {i} has the shape {gradient.shape}, and {shape} was wanted.")
        size = gradient.size
        ways = np.eye(size) if size <= FEW else np.random.default_rng(i).normal(size=(DIRECTIONS, size)) / size**0.5
        said = ways @ gradient.reshape(-1)
        slopes = np.array([_slope(fn, loss.values, i, way.reshape(shape), step) for way in ways])
        scale = max(1.0, float(np.max(np.abs(slopes), initial=0.0)))
        if not np.allclose(said, slopes, rtol=within, atol=within * scale):
            what = "is" if size <= FEW else "along some directions is"
            raise Mismatch(
                f"The gradient of operand {i} {what} {said.tolist()}, and differences say {slopes.tolist()}."
            )


def _slope(fn: Callable[[Arrays], float], values: Arrays, which: int, way: np.ndarray, step: float) -> float:
    """How fast a function changes where one array moves in a direction, by a central difference."""
    ahead, behind = ([v + s * step * way if i == which else v for i, v in enumerate(values)] for s in (1, -1))
    return (fn(ahead) - fn(behind)) / (2 * step)


# --- gradients that are other than what differences say, or that belong to numbers drawn anew
def _stopped() -> None:
    x = Variable([1.5, -2.0])
    (found,) = grad(lambda: ops.sum(ops.multiply(x.value, ops.stop_gradient(x.value))), [x])()
    if _host(found).tolist() != [1.5, -2.0]:
        raise Mismatch(f"The gradient of sum(x * stop_gradient(x)) at [1.5, -2] is {_host(found).tolist()}, and not x.")


def _dropped() -> None:
    x = Variable(np.linspace(1.0, 2.0, 40, dtype="float32"))
    seed = ops.convert_to_tensor(np.array([1, 11], "uint32"))
    drop = REGISTRY["random_dropout"]
    (found,) = grad(lambda: ops.sum(drop(seed, x.value, 0.25, (40,))), [x])()
    kept = _host(drop(seed, x.value, 0.25, (40,))) / _host(x.value)
    if not np.allclose(_host(found), kept, rtol=1e-5):
        raise Mismatch(f"The gradient of dropout is {_host(found).tolist()}, and its factors are {kept.tolist()}.")


def _cast(name: str) -> None:
    """To a narrower dtype: differences would show its steps."""
    x = Variable([1.5, -2.0])
    op, factors = REGISTRY[name], np.array([2.0, 0.5], "float16")
    (found,) = grad(lambda: ops.sum(ops.multiply(op(x.value, "float16"), factors)), [x])()
    if facts(found)[1] != "float32" or _host(found).tolist() != [2.0, 0.5]:
        raise Mismatch(f"The gradient of sum(cast(x) * [2, 0.5]) is {_host(found).tolist()} of {facts(found)[1]}.")


OWN: dict[str, Callable[[], None]] = {
    "stop_gradient": _stopped,
    "random_dropout": _dropped,
    **{name: functools.partial(_cast, name) for name in ("_cast", "_saturate_cast", "saturate_cast")},
}

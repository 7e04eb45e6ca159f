"""Groups `gradient` and `second`: derivatives against differences of the op on the NumPy backend in 64 bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.core import dtypes
from keras_fn.core.gradients import grad
from keras_fn.core.variable import Variable
from keras_fn.testing.conformance.calls import Mismatch, apply, arrays_of, facts, leaves, on_numpy, supported, tensors
from keras_fn.testing.samples import Call, Sample

Scalar = Callable[[Sequence[np.ndarray]], float]


def check_gradient(sample: Sample, call: Call) -> None:
    """The gradient of a weighted sum of the results is what finite differences say."""
    values, weights = _prepared(sample, call)
    variables, fn = _weighted(sample, call, values, weights)
    found = [_host(g) for g in grad(fn, variables)()]
    _compare(sample, found, [_slope(_loss(sample, call, weights), values, i, 1e-5) for i in sample.grad], 1.0)


def check_second(sample: Sample, call: Call) -> None:
    """The gradient of a weighted sum of the gradient, likewise."""
    values, weights = _prepared(sample, call)
    variables, fn = _weighted(sample, call, values, weights)
    direction = {i: _weights(values[i].shape, 7 + i) for i in sample.grad}

    def inner() -> Any:
        total: Any = 0.0
        for g, i in zip(grad(fn, variables)(), sample.grad, strict=True):
            total = ops.add(total, ops.sum(ops.multiply(g, ops.cast(direction[i].astype("float32"), g.dtype))))
        return total

    found = [_host(g) for g in grad(inner, variables)()]
    loss, step = _loss(sample, call, weights), 1e-3

    def along(at: Sequence[np.ndarray]) -> float:
        ahead = [v + step * direction[i] if i in direction else v for i, v in enumerate(at)]
        behind = [v - step * direction[i] if i in direction else v for i, v in enumerate(at)]
        return (loss(ahead) - loss(behind)) / (2 * step)

    _compare(sample, found, [_slope(along, values, i, step) for i in sample.grad], 10.0)


def _prepared(sample: Sample, call: Call) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The arrays in 64 bits, and a weight for each element of each result."""
    values = [v.astype("float64") if v.dtype.kind == "f" else v for v in arrays_of(call)]
    return values, [_weights(y.shape, i) for i, y in enumerate(on_numpy(sample, call, values))]


def _weights(shape: Any, seed: int) -> np.ndarray:
    return np.round(np.random.default_rng(seed).uniform(0.5, 1.5, shape), 2)


def _loss(sample: Sample, call: Call, weights: list[np.ndarray]) -> Scalar:
    def loss(values: Sequence[np.ndarray]) -> float:
        results = on_numpy(sample, call, values)
        return float(sum((y * w).sum() for y, w in zip(results, weights, strict=True) if y.dtype.kind == "f"))

    return loss


def _weighted(sample: Sample, call: Call, values: list[np.ndarray], weights: list[np.ndarray]) -> Any:
    """Variables for what is differentiated, and the loss as a function that reads them."""
    precise = "float64" if "float64" in supported() else "float32"
    host = [v.astype(precise) if v.dtype.kind == "f" else v for v in values]
    variables = {i: Variable(host[i], dtype=precise, name=f"x{i}") for i in sample.grad}
    constants = tensors(host)

    def fn() -> Any:
        operands = [variables[i].value if i in variables else c for i, c in enumerate(constants)]
        total: Any = None
        for y, w in zip(leaves(apply(sample, call, operands)), weights, strict=True):
            name = facts(y)[1]
            if dtypes.is_float(name):
                part = ops.sum(ops.multiply(y, w.astype(name)))
                total = part if total is None else ops.add(total, part)
        return total

    return [variables[i] for i in sample.grad], fn


def _slope(loss: Scalar, values: Sequence[np.ndarray], which: int, step: float) -> np.ndarray:
    """The gradient with respect to one array, by central differences."""
    out = np.zeros(values[which].shape)
    for place in np.ndindex(*out.shape):
        pair = []
        for sign in (1, -1):
            moved = list(values)
            moved[which] = values[which].copy()
            moved[which][place] += sign * step
            pair.append(loss(moved))
        out[place] = (pair[0] - pair[1]) / (2 * step)
    return out


def _host(x: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(x), "float64")


def _compare(sample: Sample, found: list[np.ndarray], wanted: list[np.ndarray], factor: float) -> None:
    within = (1e-5 if "float64" in supported() else 5e-4 * max(1.0, sample.tolerance**0.5)) * factor
    for i, a, b in zip(sample.grad, found, wanted, strict=True):
        if a.shape != b.shape:
            raise Mismatch(f"The gradient of operand {i} has the shape {a.shape}, and {b.shape} was wanted.")
        scale = max(1.0, float(np.max(np.abs(b), initial=0.0)))
        if not np.allclose(a, b, rtol=within, atol=within * scale):
            raise Mismatch(f"The gradient of operand {i} is {a.tolist()}, and differences say {b.tolist()}.")

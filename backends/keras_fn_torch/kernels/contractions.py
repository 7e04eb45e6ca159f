"""Sums of products along named axes: one product of two matrices, or elementwise, where the equation says no more."""

from __future__ import annotations

import math
from typing import Any

import torch

from keras_fn.core.reading import remembered
from keras_fn.ops import linear

_EXACT = (torch.float32, torch.float64)


def einsum(operands: Any, subscripts: str) -> Any:
    x = operands[0]
    if x.dtype == torch.bool:
        return torch.einsum(subscripts, *(x.to(torch.int32) for x in operands)) != 0
    if x.device.type == "cpu" and x.dtype in _EXACT and len(operands) == 2:
        axes = _shared_axes(subscripts)
        if axes:
            return torch.sum(x * operands[1], axes)  # as a batch of products of vectors it would take twice as long
    return torch.einsum(subscripts, *operands)


@remembered(maxsize=256)
def _shared_axes(subscripts: str) -> tuple[int, ...]:
    """The axes to sum over, where both operands have the same ones and the result the others, all in one order."""
    inputs, _, output = subscripts.partition("->")
    first, _, second = inputs.partition(",")
    if first != second or "." in subscripts or len(set(first)) < len(first):
        return ()
    summed = tuple(i for i, c in enumerate(first) if c not in output)
    return summed if output == "".join(c for c in first if c in output) else ()


def linear_along(x: Any, weights: Any, bias: Any, equation: str) -> Any:
    count = linear._joined_axes(equation)
    fits = count and x.shape[-count:] == weights.shape[:count] and bias.shape == weights.shape[count:]
    if not fits or not x.is_floating_point() or not x.numel() or not weights.numel():
        return linear._linear_along.fn(x, weights, bias, equation)
    size = math.prod(weights.shape[:count])
    out = torch.addmm(bias.reshape(-1), x.reshape(-1, size), weights.reshape(size, -1))
    return out.view(*x.shape[: x.ndim - count], *weights.shape[count:])


KERNELS: dict[str, Any] = {"_einsum": einsum, "_linear_along": linear_along}

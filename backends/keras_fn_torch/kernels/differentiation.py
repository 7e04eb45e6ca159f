"""Functions with a gradient of their own, and derivatives along a direction."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import forward_ad


class CustomGradient(torch.autograd.Function):
    """A node of the autograd graph whose gradient is the user's."""

    @staticmethod
    def forward(ctx: Any, pair: Any, *operands: Any) -> Any:
        out, ctx.pull = pair(*operands)
        # other tensors than the gradient function may hold: it must not hold what holds it
        return tuple(x.detach() for x in out)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        return (None, *ctx.pull(list(upstream)))


def custom_gradient(operands: list[Any], pair: Any) -> list[Any]:
    return list(CustomGradient.apply(pair, *operands))  # pyright: ignore[reportArgumentType]


def jvp(operands: list[Any], f: Any) -> list[Any]:
    half = len(operands) // 2
    with forward_ad.dual_level():
        pairs = zip(operands[:half], operands[half:], strict=True)
        out = [forward_ad.unpack_dual(x) for x in f(*(forward_ad.make_dual(x, t) for x, t in pairs))]
        tangents = [torch.zeros_like(x.primal) if x.tangent is None else x.tangent for x in out]
        return [*(x.primal for x in out), *tangents]


KERNELS: dict[str, Any] = {"_custom_gradient": custom_gradient, "_jvp": jvp}

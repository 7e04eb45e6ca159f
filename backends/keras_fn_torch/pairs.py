"""Two kernels that follow each other in a plan, as one call with the same bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from keras_fn_torch.kernels import KERNELS

# kernels whose result is new memory that no gradient of theirs reads
_PRODUCTS = {KERNELS[name] for name in ("_linear", "_linear_along", "_conv", "matmul", "add", "batch_normalization")}


def joined(
    first: Callable[..., Any], second: Callable[..., Any], args: list[Any], rest: list[Any], between: Any
) -> Callable[..., Any] | None:
    """See `Backend.joined`."""
    if not all(isinstance(x, torch.Tensor) for x in (args[0], between)):
        return None
    if first is KERNELS["stop_gradient"]:
        return None if args[0].requires_grad else second
    if second is KERNELS["relu"] and first in _PRODUCTS:
        return _relu_in_place(first, between)
    if second is KERNELS["sum"] and getattr(first, "__name__", "") == "cast":
        return _count(args[0], rest, between)
    return None


def _relu_in_place(first: Callable[..., Any], between: torch.Tensor) -> Callable[..., Any] | None:
    """ReLU over what a product gave, where a gradient would not have to follow it through a view."""
    if between.requires_grad and between._is_view():
        return None
    return lambda *args: torch.relu_(first(*args))


def _count(x: torch.Tensor, rest: list[Any], cast: torch.Tensor) -> Callable[..., Any] | None:
    """The sum of bools as numbers: torch casts them itself."""
    if x.dtype != torch.bool or rest != [None, False]:
        return None
    dtype = cast.dtype
    return lambda x, *_: torch.sum(x, dtype=dtype)


__all__ = ["joined"]

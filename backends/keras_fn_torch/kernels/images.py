"""Places between the pixels of images, by torch's sampler; a case that it does not cover runs the composite's body."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch.autograd import forward_ad

from keras_fn.core.spec import REGISTRY

_AROUND = {"constant": "zeros", "nearest": "border"}


def _samples(images: Any, order: int, fill_mode: str, fill_value: Any, *places: Any) -> bool:
    """Whether torch's sampler gives what the body gives, which is differentiable as often as one likes.

    Compiled, the body is one loop.
    """
    zeros = fill_mode == "constant" and isinstance(fill_value, (int, float)) and fill_value == 0
    if order != 1 or not (zeros or fill_mode == "nearest") or not images.numel() or torch.compiler.is_compiling():
        return False
    return all(
        not (x.requires_grad and torch.is_grad_enabled()) and forward_ad.unpack_dual(x).tangent is None
        for x in (images, *places)
    )


def _between(images: Any, down: Any, right: Any, fill_mode: str) -> Any:
    """Images `(batch, channels, height, width)` at places `(batch, rows, columns)`.

    torch counts from -1 to 1 between the outer edges of the outer pixels; in 64 bits, places survive that.
    """
    height, width = images.shape[2:]
    half = torch.tensor([width / 2, height / 2], dtype=torch.float64, device=down.device)
    grid = torch.stack(torch.broadcast_tensors(right, down), -1).double()
    grid = grid.add_(0.5).div_(half).sub_(1)
    grid = grid.expand(len(images), *grid.shape[1:])
    return F.grid_sample(images.double(), grid, "bilinear", _AROUND[fill_mode], False).to(images.dtype)


def sampled(images: Any, down: Any, right: Any, order: int, fill_mode: str, fill_value: Any) -> Any:
    if not _samples(images, order, fill_mode, fill_value, down, right) or down.ndim != 3:
        return REGISTRY["_sampled"].fn(images, down, right, order, fill_mode, fill_value)
    return _between(images.permute(0, 3, 1, 2), down, right, fill_mode).permute(0, 2, 3, 1)


def map_coordinates(inputs: Any, coordinates: Any, order: int, fill_mode: str, fill_value: Any) -> Any:
    plain = inputs.ndim == 2 and inputs.dtype in (torch.float32, torch.float64) and coordinates.numel()
    if not plain or not _samples(inputs, order, fill_mode, fill_value, coordinates):
        return REGISTRY["_map_coordinates"].fn(inputs, coordinates, order, fill_mode, fill_value)
    down, right = (c.reshape(1, len(c), -1) for c in coordinates.to(inputs.dtype))
    return _between(inputs[None, None], down, right, fill_mode).reshape(coordinates.shape[1:])


KERNELS: dict[str, Any] = {"_map_coordinates": map_coordinates, "_sampled": sampled}

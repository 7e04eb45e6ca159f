"""Places between the pixels of images, by torch's sampler; a case that it does not cover runs the composite's body."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch.autograd import forward_ad

from keras_fn.core.spec import REGISTRY
from keras_fn.ops import image_filters

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


def _counted(place: Any, length: int, inner: Any) -> Any:
    """Places along an axis as torch counts them."""
    first = torch.tensor(1 / length - 1, dtype=inner, device=place.device)
    return torch.add(first, place.to(inner), alpha=2 / length)


def _between(images: Any, down: Any, right: Any, fill_mode: str, inner: Any = torch.float64) -> Any:
    """Images `(batch, channels, height, width)` at places `(batch, rows, columns)`.

    torch counts from -1 to 1 between the outer edges of the outer pixels; in 64 bits, places survive that.
    """
    grid = torch.stack(torch.broadcast_tensors(*map(_counted, (right, down), images.shape[:1:-1], (inner, inner))), -1)
    grid = grid.expand(len(images), *grid.shape[1:])
    return F.grid_sample(images.to(inner), grid, "bilinear", _AROUND[fill_mode], False).to(images.dtype)


def sampled(images: Any, down: Any, right: Any, order: int, fill_mode: str, fill_value: Any) -> Any:
    if not _samples(images, order, fill_mode, fill_value, down, right) or down.ndim != 3:
        return REGISTRY["_sampled"].fn(images, down, right, order, fill_mode, fill_value)
    # of small images, 32 bits are enough: a place is wrong by some 1e-7 of the side, about as much as it was before
    small = max(images.shape[1:3]) <= _SMALL and images.dtype == down.dtype == right.dtype == torch.float32
    inner = torch.float32 if small else torch.float64
    return _between(images.permute(0, 3, 1, 2), down, right, fill_mode, inner).permute(0, 2, 3, 1)


_SMALL = 512  # pixels along a side


def map_coordinates(inputs: Any, coordinates: Any, order: int, fill_mode: str, fill_value: Any) -> Any:
    plain = inputs.ndim == 2 and inputs.dtype in (torch.float32, torch.float64) and coordinates.numel()
    if not plain or not _samples(inputs, order, fill_mode, fill_value, coordinates):
        return REGISTRY["_map_coordinates"].fn(inputs, coordinates, order, fill_mode, fill_value)
    down, right = (c.reshape(1, len(c), -1) for c in coordinates.to(inputs.dtype))
    return _between(inputs[None, None], down, right, fill_mode).reshape(coordinates.shape[1:])


def blur(images: Any, kernel_size: Any, sigma: Any, data_format: str) -> Any:
    """Sums of moved images. torch's convolutions of single channels are slower than that on a CPU."""
    known = isinstance(sigma, (tuple, list)) and all(isinstance(x, (int, float)) for x in sigma)
    plain = images.device.type == "cpu" and images.dtype in (torch.float32, torch.float64)
    if not known or not plain or torch.compiler.is_compiling():
        return image_filters._blur.fn(images, kernel_size, sigma, data_format)
    first = images.ndim - (3 if data_format == "channels_last" else 2)
    width = [(size - 1 - (size - 1) // 2, (size - 1) // 2) for size in kernel_size]
    behind = [0, 0] * (images.ndim - first - 2)
    x = F.pad(images, [*behind, *width[1][::-1], *width[0][::-1]])
    for axis, size, share in zip((first, first + 1), kernel_size, sigma, strict=True):
        weights, length = image_filters.bell(size, float(share)).tolist(), x.shape[axis] - size + 1
        moved = [x.narrow(axis, start, length) for start in range(size)]
        x = moved[0] * weights[0]
        for part, weight in zip(moved[1:], weights[1:], strict=True):
            x.add_(part, alpha=weight)
    return x


KERNELS: dict[str, Any] = {"_blur": blur, "_map_coordinates": map_coordinates, "_sampled": sampled}

"""torch's fused kernels for composites; a case that they do not cover runs the composite's body."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from keras_fn.core.errors import ArgumentError
from keras_fn.core.settings import epsilon
from keras_fn.ops import batch_statistics, image_resize, nn


def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: Any, offset: Any, scale: Any, epsilon: float
) -> Any:
    # F.batch_norm takes given statistics for constants: no gradient would flow through those of a batch
    if mean.requires_grad or variance.requires_grad or mean.ndim != 1 or not isinstance(axis, int):
        return nn.batch_normalization.fn(x, mean, variance, axis, offset, scale, epsilon)
    out = F.batch_norm(torch.movedim(x, axis, 1), mean, variance, scale, offset, False, 0.0, epsilon)
    return torch.movedim(out, 1, axis)


def normalize_batch(x: Any, axis: int, offset: Any, scale: Any, epsilon: float) -> Any:
    channels = x.shape[axis] if x.ndim > 1 else 0
    count = x.numel() // channels if channels else 0
    if count < 2 or x.dtype not in (torch.float32, torch.float64):  # F.batch_norm refuses single values
        return batch_statistics._normalize_batch.fn(x, axis, offset, scale, epsilon)
    # running statistics that move all the way become those of the batch, the variance with count - 1 below it
    mean, variance = x.new_zeros(channels), x.new_zeros(channels)
    y = F.batch_norm(torch.movedim(x, axis, 1), mean, variance, scale, offset, True, 1.0, epsilon)
    return torch.movedim(y, 1, axis), mean, variance * ((count - 1) / count)


def _last(x: Any, axes: Any, *weights: Any) -> Any:
    """The shape of x along its last axes, where these are `axes` and all weights have it; else None."""
    shape = x.shape[x.ndim - len(axes) :]
    is_last = axes == tuple(range(x.ndim - len(axes), x.ndim))
    return shape if is_last and all(w is None or w.shape == shape for w in weights) else None


def layer_normalization(x: Any, gamma: Any, beta: Any, axes: Any, epsilon: float) -> Any:
    shape = _last(x, axes, gamma, beta)
    if shape is None:
        return nn._layer_normalization.fn(x, gamma, beta, axes, epsilon)
    return F.layer_norm(x, shape, gamma, beta, epsilon)


def attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any,
    mask: Any,
    scale: float,
    is_causal: bool,
    flash_attention: bool | None,
    soft_cap: float | None,
) -> Any:
    if flash_attention is False or (soft_cap is not None and not flash_attention):
        return nn._attention.fn(query, key, value, bias, mask, scale, is_causal, False, soft_cap)
    if soft_cap is not None:
        raise ArgumentError("flash_attention=True and attn_logits_soft_cap do not go together in torch's kernel.")
    if is_causal and (mask is not None or bias is not None):
        causal = torch.ones(query.shape[1], key.shape[1], dtype=torch.bool, device=query.device).tril()
        mask, is_causal = (causal if mask is None else mask & causal), False
    if mask is not None:
        # a finite number: a row that may look at nothing gets equal weights, as on other backends
        least = -3e4 if query.dtype == torch.float16 else -3e38
        bias = torch.where(mask, 0.0 if bias is None else bias, least).to(query.dtype)
    heads_first = [x.transpose(1, 2) for x in (query, key, value)]
    options: dict[str, Any] = {"attn_mask": bias, "is_causal": is_causal, "scale": scale}
    if query.shape[2] != key.shape[2]:
        options["enable_gqa"] = True
    if not flash_attention:
        return F.scaled_dot_product_attention(*heads_first, **options).transpose(1, 2)
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        try:
            return F.scaled_dot_product_attention(*heads_first, **options).transpose(1, 2)
        except RuntimeError as e:
            raise ArgumentError(f"flash_attention=True was asked for, and torch has no such kernel here: {e}") from e


def gelu(x: Any, approximate: bool) -> Any:
    return F.gelu(x, approximate="tanh" if approximate else "none")


def group_normalization(x: Any, gamma: Any, beta: Any, groups: int, axis: int, epsilon: float) -> Any:
    return torch.movedim(F.group_norm(torch.movedim(x, axis, 1), groups, gamma, beta, epsilon), 1, axis)


def binary_crossentropy(target: Any, output: Any, from_logits: bool) -> Any:
    if target.shape != output.shape or output.dtype not in (torch.float32, torch.float64):
        return nn.binary_crossentropy.fn(target, output, from_logits)
    if from_logits:
        return F.binary_cross_entropy_with_logits(output, target, reduction="none")
    # F.binary_cross_entropy raises where it finds NaN
    p = output.clamp(epsilon(), 1.0 - epsilon())
    return torch.lerp(torch.log1p(-p), p.log(), target).neg()


def linear(x: Any, weights: Any, bias: Any) -> Any:
    return torch.addmm(bias, x, weights) if x.ndim == 2 else F.linear(x, weights.t(), bias)


def class_loss(target: Any, log_p: Any, axis: int) -> Any:
    flat = log_p.ndim == 2 and axis in (1, -1)
    if flat and log_p.device.type == "cpu" and not torch.compiler.is_compiling():
        try:
            return F.nll_loss(log_p, target.long(), reduction="none", ignore_index=-1)
        except IndexError:  # a CPU looks at all targets, and one of them is no class
            pass
    inside = (target >= 0) & (target < log_p.shape[axis])
    if flat:
        return F.nll_loss(log_p, torch.where(inside, target, -1).long(), reduction="none", ignore_index=-1)
    index = torch.where(inside, target, 0).long().unsqueeze(axis)
    return torch.where(inside, -log_p.gather(axis, index).squeeze(axis), 0.0)


# an id that no label has: torch would leave the samples that have it out of the mean
_NEVER = -(2**62)


def mean_class_loss(target: Any, log_p: Any, axis: int) -> Any:
    flat = log_p.ndim == 2 and axis in (1, -1) and log_p.dtype in (torch.float32, torch.float64)
    if flat and log_p.device.type == "cpu" and not torch.compiler.is_compiling():
        try:
            return F.nll_loss(log_p, target.long(), ignore_index=_NEVER)
        except IndexError:  # one of the targets is no class: it gives 0, and counts
            pass
    return torch.mean(class_loss(target, log_p, axis))


def is_likeliest(target: Any, output: Any) -> Any:
    if not output.numel() or target.is_floating_point() or target.dtype == torch.bool:
        return nn._is_likeliest.fn(target, output)
    return torch.eq(target, torch.argmax(output, -1))


def _interpolation(x: Any, size: Any, interpolation: str, antialias: bool) -> dict[str, Any] | None:
    """How torch does it with the same weights; None where it does not. Images have their channels on axis 1.

    torch's plain cubic kernel is another one (a = -0.75), but that of its antialiasing is ours (a = -0.5), and where an
    image grows antialiasing changes nothing.
    """
    grows = all(new >= old for new, old in zip(size, x.shape[2:], strict=True))
    if interpolation == "bilinear" and not antialias and x.is_floating_point():
        return {"mode": "bilinear"}
    if interpolation in ("bilinear", "bicubic") and (antialias or grows) and x.dtype in (torch.float32, torch.float64):
        return {"mode": interpolation, "antialias": True}
    return None


def resize(images: Any, size: Any, interpolation: str, antialias: bool, data_format: str) -> Any:
    x = images if images.ndim == 4 else images.unsqueeze(0)
    x = x.permute(0, 3, 1, 2) if data_format == "channels_last" else x
    how = _interpolation(x, size, interpolation, antialias)
    if how is None:
        return image_resize._resize.fn(images, size, interpolation, antialias, data_format)
    x = F.interpolate(x, size, **how)
    x = x.permute(0, 2, 3, 1) if data_format == "channels_last" else x
    return x if images.ndim == 4 else x.squeeze(0)


KERNELS: dict[str, Any] = {
    "batch_normalization": batch_normalization,
    "_normalize_batch": normalize_batch,
    "_layer_normalization": layer_normalization,
    "_attention": attention,
    "_class_loss": class_loss,
    "_is_likeliest": is_likeliest,
    "_mean_class_loss": mean_class_loss,
    "_group_normalization": group_normalization,
    "_linear": linear,
    "_resize": resize,
    "binary_crossentropy": binary_crossentropy,
    "gelu": gelu,
}

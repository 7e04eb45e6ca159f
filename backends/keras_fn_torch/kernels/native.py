"""Composites that torch has as one function, or that a few of its functions give with less work than their bodies.

What a function of torch does not take (another dtype, a tensor in the place of a number) runs the composite's body.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F

from keras_fn import ops  # noqa: F401  # pyright: ignore[reportUnusedImport]  (its modules declare the ops)
from keras_fn.core.spec import REGISTRY
from keras_fn_torch.kernels.basic import _axes, whole

# composites that torch has under the same name, with the same arguments
SAME = "isneginf isposinf isreal kron log10 log2 reciprocal selu sinc"


def _all_numbers(options: Iterable[Any]) -> bool:
    return all(isinstance(option, (int, float)) for option in options)


def of_floats(name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel for floats, with numbers for its options; all else runs the body."""
    body = REGISTRY[name].fn

    def kernel(x: Any, *options: Any) -> Any:
        return fn(x, *options) if x.is_floating_point() and _all_numbers(options) else body(x, *options)

    return kernel


# --- activations
def threshold(x: Any, border: float, default: float) -> Any:
    return torch.where(x > border, x, default)  # F.threshold would let NaN through


def hard_shrink(x: Any, border: float) -> Any:
    return torch.where(x.abs() > border, x, 0.0)  # F.hardshrink would let NaN through


def hard_sigmoid(x: Any) -> Any:
    return F.relu6(x + 3) / 6  # F.hardsigmoid has no second derivative


def soft_shrink(x: Any, border: float) -> Any:
    return F.softshrink(x, border) if border >= 0 else x - x.clamp(-border, border)


def celu(x: Any, alpha: float) -> Any:
    return torch.celu(x, alpha) if alpha else REGISTRY["celu"].fn(x, alpha)


def sparse_plus(x: Any) -> Any:
    return torch.where(x <= -1, 0.0, torch.where(x < 1, (x + 1).square() * 0.25, x))


# --- numbers
def clip(x: Any, low: Any, high: Any) -> Any:
    limits = [n for n in (low, high) if n is not None]
    numbers = _all_numbers(limits)
    if numbers and x.is_floating_point():
        numbers = all(-6e4 <= n <= 6e4 for n in limits)  # torch raises where a dtype does not reach so far
    if not limits or not (numbers or all(isinstance(n, torch.Tensor) for n in limits)):
        return REGISTRY["clip"].fn(x, low, high)
    return torch.clamp(x, low, high)


def nan_to_num(x: Any, nan: Any, posinf: Any, neginf: Any) -> Any:
    if not x.is_floating_point() or not _all_numbers(n for n in (nan, posinf, neginf) if n is not None):
        return REGISTRY["nan_to_num"].fn(x, nan, posinf, neginf)
    return torch.nan_to_num(x, nan, posinf, neginf)


def trunc(x: Any) -> Any:
    return torch.trunc(x) if x.is_floating_point() else x


def heaviside(x1: Any, x2: Any) -> Any:
    # torch.heaviside has no gradient, and is 0 at NaN
    step = x1.detach().clamp(0, 0).add_(x1 > 0)
    return torch.where(x1 == 0, x2, step)


def nextafter(x1: Any, x2: Any) -> Any:
    if x1.dtype == torch.float16:
        return REGISTRY["nextafter"].fn(x1, x2)
    return torch.nextafter(x1.detach(), x2.detach())  # constant between its steps; torch raises for its gradient


def summed_exponentials(name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel where no gradient is wanted: torch's is NaN at two equal infinities."""
    body = REGISTRY[name].fn

    def kernel(x1: Any, x2: Any) -> Any:
        recorded = torch.is_grad_enabled() and (x1.requires_grad or x2.requires_grad)
        return body(x1, x2) if recorded or not x1.is_floating_point() else fn(x1, x2)

    return kernel


def cbrt(x: Any) -> Any:
    """The root by a power, and one step of Newton's method, as 1/3 is no floating point number."""
    plain = x.isfinite() & (x != 0)
    safe = torch.where(plain, x, 1.0)
    root = safe.abs().pow(1 / 3).copysign(safe)
    return torch.where(plain, root - (root - safe / root.square()) / 3, x)


def isclose(x1: Any, x2: Any, rtol: Any, atol: Any, equal_nan: bool) -> Any:
    if not _all_numbers((rtol, atol)) or min(rtol, atol) < 0:
        return REGISTRY["isclose"].fn(x1, x2, rtol, atol, equal_nan)
    return torch.isclose(x1, x2, rtol, atol, equal_nan)


def allclose(x1: Any, x2: Any, rtol: Any, atol: Any, equal_nan: bool) -> Any:
    return isclose(x1, x2, rtol, atol, equal_nan).all()


def angle(x: Any) -> Any:
    # of reals, torch.angle tells no -0 from 0
    return torch.angle(x) if x.is_complex() else torch.atan2(x.new_zeros(()), x)


def view_as_real(x: Any) -> Any:
    if x.is_complex():
        return torch.view_as_real(x.resolve_conj())
    return REGISTRY["view_as_real"].fn(x)


# --- reductions
def nansum(x: Any, axis: Any, keepdims: bool) -> Any:
    axes = _axes(x, axis)
    if not axes or not x.is_floating_point():
        return REGISTRY["nansum"].fn(x, axis, keepdims)
    return torch.nansum(x, axes, keepdims, dtype=x.dtype)


def nan_extreme(name: str, fn: Callable[..., Any], least: float) -> Callable[..., Any]:
    body = REGISTRY[name].fn

    def kernel(x: Any, axis: Any, keepdims: bool) -> Any:
        axes = _axes(x, axis)
        if not axes or not x.is_floating_point() or not x.numel():
            return body(x, axis, keepdims)
        lost = x.isnan()
        found = fn(torch.where(lost, least, x), axes, keepdims)
        return torch.where(torch.all(lost, axes, keepdims), math.nan, found)

    return kernel


def moments(x: Any, axes: Any, keepdims: bool, synchronized: bool) -> Any:
    dims = _axes(x, axes)
    if not dims:
        return REGISTRY["moments"].fn(x, axes, keepdims, synchronized)
    centre = torch.mean(x, dims, True)
    variance = torch.mean((x - centre).square(), dims, keepdims)  # on a CPU much faster than torch.var_mean
    return (centre if keepdims else centre.squeeze(dims)), variance


# --- matrices
def triangle(name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    body = REGISTRY[name].fn

    def kernel(x: Any, k: Any) -> Any:
        return fn(x, k) if isinstance(k, int) and x.ndim >= 2 else body(x, k)

    return kernel


def diag(x: Any, k: int) -> Any:
    return torch.diag_embed(x, k) if x.ndim == 1 else REGISTRY["diag"].fn(x, k)


def diagflat(x: Any, k: int) -> Any:
    return torch.diag_embed(x.reshape(-1), k)


def cross(x1: Any, x2: Any, axisa: int, axisb: int, axisc: int, axis: int | None) -> Any:
    a, b, c = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    if x1.ndim != x2.ndim or not x1.ndim or not x1.shape[a] == x2.shape[b] == 3:
        return REGISTRY["cross"].fn(x1, x2, axisa, axisb, axisc, axis)
    if a == b == c:
        return torch.linalg.cross(x1, x2, dim=a)
    return torch.linalg.cross(x1.movedim(a, -1), x2.movedim(b, -1), dim=-1).movedim(-1, c)


def corrcoef(x: Any) -> Any:
    # torch.compile cannot capture torch's, which looks at values
    if torch.compiler.is_compiling() or x.is_complex() or not 1 <= x.ndim <= 2 or x.shape[-1] < 2:
        return REGISTRY["corrcoef"].fn(x)
    return torch.corrcoef(x)


def cholesky_inverse(x: Any, upper: bool) -> Any:
    if x.is_complex() or not x.numel():
        return REGISTRY["_cholesky_inverse"].fn(x, upper)
    # the gradient of torch's is not 0 for the other half, which is not read
    return torch.cholesky_inverse(x.triu() if upper else x.tril(), upper=upper)


# --- windows
def unfold(x: Any, size: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    fits = all(n + 2 * p > d * (k - 1) for n, k, d, p in zip(x.shape[2:], size, dilation, padding, strict=True))
    if not x.is_floating_point() or not x.numel() or not fits:
        return REGISTRY["_unfold"].fn(x, size, dilation, padding, stride)
    return F.unfold(x, size, dilation, padding, stride)


def fold(x: Any, output_size: Any, size: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    counts = [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, d, p, s in zip(output_size, size, dilation, padding, stride, strict=True)
    ]
    if not x.is_floating_point() or not x.numel() or x.shape[1] % math.prod(size) or x.shape[2] != math.prod(counts):
        return REGISTRY["_fold"].fn(x, output_size, size, dilation, padding, stride)
    return F.fold(x, output_size, size, dilation, padding, stride)


_ADAPTIVE = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)


def adaptive_average_pool(x: Any, output_size: Any, data_format: str) -> Any:
    # that of maxima stays the body's: torch gives the gradient of equal ones to the first of them
    if not x.is_floating_point() or not x.numel():
        return REGISTRY["_adaptive_average_pool"].fn(x, output_size, data_format)
    fn = _ADAPTIVE[len(output_size) - 1]
    if data_format == "channels_first":
        return fn(x, output_size)
    return fn(x.movedim(-1, 1), output_size).movedim(1, -1)


def where(condition: Any, x1: Any, x2: Any) -> Any:
    is_bool = isinstance(condition, torch.Tensor) and condition.dtype is torch.bool
    return (torch.where if is_bool else REGISTRY["where"].fn)(condition, x1, x2)


KERNELS: dict[str, Any] = {
    "where": where,
    **{name: getattr(torch, name) for name in SAME.split()},
    "celu": of_floats("celu", celu),
    "elu": of_floats("elu", F.elu),
    "hard_shrink": of_floats("hard_shrink", hard_shrink),
    "hard_sigmoid": hard_sigmoid,
    "hard_silu": F.hardswish,
    "hard_tanh": F.hardtanh,
    "leaky_relu": of_floats("leaky_relu", F.leaky_relu),
    "relu6": F.relu6,
    "soft_shrink": of_floats("soft_shrink", soft_shrink),
    "sparse_plus": sparse_plus,
    "threshold": of_floats("threshold", threshold),
    "allclose": allclose,
    "angle": angle,
    "cbrt": cbrt,
    "clip": clip,
    "fmod": whole(torch.fmod),
    "heaviside": heaviside,
    "isclose": isclose,
    "logaddexp": summed_exponentials("logaddexp", torch.logaddexp),
    "logaddexp2": summed_exponentials("logaddexp2", torch.logaddexp2),
    "nan_to_num": nan_to_num,
    "nextafter": nextafter,
    "trunc": trunc,
    "view_as_real": view_as_real,
    "moments": moments,
    "nanmax": nan_extreme("nanmax", torch.amax, -math.inf),
    "nanmin": nan_extreme("nanmin", torch.amin, math.inf),
    "nansum": nansum,
    "corrcoef": corrcoef,
    "cross": cross,
    "diag": diag,
    "diagflat": diagflat,
    "tril": triangle("tril", torch.tril),
    "triu": triangle("triu", torch.triu),
    "_cholesky_inverse": cholesky_inverse,
    "_adaptive_average_pool": adaptive_average_pool,
    "_fold": fold,
    "_unfold": unfold,
}

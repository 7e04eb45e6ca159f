"""Bits, complex numbers and special functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from keras_fn.ops import functions
from keras_fn_torch import host
from keras_fn_torch.arrays import TORCH_DTYPES

# ops that torch has under the same name, with the same arguments
SAME = "hypot exp2 fmax fmin i0 signbit"
WHOLE = "bitwise_and bitwise_or bitwise_xor bitwise_not gcd lcm"  # these by way of int64 where they must
_UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)


def wide(fn: Any) -> Any:
    """A kernel for unsigned integers too, of which torch has little but the name, by way of int64."""

    def kernel(x: Any, *rest: Any) -> Any:
        if x.dtype not in _UNSIGNED:
            return fn(x, *rest)
        return fn(x.long(), *(y.long() if isinstance(y, torch.Tensor) else y for y in rest)).to(x.dtype)

    return kernel


def shift(fn: Any, gone: Any) -> Any:
    """A kernel in which bits that leave are gone.

    torch leaves it open what too many places do. Its own kernels do the same as this, its compiled ones do not.
    """

    def kernel(x: Any, y: Any) -> Any:
        if x.device.type == "cpu" and x.dtype not in _UNSIGNED and not torch.compiler.is_compiling():
            return fn(x, y)
        bits = x.dtype.itemsize * 8
        if x.dtype in _UNSIGNED:
            x_wide, y = x.long(), y.long()
            out = torch.where((y < 0) | (y >= bits), gone(x_wide), fn(x_wide, y.clamp(0, bits - 1)))
            return out.to(x.dtype)
        return torch.where((y < 0) | (y >= bits), gone(x), fn(x, y.clamp(0, bits - 1)))

    return kernel


def view(x: Any, dtype: str) -> Any:
    return x.contiguous().view(TORCH_DTYPES[dtype])


def isin(x1: Any, x2: Any, assume_unique: bool, invert: bool) -> Any:
    if x1.dtype == torch.bool:
        x1, x2 = x1.to(torch.uint8), x2.to(torch.uint8)
    return torch.isin(x1, x2, invert=invert)


def conj(x: Any) -> Any:
    return torch.conj_physical(x)


def ldexp(x1: Any, x2: Any) -> Any:
    """NumPy's, which is exact, where torch multiplies by a power that may overflow."""
    if x1.dtype in (torch.float32, torch.float64) and x2.dtype in (torch.int8, torch.int16, torch.int32):
        number, exponent = host.constant(x1), host.array(x2)
        if number is not None and exponent is not None:
            return torch.from_numpy(np.asarray(np.ldexp(number, exponent)))
    return functions.ldexp.fn(x1, x2)


left_shift = shift(torch.bitwise_left_shift, torch.zeros_like)
right_shift = shift(torch.bitwise_right_shift, lambda x: -(x < 0).to(x.dtype))

KERNELS: dict[str, Any] = {
    **{name: getattr(torch, name) for name in SAME.split()},
    "bitwise_left_shift": left_shift,
    "bitwise_right_shift": right_shift,
    "left_shift": left_shift,
    "right_shift": right_shift,
    **{name: wide(getattr(torch, name)) for name in WHOLE.split()},
    "_real": lambda x: torch.real(x).clone(),
    "_imag": lambda x: torch.imag(x).clone(),
    "_complex": lambda real, imag: torch.complex(*(t.contiguous() for t in torch.broadcast_tensors(real, imag))),
    "conj": conj,
    "_view": view,
    "isin": isin,
    "ldexp": ldexp,
    "copy": torch.clone,
}

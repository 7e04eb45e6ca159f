"""Tensors from and to NumPy; dtypes; the device."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch

from keras_fn.core import dtypes
from keras_fn.core.reading import constant, remembered

TORCH_DTYPES: dict[str, torch.dtype] = {
    name: getattr(torch, name) for name in dtypes.ALL if hasattr(torch, name) and name != "string"
}
# dtypes that NumPy has from ml_dtypes only, and the integers in whose place their bits are handed over
_BITS = {"bfloat16": "int16", "float8_e4m3fn": "uint8", "float8_e5m2": "uint8"}
_BITS_OF = {TORCH_DTYPES[name]: (name, bits) for name, bits in _BITS.items() if name in TORCH_DTYPES}
# what most data comes in: to ask an array for the name of its dtype takes longer than to make a tensor of it
_PLAIN = frozenset(map(np.dtype, ("float32", "int32", "float64", "int64", "bool", "uint8", "float16")))
_CPU = torch.device("cpu")


@remembered(maxsize=1)
def device() -> torch.device:
    """Where new tensors go: $KERAS_TORCH_DEVICE, else the first CUDA device, else the CPU."""
    if name := os.environ.get("KERAS_TORCH_DEVICE"):
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def convert(x: Any, dtype: str | None) -> torch.Tensor:
    """A tensor from an array, number, nested list or tensor; shares memory with an array where it can."""
    if isinstance(x, torch.Tensor):
        return x if dtype is None else cast(x, dtype)
    if dtype == "float8_e4m3fn":
        return cast(convert(x, None), dtype)
    if torch.compiler.is_dynamo_compiling() and not isinstance(x, (bool, int, float, complex)):
        return _convert_while_tracing(x, dtype)
    if dtype is None and (isinstance(x, (int, float)) or not hasattr(x, "dtype")):
        kind = _kind(x)
        dtype = dtypes.floatx() if kind == "f" else "int32" if kind == "i" else None
    target = None if dtype is None else TORCH_DTYPES[dtype]
    if isinstance(x, (bool, int, float, complex)):
        return torch.tensor(x, dtype=target, device=device())
    if isinstance(x, (list, tuple)) and any(isinstance(e, torch.Tensor) for e in x):
        return torch.stack([convert(e, dtype) for e in x])
    array = np.asarray(x)
    if array.dtype not in _PLAIN:
        if array.dtype.name in _BITS:
            own = TORCH_DTYPES[array.dtype.name]
            return torch.from_numpy(array.view(_BITS[array.dtype.name]).copy()).view(own).to(device(), target or own)
        if array.dtype.kind in "OUS":
            raise dtypes.DtypeError(
                f"torch has no tensors of text or objects, and an array of dtype {array.dtype} came."
            )
    if not _fits(array):
        array = array.copy()
    tensor, place = torch.from_numpy(array), device()
    return tensor if target is None and place == _CPU else tensor.to(place, target)


def _fits(array: np.ndarray) -> bool:
    """Whether torch can lay a tensor over the memory of an array: it writes, and walks forwards only."""
    return array.flags.writeable and min(array.strides, default=0) >= 0


def takes_in_place(array: Any) -> bool:
    """Whether `convert` makes no copy of an array."""
    return isinstance(array, np.ndarray) and array.dtype in _PLAIN and _fits(array) and device() == _CPU


def scalar(number: Any, dtype: str) -> torch.Tensor:
    """What `convert` makes of a Python number, in half the time."""
    if dtype != "float8_e4m3fn":
        try:
            return torch.scalar_tensor(number, dtype=TORCH_DTYPES[dtype], device=device())
        except (RuntimeError, OverflowError):  # `convert` takes a few more, or says what is wrong
            pass
    return convert(number, dtype)


def _convert_while_tracing(x: Any, dtype: str | None) -> torch.Tensor:
    """As `convert`, where torch.compile reads the code: arrays are tensors to it, without flags and strides."""
    if isinstance(x, (list, tuple)) and any(isinstance(e, torch.Tensor) for e in x):
        return torch.stack([convert(e, dtype) for e in x])
    if not isinstance(x, np.ndarray):
        x = _host_array(x, dtypes.floatx())
    tensor = torch.as_tensor(x, device=device())
    return tensor if dtype is None else cast(tensor, dtype)


@constant
def _host_array(x: Any, floatx: str) -> np.ndarray:
    """Numbers in nested lists as an array of the dtype that `convert` would give them."""
    array = np.asarray(x)
    if hasattr(x, "dtype") or array.dtype.kind not in "if":
        return array
    return array.astype(floatx if array.dtype.kind == "f" else "int32")


def cast(x: torch.Tensor, dtype: str) -> torch.Tensor:
    """The tensor in another dtype. What float8_e4m3fn cannot hold is NaN there; torch would take the largest number."""
    target = TORCH_DTYPES[dtype]
    if target in _WHOLE and x.is_floating_point():
        return _rounded(x, target)
    if dtype == "float8_e4m3fn" and x.dtype != target:
        x = x.to(torch.float32)
        x = torch.where(x.abs() > _E4M3FN_BORDER, torch.nan, x)
    return x.to(target)


_WHOLE = frozenset((torch.int8, torch.uint8, torch.int16, torch.uint16, torch.int32, torch.int64))


def _rounded(x: torch.Tensor, target: torch.dtype) -> torch.Tensor:
    """Floats as integers; what they cannot hold becomes the nearest that they can, and NaN 0.

    A processor gives the lowest number for it, if it does not do this itself: so it is enough to look for that one.
    """
    limits = torch.iinfo(target)
    if x.device.type == "cpu" and not torch.compiler.is_compiling():
        wide = x.to(torch.int64 if target == torch.int64 else torch.int32)
        if not x.numel() or int(wide.amin()) > torch.iinfo(wide.dtype).min:
            return wide if wide.dtype == target else wide.clamp_(limits.min, limits.max).to(target)
    x = x.float() if x.dtype.itemsize < 4 else x
    inside = torch.where((x > limits.min - 1.0) & (x < limits.max + 1.0), x, 0).to(target)
    return torch.where(x <= limits.min, limits.min, torch.where(x >= limits.max, limits.max, inside))


_E4M3FN_BORDER = 464.0  # half way from the largest number, 448, to what would be the next


def _kind(x: Any) -> str:
    if isinstance(x, bool):
        return "b"
    if isinstance(x, (int, float)):
        return "i" if isinstance(x, int) else "f"
    if isinstance(x, (list, tuple)) and any(isinstance(e, torch.Tensor) for e in x):
        return "t"
    return np.asarray(x).dtype.kind


def to_numpy(x: torch.Tensor) -> Any:
    """The values as a NumPy array."""
    x = x.detach()
    if x.dtype in _BITS_OF:
        import ml_dtypes

        name, bits = _BITS_OF[x.dtype]
        return x.cpu().contiguous().view(TORCH_DTYPES[bits]).numpy().view(getattr(ml_dtypes, name))
    return x.numpy(force=True)  # also where it stands for zeros, or for a conjugate

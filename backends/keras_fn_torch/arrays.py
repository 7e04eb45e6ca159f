"""Tensors from and to NumPy; dtypes; the device."""

from __future__ import annotations

import functools
import os
from typing import Any

import numpy as np
import torch

from keras_fn.core import dtypes

TORCH_DTYPES: dict[str, torch.dtype] = {
    name: getattr(torch, name) for name in dtypes.ALL if hasattr(torch, name) and name != "string"
}


@functools.cache
def device() -> torch.device:
    """Where new tensors go: $KERAS_TORCH_DEVICE, else the first CUDA device, else the CPU."""
    if name := os.environ.get("KERAS_TORCH_DEVICE"):
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def convert(x: Any, dtype: str | None) -> torch.Tensor:
    """A tensor from an array, number, nested list or tensor; shares memory with an array where it can."""
    if isinstance(x, torch.Tensor):
        return x if dtype is None else x.to(TORCH_DTYPES[dtype])
    if dtype is None and not hasattr(x, "dtype"):
        kind = _kind(x)
        dtype = dtypes.floatx() if kind == "f" else "int32" if kind == "i" else None
    target = None if dtype is None else TORCH_DTYPES[dtype]
    if isinstance(x, (bool, int, float, complex)):
        return torch.tensor(x, dtype=target, device=device())
    if isinstance(x, (list, tuple)) and any(isinstance(e, torch.Tensor) for e in x):
        return torch.stack([convert(e, dtype) for e in x])
    array = np.asarray(x)
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view("int16").copy()).view(torch.bfloat16).to(device(), target or torch.bfloat16)
    if array.dtype.kind in "OUS":
        raise dtypes.DtypeError(f"torch has no tensors of text or objects, and an array of dtype {array.dtype} came.")
    if not array.flags.writeable or any(s < 0 for s in array.strides):
        array = array.copy()
    return torch.from_numpy(array).to(device(), target)


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
    if x.dtype == torch.bfloat16:
        import ml_dtypes

        return x.cpu().contiguous().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return x.numpy(force=True)  # also where it stands for zeros, or for a conjugate

"""Tensors in the memory of the host, as NumPy sees them: it sorts by vectors, where torch goes one by one."""

from __future__ import annotations

import numpy as np
import torch
from torch.autograd import forward_ad


def array(x: torch.Tensor) -> np.ndarray | None:
    """The memory of a tensor as an array; None where it lies elsewhere, or where somebody records what is done."""
    if x.device.type != "cpu" or torch.compiler.is_compiling() or torch.jit.is_tracing():
        return None
    try:
        return x.detach().numpy()
    except (RuntimeError, TypeError):  # it is wrapped by a transformation, or NumPy lacks its dtype
        return None


def constant(x: torch.Tensor) -> np.ndarray | None:
    """`array`, where no gradient goes through the tensor."""
    if (x.requires_grad and torch.is_grad_enabled()) or forward_ad.unpack_dual(x).tangent is not None:
        return None
    return array(x)


# dtypes that NumPy sorts by vectors, and from how many elements on it is the faster one
_SORTED, _MANY = frozenset((torch.float32, torch.float64, torch.int32, torch.int64)), 512


def sortable(x: torch.Tensor) -> bool:
    """Whether NumPy sorts a tensor faster than torch, if it sees it."""
    return x.dtype in _SORTED and x.numel() >= _MANY and x.ndim > 0

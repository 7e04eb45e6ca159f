"""What sliding windows see, as strided slices of the whole tensor: one for each place in a window."""

from __future__ import annotations

import itertools
from typing import Any

import jax
from jax import lax

from keras_fn.core import windows


def on_cpu() -> bool:
    """Whether programs run on a CPU."""
    return jax.default_backend() == "cpu"


def slices(x: Any, size: Any, strides: Any, padding: str, dilation: Any, fill: Any) -> list[Any]:
    """For each place in a window, the tensor of what lies there in all windows; channels last."""
    spans = [windows.span(k, d) for k, d in zip(size, dilation, strict=True)]
    pads = lax.padtype_to_pads(x.shape[1:-1], spans, strides, padding.upper())
    if any(low or high for low, high in pads):
        x = lax.pad(x, fill, [(0, 0, 0), *((low, high, 0) for low, high in pads), (0, 0, 0)])
    counts = [max(0, (d - k) // s + 1) for d, k, s in zip(x.shape[1:-1], spans, strides, strict=True)]
    found = []
    for place in itertools.product(*(range(k) for k in size)):
        start = [p * d for p, d in zip(place, dilation, strict=True)]
        stop = [b + (c - 1) * s + 1 if c else b for b, c, s in zip(start, counts, strides, strict=True)]
        limits = (x.shape[0], *stop, x.shape[-1])
        found.append(lax.slice(x, (0, *start, 0), limits, (1, *strides, 1)))
    return found

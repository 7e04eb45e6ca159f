"""Composites as one program each.

Called eagerly, the body of a composite is a dozen kernels that XLA runs one by one, each with its own pass over memory;
compiled as a whole it is one or two. Bodies stand here that read no settings, look at no values, and are called
eagerly on large tensors; inside of a program that is being traced they run as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from jax.core import Tracer

from keras_fn import ops  # noqa: F401  # pyright: ignore[reportUnusedImport]  (its modules declare the ops)
from keras_fn.core.op import Op
from keras_fn.core.spec import REGISTRY

NAMES = (
    "_affine _blur _ctc_loss _framed_signal _group_normalization _hsv_to_rgb _layer_normalization "
    "_map_coordinates _resize _rgb_to_grayscale _rgb_to_hsv _rms_normalization _ssim _unframed_signal "
    "batch_normalization beam_search gelu mean moments silu std var"
).split()


def fused(op: Op) -> Callable[..., Any]:
    """A kernel that compiles the body of a composite, once for each set of shapes and options."""
    tensors = frozenset(op.params.index(name) for name in op.dtype.params)
    options = tuple(i for i in range(len(op.params)) if i not in tensors)
    program = jax.jit(op.fn, static_argnums=options)

    def kernel(*values: Any) -> Any:
        if any(isinstance(v, Tracer) for v in values) or not all(_is_plain(values[i]) for i in options):
            return op.fn(*values)
        return program(*values)

    return kernel


def _is_plain(option: Any) -> bool:
    """Whether an option can be told from another by comparing them: no tensor, no list."""
    if isinstance(option, tuple):
        return all(_is_plain(o) for o in option)
    return option is None or isinstance(option, (bool, int, float, str))


KERNELS: dict[str, Any] = {name: fused(REGISTRY[name]) for name in NAMES}

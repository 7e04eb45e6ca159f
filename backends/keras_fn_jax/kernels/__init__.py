"""Kernels by op name."""

from __future__ import annotations

from keras_fn_jax.kernels import (
    basic,
    contractions,
    control,
    conv,
    differentiation,
    elements,
    fused,
    linalg,
    normalized,
    places,
    pool,
    random,
    rnn,
    signal,
    special,
)

KERNELS = {
    **special.KERNELS,
    **differentiation.KERNELS,
    **basic.KERNELS,
    **contractions.KERNELS,
    **control.KERNELS,
    **conv.KERNELS,
    **elements.KERNELS,
    **fused.KERNELS,
    **linalg.KERNELS,
    **normalized.KERNELS,
    **places.KERNELS,
    **pool.KERNELS,
    **random.KERNELS,
    **rnn.KERNELS,
    **signal.KERNELS,
}

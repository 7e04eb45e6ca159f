"""Kernels by op name."""

from __future__ import annotations

from keras_fn_tensorflow.kernels import (
    basic,
    control,
    conv,
    differentiation,
    elements,
    images,
    linalg,
    native,
    places,
    random,
    sequences,
    signal,
    special,
)

KERNELS = {
    **special.KERNELS,
    **differentiation.KERNELS,
    **basic.KERNELS,
    **control.KERNELS,
    **conv.KERNELS,
    **elements.KERNELS,
    **images.KERNELS,
    **linalg.KERNELS,
    **places.KERNELS,
    **random.KERNELS,
    **sequences.KERNELS,
    **signal.KERNELS,
    **native.KERNELS,
}

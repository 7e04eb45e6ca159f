"""Kernels by op name."""

from __future__ import annotations

from keras_fn_tensorflow.kernels import (
    basic,
    control,
    conv,
    differentiation,
    elements,
    elementwise,
    images,
    linalg,
    native,
    places,
    random,
    rnn,
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
    **elementwise.KERNELS,
    **images.KERNELS,
    **linalg.KERNELS,
    **places.KERNELS,
    **random.KERNELS,
    **rnn.KERNELS,
    **sequences.KERNELS,
    **signal.KERNELS,
    **native.KERNELS,
}

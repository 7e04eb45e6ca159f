"""Kernels by op name."""

from __future__ import annotations

from keras_fn_tensorflow.kernels import (
    basic,
    control,
    conv,
    differentiation,
    elements,
    linalg,
    nn,
    places,
    random,
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
    **linalg.KERNELS,
    **nn.KERNELS,
    **places.KERNELS,
    **random.KERNELS,
    **signal.KERNELS,
}

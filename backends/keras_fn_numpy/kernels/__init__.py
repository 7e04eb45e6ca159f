"""Kernels by op name."""

from __future__ import annotations

from keras_fn_numpy.kernels import (
    basic,
    control,
    conv,
    differentiation,
    elements,
    error_functions,
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
    **error_functions.KERNELS,
    **linalg.KERNELS,
    **nn.KERNELS,
    **places.KERNELS,
    **random.KERNELS,
    **signal.KERNELS,
}

"""Kernels by op name."""

from __future__ import annotations

from keras_fn_numpy.kernels import (
    basic,
    control,
    conv,
    ctc,
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
    **ctc.KERNELS,
    **elements.KERNELS,
    **error_functions.KERNELS,
    **linalg.KERNELS,
    **nn.KERNELS,
    **places.KERNELS,
    **random.KERNELS,
    **signal.KERNELS,
}

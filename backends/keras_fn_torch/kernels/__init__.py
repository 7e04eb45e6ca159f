"""Kernels by op name."""

from __future__ import annotations

from keras_fn_torch.kernels import (
    basic,
    control,
    conv,
    differentiation,
    elements,
    linalg,
    nn,
    optimizers,
    places,
    random,
    rnn,
    signal,
    special,
)
from keras_fn_torch.step import gradients

KERNELS = {
    **special.KERNELS,
    **differentiation.KERNELS,
    **basic.KERNELS,
    **control.KERNELS,
    **conv.KERNELS,
    **elements.KERNELS,
    **linalg.KERNELS,
    **nn.KERNELS,
    **optimizers.KERNELS,
    **places.KERNELS,
    **random.KERNELS,
    **rnn.KERNELS,
    **signal.KERNELS,
    "gradients": gradients,
}

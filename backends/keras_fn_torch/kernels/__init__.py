"""Kernels by op name."""

from __future__ import annotations

from keras_fn_torch.kernels import (
    basic,
    contractions,
    control,
    conv,
    ctc,
    differentiation,
    elements,
    images,
    linalg,
    native,
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
    **contractions.KERNELS,
    **control.KERNELS,
    **conv.KERNELS,
    **ctc.KERNELS,
    **elements.KERNELS,
    **images.KERNELS,
    **linalg.KERNELS,
    **native.KERNELS,
    **nn.KERNELS,
    **optimizers.KERNELS,
    **places.KERNELS,
    **random.KERNELS,
    **rnn.KERNELS,
    **signal.KERNELS,
    "gradients": gradients,
}

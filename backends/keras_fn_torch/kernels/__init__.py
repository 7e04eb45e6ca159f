"""Kernels by op name."""

from __future__ import annotations

from keras_fn_torch.kernels import basic, control, conv, nn, optimizers, random, rnn

KERNELS = {
    **basic.KERNELS,
    **conv.KERNELS,
    **nn.KERNELS,
    **control.KERNELS,
    **random.KERNELS,
    **rnn.KERNELS,
    **optimizers.KERNELS,
}

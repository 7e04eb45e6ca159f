"""Kernels by op name."""

from __future__ import annotations

from keras_fn_tensorflow.kernels import basic, control, conv, nn, random

KERNELS = {**basic.KERNELS, **conv.KERNELS, **nn.KERNELS, **control.KERNELS, **random.KERNELS}

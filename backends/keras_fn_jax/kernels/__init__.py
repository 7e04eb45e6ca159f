"""Kernels by op name."""

from __future__ import annotations

from keras_fn_jax.kernels import basic, control, conv, random

KERNELS = {**basic.KERNELS, **conv.KERNELS, **control.KERNELS, **random.KERNELS}

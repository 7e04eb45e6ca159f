"""Kernels by op name."""

from __future__ import annotations

from keras_fn_tensorflow.kernels import basic

KERNELS = {**basic.KERNELS}

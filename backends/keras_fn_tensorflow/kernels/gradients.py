"""Kernels of TensorFlow that lack a gradient, or have another one than the function that they compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def with_gradient_of(body: Callable[..., Any], kernel: Callable[..., Any], *tensors: Any) -> Any:
    """`kernel(*tensors)`, with the gradient of `body(*tensors)`, which computes the same in differentiable steps."""

    @tf.custom_gradient
    def run(*tensors: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(tensors)
                out = body(*tensors)
            return tape.gradient(out, tensors, upstream)

        return kernel(*tensors), gradient

    return run(*tensors)

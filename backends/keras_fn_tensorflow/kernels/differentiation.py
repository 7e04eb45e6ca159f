"""Functions with a gradient of their own, and derivatives along a direction."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_fn_tensorflow.kernels.gradients import forward_mode, with_gradient


def custom_gradient(operands: list[Any], pair: Any) -> list[Any]:
    def run(*values: Any) -> Any:
        out, pull = pair(*values)
        return tuple(out), lambda *upstream: pull(list(upstream))

    return list(with_gradient(run, *operands))


def jvp(operands: list[Any], f: Any) -> list[Any]:
    half = len(operands) // 2
    # constants are the same to the accumulator when they are the same tensor, so each gets a node of its own
    values = [tf.identity(x) for x in operands[:half]]
    with forward_mode(), tf.autodiff.ForwardAccumulator(values, operands[half:]) as accumulator:
        out = f(*values)
    return [*out, *(accumulator.jvp(x, unconnected_gradients="zero") for x in out)]


KERNELS: dict[str, Any] = {"_custom_gradient": custom_gradient, "_jvp": jvp}

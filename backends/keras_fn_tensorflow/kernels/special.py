"""TensorFlow's special functions."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def erfinv(x: Any) -> Any:
    if x.dtype in (tf.float16, tf.bfloat16):  # TensorFlow has it for 32 and 64 bits
        return tf.cast(tf.math.erfinv(tf.cast(x, tf.float32)), x.dtype)
    return tf.math.erfinv(x)


KERNELS: dict[str, Any] = {"erfc": tf.math.erfc, "erfinv": erfinv}

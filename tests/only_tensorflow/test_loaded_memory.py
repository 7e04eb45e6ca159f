"""Large arrays of files are read once: TensorFlow takes over the memory that they were read into."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from keras_fn.core.backend import active
from keras_fn.saving.aligned import empty


def test_the_memory_is_taken_over() -> None:
    for shape, dtype in (((300, 200), "float32"), ((70_001,), "float16"), ((2**17,), "bool")):
        array = empty(shape, dtype)
        array[...] = 1
        found = active.backend.adopt(array)
        array[...] = 0
        assert found.dtype == dtype and not bool(tf.reduce_any(tf.cast(found, tf.bool)))


def test_other_memory_is_copied() -> None:
    raw = np.zeros(2**16 + 1, "float32")
    array = raw[1:] if raw.ctypes.data % 64 == 0 else raw[:-1]
    found = active.backend.adopt(array)
    array[...] = 1
    assert not bool(tf.reduce_any(found != 0))

"""Large arrays of files are read once: JAX takes over the memory that they were read into."""

from __future__ import annotations

from keras_fn.core.backend import active
from keras_fn.saving.aligned import empty


def test_the_memory_is_taken_over() -> None:
    for shape, dtype in (((300, 200), "float32"), ((70_001,), "float16"), ((2**17,), "bool")):
        array = empty(shape, dtype)
        array[...] = 1
        found = active.backend.adopt(array)
        assert found.unsafe_buffer_pointer() == array.ctypes.data
        assert found.dtype == dtype and bool((found == 1).all())

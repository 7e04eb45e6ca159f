"""Variables and layers as TensorFlow knows them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class TensorFlowVariable:
    """Any TensorFlow function takes a Variable in the place of a tensor, and a GradientTape watches and accepts it."""

    _should_act_as_resource_variable = True  # makes GradientTape.gradient look at `handle`

    @property
    def handle(self) -> Any:
        """The resource that the tape knows the variable by."""
        return self._cell.handle  # type: ignore[attr-defined]

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        return tf.convert_to_tensor(self.value, dtype=dtype, name=name)  # type: ignore[attr-defined]


class TensorFlowLayer(tf.Module):
    """A Layer is a tf.Module. Attributes stay what they were: nothing is wrapped to track it."""

    # tf.Module's is read-only; a Layer sets its own
    name = ""  # pyright: ignore[reportAssignmentType]

    def __init__(self) -> None:
        object.__init__(self)

    def _init_framework(self) -> None:
        """tf.Module keeps no state of its own that a Layer lacks."""

    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__

"""`LearningRateSchedule`: the learning rate as a function of the step."""

from __future__ import annotations

from typing import Any, ClassVar

from keras_fn import ops
from keras_fn.core.arguments import Checked


class LearningRateSchedule(Checked):
    """Base of the schedules. Subclass it and write `__call__(step)` in ops, and `get_config`.

    Example:
        >>> import keras_fn
        >>> class Halving(keras_fn.optimizers.schedules.LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return keras_fn.ops.power(0.5, keras_fn.ops.cast(step, "float32"))
        ...     def get_config(self):
        ...         return {}
        >>> float(Halving()(2))
        0.25
    """

    # constructor arguments, each kept under its own name
    fields: ClassVar[tuple[str, ...]] = ()

    def __call__(self, step: Any) -> Any:
        """The rate at a step.

        Args:
            step: number of steps done before, a scalar.
        """
        raise NotImplementedError(f"{type(self).__name__} must have a method `__call__(self, step)`.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        if not self.fields:
            raise NotImplementedError(f"{type(self).__name__} must have a method `get_config(self)`.")
        return {name: getattr(self, name) for name in self.fields}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        """A schedule from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.fields)
        return f"{type(self).__name__}({arguments})"


def as_float(step: Any) -> Any:
    """The step as a float32 scalar."""
    return ops.cast(step, "float32")

"""`Constraint`: a projection of weights."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.arguments import Checked


class Constraint(Checked):
    """Base of the constraints. Subclass it and write `__call__(w)`, which gives the weights that are allowed.

    Example:
        >>> import keras_fn
        >>> class Clip(keras_fn.constraints.Constraint):
        ...     def __call__(self, w):
        ...         return keras_fn.ops.clip(w, -1.0, 1.0)
        >>> keras_fn.ops.convert_to_numpy(Clip()([0.5, 3.0])).tolist()
        [0.5, 1.0]
    """

    def __call__(self, w: Any) -> Any:
        """The weights, changed to fit."""
        raise NotImplementedError(f"{type(self).__name__} must have a method `__call__(self, w)`.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constraint:
        """A constraint from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


def norm(w: Any, axis: Any) -> Any:
    """The Euclidean norm along axes, which stay with length 1."""
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


# added to divisors, against division by 0
EPSILON = 1e-7

"""`Initializer`: what gives a variable its first values."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.core import dtypes, shapes
from keras_fn.core.arguments import Checked
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.tape import is_own

# dtypes that NumPy has no own type for are drawn in float32 and cast by the backend
_HOST_DTYPES = {name: "float32" for name in dtypes.FLOATS if name not in ("float16", "float32", "float64")}


class Initializer(Checked):
    """Base of the initializers. Subclass it and write `draw`, or `__call__` to make the values with ops.

    `initializer(shape, dtype)` gives a tensor of the active backend. The values come from the host (`draw`, which gives
    a NumPy array), so they are bit-equal on every backend, and a Variable takes them from `draw` without a detour.

    Example:
        >>> import keras_fn
        >>> class Diagonal(keras_fn.initializers.Initializer):
        ...     def draw(self, shape, dtype=None):
        ...         return keras_fn.initializers.host_dtype(dtype).type(3) * np.eye(*shape, dtype="float32")
        >>> keras_fn.Variable(Diagonal(), shape=(2, 2)).numpy().tolist()
        [[3.0, 0.0], [0.0, 3.0]]
    """

    _kf_fresh = False  # whether nobody else holds what `draw` gives

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._kf_fresh = is_own(cls)
        if "__call__" in cls.__dict__ and "draw" not in cls.__dict__:
            cls.draw = None  # type: ignore[assignment]  # the values come from its own __call__

    def draw(self, shape: Any, dtype: Any = None) -> np.ndarray:
        """The values as a NumPy array.

        Args:
            shape: tuple of ints.
            dtype: dtype name; None for the default float. A dtype that NumPy lacks (bfloat16, float8) comes as float32.
        """
        raise NotImplementedError(f"{type(self).__name__} must have a method `draw(self, shape, dtype=None)`.")

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """The values as a tensor of the active backend.

        Args:
            shape: tuple of ints.
            dtype: dtype name; None for the default float.
        """
        from keras_fn import ops

        dtype = dtypes.standardize(dtype)
        return ops.convert_to_tensor(self.draw(shape, dtype), dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """A new initializer from what `get_config` gave."""
        return cls(**config)

    def clone(self) -> Initializer:
        """A new initializer of the same config. Where the seed was None, it has a seed of its own."""
        return type(self).from_config(self.get_config())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


def host_dtype(dtype: Any) -> np.dtype:
    """The NumPy dtype in which values for a variable of `dtype` are made."""
    name = dtypes.standardize(dtype)
    if name == "string":
        raise ArgumentError("There are no initial values of the dtype 'string'. Take a number dtype or 'bool'.")
    return np.dtype(_HOST_DTYPES.get(name, name))


def known_shape(shape: Any) -> tuple[int, ...]:
    """The shape as a tuple of ints.

    Raises:
        ShapeError: where a dimension is unknown.
    """
    shape = shapes.standardize(shape)
    if None in shape:
        raise ShapeError(f"Initial values need a fully known shape, and {shape} came.")
    return shape

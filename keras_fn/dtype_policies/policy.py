"""`DTypePolicy`: the dtype that a layer computes in, and the one that it keeps its weights in."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.backend import active
from keras_fn.core.errors import DtypeError, closest
from keras_fn.core.spec import Spec

MIXED = {"mixed_float16": ("float16", "float32"), "mixed_bfloat16": ("bfloat16", "float32")}


class DTypePolicy:
    """The dtypes of a layer.

    Args:
        name: a dtype name, or `mixed_float16` / `mixed_bfloat16`: computing in 16 bits, weights in 32. Source:
            Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740. None for the default float.

    Attributes:
        name: the name.
        compute_dtype: what inputs and weights are cast to for a call.
        variable_dtype: what weights are kept in.

    Example:
        >>> import keras_fn
        >>> policy = keras_fn.DTypePolicy("mixed_bfloat16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('bfloat16', 'float32')
    """

    quantization_mode: str | None = None

    def __init__(self, name: str | None = None) -> None:
        name = dtypes.floatx() if name is None else name
        if not isinstance(name, str):
            name = dtypes.standardize(name)
        if name in MIXED:
            self.compute_dtype, self.variable_dtype = MIXED[name]
        elif name.startswith("mixed"):
            raise DtypeError(
                f"Unknown dtype policy {name!r}.{closest(name, MIXED)} The mixed ones are {', '.join(MIXED)}."
            )
        else:
            self.compute_dtype = self.variable_dtype = dtypes.standardize(name)
        self.name = name

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """An argument of a layer's call as the layer sees it.

        Args:
            x: tensor, array, spec, or anything else, which stays as it is.
            autocast: whether floats are cast.
            dtype: dtype name that they are cast to.
        """
        dtype = dtypes.standardize(dtype)
        backend = active.backend
        if isinstance(x, Spec):
            return Spec(x.shape, dtype, x.sparse) if autocast and dtypes.is_float(x.dtype) else x
        if hasattr(x, "__array__") and not backend.is_tensor(x):
            x = backend.convert(x, None)
        if not backend.is_tensor(x):
            return x
        found = backend.dtype_of(x)
        return backend.cast(x, dtype) if autocast and dtypes.is_float(found) and found != dtype else x

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """The policy of a config."""
        return cls(**config)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DTypePolicy) and type(other) is type(self) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self.name}">'


FloatDTypePolicy = DTypePolicy

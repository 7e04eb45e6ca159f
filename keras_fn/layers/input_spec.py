"""`InputSpec`: what a layer demands of its input."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes, trees
from keras_fn.core.errors import DtypeError, ShapeError, StructureError


class InputSpec:
    """Rank, dtype, and lengths of some axes that an input must have.

    Args:
        dtype: dtype name.
        shape: shape, None for axes of any length.
        ndim, max_ndim, min_ndim: number of dimensions.
        axes: axis -> length.
        allow_last_axis_squeeze: whether a last axis of length 1 may be missing or added.
        name: name of the input.
        optional: whether it may be None.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = None if dtype is None else dtypes.standardize(dtype)
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return dict(self.__dict__)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """The spec of a config."""
        return cls(**config)

    def __repr__(self) -> str:
        said = ", ".join(f"{k}={v}" for k, v in self.__dict__.items() if v not in (None, {}, False))
        return f"InputSpec({said})"

    def problem(self, x: Any) -> str | None:
        """What is wrong with an input, or None."""
        if x is None:
            return None if self.optional else "a tensor is needed, and None came"
        shape = tuple(x.shape)
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim and not (self.allow_last_axis_squeeze and self._squeezes(shape)):
            return f"{self.ndim} dimensions are needed, and {rank} came"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"{self.max_ndim} dimensions at most are taken, and {rank} came"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"{self.min_ndim} dimensions at least are needed, and {rank} came"
        for axis, length in self.axes.items():
            if -rank <= axis < rank and length is not None and shape[axis] not in (length, None):
                return f"axis {axis} must have length {length}, and it has {shape[axis]}"
        if self.shape is not None and rank == self.ndim:
            for axis, (want, got) in enumerate(zip(self.shape, shape, strict=True)):
                if None not in (want, got) and want != got:
                    return f"the shape {_text(self.shape)} is needed: axis {axis} has length {got}"
        return None

    def _squeezes(self, shape: tuple[Any, ...]) -> bool:
        if self.shape is None:
            return False
        if len(shape) == len(self.shape) + 1:
            return shape[-1] == 1
        return len(shape) + 1 == len(self.shape) and self.shape[-1] == 1


def _text(shape: tuple[Any, ...]) -> str:
    return str(tuple(shape))


def check_inputs(spec: Any, inputs: Any, layer: Any) -> None:
    """Checks the inputs of a layer against its `input_spec`.

    Raises:
        ShapeError: naming the layer, what was expected and what came.
    """
    specs = trees.flatten(spec) if not isinstance(spec, InputSpec) else [spec]
    found = trees.flatten(inputs)
    if isinstance(spec, dict) and isinstance(inputs, dict):
        found = [inputs.get(k) for k in spec]
    if len(found) != len(specs):
        raise StructureError(f"Layer {layer.name!r} takes {len(specs)} inputs, and {len(found)} came.")
    for s, x in zip(specs, found, strict=True):
        if s is None:
            continue
        problem = s.problem(x)
        if problem is None and s.dtype is not None and x is not None and dtypes.standardize(x.dtype) != s.dtype:
            raise DtypeError(
                f"Layer {layer.name!r} ({type(layer).__name__}) needs an input of dtype {s.dtype}, and {x.dtype} came."
            )
        if problem:
            where = f" for the input {s.name!r}" if s.name else ""
            came = None if x is None else _text(x.shape)
            raise ShapeError(
                f"Layer {layer.name!r} ({type(layer).__name__}) does not take the shape {came}"
                f"{where}: {problem}."
            )

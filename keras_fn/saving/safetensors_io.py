"""Weights in safetensors files: plain arrays by name, which other tools read and which cannot hold code.

The names are those of the `.weights.h5` format: `layers/dense/vars/0`.
"""

from __future__ import annotations

import importlib
import pathlib
import warnings
from typing import Any

from keras_fn.core.errors import ArgumentError, FileFormatError, ShapeError
from keras_fn.core.variable import Variable
from keras_fn.saving.walk import walk


def _numpy_side() -> Any:
    try:
        return importlib.import_module("safetensors.numpy"), importlib.import_module("safetensors")
    except ImportError as e:
        raise ArgumentError("`.safetensors` files need the package safetensors: pip install safetensors.") from e


def _named(model: Any) -> dict[str, Variable]:
    """Each weight once, under the path of the layer that holds it."""
    from keras_fn.layers.base import Layer

    found: dict[str, Variable] = {}
    for path, owner in walk(model):
        if isinstance(owner, Layer):
            prefix = f"{path}/vars" if path else "vars"
            found |= {f"{prefix}/{i}": v for i, v in enumerate(owner._kf_saved())}
    return found


def save_safetensors(model: Any, path: pathlib.Path) -> None:
    """Writes the weights, without the optimizer's state."""
    arrays, _ = _numpy_side()
    values = {name: v.numpy() for name, v in _named(model).items()}
    arrays.save_file({k: v.copy(order="C") for k, v in values.items()}, path, metadata={"format": "keras"})


def load_safetensors(model: Any, path: pathlib.Path, skip_mismatch: bool = False) -> None:
    """Reads the weights, after all names and shapes were compared."""
    _, package = _numpy_side()
    named = _named(model)
    try:
        with package.safe_open(path, framework="numpy") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            problems = [f"{n!r} is not in the file" for n in named if n not in shapes]
            problems += [
                f"{n!r} ({v.path}) is {v.shape} in the model and {shapes[n]} in the file"
                for n, v in named.items()
                if n in shapes and shapes[n] != tuple(v.shape)
            ]
            problems += [f"{n!r} of the file is not in the model" for n in shapes if n not in named]
            if problems and not skip_mismatch:
                shown = "\n  ".join(problems[:8])
                raise ShapeError(f"{path} does not fit the model {model.name!r}; no weight was changed:\n  {shown}")
            for text in problems:
                warnings.warn(f"Skipped: {text}.", stacklevel=4)
            for name, v in named.items():
                if shapes.get(name) == tuple(v.shape):
                    v.assign(file.get_tensor(name))
    except package.SafetensorError as e:
        raise FileFormatError(f"{path} is no whole safetensors file: {e}") from e

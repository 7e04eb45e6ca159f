"""Weights in safetensors files: plain arrays by name, which other tools read and which cannot hold code.

The names are those of the `.weights.h5` format (`layers/dense/vars/0`), or what a name map makes of them.
"""

from __future__ import annotations

import importlib
import pathlib
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np

from keras_fn.core.errors import ArgumentError, MissingPackageError
from keras_fn.core.variable import Variable
from keras_fn.saving.plan import LoadReport, Plan
from keras_fn.saving.safetensors_reader import Array, open_safetensors
from keras_fn.saving.walk import walk


def _numpy_side() -> Any:
    try:
        return importlib.import_module("safetensors.numpy"), importlib.import_module("safetensors")
    except ImportError as e:
        raise MissingPackageError("`.safetensors` files need the package safetensors: pip install safetensors.") from e


def _named(model: Any, name_map: Mapping[str, str] | Callable[[str], str | None] | None) -> dict[str, Variable]:
    """Each weight once, under the path of the layer that holds it, or what the map says."""
    from keras_fn.layers.base import Layer

    renamed = name_map.get if isinstance(name_map, Mapping) else name_map
    found: dict[str, Variable] = {}
    for path, owner in walk(model):
        if not isinstance(owner, Layer):
            continue
        for i, v in enumerate(owner._kf_saved()):
            name = f"{path}/vars/{i}" if path else f"vars/{i}"
            if renamed is not None:
                name = renamed(name) or renamed(v.path) or name
            if name in found:
                raise ArgumentError(
                    f"`name_map` gives {found[name].path!r} and {v.path!r} the same name {name!r}. Names in a file "
                    "must be unique."
                )
            found[name] = v
    return found


def save_safetensors(model: Any, file: BinaryIO, name_map: Any = None) -> None:
    """Writes the weights, without the optimizer's state."""
    arrays, _ = _numpy_side()
    values = {name: np.asarray(v.numpy(), order="C") for name, v in _named(model, name_map).items()}
    file.write(arrays.save(values, metadata={"format": "keras"}))


def _read_into(variable: Variable, array: Array) -> None:
    variable.assign(array.read())


def load_safetensors(model: Any, path: pathlib.Path, skip_mismatch: bool = False, name_map: Any = None) -> LoadReport:
    """Reads the weights, after all names and shapes were compared."""
    named = _named(model, name_map)
    plan = Plan(str(path))
    with open_safetensors(path) as held:
        for name, v in named.items():
            if name in held:
                plan.pair(name, v, held[name])
            else:
                plan.problem(f"{name!r} ({v.path}) is not in the file.", [v])
        left = [name for name in held if name not in named]
        if left:
            plan.problem(f"The model has no weight {', '.join(map(repr, left[:8]))}, which the file holds.", (), left)
        return plan.finish(model, skip_mismatch, _read_into)

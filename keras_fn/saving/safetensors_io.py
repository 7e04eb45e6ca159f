"""Weights in safetensors files: plain arrays by name, which other tools read and which cannot hold code.

The names are those of the `.weights.h5` format (`layers/dense/vars/0`), or what a name map makes of them.
"""

from __future__ import annotations

import json
import math
import pathlib
import struct
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np

from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.core.variable import Variable
from keras_fn.saving.aligned import give
from keras_fn.saving.checksums import Ledger
from keras_fn.saving.plan import LoadReport, Plan, memory_for
from keras_fn.saving.safetensors_reader import DTYPES, NOTES, Array, open_safetensors
from keras_fn.saving.walk import walk

_CODES = {dtype.name: code for code, dtype in DTYPES.items()}

def named(model: Any, name_map: Mapping[str, str] | Callable[[str], str | None] | None = None) -> dict[str, Variable]:
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
            if name == NOTES:
                raise ArgumentError(f"`name_map` gives {v.path!r} the name {NOTES!r}, which is that of a file's notes.")
            found[name] = v
    return found


def save_safetensors(model: Any, file: BinaryIO, name_map: Any = None) -> None:
    """Writes the weights, array by array, without the optimizer's state, and their check sums among the notes.

    The header, which holds the check sums, is written last, into room that is left for it.
    """
    variables = named(model, name_map)
    # values of many bytes first, so that all lie at multiples of their size
    order = sorted(variables.items(), key=lambda item: (-_dtype(item[1]).itemsize, item[0]))
    entries, ledger, at = {}, Ledger(), 0
    for name, v in order:
        shape = [int(d) for d in v.shape]
        end = at + math.prod(shape) * _dtype(v).itemsize
        entries[name] = {"dtype": _CODES[v.dtype], "shape": shape, "data_offsets": [at, end]}
        ledger.reserve(name, shape, v.dtype)
        at = end
    size = len(_header(entries, ledger))
    file.seek(size)
    for name, v in order:
        _write_values(file, name, v, ledger)
    file.seek(0)
    file.write(_header(entries, ledger, size))


def _write_values(file: BinaryIO, name: str, v: Variable, ledger: Ledger) -> None:
    """Writes one array; a function of its own, so that its copy is gone before the next one is made."""
    array = np.ascontiguousarray(v.numpy(), _dtype(v)).reshape(v.shape)
    ledger.note(name, array, v.dtype)
    file.write(array.reshape(-1).view(np.uint8).data)


def _dtype(v: Variable) -> np.dtype[Any]:
    if v.dtype not in _CODES:
        raise ArgumentTypeError(
            f"The dtype {v.dtype} of {v.path!r} is none of safetensors files, which know {', '.join(_CODES)}. Save to "
            "a path that ends in `.weights.h5`."
        )
    return DTYPES[_CODES[v.dtype]]


def _header(entries: dict[str, Any], ledger: Ledger, size: int = 0) -> bytes:
    """The header with its length; filled up to a size, or so that values begin at a multiple of 8."""
    notes = {"format": "keras", **ledger.notes()}
    text = json.dumps({NOTES: notes, **entries}, separators=(",", ":")).encode()
    text += b" " * (size - 8 - len(text) if size else -len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def _read_into(variable: Variable, array: Array) -> None:
    memory = memory_for(variable, array.dtype.name)
    if memory is not None:
        array.read_into(memory)
    else:
        give(variable, array.read())


def load_safetensors(model: Any, path: pathlib.Path, skip_mismatch: bool = False, name_map: Any = None) -> LoadReport:
    """Reads the weights, after all names and shapes were compared."""
    variables = named(model, name_map)
    plan = Plan(str(path))
    with open_safetensors(path) as held:
        for name, v in variables.items():
            if name in held:
                plan.pair(name, v, held[name])
            else:
                plan.problem(f"{name!r} ({v.path}) is not in the file.", [v])
        left = [name for name in held if name not in variables]
        if left:
            plan.problem(f"The model has no weight {', '.join(map(repr, left[:8]))}, which the file holds.", (), left)
        return plan.finish(model, skip_mismatch, _read_into)

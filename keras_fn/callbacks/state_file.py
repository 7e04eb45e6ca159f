"""Plain data and arrays in one file: what backups are written to. No pickle: reading it cannot run code.

The file is an `.npz` archive, so each array has a check sum. Its member `tree` is JSON text in which `{"array": 3, …}`
stands for the member `a3`.
"""

from __future__ import annotations

import json
import pathlib
import struct
import zipfile
import zlib
from typing import Any

import ml_dtypes
import numpy as np

from keras_fn.core.atomic import new_file
from keras_fn.core.errors import ArgumentTypeError, FileFormatError

# floats that NumPy's files do not know are stored as the integers of their bits
_EXTRA = {n: np.dtype(getattr(ml_dtypes, n)) for n in ("bfloat16", "float8_e4m3fn", "float8_e5m2")}
# what reading an archive of which bytes changed raises: sizes, places, names and methods that are none
_DAMAGE = (
    ValueError, LookupError, TypeError, EOFError, OSError, RuntimeError, MemoryError, OverflowError, SyntaxError,
    struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_PLAIN = (bool, int, float, str, type(None))


def write_state_file(path: pathlib.Path, tree: dict[str, Any]) -> None:
    """Writes dicts with names for keys, lists, numbers, text and arrays; whole, or not at all."""
    arrays: list[np.ndarray] = []
    text = json.dumps(_packed(tree, arrays, "")).encode()
    with new_file(path) as file:
        members = {f"a{i}": a for i, a in enumerate(arrays)}
        np.savez(file, tree=np.frombuffer(text, "uint8"), **members)  # type: ignore[arg-type]


def _packed(value: Any, arrays: list[np.ndarray], where: str) -> Any:
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise ArgumentTypeError(f"State is kept under names, and {where or 'it'} has the key {key!r}.")
        return {"dict": {k: _packed(v, arrays, f"{where}.{k}") for k, v in value.items()}}
    if isinstance(value, (list, tuple)):
        return [_packed(v, arrays, f"{where}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, np.ndarray) and (value.dtype.kind in "biufc" or value.dtype.name in _EXTRA):
        name = value.dtype.name
        arrays.append(value.view(f"u{value.dtype.itemsize}") if name in _EXTRA else value)
        return {"array": len(arrays) - 1, "dtype": name}
    raise ArgumentTypeError(
        f"State must be made of dicts, lists, numbers, text and arrays of numbers; {where.lstrip('.')} is a "
        f"{type(value).__name__}."
    )


def read_state_file(path: pathlib.Path) -> dict[str, Any]:
    """What `write_state_file` wrote.

    Raises:
        FileFormatError: where the file is damaged.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            text = bytes(file["tree"])
            arrays = [file[f"a{i}"] for i in range(len(file.files) - 1)]
        return _unpacked(json.loads(text), arrays)
    except _DAMAGE as e:
        raise FileFormatError(f"{path} is damaged: {e}") from e


def _unpacked(value: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_unpacked(v, arrays) for v in value]
    if not isinstance(value, dict):
        return value
    if "dict" in value:
        return {k: _unpacked(v, arrays) for k, v in value["dict"].items()}
    array, name = arrays[value["array"]], value["dtype"]
    return array.view(_EXTRA[name]) if name in _EXTRA else array

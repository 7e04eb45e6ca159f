"""Weights in several files of limited size, and an index of the extension `.weights.json`, as Keras 3 has them.

The index `m.weights.json` holds `{"metadata": {"total_size": bytes}, "weight_map": {"/layers/dense/vars": [files]}}`,
and the files `m_00000.weights.h5`, `m_00001.weights.h5`, … lie beside it.
"""

from __future__ import annotations

import json
import pathlib
from contextlib import ExitStack
from typing import Any

import numpy as np

from keras_fn.core import atomic
from keras_fn.core.errors import ArgumentError, CorruptFileError, FileLimitError, FileMissingError, UnsafeFileError
from keras_fn.saving.archive import MAX_JSON, parse_json
from keras_fn.saving.checksums import Ledger
from keras_fn.saving.h5_writing import as_array, new_h5, write_array
from keras_fn.saving.plan import LoadReport
from keras_fn.saving.regular import open_regular

_INDEX, _SHARD = ".weights.json", ".weights.h5"


# --- writing
def save_shards(model: Any, path: pathlib.Path, overwrite: bool, max_shard_size: float | None) -> None:
    """Writes the files and their index; all of them take their places at the end, the index last."""
    from keras_fn.saving.weights import write_objects

    name = path.name
    if not name.endswith((_INDEX, _SHARD)):
        raise ArgumentError(f"The index of weights in several files ends in `{_INDEX}`, unlike {str(path)!r}.")
    if max_shard_size is None or not max_shard_size > 0:
        raise ArgumentError(
            f"Weights in several files need `max_shard_size`, in gigabytes; it is {max_shard_size!r}. For one file, "
            f"take a path that ends in `{_SHARD}`."
        )
    stem = name.removesuffix(_INDEX).removesuffix(_SHARD)
    index = path.with_name(stem + _INDEX)
    atomic.check_target(index, overwrite)
    with ExitStack() as files:
        # what is entered first is left last: the index names no file that is not in its place
        target = files.enter_context(atomic.new_file(index))
        with _Shards(files, path.with_name(stem), int(max_shard_size * 2**30), overwrite) as shards:
            write_objects(model, shards.store)
        data = {"metadata": {"total_size": shards.total}, "weight_map": shards.places}
        target.write(json.dumps(data, indent=4).encode())


class _Shards:
    """The files; a new one is begun when the next array does not fit."""

    def __init__(self, files: ExitStack, stem: pathlib.Path, limit: int, overwrite: bool) -> None:
        self._files, self._stem, self._limit, self._overwrite = files, stem, limit, overwrite
        self._open = ExitStack()
        self._count, self._used = 0, 0
        self.total = 0
        self.places: dict[str, list[str]] = {}

    def __enter__(self) -> _Shards:
        self._begin()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error is None:
            self._ledger.write(self._root)
        self._open.__exit__(kind, error, trace)

    def _begin(self) -> None:
        path = self._stem.with_name(f"{self._stem.name}_{self._count:05d}{_SHARD}")
        atomic.check_target(path, self._overwrite)
        self._name = path.name
        self._root = self._open.enter_context(new_h5(self._files.enter_context(atomic.new_file(path))))
        self._ledger, self._used = Ledger(), 0
        self._count += 1

    def store(self, name: str, owner: Any) -> _Store:
        """What an object writes its arrays into."""
        self._group(name, owner.name)
        return _Store(self, name, owner.name)

    def _group(self, name: str, owner: str) -> Any:
        group = self._root.require_group(name)
        group.attrs["name"] = owner
        return group

    def put(self, name: str, owner: str, key: str, array: np.ndarray) -> None:
        """Writes an array into the group of a name, in this file or the next one."""
        if array.nbytes > self._limit:
            raise ArgumentError(
                f"The array {key!r} of {name!r} has {array.nbytes} bytes, more than a file of {self._limit} bytes may "
                f"hold. Take a `max_shard_size` of at least {array.nbytes / 2**30:.6f}."
            )
        if self._used + array.nbytes > self._limit:
            self._ledger.write(self._root)
            self._open.close()
            self._begin()
        write_array(self._group(name, owner), key, array, self._ledger)
        self._used += array.nbytes
        self.total += array.nbytes
        places = self.places.setdefault(f"/{name}", [])
        if self._name not in places:
            places.append(self._name)


class _Store:
    """A dict to write into: what `save_own_variables` is given."""

    def __init__(self, shards: _Shards, name: str, owner: str) -> None:
        self._shards, self._name, self._owner = shards, name, owner
        self._keys: list[str] = []

    def __setitem__(self, key: str, value: Any) -> None:
        self._shards.put(self._name, self._owner, key, as_array(value))
        self._keys.append(key)

    def keys(self) -> list[str]:
        """The names written so far."""
        return list(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._keys


# --- reading
def load_shards(model: Any, path: pathlib.Path, skip_mismatch: bool = False) -> LoadReport:
    """Reads weights from the files that an index lists. They must lie beside it."""
    from keras_fn.saving.h5 import open_h5
    from keras_fn.saving.weights import read_state

    with ExitStack() as files:
        roots = []
        for name in _listed(path):
            shard = path.with_name(name)
            if not shard.exists():
                raise FileMissingError(f"{path} lists the file {name!r}, which is not beside it.")
            root = files.enter_context(open_h5(files.enter_context(open_regular(shard)), str(shard)))
            roots.append((root, str(shard)))
        return read_state(model, roots, skip_mismatch)


def _listed(path: pathlib.Path) -> list[str]:
    """The files of an index, by name."""
    with open_regular(path) as file:
        raw = file.read(MAX_JSON + 1)
    if len(raw) > MAX_JSON:
        raise FileLimitError(f"{path} has more than {MAX_JSON} bytes, which is more than an index may have.")
    places = parse_json(raw, str(path)).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise CorruptFileError(f"{path} must hold a `weight_map` with files by name of group, and holds {places!r}.")
    found: dict[str, None] = {}
    for group, names in places.items():
        for name in names if isinstance(names, list) else [names]:
            if not isinstance(name, str):
                raise CorruptFileError(f"{path} must list names of files for {group!r}, and lists {name!r}.")
            if pathlib.PurePath(name).name != name or "\\" in name or "\0" in name or not name.endswith(_SHARD):
                raise UnsafeFileError(f"{path} lists {name!r}, which is no file beside it ending in `{_SHARD}`.")
            found[name] = None
    return sorted(found)

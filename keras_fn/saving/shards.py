"""Weights in several files of limited size, and an index of the extension `.weights.json`, as Keras 3 has them.

The index `m.weights.json` holds `{"metadata": {"total_size": bytes}, "weight_map": {"/layers/dense/vars": [files]}}`,
and the files `m_00000.weights.h5`, `m_00001.weights.h5`, … lie beside it.

Files that an index lists are never written to, so that whoever is killed when, one index and all of its files are
there: the next ones take high numbers, and count from the moment when a new index takes the place of the old one. Then
they get the numbers from 0 on as second names, as Keras opens number 0 in any case, and another index lists these.

Each file has the check sums of its arrays (see checksums.py), and the `metadata` of the index hold those of these
lists, `"keras_fn_shards": [CRC-32, …]`: files of another save, and files too many or too few, are known by them. Names
of files and of groups in the index may be changed, as nothing depends on them.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import pathlib
from contextlib import ExitStack, suppress
from typing import Any, BinaryIO

import numpy as np

from keras_fn.core import atomic
from keras_fn.core.errors import (
    ArgumentError,
    CorruptFileError,
    FileError,
    FileLimitError,
    FileMissingError,
    UnsafeFileError,
)
from keras_fn.saving.archive import MAX_JSON, parse_json
from keras_fn.saving.checksums import Ledger, list_crc
from keras_fn.saving.h5_writing import as_array, new_h5, write_array
from keras_fn.saving.leftover_shards import delete_unlisted, mark
from keras_fn.saving.plan import LoadReport
from keras_fn.saving.regular import open_regular

_INDEX, _SHARD = ".weights.json", ".weights.h5"
_SUMS = "keras_fn_shards"
# where the numbers begin of files that are written while those from 0 on are in use
_HIGH = 50_000
# bytes of the name of a file, which no system lets be longer
_LONGEST = 255
_SHOWN = 8  # check sums in a message


# --- writing
def save_shards(model: Any, path: pathlib.Path, overwrite: bool, max_shard_size: float | None) -> None:
    """Writes the files and their index; all of them take their places at the end, the index last.

    The files of the index that was there before are deleted then, and those that saves before left unlisted.
    """
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
    before = _standing(index)
    with ExitStack() as files:
        # what is entered first is left last: the index names no file that is not in its place
        target = files.enter_context(atomic.new_file(index))
        with _Shards(files, path.with_name(stem), int(max_shard_size * 2**30), overwrite, before) as shards:
            write_objects(model, shards.store)
        target.write(_index(shards, shards.places))
    final = _renumber(index, shards, path.with_name(stem))
    for old in {*before, *shards.names} - final:
        with suppress(OSError):  # it is of no use any more, and harms nobody
            index.with_name(old).unlink()
    delete_unlisted(path.with_name(stem), _SHARD, final)


def _index(shards: _Shards, places: dict[str, list[str]]) -> bytes:
    metadata = {"total_size": shards.total, _SUMS: shards.crcs}
    return json.dumps({"metadata": metadata, "weight_map": places}, indent=4).encode()


def _renumber(index: pathlib.Path, shards: _Shards, stem: pathlib.Path) -> set[str]:
    """Gives the files the numbers from 0 on, if the disk knows second names. Returns the names that must stay."""
    low = {name: _name(stem, number) for number, name in enumerate(shards.names)}
    if list(low) == list(low.values()):
        return set(shards.names)
    try:
        for name, new in low.items():
            atomic.name_again(index.with_name(name), index.with_name(new))
        with atomic.new_file(index) as target:
            target.write(_index(shards, {k: [low[n] for n in names] for k, names in shards.places.items()}))
    except OSError:  # what was saved is whole under the high numbers; which index outlives a crash is not known
        return {*shards.names, *_listed(index)}
    return set(low.values())


def _name(stem: pathlib.Path, number: int) -> str:
    return f"{stem.name}_{number:05d}{_SHARD}"


def _standing(index: pathlib.Path) -> set[str]:
    """The files of the index that is there."""
    try:
        with atomic.failing_as(index):
            return set(_listed(index))
    except (FileMissingError, FileError):  # none, or one that nothing can be loaded by
        return set()


class _Shards:
    """The files; a new one is begun when the next array does not fit."""

    def __init__(self, files: ExitStack, stem: pathlib.Path, limit: int, overwrite: bool, taken: set[str]) -> None:
        self._files, self._stem, self._limit, self._overwrite = files, stem, limit, overwrite
        high = any(name < _name(stem, _HIGH) for name in taken)
        numbered = (_name(stem, number) for number in itertools.count(_HIGH if high else 0))
        self._free = (name for name in numbered if name not in taken)
        self._open = ExitStack()
        self._used = 0
        self.names: list[str] = []
        self.crcs: list[int] = []
        self.total = 0
        self.places: dict[str, list[str]] = {}

    def __enter__(self) -> _Shards:
        self._begin()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error is None:
            self.crcs.append(self._ledger.write(self._root))
        self._open.__exit__(kind, error, trace)

    def _begin(self) -> None:
        path = self._stem.with_name(next(self._free))
        atomic.check_target(path, self._overwrite)
        self.names.append(path.name)
        self._root = self._open.enter_context(new_h5(self._files.enter_context(atomic.new_file(path))))
        mark(self._root, self._stem.name)
        self._ledger, self._used = Ledger(), 0

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
            self.crcs.append(self._ledger.write(self._root))
            self._open.close()
            self._begin()
        write_array(self._group(name, owner), key, array, self._ledger)
        self._used += array.nbytes
        self.total += array.nbytes
        places = self.places.setdefault(f"/{name}", [])
        if self.names[-1] not in places:
            places.append(self.names[-1])


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
        data, seen = _read_index(path), {}
        for name in _names(data, path):
            shard = path.with_name(name)
            if not os.path.lexists(shard):
                raise FileMissingError(f"{path} lists the file {name!r}, which is not beside it.")
            file = files.enter_context(_opened(shard, path))
            first = seen.setdefault((os.fstat(file.fileno()).st_dev, os.fstat(file.fileno()).st_ino), name)
            if first != name:  # a file of some bytes would be read as often as the index likes
                raise CorruptFileError(f"{path} lists {first!r} and {name!r}, which are one file.")
            roots.append((files.enter_context(open_h5(file, str(shard))), str(shard)))
        _check_sums(data, [list_crc(root) for root, _ in roots], path)
        return read_state(model, roots, skip_mismatch)


def _opened(shard: pathlib.Path, index: pathlib.Path) -> BinaryIO:
    try:
        return open_regular(shard, links=False)
    except OSError as e:
        if e.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        raise FileLimitError(f"{index} lists more files than this system lets a program open: {e.strerror}.") from e


def _check_sums(data: dict[str, Any], found: list[int | None], path: pathlib.Path) -> None:
    """Raises where the files are not those that the index was written for. Keras writes no check sums at all."""
    metadata = data.get("metadata")
    expected = metadata.get(_SUMS) if isinstance(metadata, dict) else None
    if expected is None and all(crc is None for crc in found):
        return
    if not isinstance(expected, list) or sorted(map(str, expected)) != sorted(map(str, found)):
        raise CorruptFileError(
            f"{path} and the files that it lists are not of one save: the check sums of their lists of arrays are "
            f"{found[:_SHOWN]}, and {expected[:_SHOWN] if isinstance(expected, list) else expected!r} were written. "
            "Take another copy of all of them."
        )


def _listed(path: pathlib.Path) -> list[str]:
    """The files of an index, by name."""
    return _names(_read_index(path), path)


def _read_index(path: pathlib.Path) -> dict[str, Any]:
    with open_regular(path) as file:
        raw = file.read(MAX_JSON + 1)
    if len(raw) > MAX_JSON:
        raise FileLimitError(f"{path} has more than {MAX_JSON} bytes, which is more than an index may have.")
    return parse_json(raw, str(path))


def _names(data: dict[str, Any], path: pathlib.Path) -> list[str]:
    places = data.get("weight_map")
    if not isinstance(places, dict) or not places:
        raise CorruptFileError(f"{path} must hold a `weight_map` with files by name of group, and holds {places!r}.")
    found: dict[str, None] = {}
    for group, names in places.items():
        names = names if isinstance(names, list) else [names]
        if len(set(map(str, names))) < len(names):
            raise CorruptFileError(f"{path} lists a file of {group!r} twice; each belongs there once.")
        for name in names:
            if not isinstance(name, str):
                raise CorruptFileError(f"{path} must list names of files for {group!r}, and lists {name!r}.")
            if not _is_plain(name) or not name.endswith(_SHARD):
                raise UnsafeFileError(f"{path} lists {name!r}, which is no file beside it ending in `{_SHARD}`.")
            found[name] = None
    return sorted(found)


def _is_plain(name: str) -> bool:
    """Whether text is the name of a file in the same folder."""
    if pathlib.PurePath(name).name != name or "\\" in name or "\0" in name:
        return False
    try:
        return len(os.fsencode(name)) <= _LONGEST
    except UnicodeEncodeError:  # halves of characters
        return False

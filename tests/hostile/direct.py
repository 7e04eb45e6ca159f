"""Doors that are rarely used: weights in several files, options of loading, and functions below the public ones."""

from __future__ import annotations

import io
import json
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import h5py

from hostile import special
from hostile.base import Maker, Row, function, layer, sequential

_EVIL = layer("Popen", "subprocess", args=["touch", "evil"])
_CODE = {"class_name": "__lambda__", "config": {"code": "4w==", "defaults": None, "closure": None}}
_SHARD = "m_00000.weights.h5"
# indices: the text, or what is listed
_INDICES: dict[str, Any] = {
    "no index": b"{}",
    "nothing": b"",
    "text": b"hello",
    "a list": b"[1]",
    "deep": b'{"weight_map":' + b"[" * 90_000 + b"]" * 90_000 + b"}",
    "a key twice": b'{"weight_map": {"/a": ["m_00000.weights.h5"], "/a": ["m_00001.weights.h5"]}}',
    "no text": b'{"weight_map": {"\xff": 1}}',
    "listed as text": "evil",
    "listed as a list": ["m_00000.weights.h5"],
    "listed as nothing": {},
    "a number": {"/a": 3},
    "numbers": {"/a": [3]},
    "none": {"/a": [None]},
    "lists": {"/a": [[_SHARD]]},
    "up": {"/a": ["../m_00000.weights.h5"]},
    "down": {"/a": ["m/m_00000.weights.h5"]},
    "absolute": {"/a": ["/etc/m_00000.weights.h5"]},
    "a drive": {"/a": ["C:\\m_00000.weights.h5"]},
    "a stream": {"/a": ["m:n/..weights.h5"]},
    "another ending": {"/a": ["passwd"]},
    "a pickle": {"/a": ["m_00000.pkl"]},
    "a zero byte": {"/a": ["m_00000\0.weights.h5"]},
    "an empty name": {"/a": [""]},
    "the ending alone": {"/a": [".weights.h5"]},
    "itself": {"/a": ["m.weights.json"]},
    "a long name": {"/a": ["m" * 300 + ".weights.h5"]},
    "a missing file": {"/a": ["m_00009.weights.h5"]},
    "control characters": {"/a": ["\x1b[2J.weights.h5"]},
    "a lone surrogate": {"/a": ["\ud800.weights.h5"]},
    "a name twice": {"/a": [_SHARD, _SHARD]},
    "up and down": {"/a": ["a/../m_00000.weights.h5"]},
    "up in another system": {"/a": ["..\\m_00000.weights.h5"]},
    "a wide slash": {"/a": ["..\uff0fm_00000.weights.h5"]},
    "a name with lines": {"/a": ["\n\n\n.weights.h5"]},
    "a name that turns": {"/a": ["\u202e.weights.h5"]},
    "true": {"/a": True},
    "long numbers": b'{"metadata": {"total_size": ' + b"9" * 5000 + b'}, "weight_map": {"/a": "m_00000.weights.h5"}}',
    "a number that is none": b'{"metadata": {"total_size": NaN}, "weight_map": {"/a": "m_00000.weights.h5"}}',
}


def rows(m: Maker) -> Iterator[Row]:
    """All rows of this category."""
    for name, value in _INDICES.items():
        text = value if isinstance(value, bytes) else json.dumps({"metadata": {}, "weight_map": value}).encode()
        yield m.row("direct", f"shards of {name}", text, ".weights.json", "load_weights")
        yield Row(f"direct shards of {name}, skipping", "direct", "skipping", _text_file(m, f"{name} skipping", text))
    for name, make in _SHARDS.items():
        folder = m.folder / f"direct shards {name}"
        folder.mkdir()
        (folder / "m.weights.json").write_text(json.dumps({"metadata": {}, "weight_map": {"/layers": [_SHARD]}}))
        make(m, folder / _SHARD)
        yield Row(f"direct shard {name}", "direct", "weights", str(folder / "m.weights.json"))
    yield from _sets(m)
    for name, content in _damaged(m).items():
        for door in ("skipping", "by name", "mapped", "hdf5", "archive", "safetensors", "state file"):
            yield Row(f"direct {door} {name}", "direct", door, _text_file(m, f"{door} {name}", content, _ENDINGS[door]))
    for name, data in {"a class": _EVIL, "a function": function("get_file", "keras.utils"), "a lambda": _CODE}.items():
        for door in ("layer of", "clone", "compile from config", "policy", "scaled optimizer"):
            yield Row(f"direct {door} {name}", "direct", door, data)
    yield Row("direct clone a chain", "direct", "clone", sequential([_EVIL]))


_ENDINGS = {
    "skipping": ".weights.h5",
    "by name": ".h5",
    "mapped": ".safetensors",
    "hdf5": ".hdf5",
    "archive": ".keras",
    "safetensors": ".safetensors",
    "state file": ".npz",
}


def _text_file(m: Maker, name: str, content: bytes, suffix: str = ".weights.json") -> str:
    return m.file(f"direct-{name}", content, suffix)


def _linked(m: Maker, path: pathlib.Path) -> None:
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        root["layers"] = h5py.ExternalLink("/etc/passwd", "/")
    path.write_bytes(file.getvalue())


_SHARDS: dict[str, Callable[[Maker, pathlib.Path], Any]] = {
    "pipe": lambda m, p: os.mkfifo(p),
    "folder": lambda m, p: p.mkdir(),
    "link to a device": lambda m, p: p.symlink_to("/dev/zero"),
    "link to itself": lambda m, p: p.symlink_to(p.name),
    "link to nothing": lambda m, p: p.symlink_to("/nowhere/at/all"),
    "link to a good file": lambda m, p: (p.with_name("a").write_bytes(m.weights), p.symlink_to("a")),
    "link to a folder": lambda m, p: p.symlink_to("/etc"),
    "socket": lambda m, p: special.socket_at(p),
    "without check sums in the index": lambda m, p: p.write_bytes(m.weights),
    "text": lambda m, p: p.write_bytes(b"evil"),
    "cut": lambda m, p: p.write_bytes(m.weights[: len(m.weights) // 2]),
    "of nothing": lambda m, p: p.write_bytes(b""),
    "with a link": _linked,
    "that is a model": lambda m, p: p.write_bytes(m.zipped(m.members)),
}


def _sets(m: Maker) -> Iterator[Row]:
    """Files that are good by themselves, and an index that they do not belong to."""
    with h5py.File(io.BytesIO(m.weights)) as root:
        crc = int(root.attrs["keras_fn_crc32"])  # type: ignore[arg-type]
    one, two = "m_00000.weights.h5", "m_00001.weights.h5"
    foreign = m.changed_weights(_as_of_another_program)
    whole, half = {"/layers": [one]}, m.changed_weights(lambda root: (_as_of_another_program(root), root.pop("layers")))
    copies = {one: m.weights, two: m.weights}
    for name, (sums, places, files) in {
        "another check sum": ([crc + 1], whole, {one: m.weights}),
        "more check sums": ([crc, crc], whole, {one: m.weights}),
        "no check sums": ([], whole, {one: m.weights}),
        "check sums of text": ("evil", whole, {one: m.weights}),
        "check sums of lists": ([[crc]], whole, {one: m.weights}),
        "check sums that are none": ([None], whole, {one: m.weights}),
        "check sums for files without them": ([crc], whole, {one: foreign}),
        "one file twice": ([crc, crc], {"/a": [one], "/b": [two]}, copies),
        "one of them of another program": ([crc], {"/a": [one], "/b": [two]}, {one: m.weights, two: foreign}),
        "files of another program twice": (None, {"/a": [one, two]}, dict.fromkeys(copies, foreign)),
        "half of another program": (None, whole, {one: half}),
        "the second file gone": ([crc], {"/a": [one, two]}, {one: m.weights}),
    }.items():
        yield _set(m, name, sums, places, files)
    row = _set(m, "one file of two names", [crc, crc], {"/a": [one], "/b": [two]}, {one: m.weights})
    os.link(pathlib.Path(row.what).with_name(one), pathlib.Path(row.what).with_name(two))
    yield row


def _set(m: Maker, name: str, sums: Any, places: Any, files: dict[str, bytes]) -> Row:
    folder = m.folder / f"direct set {name}"
    folder.mkdir()
    metadata = {} if sums is None else {"keras_fn_shards": sums}
    (folder / "m.weights.json").write_text(json.dumps({"metadata": metadata, "weight_map": places}))
    for file, content in files.items():
        (folder / file).write_bytes(content)
    return Row(f"direct set {name}", "direct", "weights", str(folder / "m.weights.json"))


def _as_of_another_program(root: h5py.File) -> None:
    for key in [k for k in root.attrs if k.startswith("keras_fn")]:
        del root.attrs[key]


def _damaged(m: Maker) -> dict[str, bytes]:
    """What no door takes for its own."""
    return {
        "nothing": b"",
        "text": b"evil",
        "half a file of weights": m.weights[: len(m.weights) // 2],
        "a pickle": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x0atouch evil\x85R.",
    }

"""Doors that are rarely used: weights in several files, options of loading, and functions below the public ones."""

from __future__ import annotations

import io
import json
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import h5py

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
    "text": lambda m, p: p.write_bytes(b"evil"),
    "cut": lambda m, p: p.write_bytes(m.weights[: len(m.weights) // 2]),
    "of nothing": lambda m, p: p.write_bytes(b""),
    "with a link": _linked,
    "that is a model": lambda m, p: p.write_bytes(m.zipped(m.members)),
}


def _damaged(m: Maker) -> dict[str, bytes]:
    """What no door takes for its own."""
    return {
        "nothing": b"",
        "text": b"evil",
        "half a file of weights": m.weights[: len(m.weights) // 2],
        "a pickle": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x0atouch evil\x85R.",
    }

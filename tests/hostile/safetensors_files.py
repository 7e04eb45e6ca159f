"""safetensors: headers that lie about their length, their arrays, or the bytes behind them."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

from hostile.base import Maker, Row

_SHAPES = {
    "layers/dense/vars/0": [4, 3],
    "layers/dense/vars/1": [3],
    "layers/dense_1/vars/0": [3, 2],
    "layers/dense_1/vars/1": [2],
}
_FIRST = "layers/dense/vars/0"


def _header() -> dict[str, Any]:
    header, at = {}, 0
    for name, shape in _SHAPES.items():
        size = 4 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    return header


def _file(header: Any, data: bytes = bytes(92), length: int | None = None) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def good() -> bytes:
    """A file that loads."""
    return _file(_header())


def rows(m: Maker) -> Iterator[Row]:
    """All rows of this category."""
    whole = _header()
    text = json.dumps(whole).encode()

    def changed(**entry: Any) -> bytes:
        return _file({**whole, _FIRST: {**whole[_FIRST], **entry}})

    files = {
        "empty": b"",
        "short": b"\1\0",
        "no header": bytes(8),
        "length 0": _file(whole, length=0),
        "length 1": _file(whole, length=1),
        "length huge": _file(whole, length=2**63),
        "length over": _file(whole, length=10**6),
        "length over 64": b"\xff" * 8 + text,
        "text": _file(b"evil"),
        "list": _file(b"[]"),
        "null": _file(b"null"),
        "nothing": _file(b""),
        "spaces": _file(b" " * 4_000_000),
        "deep": _file(b'{"a":' * 90_000 + b"1" + b"}" * 90_000),
        "utf-16": _file(json.dumps(whole).encode("utf-16")),
        "no text": _file(b'{"\xff": 1}'),
        "many": _file(b'{"a":[' + b"[]," * 1_500_000 + b"[]]}"),
        "name twice": _file(
            text.replace(
                b"{", b'{"' + _FIRST.encode() + b'": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, ', 1
            )
        ),
        "nan": _file(text.replace(b"[4, 3]", b"[NaN, 3]")),
        "digits": _file(text.replace(b"[4, 3]", b"[" + b"9" * 5000 + b", 3]")),
        "dtype unknown": changed(dtype="EVIL"),
        "dtype none": changed(dtype=None),
        "dtype list": changed(dtype=["F32"]),
        "dtype of another size": changed(dtype="F64"),
        "shape text": changed(shape="evil"),
        "shape negative": changed(shape=[-4, -3]),
        "shape float": changed(shape=[4.0, 3]),
        "shape bool": changed(shape=[True, 12]),
        "shape huge": changed(shape=[10**6, 10**6]),
        "shape over 64 bits": changed(shape=[2**63, 2**63]),
        "shape of another size": changed(shape=[4, 4]),
        "shape of 64 dimensions": changed(shape=[1] * 100 + [4, 3]),
        "shape turned": changed(shape=[3, 4]),
        "offsets text": changed(data_offsets="evil"),
        "offsets one": changed(data_offsets=[0]),
        "offsets negative": changed(data_offsets=[-48, 0]),
        "offsets turned": changed(data_offsets=[48, 0]),
        "offsets beyond": changed(data_offsets=[0, 10**9]),
        "offsets huge": changed(data_offsets=[2**63, 2**63 + 48]),
        "offsets of another": changed(data_offsets=[48, 96]),
        "offsets float": changed(data_offsets=[0.0, 48.0]),
        "unknown key": changed(evil=1),
        "entry text": _file({**whole, _FIRST: "evil"}),
        "entry none": _file({**whole, _FIRST: None}),
        "entry empty": _file({**whole, _FIRST: {}}),
        "metadata list": _file({**whole, "__metadata__": [1]}),
        "metadata of numbers": _file({**whole, "__metadata__": {"a": 1}}),
        "data short": _file(whole, bytes(91)),
        "data long": _file(whole, bytes(93)),
        "data none": _file(whole, b""),
        "array missing": _file({k: v for k, v in whole.items() if k != "layers/dense_1/vars/1"}, bytes(84)),
        "array more": _file({**whole, "evil": {"dtype": "F32", "shape": [1], "data_offsets": [92, 96]}}, bytes(96)),
        "gap": _file(
            {**whole, "layers/dense_1/vars/1": {"dtype": "F32", "shape": [2], "data_offsets": [88, 96]}}, bytes(96)
        ),
        "zip": m.zipped(m.members),
    }
    for name, content in files.items():
        yield m.row("safetensors", name, content, ".safetensors", "load_weights")

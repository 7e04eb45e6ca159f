"""safetensors: headers that lie about their length, their arrays, or the bytes behind them."""

from __future__ import annotations

import json
import re
import struct
import zlib
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


def _noted() -> tuple[dict[str, Any], str, int]:
    """A header with check sums, of an array of zeros each, the list of them, and its check sum."""
    header = _header()
    lengths = {name: entry["data_offsets"][1] - entry["data_offsets"][0] for name, entry in header.items()}
    listed = {n: ["float32", e["shape"], zlib.crc32(bytes(lengths[n]))] for n, e in header.items()}
    text = json.dumps(listed, separators=(",", ":"))
    return header, text, zlib.crc32(text.encode())


def good() -> bytes:
    """A file that loads."""
    header, text, crc = _noted()
    return _file({"__metadata__": {"keras_fn_arrays": text, "keras_fn_crc32": f"{crc:010d}"}, **header})


def _of_check_sums() -> dict[str, bytes]:
    """Files whose check sums are wrong, or lost."""
    header, text, crc = _noted()
    right = {"keras_fn_arrays": text, "keras_fn_crc32": f"{crc:010d}"}

    def noted(data: bytes = bytes(92), **notes: Any) -> bytes:
        return _file({"__metadata__": {k: v for k, v in {**right, **notes}.items() if v is not None}, **header}, data)

    def listed(other: str) -> bytes:
        return noted(keras_fn_arrays=other, keras_fn_crc32=f"{zlib.crc32(other.encode()):010d}")

    return {
        "a value changed": noted(bytes(91) + b"\1"),
        "all values changed": noted(b"\1" * 92),
        "sum of another list": noted(keras_fn_crc32=f"{crc ^ 1:010d}"),
        "sum missing": noted(keras_fn_crc32=None),
        "list missing": noted(keras_fn_arrays=None),
        "names of both lost": noted(keras_fn_crc32=None, keras_fn_arrays=None, a=text),
        "a name begun": noted(keras_fn_crc32=None, keras_fn_arrays=None, keras_fn_x=""),
        "sum of text": noted(keras_fn_crc32="evil"),
        "sum of other digits": noted(keras_fn_crc32="\u0661" * 10),
        "sum negative": noted(keras_fn_crc32=f"-{crc:09d}"),
        "sum huge": noted(keras_fn_crc32="9" * 5000),
        "list of text": listed("evil"),
        "list of a list": listed("[]"),
        "list of nothing": listed("{}"),
        "list deep": listed('{"a":' * 5000 + "1" + "}" * 5000),
        "list of numbers": listed(json.dumps(dict.fromkeys(header, 1))),
        "list of short entries": listed(json.dumps({key: ["float32", []] for key in header})),
        "list of objects": listed(json.dumps({key: {"a": 1, "b": 2, "c": 3} for key in header})),
        "list of other shapes": listed(text.replace("[4,3]", "[3,4]")),
        "list of other dtypes": listed(text.replace("float32", "int32", 1)),
        "list of sums of text": listed(re.sub(r"\d{5,}", '"evil"', text)),
        "list of more": listed(text[:-1] + ',"evil":["float32",[1],0]}'),
    }


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
        "a boolean of 2": _file({_FIRST: {"dtype": "BOOL", "shape": [2], "data_offsets": [0, 2]}}, b"\1\2"),
        "booleans of 2": _file(
            {name: {**entry, "dtype": "BOOL", "data_offsets": [a // 4 for a in entry["data_offsets"]]}
             for name, entry in whole.items()}, b"\1" * 22 + b"\2"
        ),
        "a name without a meaning": _file(text.replace(_FIRST.encode(), b"\\ud800")),
        "notes twice": _file(text.replace(b"{", b'{"__metadata__": {}, "__metadata__": {}, ', 1)),
        "notes that are an array": _file({**whole, "__metadata__": whole[_FIRST]}),
        **_of_check_sums(),
    }
    for name, content in files.items():
        yield m.row("safetensors", name, content, ".safetensors", "load_weights")

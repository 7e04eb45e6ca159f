"""JSON: text that is none, too deep, too large, ambiguous, or of other types than expected."""

from __future__ import annotations

import json
from collections.abc import Iterator

from hostile.base import Maker, Row

_TEXTS = {
    "nothing": b"",
    "space": b"  ",
    "text": b"hello",
    "cut": b'{"a": 1',
    "list": b"[1]",
    "number": b"3",
    "string": b'"a"',
    "null": b"null",
    "true": b"true",
    "single quotes": b"{'a': 1}",
    "comment": b"{} // a",
    "two": b"{} {}",
    "trailing comma": b'{"a": 1,}',
    "deep lists": b'{"a":' + b"[" * 90_000 + b"]" * 90_000 + b"}",
    "deep objects": b'{"a":' * 90_000 + b"1" + b"}" * 90_000,
    "deep at 150": b'{"a":' * 150 + b"1" + b"}" * 150,
    "deep and open": b'{"a":' * 150_000,
    "many lists": b'{"a":[' + b"[]," * 1_500_000 + b"[]]}",
    "many objects": b'{"a":[' + b"{}," * 900_000 + b"{}]}",
    "many numbers": b'{"a":[' + b"0," * 2_400_000 + b"0]}",
    "many keys": b"{" + b",".join(b'"%d":0' % i for i in range(400_000)) + b"}",
    "utf-16": '{"a": 1}'.encode("utf-16"),
    "utf-32": '{"a": 1}'.encode("utf-32"),
    "mark": b"\xef\xbb\xbf{}",
    "no utf-8": b'{"a": "\xff"}',
    "zero": b'{"a": "\0"}',
    "line feed in text": b'{"a": "\n"}',
    "half a pair": b'{"class_name": "\\ud800", "config": {}}',
}
_VALUES = {
    "nan": "NaN",
    "infinity": "Infinity",
    "minus infinity": "-Infinity",
    "too large a float": "1e999",
    "21 digits": "1" * 21,
    "5000 digits": "9" * 5000,
    "over 64 bits": str(2**64),
    "under 64 bits": str(-(2**64)),
}
_WRONG = {"int": 3, "list": ["Dense"], "dict": {"a": 1}, "bool": True, "float": 1.5}


def rows(m: Maker) -> Iterator[Row]:
    """All rows of this category."""
    for name, text in _TEXTS.items():
        yield m.with_members("json", f"text {name}", config=text)
    for name in ("nothing", "text", "list", "null", "deep lists", "no utf-8", "many lists"):
        yield m.with_members("json", f"text of metadata {name}", metadata=_TEXTS[name])
    good = json.dumps(m.config())
    for name, value in _VALUES.items():
        yield m.with_members("json", f"units {name}", config=good.replace('"units": 3', f'"units": {value}').encode())
        yield m.with_members(
            "json", f"top {name}", config=good.replace('{"module"', f'{{"a": {value}, "module"', 1).encode()
        )
    for key in ("class_name", "module", "config", "registered_name"):
        double = good.replace("{", f'{{"{key}": "x", ', 1)
        yield m.with_members("json", f"twice {key}", config=double.encode())
    yield m.with_members("json", "twice units", config=good.replace('"units": 3', '"units": 3, "units": 5').encode())
    yield m.with_members(
        "json", "twice escaped", config=good.replace('"units": 3', '"units": 3, "\\u0075nits": 5').encode()
    )
    for key in ("class_name", "module", "registered_name", "config"):
        for kind, value in _WRONG.items():
            if (key, kind) != ("config", "dict"):
                yield m.with_config("json", f"{key} a {kind}", lambda c, k=key, v=value: {**c, k: v})
    yield m.with_config("json", "class_name empty", lambda c: {**c, "class_name": ""})
    yield m.with_config("json", "class_name null", lambda c: {**c, "class_name": None})
    yield m.with_config("json", "class_name long", lambda c: {**c, "class_name": "A" * 2_000_000})
    yield m.with_config("json", "class_name controls", lambda c: {**c, "class_name": "A\x1b]0;x\x07\r\n" * 20})
    yield m.with_config("json", "no class_name", lambda c: {k: v for k, v in c.items() if k != "class_name"})
    yield m.with_config("json", "no config", lambda c: {k: v for k, v in c.items() if k != "config"})
    yield m.with_config("json", "config null", lambda c: {**c, "config": None})
    yield m.with_config("json", "empty", lambda c: {"a": 1})

"""How a file is damaged: everything is drawn from one number, so that a mutant can be made again."""

from __future__ import annotations

import io
import json
import random
import zipfile
from typing import Any

_NUMBERS = [0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**63 - 1,
            2**63, 2**64 - 8, 2**64 - 1]  # fmt: skip


class Mutable:
    """A file, and where in it something stands: most bytes of small HDF5 files are room for more."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.used = [i for i, b in enumerate(raw) if b] or [0]

    def mutant(self, seed: int) -> bytes:
        """The file with a few changes."""
        draw = random.Random(seed)
        data = bytearray(self.raw)
        for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
            if data:
                draw.choice(_CHANGES)(data, self._place(data, draw), draw)
        return bytes(data)

    def _place(self, data: bytearray, draw: random.Random) -> int:
        at = draw.choice(self.used) if draw.random() < 0.8 else draw.randrange(len(data))
        return min(max(0, at + draw.choice((0, 0, 0, -1, 1, 4, 8))), len(data) - 1)


def _flip(data: bytearray, at: int, draw: random.Random) -> None:
    data[at] ^= 1 << draw.randrange(8)


def _set(data: bytearray, at: int, draw: random.Random) -> None:
    data[at] = draw.choice((0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)))


def _field(data: bytearray, at: int, draw: random.Random) -> None:
    """A number of 2, 4 or 8 bytes: an extreme one, one near to what was there, or one from elsewhere in the file."""
    size = draw.choice((2, 4, 8))
    at -= at % size
    old = int.from_bytes(data[at : at + size], "little")
    other = draw.randrange(len(data))
    other -= other % 8
    new = draw.choice(
        (draw.choice(_NUMBERS), old + 1, old - 1, old + 8, old - 8, 2 * old, old // 2, len(data), other,
         int.from_bytes(data[other : other + size], "little"))
    )  # fmt: skip
    data[at : at + size] = (new % 2 ** (8 * size)).to_bytes(size, "little")[: len(data) - at]


def _swap(data: bytearray, at: int, draw: random.Random) -> None:
    size = min(draw.choice((1, 8, 16, 40, 64, 512)), len(data) - at)
    other = draw.randrange(len(data) - size + 1)
    first, second = data[at : at + size], data[other : other + size]
    data[at : at + size] = second
    data[other : other + size] = first


def _copy(data: bytearray, at: int, draw: random.Random) -> None:
    size = min(draw.choice((1, 8, 16, 40, 64, 512)), len(data) - at)
    other = draw.randrange(len(data) - size + 1)
    data[at : at + size] = data[other : other + size]


def _fill(data: bytearray, at: int, draw: random.Random) -> None:
    size = min(draw.choice((4, 8, 32, 256)), len(data) - at)
    data[at : at + size] = bytes([draw.choice((0, 0xFF))]) * size


def _cut(data: bytearray, at: int, draw: random.Random) -> None:
    del data[at:]


def _insert(data: bytearray, at: int, draw: random.Random) -> None:
    data[at:at] = draw.randbytes(draw.choice((1, 2, 8, 64)))


def _delete(data: bytearray, at: int, draw: random.Random) -> None:
    del data[at : at + draw.choice((1, 2, 8, 64))]


_CHANGES = [*[_flip] * 3, *[_set] * 2, *[_field] * 4, _swap, _copy, _fill, _cut, _insert, _delete]


class MutableZip:
    """A zip file of which one member is changed, and packed with the right check sum, or whose bytes are changed."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._whole = Mutable(raw)
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            self._members = {n: Mutable(packed.read(n)) for n in packed.namelist()}

    def mutant(self, seed: int) -> bytes:
        """The file with a few changes."""
        draw = random.Random(seed)
        name = draw.choice(("", "config.json", "config.json", "model.weights.h5", "model.weights.h5", "metadata.json"))
        if not name:
            return self._whole.mutant(seed)
        member = self._members[name]
        as_json = name.endswith(".json") and draw.random() < 0.7
        content = changed_json(member.raw, draw) if as_json else member.mutant(seed)
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w") as packed:
            for other, part in self._members.items():
                packed.writestr(zipfile.ZipInfo(other), content if other == name else part.raw)  # no time of now
        return memory.getvalue()


class MutableSafetensors:
    """A safetensors file: bytes are changed anywhere, or the header as JSON, whose length is right then."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._whole = Mutable(raw)
        end = 8 + int.from_bytes(raw[:8], "little")
        self._header, self._data = raw[8:end].rstrip(), raw[end:]
        self._values = Mutable(self._data)

    def mutant(self, seed: int) -> bytes:
        """The file with a few changes."""
        draw = random.Random(seed)
        kind = draw.randrange(8)
        if kind < 3:
            return self._whole.mutant(seed)
        header, data = self._header, self._data
        if kind == 3:
            data = self._values.mutant(seed)
        elif kind < 6:
            header = changed_json(header, draw)
        else:
            header = _changed_entries(header, draw)
        header += b" " * (-len(header) % 8)
        length = draw.choice(_NUMBERS) if draw.random() < 0.05 else len(header)
        return length.to_bytes(8, "little") + header + data


def _changed_entries(header: bytes, draw: random.Random) -> bytes:
    """Arrays that are described as one another, as other dtypes or shapes, or as other bytes of the file."""
    data = json.loads(header)
    names = [name for name in data if name != "__metadata__"]
    for _ in range(draw.choice((1, 1, 2, 3))):
        one, other = draw.choice(names), draw.choice(names)
        a, b = data[one], data[other]
        kind = draw.randrange(6)
        if kind == 0:
            data[one], data[other] = b, a
        elif kind == 1:
            key = draw.choice(("dtype", "shape", "data_offsets"))
            a[key], b[key] = b[key], a[key]
        elif kind == 2:
            a["dtype"] = draw.choice(("F32", "I32", "U32", "F64", "F16", "BF16", "BOOL", "U8", "C64", "X", "f32"))
        elif kind == 3:
            a["shape"] = draw.choice((a["shape"][::-1], [*a["shape"], 1], [1, *a["shape"]], a["shape"][1:], [0]))
        elif kind == 4:
            by = draw.choice((-8, -4, -1, 1, 4, 8, 2**32, 2**63))
            ends = draw.choice(((0,), (1,), (0, 1)))
            a["data_offsets"] = [at + by * (i in ends) for i, at in enumerate(a["data_offsets"])]
        else:
            data["__metadata__"][draw.choice(("format", "keras_fn", "a"))] = draw.choice(("", "keras", '{"a":1}'))
    if draw.random() < 0.2:
        data = dict(draw.sample(sorted(data.items()), len(data)))
    return json.dumps(data).encode()


class MutableSet:
    """An index and the files that it lists: one of them is changed, or they change places with each other or others.

    Args:
        files: name -> content; the index ends in `.json`.
        other: the files of another save, of the same names.
    """

    def __init__(self, files: dict[str, bytes], other: dict[str, bytes]) -> None:
        self.raw, self._other = files, other
        self._members = {name: Mutable(raw) for name, raw in files.items()}
        self._index = next(name for name in files if name.endswith(".json"))
        self._shards = [name for name in files if name != self._index]

    def mutant(self, seed: int) -> dict[str, bytes]:
        """The files after a few changes; what is not there any more is left out."""
        draw = random.Random(seed)
        made = dict(self.raw)
        for turn in range(draw.choice((1, 1, 1, 2, 3))):
            kind, name = draw.randrange(10), draw.choice(self._shards)
            if kind < 4:
                made[name] = self._members[name].mutant(seed + turn)
            elif kind == 4:
                made[self._index] = self._members[self._index].mutant(seed + turn)
            elif kind < 7:
                made[self._index] = changed_json(self.raw[self._index], draw)
            elif kind == 7:
                self._exchange(made, name, draw)
            elif kind == 8:
                made[name] = self._other[name]
            else:
                self._across(made, name, draw)
        return made

    def _exchange(self, made: dict[str, bytes], name: str, draw: random.Random) -> None:
        """Files in the place of one another, twice, under new names, or gone."""
        second, kind = draw.choice(self._shards), draw.randrange(4)
        if kind == 0:
            made[name], made[second] = self.raw[second], self.raw[name]
        elif kind == 1:
            made[name] = self.raw[second]
        elif kind == 2:
            made.pop(name, None)
        else:
            new = draw.choice((f"m_9{name}", "a.weights.h5", second))
            made[self._index] = self.raw[self._index].replace(name.encode(), new.encode())
            if draw.random() < 0.5:
                made[new] = self.raw[name]

    def _across(self, made: dict[str, bytes], name: str, draw: random.Random) -> None:
        """A part of one file in another one, or the index of the other save."""
        if draw.random() < 0.2:
            made[self._index] = self._other[self._index]
            return
        source = draw.choice([self._other[name], *self.raw.values()])
        data, size = bytearray(self.raw[name]), draw.choice((8, 64, 512, 2048, len(source)))
        at = draw.choice(self._members[name].used)
        data[at : at + size] = source[at : at + size]
        made[name] = bytes(data)


_VALUES: list[Any] = [None, True, False, -1, 0, 1, 2, 10**12, 2**63, 1e308, -0.5, "", "x" * 5000, "\33[2J", "relu",
                      "os.system", [], {}, [[]], [None], {"class_name": "Dense"}, {"": {}}, float("nan")]  # fmt: skip


def changed_json(raw: bytes, draw: random.Random) -> bytes:
    """JSON text with a value replaced, removed, wrapped, or put in another place."""
    data = json.loads(raw)
    for _ in range(draw.choice((1, 1, 2, 3))):
        places = list(_places(data))
        if not places:
            break
        holder, key = draw.choice(places)
        other, other_key = draw.choice(places)
        kind = draw.randrange(6)
        if kind < 2:
            holder[key] = _copied(draw.choice(_VALUES))
        elif kind == 2:
            holder[key] = _copied(other[other_key])
        elif kind == 3:
            del holder[key]
        elif kind == 4:
            old = holder[key]
            holder[key] = _copied(draw.choice(([old], {"a": old}, [old] * 3, str(old))))
        elif isinstance(holder, dict):
            holder[f"{key}{draw.choice(('_', '2', ' '))}"] = holder.pop(key)
    return json.dumps(data).encode()


def _copied(value: Any) -> Any:
    """A value of its own: what lies in two places would be changed in both, and the next mutant would hold it too."""
    return json.loads(json.dumps(value))


def _places(data: Any) -> Any:
    """Pairs (container, key) of everything inside."""
    todo = [data]
    while todo:
        holder = todo.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            yield holder, key
            if isinstance(holder[key], (dict, list)):
                todo.append(holder[key])


"""Members of zip files that are written in place: their check sums, from parts of them, and their sizes."""

import io
import pathlib
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_fn.saving.crc32 import joined
from keras_fn.saving.zip_members import read_member, read_members
from keras_fn.saving.zip_writing import add_member, member_in_place


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_check_sums_of_parts_join(parts):
    crc = 0
    for part in parts:
        crc = joined(crc, zlib.crc32(part), len(part))
    assert crc == zlib.crc32(b"".join(parts))


@pytest.mark.parametrize("known", [[], [0], [2], [0, 1, 2], [1, 2]])
def test_a_member_written_out_of_order_is_whole(tmp_path, known):
    rng = np.random.default_rng(0)
    parts = [rng.bytes(n) for n in (3000, 1, 70_000)]
    places = np.cumsum([100, *map(len, parts)]).tolist()
    path = tmp_path / "a.zip"
    with path.open("w+b") as file, zipfile.ZipFile(file, "w") as packed:
        add_member(packed, "first", io.BytesIO(b"first"))
        with member_in_place(packed, file, "second") as member:
            for part, place in reversed(list(zip(parts, places[:-1], strict=True))):
                member.seek(place)
                member.write(part)
            member.seek(0)
            member.write(bytes(100))
            member.known = [(places[i], len(parts[i]), zlib.crc32(parts[i])) for i in reversed(known)]
        add_member(packed, "third", io.BytesIO(b"third"))
    with zipfile.ZipFile(path) as packed:
        assert packed.testzip() is None
        assert packed.namelist() == ["first", "second", "third"]
        assert packed.read("second") == bytes(100) + b"".join(parts)
        assert packed.read("third") == b"third"
    with path.open("rb") as file:
        for member in read_members(file, path):
            b"".join(read_member(file, member, path))


def test_a_member_of_more_than_four_gigabytes(tmp_path):
    size, crc, length = 2**32 + 2**20, zlib.crc32(bytes(2**20)), 2**20
    zeros = 0
    for bit in range(21):  # the check sum of 2**20 zeros, doubled; the file has a hole where they are
        if (size >> 20) >> bit & 1:
            zeros = joined(zeros, crc, length)
        crc, length = joined(crc, crc, length), 2 * length
    path = pathlib.Path(tmp_path, "large.zip")
    with path.open("w+b") as file, zipfile.ZipFile(file, "w") as packed:
        with member_in_place(packed, file, "large") as member:
            member.truncate(size)
            member.known = [(0, size, zeros)]
        add_member(packed, "after", io.BytesIO(b"after"))
    with zipfile.ZipFile(path) as packed:
        assert packed.getinfo("large").file_size == size
        assert zeros == packed.getinfo("large").CRC
        assert packed.read("after") == b"after"
    with path.open("rb") as file:
        assert [m.size for m in read_members(file, path)] == [size, 5]

"""Bytes of a file with bounds: a place to name in errors, a cursor over a block, and the file itself."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from keras_fn.core.errors import CorruptFileError, FileLimitError, UnsafeFileError

# what stands for "no address" (section I.C, "undefined address")
NOWHERE = 2**64 - 1
_PAGE = 2**14
_MOST_PAGES = 64


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file the reader is: the file, and the path of names inside it."""

    file: str
    path: str = "/"

    def below(self, name: str) -> Place:
        """The place of a member of the group that is here."""
        return Place(self.file, f"{self.path}{name}" if self.path == "/" else f"{self.path}/{name}")

    def corrupt(self, text: str) -> CorruptFileError:
        """The file contradicts itself."""
        return CorruptFileError(f"{self._words(text)} The file is damaged. Take another copy of it.")

    def unsafe(self, text: str) -> UnsafeFileError:
        """The file asks for what is not read from files."""
        return UnsafeFileError(self._words(text))

    def limit(self, text: str) -> FileLimitError:
        """The file asks for too much."""
        return FileLimitError(f"{self._words(text)} The file is damaged or malicious.")

    def _words(self, text: str) -> str:
        return f"{self.file}, {self.path[-300:]!r}: {text}"


class Cursor:
    """Reads a block of bytes from its start on, and never behind its end. Numbers are little endian."""

    __slots__ = ("_what", "at", "data", "end", "place")

    def __init__(self, data: bytes, place: Place, what: str) -> None:
        self.data, self.at, self.end, self.place, self._what = data, 0, len(data), place, what

    @property
    def left(self) -> int:
        """How many bytes follow."""
        return self.end - self.at

    def take(self, n: int) -> bytes:
        """The next n bytes."""
        at = self.at
        if n > self.end - at:
            raise self.place.corrupt(f"{self._what} ends after {self.end} bytes, and {at + n} were expected.")
        self.at = at + n
        return self.data[at : at + n]

    def uint(self, n: int) -> int:
        """The next n bytes as a number."""
        return int.from_bytes(self.take(n), "little")

    def signature(self, expected: bytes) -> None:
        """The next bytes must be these."""
        got = self.take(len(expected))
        if got != expected:
            raise self.place.corrupt(f"{self._what} begins with {got!r}, and {expected!r} was expected.")

    def version(self, *known: int) -> int:
        """The next byte is the version of the structure, and must be one of these."""
        got = self.uint(1)
        if got not in known:
            raise self.place.unsafe(f"{self._what} has the version {got}; read are {list(known)}.")
        return got

    def text(self, n: int) -> str:
        """The next n bytes as a name: UTF-8 up to a null byte."""
        return decode(self.take(n).split(b"\0", 1)[0], self.place, self._what)


def decode(raw: bytes, place: Place, what: str) -> str:
    """Text in UTF-8, of which ASCII is a part."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as e:
        raise place.corrupt(f"{what} is not text: {raw[:80]!r}.") from e


class Source:
    """A file that can be read from any place, a bound on its size, and an account of what was read of it.

    Every structure and every array of a well-formed file lies in bytes of its own, and structures are read once. So the
    bytes of all of them are no more than the file has: a file that exceeds it has structures that overlap, or loops.
    """

    def __init__(self, file: Any, name: str) -> None:
        self._file = getattr(file, "raw", file)  # a buffer on top would fetch much more than is asked for
        self.name = name
        self.end = self._file.seek(0, io.SEEK_END)
        self.seen: dict[int, str] = {}
        self._spent = 0
        self._texts = 0
        self._paths = 0
        self._unpacked = 0
        self._claims: list[tuple[int, int]] = []
        self._pages: dict[int, bytes] = {}

    def peek(self, address: int, size: int, place: Place, what: str) -> bytes:
        """A few bytes, to see what is there."""
        if address + size > self.end:
            raise place.corrupt(f"{what} at {address} has {size} bytes, and the file ends at {self.end}.")
        first, last = address // _PAGE, (address + size - 1) // _PAGE
        start = address - first * _PAGE
        if first >= last:
            return self._page(first)[start : start + size] if size else b""
        if last - first > 4:
            return bytes(self.read_into(bytearray(size), address, place))
        return b"".join([self._page(i) for i in range(first, last + 1)])[start : start + size]

    def block(self, address: int, size: int, place: Place, what: str) -> bytes:
        """The bytes of a structure."""
        self.claim(address, size, place, what)
        return self.peek(address, size, place, what)

    def cursor(self, address: int, size: int, place: Place, what: str) -> Cursor:
        """A cursor over the bytes of a structure."""
        return Cursor(self.block(address, size, place, what), place, what)

    def claim(self, address: int, size: int, place: Place, what: str) -> None:
        """Notes the bytes of a structure or of values."""
        if address + size > self.end:
            raise place.corrupt(f"{what} at {address} has {size} bytes, and the file ends at {self.end}.")
        self._spent += size
        if self._spent > self.end:
            raise place.corrupt(f"what the file holds up to {what} takes more than its {self.end} bytes: it overlaps.")
        if size:
            self._claims.append((address, address + size))

    def check_claims(self, place: Place) -> None:
        """Raises where two structures or arrays lie in the same bytes."""
        self._claims.sort()
        for (_, end), (start, _) in zip(self._claims, self._claims[1:], strict=False):
            if start < end:
                raise place.corrupt(f"two parts of the file lie in the same bytes, at {start}.")

    def add_object(self, address: int, place: Place) -> None:
        """Accounts for a group or an array, which must have one name and no more."""
        if address in self.seen:
            raise place.unsafe(f"this is another name of {self.seen[address]!r}, and may be a loop. Store it once.")
        self.seen[address] = place.path
        self.check_count(len(self.seen), "groups and arrays", place)
        self._paths += len(place.path)
        most = 2**22 + 4 * self.end
        if self._paths > most:
            raise place.limit(f"all paths in a file of {self.end} bytes may have {most} characters, not more.")

    def check_count(self, count: int, what: str, place: Place) -> None:
        """Refuses more parts of a kind than a file of this size has a use for."""
        most = 4096 + self.end // 256
        if count > most:
            raise place.limit(f"a file of {self.end} bytes may hold {most} {what}, not more.")

    def add_text(self, size: int, place: Place) -> None:
        """Accounts for text in heaps, to which several attributes may point."""
        self._texts += size
        if self._texts > self.end:
            raise place.corrupt(f"attributes hold more text than the file's {self.end} bytes: it is used twice.")

    def add_unpacked(self, size: int, place: Place) -> None:
        """Accounts for values that may take more bytes than are stored."""
        self._unpacked += size
        most = 2**25 + 16 * self.end
        if self._unpacked > most:
            raise place.limit(f"a file of {self.end} bytes may unpack to {most} bytes, not more.")

    def _page(self, number: int) -> bytes:
        page = self._pages.get(number)
        if page is None:
            if len(self._pages) >= _MOST_PAGES:
                self._pages.clear()
            self._file.seek(number * _PAGE)
            size = min(_PAGE, self.end - number * _PAGE)
            page = self._file.read(size)
            if len(page) != size:
                page = bytes(self.read_into(bytearray(size), number * _PAGE, Place(self.name)))
            self._pages[number] = page
        return page

    def read_into(self, buffer: Any, address: int, place: Place) -> Any:
        """Fills a buffer of bytes with those from an address on. Returns the buffer."""
        view = memoryview(buffer)
        if address + len(view) > self.end:
            raise place.corrupt(f"{len(view)} bytes at {address} lie behind the end of the file at {self.end}.")
        self._file.seek(address)
        done = 0
        while done < len(view):
            got = self._file.readinto(view[done:])
            if not got:
                raise place.corrupt(f"the file ends at {address + done}, while it is read.")
            done += got
        return buffer


"""Known gaps: what a backend does not do, and why.

A file `known_gaps.txt` in the backend's package, a line each:

    # a comment
    special::mod/5 — the framework's remainder has the sign of the dividend
    dtype::*/bfloat16 — the framework has no bfloat16

Before the dash (or `--`) stands the path of an item; `*` stands for any text. After it stands the reason.
"""

from __future__ import annotations

import fnmatch
import importlib.resources
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from keras_fn.core.backend import Backend
from keras_fn.core.errors import FileFormatError

FILE = "known_gaps.txt"


@dataclass(frozen=True)
class Gap:
    """A line of the file.

    Attributes:
        pattern: path of an item, with `*` for any text.
        reason: why.
    """

    pattern: str
    reason: str

    def covers(self, path: str) -> bool:
        """Whether an item is meant."""
        return fnmatch.fnmatchcase(path, self.pattern.replace("[", "[[]"))


def read(backend: Backend) -> list[Gap]:
    """The known gaps of a backend; none where its package has no such file."""
    package = type(backend).__module__.partition(".")[0]
    if package == "keras_fn":
        return []  # the strict and the wrong backend
    try:
        folder: Any = importlib.resources.files(package)
        text = folder.joinpath(FILE).read_text(encoding="utf-8")
    except (FileNotFoundError, TypeError):  # a backend may be a single module, which has no folder
        return []
    return parse(text, f"{package}/{FILE}")


def parse(text: str, source: str = FILE) -> list[Gap]:
    """The gaps in the text of a file.

    Raises:
        FileFormatError: where a line has no reason.

    Example:
        >>> from keras_fn.testing.conformance import gaps
        >>> gaps.parse("dtype::erf/float16 — no kernel")[0].reason
        'no kernel'
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        pattern, *reason = (part.strip() for part in re.split(r"\s(?:—|--)\s", line, maxsplit=1))
        if "::" not in pattern or not reason or not reason[0]:
            raise FileFormatError(f"{source}, line {number}: 'group::case — reason' was expected, and {line!r} came.")
        found.append(Gap(pattern, reason[0]))
    return found


def stale(gaps: Iterable[Gap], paths: Iterable[str]) -> list[Gap]:
    """The gaps that mean no item at all."""
    paths = list(paths)
    return [g for g in gaps if not any(g.covers(p) for p in paths)]

"""The list of primitives in docs/backends.md, made from the registry.

`python -m keras_fn.testing.primitives docs/backends.md` writes it.
"""

from __future__ import annotations

import pathlib
import re
import sys
from itertools import groupby

import keras_fn.ops  # pyright: ignore[reportUnusedImport]
import keras_fn.random  # noqa: F401  # pyright: ignore[reportUnusedImport]  (it declares ops)
from keras_fn.core.spec import REGISTRY

BEGIN, END = "<!-- primitives: begin -->\n", "<!-- primitives: end -->"


def table() -> str:
    """The primitives by the module that declares them, with their signatures, as Markdown."""
    found = sorted((op.__module__, name, str(op.signature)) for name, op in REGISTRY.items() if op.primitive)
    lines = [f"{len(found)} primitives:\n"]
    for module, rows in groupby(found, key=lambda row: row[0]):
        lines.append(f"**{module}**\n")
        lines.extend(f"- `{name}{signature}`" for _, name, signature in rows)
        lines.append("")
    return "\n".join(lines)


def updated(text: str) -> str:
    """A page with the list between its marks replaced."""
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: f"{BEGIN}{table()}\n{END}", text, flags=re.DOTALL)


if __name__ == "__main__":
    page = pathlib.Path(sys.argv[1])
    page.write_text(updated(page.read_text(encoding="utf-8")), encoding="utf-8")

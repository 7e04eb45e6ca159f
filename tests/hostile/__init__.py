"""Hostile files, as rows by category, and the process in which they are loaded.

`rows(folder)` writes them all; `child.py` loads each one where nothing but reading it is allowed.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

from hostile.base import Maker, Row


def rows(folder: pathlib.Path) -> list[Row]:
    """Writes all hostile files into a folder."""
    from hostile import classes, configs, doors, functions, hdf5_files, json_texts, safetensors_files, special, zips

    maker = Maker(folder)
    found: list[Row] = []
    for module in (zips, json_texts, configs, classes, functions, doors, hdf5_files, safetensors_files, special):
        found.extend(_of(module, maker))
    names = [row.name for row in found]
    assert len(set(names)) == len(names), [n for n in names if names.count(n) > 1]
    return found


def _of(module: object, maker: Maker) -> Iterator[Row]:
    yield from module.rows(maker)  # type: ignore[attr-defined]

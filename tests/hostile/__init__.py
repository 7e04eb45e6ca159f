"""Hostile files, as rows by category, and the process in which they are loaded.

`rows(folder)` writes them all; `child.py` loads each one where nothing but reading it is allowed.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

from hostile.base import Maker, Row


def rows(folder: pathlib.Path, largest: bool = True) -> list[Row]:
    """Writes all hostile files into a folder; those of 5 MB, which are hundreds, where `largest` is true."""
    from hostile import (
        classes,
        configs,
        direct,
        doors,
        functions,
        hdf5_files,
        json_texts,
        safetensors_files,
        special,
        work,
        worst,
        zips,
    )

    maker = Maker(folder)
    found: list[Row] = []
    modules = [zips, json_texts, configs, classes, functions, doors, hdf5_files, safetensors_files, special, direct]
    for module in (*modules, work, worst) if largest else modules:
        found.extend(_of(module, maker))
    names = [row.name for row in found]
    assert len(set(names)) == len(names), [n for n in names if names.count(n) > 1]
    return found


def _of(module: object, maker: Maker) -> Iterator[Row]:
    yield from module.rows(maker)  # type: ignore[attr-defined]

"""Files of weights in several parts that no index lists any more: what a save that was killed left, or one before it.

Each part carries the name that it is a part of, so that a file of somebody else is never taken for one, whatever its
name.
"""

from __future__ import annotations

import pathlib
import re
from contextlib import suppress
from typing import Any

from keras_fn.core.atomic import sweep_all
from keras_fn.core.errors import FileError, FileMissingError
from keras_fn.saving import hdf5
from keras_fn.saving.regular import open_regular

_PART_OF = "keras_fn_part_of"


def mark(root: Any, stem: str) -> None:
    """Writes into the root of an h5py file what it is a part of."""
    root.attrs[_PART_OF] = ascii(stem)


def delete_unlisted(stem: pathlib.Path, ending: str, listed: set[str]) -> None:
    """Deletes the parts that are not listed, once the index that lists the others is on the disk.

    Args:
        stem: the path of the index, without its ending.
        ending: the ending of parts; before it is a number.
        listed: the names that stay.
    """
    names = re.compile(rf"{re.escape(stem.name)}_\d{{5,}}{re.escape(ending)}")
    sweep_all(stem.parent, names)
    with suppress(OSError):  # what stays is of no use, and harms nobody
        for path in list(stem.parent.iterdir()):
            if names.fullmatch(path.name) and path.name not in listed and _is_part(path, stem.name):
                path.unlink()


def _is_part(path: pathlib.Path, stem: str) -> bool:
    try:
        with open_regular(path, links=False) as file, hdf5.open_h5(file, str(path)) as root:
            return root.attrs.get(_PART_OF) == ascii(stem)
    except (FileError, FileMissingError):
        return False

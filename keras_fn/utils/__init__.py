"""Helpers around models: data, files, images, seeds. Each module is imported when one of its names is first used."""

from __future__ import annotations

import importlib
from typing import Any

# public name -> the module that holds it
_HOMES = {
    "array_to_img": "keras_fn.utils.images",
    "get_file": "keras_fn.utils.download",
    "img_to_array": "keras_fn.utils.images",
    "load_img": "keras_fn.utils.images",
    "normalize": "keras_fn.utils.numerical",
    "pad_sequences": "keras_fn.utils.sequences",
    "save_img": "keras_fn.utils.images",
    "set_random_seed": "keras_fn.utils.seeds",
    "to_categorical": "keras_fn.utils.numerical",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

"""Helpers around models: data, files, images, seeds. Each module is imported when one of its names is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what editors and type checkers see
    from keras_fn.utils.download import get_file
    from keras_fn.utils.images import array_to_img, img_to_array, load_img, save_img
    from keras_fn.utils.numerical import normalize, to_categorical
    from keras_fn.utils.plotting import model_to_dot, model_to_mermaid, plot_model
    from keras_fn.utils.progbar import Progbar
    from keras_fn.utils.seeds import set_random_seed
    from keras_fn.utils.sequences import pad_sequences
    from keras_fn.utils.summary import print_summary

# public name -> the module that holds it
_HOMES = {
    "Progbar": "keras_fn.utils.progbar",
    "array_to_img": "keras_fn.utils.images",
    "get_file": "keras_fn.utils.download",
    "img_to_array": "keras_fn.utils.images",
    "load_img": "keras_fn.utils.images",
    "model_to_dot": "keras_fn.utils.plotting",
    "model_to_mermaid": "keras_fn.utils.plotting",
    "normalize": "keras_fn.utils.numerical",
    "pad_sequences": "keras_fn.utils.sequences",
    "plot_model": "keras_fn.utils.plotting",
    "print_summary": "keras_fn.utils.summary",
    "save_img": "keras_fn.utils.images",
    "set_random_seed": "keras_fn.utils.seeds",
    "to_categorical": "keras_fn.utils.numerical",
}

__all__ = [
    "Progbar", "array_to_img", "get_file", "img_to_array", "load_img", "model_to_dot", "model_to_mermaid", "normalize",
    "pad_sequences", "plot_model", "print_summary", "save_img", "set_random_seed", "to_categorical",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

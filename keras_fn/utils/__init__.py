"""Helpers around models: data, files, images, seeds. Each module is imported when one of its names is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what editors and type checkers see
    from keras_fn.backend import clear_session, standardize_dtype
    from keras_fn.config.logging import (
        disable_interactive_logging,
        enable_interactive_logging,
        is_interactive_logging_enabled,
    )
    from keras_fn.graph.symbol import is_keras_tensor
    from keras_fn.saving.config import deserialize_keras_object, serialize_keras_object
    from keras_fn.saving.registry import (
        CustomObjectScope,
        custom_object_scope,
        get_custom_objects,
        get_registered_name,
        get_registered_object,
        register_keras_serializable,
    )
    from keras_fn.utils.batches import pack_x_y_sample_weight, unpack_x_y_sample_weight
    from keras_fn.utils.config_object import Config
    from keras_fn.utils.download import get_file
    from keras_fn.utils.images import array_to_img, img_to_array, load_img, save_img
    from keras_fn.utils.numerical import normalize, to_categorical
    from keras_fn.utils.plotting import model_to_dot, model_to_mermaid, plot_model
    from keras_fn.utils.progbar import Progbar
    from keras_fn.utils.py_dataset import PyDataset, Sequence
    from keras_fn.utils.seeds import set_random_seed
    from keras_fn.utils.sequences import pad_sequences
    from keras_fn.utils.sources import get_source_inputs
    from keras_fn.utils.summary import print_summary

# public name -> the module that holds it
_HOMES = {
    "Config": "keras_fn.utils.config_object",
    "CustomObjectScope": "keras_fn.saving.registry",
    "Progbar": "keras_fn.utils.progbar",
    "PyDataset": "keras_fn.utils.py_dataset",
    "Sequence": "keras_fn.utils.py_dataset",
    "array_to_img": "keras_fn.utils.images",
    "clear_session": "keras_fn.backend",
    "custom_object_scope": "keras_fn.saving.registry",
    "deserialize_keras_object": "keras_fn.saving.config",
    "disable_interactive_logging": "keras_fn.config.logging",
    "enable_interactive_logging": "keras_fn.config.logging",
    "get_custom_objects": "keras_fn.saving.registry",
    "get_file": "keras_fn.utils.download",
    "get_registered_name": "keras_fn.saving.registry",
    "get_registered_object": "keras_fn.saving.registry",
    "get_source_inputs": "keras_fn.utils.sources",
    "img_to_array": "keras_fn.utils.images",
    "is_interactive_logging_enabled": "keras_fn.config.logging",
    "is_keras_tensor": "keras_fn.graph.symbol",
    "load_img": "keras_fn.utils.images",
    "model_to_dot": "keras_fn.utils.plotting",
    "model_to_mermaid": "keras_fn.utils.plotting",
    "normalize": "keras_fn.utils.numerical",
    "pack_x_y_sample_weight": "keras_fn.utils.batches",
    "pad_sequences": "keras_fn.utils.sequences",
    "plot_model": "keras_fn.utils.plotting",
    "print_summary": "keras_fn.utils.summary",
    "register_keras_serializable": "keras_fn.saving.registry",
    "save_img": "keras_fn.utils.images",
    "serialize_keras_object": "keras_fn.saving.config",
    "set_random_seed": "keras_fn.utils.seeds",
    "standardize_dtype": "keras_fn.backend",
    "to_categorical": "keras_fn.utils.numerical",
    "unpack_x_y_sample_weight": "keras_fn.utils.batches",
}

__all__ = [
    "Config", "CustomObjectScope", "Progbar", "PyDataset", "Sequence", "array_to_img", "clear_session",
    "custom_object_scope", "deserialize_keras_object", "disable_interactive_logging", "enable_interactive_logging",
    "get_custom_objects", "get_file", "get_registered_name", "get_registered_object", "get_source_inputs",
    "img_to_array", "is_interactive_logging_enabled", "is_keras_tensor", "load_img", "model_to_dot", "model_to_mermaid",
    "normalize", "pack_x_y_sample_weight", "pad_sequences", "plot_model", "print_summary",
    "register_keras_serializable", "save_img", "serialize_keras_object", "set_random_seed", "standardize_dtype",
    "to_categorical", "unpack_x_y_sample_weight",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

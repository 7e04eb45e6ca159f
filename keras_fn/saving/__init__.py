"""Saving and loading."""

from keras_fn.core.errors import (
    CorruptFileError,
    FileError,
    FileLimitError,
    UnsafeFileError,
    WeightMismatchError,
)
from keras_fn.saving.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)

_LAZY = {
    "deserialize_keras_object": "config",
    "serialize_keras_object": "config",
    "load_model": "model_io",
    "load_newest_model": "newest",
    "load_newest_weights": "newest",
    "save_model": "model_io",
    "load_weights": "model_io",
    "save_weights": "model_io",
}


def __getattr__(name: str):  # type: ignore[no-untyped-def]
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(f"keras_fn.saving.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'keras_fn.saving' has no attribute {name!r}")


__all__ = [
    "CorruptFileError",
    "CustomObjectScope",
    "FileError",
    "FileLimitError",
    "UnsafeFileError",
    "WeightMismatchError",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_newest_model",
    "load_newest_weights",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

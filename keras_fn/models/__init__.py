"""Models."""

from keras_fn.models.cloning import clone_model
from keras_fn.models.functional import Functional
from keras_fn.models.model import Model
from keras_fn.models.sequential import Sequential

_SAVING = ("load_model", "model_from_json", "save_model")


def __getattr__(name: str):  # type: ignore[no-untyped-def]
    if name in _SAVING:
        from keras_fn.saving import model_io

        return getattr(model_io, name)
    raise AttributeError(f"module 'keras_fn.models' has no attribute {name!r}")


__all__ = [
    "Functional", "Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model",
]  # fmt: skip

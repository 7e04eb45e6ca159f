"""Saving and loading whole models, or their weights alone."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import tempfile
from collections.abc import Mapping
from typing import Any

from keras_fn import __version__
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, FileFormatError, FileMissingError
from keras_fn.saving import archive
from keras_fn.saving.archive import ASSETS, CONFIG, METADATA, WEIGHTS
from keras_fn.saving.config import custom_object_scope, deserialize_keras_object, serialize_keras_object
from keras_fn.saving.places import reading

# the version of Keras whose format is written
_FORMAT = "3.15.1"
_LEGACY = (".h5", ".hdf5")
_SHARDS = ".weights.json"


def save_model(model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
    """Saves a model: its configuration, weights, optimizer state and compile settings.

    The file is Keras 3's `.keras` format, and Keras opens it. It is written beside its place and then renamed, so that
    an old file stays whole until the new one is.

    Args:
        model: a model.
        filepath: a path that ends in `.keras`; or one without extension, which becomes a folder with the same content.
        overwrite: whether what is there may be replaced.
        zipped: one file (true) or a folder (false); by the path where None.

    Raises:
        FileThereError: where something is there and `overwrite` is false.
        ArgumentError: where the path or an object in the model cannot be written.

    Example:
        >>> import keras_fn, pathlib, tempfile
        >>> model = keras_fn.Sequential([keras_fn.Input((2,)), keras_fn.layers.Dense(1)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     keras_fn.saving.save_model(model, pathlib.Path(folder) / "model.keras")
        ...     same = keras_fn.saving.load_model(pathlib.Path(folder) / "model.keras")
        >>> bool((same.get_weights()[0] == model.get_weights()[0]).all())
        True
    """
    if kwargs:
        raise ArgumentError(f"`save_model` got unknown arguments: {', '.join(kwargs)}. There is one format, `.keras`.")
    from keras_fn.models.model import Model

    if not isinstance(model, Model):
        raise ArgumentTypeError(f"`save_model` takes a model, and {type(model).__name__} came.")
    path = pathlib.Path(os.fspath(filepath))
    zipped = _zipped(path, zipped)
    archive.check_target(path, overwrite)
    if not zipped:
        with archive.new_folder(path) as folder:
            _write_members(model, folder)
        return
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.absolute().parent) as folder_name:
        folder = pathlib.Path(folder_name)
        _write_members(model, folder)
        with archive.new_file(path) as target:
            archive.write_zip(target, folder)


def _zipped(path: pathlib.Path, zipped: bool | None) -> bool:
    if path.suffix in _LEGACY:
        raise ArgumentError(
            f"Whole models are written as `.keras`, and not in the legacy format `{path.suffix}`: take "
            f"{str(path.with_suffix('.keras'))!r}. For the weights alone, `save_weights` writes `.weights.h5`."
        )
    if path.suffix not in ("", ".keras"):
        raise ArgumentError(
            "A model is saved to a path that ends in `.keras`, or to one without extension (a folder), not to "
            f"{str(path)!r}."
        )
    return path.suffix == ".keras" if zipped is None else zipped


def _write_members(model: Any, folder: pathlib.Path) -> None:
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": _FORMAT, "date_saved": now, "keras_fn_version": __version__}
    (folder / METADATA).write_text(json.dumps(metadata), encoding="utf-8")
    (folder / CONFIG).write_text(json.dumps(serialize_keras_object(model)), encoding="utf-8")
    _write_weights(model, folder / WEIGHTS)
    _write_assets(model, folder)


def _write_weights(model: Any, path: pathlib.Path) -> None:
    import h5py

    from keras_fn.saving.weights import write_state

    with h5py.File(path, "w") as root:
        write_state(model, root)


def _write_assets(model: Any, folder: pathlib.Path) -> None:
    """Layers that keep files of their own write them into a folder named by their path."""
    for path, owner in _with("save_assets", model):
        place = folder / ASSETS / path
        place.mkdir(parents=True, exist_ok=True)
        owner.save_assets(str(place))


def _with(method: str, model: Any) -> list[tuple[str, Any]]:
    from keras_fn.layers.base import Layer
    from keras_fn.saving.walk import walk

    inherited = getattr(Layer, method, None)
    return [
        (path, owner)
        for path, owner in walk(model)
        if getattr(type(owner), method, None) not in (None, inherited)
    ]


# --- loading
def load_model(
    filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model in a file or folder that `save_model` of this library or of Keras 3 wrote; or in a legacy `.h5` file.

    Nothing in the file is run and no module is imported because the file names it.

    Args:
        filepath: the path.
        custom_objects: name -> class or function that the file may name, besides the registered ones.
        compile: whether the model is compiled as it was.
        safe_mode: refuse lambdas, which are code.

    Raises:
        FileMissingError: where there is no file.
        FileFormatError: where the file is damaged or malicious.
        ArgumentError: where it names unknown classes, or holds a lambda in safe mode.
    """
    path = pathlib.Path(os.fspath(filepath))
    if path.suffix in _LEGACY and path.is_file():
        from keras_fn.saving.legacy_h5 import load_legacy_model

        return load_legacy_model(path, custom_objects, compile, safe_mode)
    with archive.open_archive(path) as source:
        source.json(METADATA)
        data = source.json(CONFIG)
        source.require(WEIGHTS)
        if not compile:
            data.pop("compile_config", None)
        where = f"{WEIGHTS} of {path}"
        with source.open(WEIGHTS) as file:
            return _assemble(data, source, file, where, custom_objects, safe_mode)


def _assemble(data: Any, source: archive.Archive, file: Any, where: str, custom_objects: Any, safe_mode: bool) -> Any:
    from keras_fn.core.context import context
    from keras_fn.saving.h5 import declared_bytes, open_h5
    from keras_fn.saving.weights import read_state

    with open_h5(file, where) as root:
        before, context.room = context.room, declared_bytes(root, where) * _FACTOR + _SLACK
        try:
            with reading(f"{CONFIG} of {source.where}"):
                model = deserialize_keras_object(data, custom_objects, safe_mode)
        finally:
            context.room = before
        if not hasattr(model, "load_weights"):
            raise FileFormatError(f"{source.where} holds a {type(model).__name__}, and a model was expected.")
        with custom_object_scope(custom_objects):
            _read_assets(model, source)
            read_state(model, root, where)
    return model


# what the weights of a model may take while it is being made, as a multiple of what its file holds of them: a model may
# keep in 32 bits what was saved in 16, and its optimizer's state may not have been saved
_FACTOR, _SLACK = 8, 2**28


def _read_assets(model: Any, source: archive.Archive) -> None:
    owners = _with("load_assets", model)
    if not owners:
        return
    with tempfile.TemporaryDirectory() as folder_name:
        folder = pathlib.Path(folder_name)
        source.copy_assets(folder)
        for path, owner in owners:
            place = folder / ASSETS / path
            if place.is_dir():
                owner.load_assets(str(place))


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A new model, with newly drawn weights, from the text that `model.to_json()` gave.

    Example:
        >>> import keras_fn
        >>> model = keras_fn.Sequential([keras_fn.Input((2,)), keras_fn.layers.Dense(1)])
        >>> keras_fn.models.model_from_json(model.to_json()).output_shape
        (None, 1)
    """
    data = archive.parse_json(json_string, "The text")
    with reading("the text"):
        return deserialize_keras_object(data, custom_objects)


# --- weights alone
def save_weights(model: Any, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None) -> None:
    """Saves the weights of a model, and the state of its optimizer.

    Args:
        model: a model that is built.
        filepath: path that ends in `.weights.h5`; or in `.safetensors`, which keeps the weights alone, by their paths.
        overwrite: whether a file that is there may be replaced.
        max_shard_size: must be None: weights are written into one file.
    """
    path = pathlib.Path(os.fspath(filepath))
    if max_shard_size is not None or path.name.endswith(_SHARDS):
        raise ArgumentError(
            "Weights are written into one file: leave `max_shard_size` out, and take a path ending in `.weights.h5`."
        )
    archive.check_target(path, overwrite)
    if path.suffix == ".safetensors":
        from keras_fn.saving.safetensors_io import save_safetensors

        with archive.new_file(path) as target:
            save_safetensors(model, target)
        return
    if not path.name.endswith(".weights.h5"):
        raise ArgumentError(f"The path of weights ends in `.weights.h5` (or `.safetensors`), unlike {str(path)!r}.")
    with archive.new_file(path) as target:
        _write_weights(model, target)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Loads weights into a model that is built.

    All shapes are compared before the first weight is changed.

    Args:
        model: a model.
        filepath: a `.weights.h5`, `.keras`, legacy `.h5` or `.safetensors` file, or the folder of a saved model.
        skip_mismatch: warn where something does not fit, and load the rest, instead of raising.
        by_name: for legacy `.h5` files: find layers by their names instead of their order.

    Raises:
        ShapeError, StructureError: where the file does not fit. No weight was changed then.
    """
    by_name = kwargs.pop("by_name", False)
    if kwargs:
        raise ArgumentError(f"`load_weights` got unknown arguments: {', '.join(kwargs)}.")
    path = pathlib.Path(os.fspath(filepath))
    if not path.exists():
        raise FileMissingError(f"There is no file {path}.")
    if path.suffix == ".safetensors":
        from keras_fn.saving.safetensors_io import load_safetensors

        load_safetensors(model, path, skip_mismatch)
    elif path.is_dir() or path.suffix == ".keras":
        with archive.open_archive(path) as source:
            source.require(WEIGHTS)
            with source.open(WEIGHTS) as file:
                _load_h5(model, file, f"{WEIGHTS} of {path}", skip_mismatch, by_name)
    elif path.suffix in _LEGACY:
        _load_h5(model, path, str(path), skip_mismatch, by_name)
    else:
        raise ArgumentError(
            "Weights are loaded from `.weights.h5`, `.keras`, `.h5`, `.hdf5` or `.safetensors` files, not from "
            f"{str(path)!r}."
        )


def _load_h5(model: Any, file: Any, where: str, skip_mismatch: bool, by_name: bool) -> None:
    from keras_fn.saving.h5 import open_h5
    from keras_fn.saving.legacy_h5 import is_legacy, read_legacy_weights
    from keras_fn.saving.weights import read_state

    with open_h5(file, where) as root:
        if is_legacy(root):
            read_legacy_weights(model, root, where, skip_mismatch, by_name)
            return
        if by_name:
            raise ArgumentError(f"`by_name` is for legacy `.h5` files, and {where} is not one.")
        read_state(model, root, where, skip_mismatch)

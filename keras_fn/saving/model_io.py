"""Saving and loading whole models, or their weights alone."""

from __future__ import annotations

import datetime
import io
import json
import os
import pathlib
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

from keras_fn import __version__
from keras_fn.core import atomic
from keras_fn.core.allowance import work_in
from keras_fn.core.errors import (
    ArgumentError,
    ArgumentTypeError,
    CorruptFileError,
    FileError,
    FileMissingError,
    ShapeError,
    StructureError,
    WeightMismatchError,
    printable,
)
from keras_fn.saving import archive
from keras_fn.saving.archive import ASSETS, CONFIG, METADATA, WEIGHTS
from keras_fn.saving.config import custom_object_scope, object_of_checked, serialize_keras_object
from keras_fn.saving.late import drawn_late
from keras_fn.saving.newer import KNOWN, of_version
from keras_fn.saving.places import reading, undoing
from keras_fn.saving.plan import LoadReport
from keras_fn.saving.regular import open_regular
from keras_fn.saving.structure import layers_in
from keras_fn.saving.zip_writing import Stretch, add_member, member_in_place

_LEGACY = (".h5", ".hdf5")
_SHARDS = ".weights.json"
NameMap = Mapping[str, str] | Callable[[str], str | None]


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
    atomic.check_target(path, overwrite)
    if zipped:
        _write_zip(model, path)
    else:
        with atomic.new_folder(path, archive.is_saved_model) as folder:
            _write_folder(model, path, folder)


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


def _write_zip(model: Any, path: pathlib.Path) -> None:
    with atomic.new_file(path) as target, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        for name, text in _texts(model).items():
            add_member(packed, name, io.BytesIO(text))
        with member_in_place(packed, target, WEIGHTS) as weights:
            weights.known = _write_weights(model, weights)
        if owners := _with("save_assets", model):
            with atomic.scratch_folder(path) as folder:
                _write_assets(owners, path, folder)
                for file in sorted(p for p in folder.rglob("*") if p.is_file()):
                    with file.open("rb") as source:
                        add_member(packed, file.relative_to(folder).as_posix(), source)


def _write_folder(model: Any, path: pathlib.Path, folder: pathlib.Path) -> None:
    for name, text in _texts(model).items():
        with atomic.member_file(folder / name) as file:
            file.write(text)
    with atomic.member_file(folder / WEIGHTS) as file:
        _write_weights(model, file)
    _write_assets(_with("save_assets", model), path, folder)


def _texts(model: Any) -> dict[str, bytes]:
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": KNOWN, "date_saved": now, "keras_fn_version": __version__}
    return {METADATA: json.dumps(metadata).encode(), CONFIG: json.dumps(serialize_keras_object(model)).encode()}


def _write_weights(model: Any, file: BinaryIO | Stretch) -> list[tuple[int, int, int]]:
    """Writes the weights. Returns where large arrays lie in the file: their places, lengths and CRC-32."""
    from keras_fn.saving.h5_writing import new_h5
    from keras_fn.saving.weights import write_state

    with new_h5(file) as root:
        return write_state(model, root)


def _write_assets(owners: list[tuple[str, Any]], path: pathlib.Path, folder: pathlib.Path) -> None:
    """Layers that keep files of their own write them into a folder named by their path."""
    for name, owner in owners:
        place = folder / ASSETS / name
        try:
            place.mkdir(parents=True, exist_ok=True)
            owner.save_assets(str(place))
        except OSError as e:
            raise atomic.write_failure(path, e) from e


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
    filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool | None = None
) -> Any:
    """The model in a file or folder that `save_model` of this library or of Keras 3 wrote; or in a legacy `.h5` file.

    Nothing in the file is run and no module is imported because the file names it. See docs/security.md.

    Args:
        filepath: the path.
        custom_objects: name -> class or function that the file may name, besides the registered ones.
        compile: whether the model is compiled as it was.
        safe_mode: true refuses lambdas, which are code; false runs them. None is true, unless the program called
            `config.enable_unsafe_deserialization()`.

    Raises:
        FileMissingError: where there is no file.
        UnsafeFileError: where it names unknown classes, or holds a lambda in safe mode, or a member leads elsewhere.
        CorruptFileError, FileLimitError, WeightMismatchError: where the file is damaged or contradicts itself.
    """
    path = pathlib.Path(os.fspath(filepath))
    with undoing(), drawn_late():
        if path.suffix in _LEGACY and not path.is_dir():
            from keras_fn.saving.legacy_h5 import load_legacy_model

            return load_legacy_model(path, custom_objects, compile, safe_mode)
        with archive.open_archive(path) as source:
            version = source.json(METADATA).get("keras_version")
            data = source.json(CONFIG)
            source.require(WEIGHTS)
            _check_described(data, f"The member {CONFIG!r} of {path}")
            if not compile:
                data.pop("compile_config", None)
            where = f"{WEIGHTS} of {path}"
            with source.open(WEIGHTS) as file, of_version(version):
                return _assemble(data, source, file, where, custom_objects, safe_mode)


def _assemble(
    data: Any, source: archive.Archive, file: Any, where: str, custom_objects: Any, safe_mode: bool | None
) -> Any:
    from keras_fn.saving.h5 import open_h5
    from keras_fn.saving.weights import read_state

    with open_h5(file, where) as root:
        with within_room(root, where, source.total), reading(f"{CONFIG} of {source.where}"):
            model = object_of_checked(data, custom_objects, safe_mode)
        check_model(model, source.where)
        with custom_object_scope(custom_objects):
            _read_assets(model, source)
            with matching():
                read_state(model, [(root, where)])
    return model


# what the weights of a model may take while it is being made, as a multiple of what its file holds of them: the state
# of an optimizer, up to three times the weights, is not in the file of a model that was compiled and never trained
_FACTOR, _SLACK = 4, 24 * 2**20


def _check_described(data: dict[str, Any], what: str) -> None:
    """Raises, before anything is read, where data cannot be that of a model: other data may be long."""
    if not isinstance(data.get("class_name"), str) or not isinstance(data.get("config"), dict):
        raise CorruptFileError(
            f"{what} must hold the `class_name` and the `config` of a model, and holds {', '.join(list(data)[:8])}."
        )


def check_model(found: Any, where: Any) -> None:
    """Raises where a file described something else than a model."""
    from keras_fn.models.model import Model

    if not isinstance(found, Model):
        raise CorruptFileError(f"{where} holds {printable(repr(found), 200)}, and a model was expected.")


@contextmanager
def within_room(root: Any, where: str, size: int) -> Iterator[None]:
    """For the length of a with block, variables and descriptions may take what a file gives reason for.

    Args:
        root: the file of weights.
        where: its name for messages.
        size: bytes of all that the model was read from.
    """
    from keras_fn.core.context import context
    from keras_fn.saving.h5 import declared_bytes

    before, context.room = context.room, declared_bytes(root, where) * _FACTOR + _SLACK
    try:
        with within_calls(size):
            yield
    finally:
        context.room = before


@contextmanager
def within_calls(size: int) -> Iterator[None]:
    """For the length of a with block, a model may have as many layers and calls as its size on paper allows."""
    from keras_fn.core.context import context

    before = context.calls, context.layers
    context.calls, context.layers = work_in(size), layers_in(size)
    try:
        yield
    finally:
        context.calls, context.layers = before


@contextmanager
def matching() -> Iterator[None]:
    """For the length of a with block, shapes and structures that differ are those of a file and a model."""
    try:
        yield
    except FileError:
        raise
    except (ShapeError, StructureError) as e:
        raise WeightMismatchError(str(e)) from e


def _read_assets(model: Any, source: archive.Archive) -> None:
    owners = _with("load_assets", model)
    if not owners:
        return
    with tempfile.TemporaryDirectory() as folder_name, reading(f"{ASSETS} of {source.where}"):
        folder = pathlib.Path(folder_name)
        source.copy_assets(folder, [path for path, _ in owners])
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
    _check_described(data, "The text")
    with undoing(), drawn_late(all_layers=False), within_calls(len(json_string)), reading("the text"):
        model = object_of_checked(data, custom_objects)
        check_model(model, "The text")
    return model


# --- weights alone
def save_weights(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    max_shard_size: float | None = None,
    *,
    name_map: NameMap | None = None,
) -> None:
    """Saves the weights of a model, and the state of its optimizer.

    Args:
        model: a model that is built.
        filepath: path that ends in `.weights.h5`, `.weights.json` (several files and their index), or `.safetensors`,
            which keeps the weights alone.
        overwrite: whether a file that is there may be replaced.
        max_shard_size: in gigabytes (2**30 bytes): weights go into files of no more than that, beside an index of the
            extension `.weights.json`. No single array may be larger.
        name_map: for `.safetensors`: the names in the file, by the variables' names here (as in
            `layers/dense/vars/0`) or paths; a dict or a function. Names that it does not hold stay as they are.
    """
    path = pathlib.Path(os.fspath(filepath))
    if name_map is not None and path.suffix != ".safetensors":
        raise ArgumentError(f"`name_map` is for `.safetensors` files, and {str(path)!r} is another.")
    if max_shard_size is not None or path.name.endswith(_SHARDS):
        from keras_fn.saving.shards import save_shards

        save_shards(model, path, overwrite, max_shard_size)
        return
    atomic.check_target(path, overwrite)
    if path.suffix == ".safetensors":
        from keras_fn.saving.safetensors_io import save_safetensors

        with atomic.new_file(path) as target:
            save_safetensors(model, target, name_map)
        return
    if not path.name.endswith(".weights.h5"):
        raise ArgumentError(
            f"The path of weights ends in `.weights.h5` (or `.weights.json`, `.safetensors`), unlike {str(path)!r}."
        )
    with atomic.new_file(path) as target:
        _write_weights(model, target)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> LoadReport:
    """Loads weights into a model that is built.

    All shapes are compared before the first weight is changed.

    Args:
        model: a model.
        filepath: a `.weights.h5`, `.weights.json`, `.keras`, legacy `.h5` or `.safetensors` file, or the folder of a
            saved model.
        skip_mismatch: warn where something does not fit, and load the rest, instead of raising.
        by_name: for legacy `.h5` files: find layers by their names instead of their order.
        name_map: for `.safetensors`: the names in the file by those here, as for `save_weights`.

    Returns:
        What was loaded, what was missing, what came unexpected, what had another shape: true where all is well, and
        `str` gives a table.

    Raises:
        WeightMismatchError: where the file does not fit. No weight was changed then.
        FileError: where the file is damaged or malicious.

    Example:
        >>> import keras_fn, pathlib, tempfile
        >>> def made():
        ...     return keras_fn.Sequential([keras_fn.Input((2,)), keras_fn.layers.Dense(1, name="d")], name="m")
        >>> names = {"d/kernel": "linear.weight", "d/bias": "linear.bias"}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "m.safetensors"
        ...     made().save_weights(path, name_map=names)
        ...     report = made().load_weights(path, name_map=names.get)
        >>> bool(report), report.loaded
        (True, ['d/kernel', 'd/bias'])
    """
    by_name, name_map = kwargs.pop("by_name", False), kwargs.pop("name_map", None)
    if kwargs:
        raise ArgumentError(f"`load_weights` got unknown arguments: {', '.join(kwargs)}.")
    path = atomic.standing(os.fspath(filepath))
    if not path.exists():
        raise FileMissingError(f"There is no file {path}.")
    if name_map is not None and path.suffix != ".safetensors":
        raise ArgumentError(f"`name_map` is for `.safetensors` files, and {str(path)!r} is another.")
    if by_name and path.suffix not in _LEGACY:
        raise ArgumentError(f"`by_name` is for legacy `.h5` files, and {str(path)!r} is not one.")
    if path.suffix == ".safetensors":
        from keras_fn.saving.safetensors_io import load_safetensors

        with matching():
            return load_safetensors(model, path, skip_mismatch, name_map)
    if path.name.endswith(_SHARDS):
        from keras_fn.saving.shards import load_shards

        with matching():
            return load_shards(model, path, skip_mismatch)
    if path.is_dir() or path.suffix == ".keras":
        with archive.open_archive(path) as source:
            source.require(WEIGHTS)
            with source.open(WEIGHTS) as file:
                return _load_h5(model, file, f"{WEIGHTS} of {path}", skip_mismatch, by_name)
    if path.suffix in _LEGACY:
        with open_regular(path) as file:
            return _load_h5(model, file, str(path), skip_mismatch, by_name)
    raise ArgumentError(
        "Weights are loaded from `.weights.h5`, `.weights.json`, `.keras`, `.h5`, `.hdf5` or `.safetensors` files, not "
        f"from {str(path)!r}."
    )


def _load_h5(model: Any, file: Any, where: str, skip_mismatch: bool, by_name: bool) -> LoadReport:
    from keras_fn.saving.h5 import open_h5
    from keras_fn.saving.legacy_h5 import is_legacy, read_legacy_weights
    from keras_fn.saving.weights import read_state

    with open_h5(file, where) as root, matching():
        if is_legacy(root):
            return read_legacy_weights(model, root, where, skip_mismatch, by_name)
        if by_name:
            raise ArgumentError(f"`by_name` is for legacy `.h5` files, and {where} is not one.")
        return read_state(model, [(root, where)], skip_mismatch)

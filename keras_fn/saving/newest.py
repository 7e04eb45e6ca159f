"""Loading the newest file of a `ModelCheckpoint` that is whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from keras_fn.callbacks.checkpoint_files import checkpoint_files
from keras_fn.core.fallback import newest_whole
from keras_fn.saving.model_io import load_model, load_weights
from keras_fn.saving.plan import LoadReport


def load_newest_model(
    filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool | None = None
) -> Any:
    """The newest model that a `ModelCheckpoint` saved; if its file is damaged, the one before it, with a warning.

    Newest is what has the highest numbers of epoch and batch in its name; where it has none, what was written last.

    Args:
        filepath: the path that the callback was given, with its fields in braces.
        custom_objects, compile, safe_mode: as for `load_model`.

    Returns:
        The model; None where there is no file yet.

    Raises:
        FileError: where there are files, and none of them is whole.

    Example:
        >>> import keras_fn, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "m-{epoch:02d}.keras"
        >>> keras_fn.saving.load_newest_model(path) is None
        True
        >>> model = keras_fn.Sequential([keras_fn.Input((2,)), keras_fn.layers.Dense(1)], name="mine")
        >>> model.save(path.with_name("m-01.keras"))
        >>> keras_fn.saving.load_newest_model(path).name
        'mine'
    """
    found = newest_whole(
        checkpoint_files(os.fspath(filepath)), lambda path: load_model(path, custom_objects, compile, safe_mode)
    )
    return None if found is None else found[1]


def load_newest_weights(model: Any, filepath: Any, skip_mismatch: bool = False) -> LoadReport | None:
    """Loads the newest weights that a `ModelCheckpoint` saved; as `load_newest_model` finds the newest model.

    Args:
        model: a model that is built.
        filepath: the path that the callback was given, with its fields in braces.
        skip_mismatch: as for `load_weights`.

    Returns:
        What `load_weights` says of the file; `report.where` is its name. None where there is no file yet.

    Raises:
        FileError: where there are files, and none of them is whole. No weight was changed then.

    Example:
        >>> import keras_fn, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "{epoch}.weights.h5"
        >>> model = keras_fn.Sequential([keras_fn.Input((2,)), keras_fn.layers.Dense(1)])
        >>> for epoch in (9, 10):
        ...     model.save_weights(path.with_name(f"{epoch}.weights.h5"))
        >>> pathlib.Path(keras_fn.saving.load_newest_weights(model, path).where).name
        '10.weights.h5'
    """
    found = newest_whole(
        checkpoint_files(os.fspath(filepath)), lambda path: load_weights(model, path, skip_mismatch=skip_mismatch)
    )
    return None if found is None else found[1]

"""What the user's keras.json says: the file that Keras keeps in ~/.keras, or in the folder KERAS_HOME."""

from __future__ import annotations

import functools
import json
import os
import pathlib
from typing import Any

from keras_fn.core.errors import ArgumentError, KerasFnError


def path() -> pathlib.Path:
    """Where the file is, or would be."""
    home = os.environ.get("KERAS_HOME")
    return (pathlib.Path(home).expanduser() if home else pathlib.Path.home() / ".keras") / "keras.json"


@functools.cache
def user_settings() -> dict[str, Any]:
    """The settings in the file, read once; empty where there is none.

    Raises:
        ArgumentError: where the file holds no JSON object.
    """
    file = path()
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return {}
    except ValueError as e:
        raise ArgumentError(f"{file} is not valid JSON ({e}). Mend it or delete it.") from e
    if not isinstance(settings, dict):
        raise ArgumentError(f'{file} must hold a JSON object, like {{"backend": "jax"}}, not {settings!r}.')
    return settings


def user_setting(name: str, default: Any, check: Any) -> Any:
    """One setting, or the default.

    Args:
        name: the key in the file.
        default: what holds where the file does not have it.
        check: a function that gives the setting as it is to be used, or raises.

    Raises:
        ArgumentError: where the value makes no sense.
    """
    settings = user_settings()
    if name not in settings:
        return default
    try:
        return check(settings[name])
    except KerasFnError as e:
        raise ArgumentError(f"{name!r} in {path()}: {e}") from e

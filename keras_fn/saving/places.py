"""Where in a file the reader is, so that errors can say it."""

from __future__ import annotations

from typing import Any

from keras_fn.core.context import CallContext
from keras_fn.core.errors import KerasFnError


class _Place(CallContext):
    def __init__(self) -> None:
        super().__init__()
        self.keys: list[Any] = []


_place = _Place()


class at:
    """For the length of a with block, the reader is at these keys below where it was."""

    __slots__ = ("_keys",)

    def __init__(self, *keys: Any) -> None:
        self._keys = keys

    def __enter__(self) -> None:
        _place.keys.extend(self._keys)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error is not None and not hasattr(error, "json_path"):
            error.json_path = json_path(_place.keys)
        del _place.keys[len(_place.keys) - len(self._keys) :]


def json_path(keys: list[Any]) -> str:
    """`["config", "layers", 2]` as `config.layers[2]`."""
    return "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in keys).lstrip(".")


class reading:
    """For the length of a with block, errors say that they arose from a member of a file, and where in it."""

    __slots__ = ("_before", "_what")

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        self._before, _place.keys = _place.keys, []

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        _place.keys = self._before
        if not isinstance(error, Exception):
            return
        path = getattr(error, "json_path", "")
        text = f"  in {self._what}" + (f", at {path}" if path else "")
        if isinstance(error, KerasFnError) and error.args:
            error.args = (f"{error.args[0]}\n{text}", *error.args[1:])
        else:
            error.add_note(text)

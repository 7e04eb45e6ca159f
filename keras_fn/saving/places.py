"""Where in a file the reader is, so that errors can say it."""

from __future__ import annotations

from typing import Any

from keras_fn.core import naming
from keras_fn.core.context import CallContext
from keras_fn.core.errors import BackendError, CorruptFileError, FileError, FileLimitError, KerasFnError, printable


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


class each:
    """For the length of a with block, the reader is at one key after the other, which `key` says."""

    __slots__ = ("_at",)

    def __enter__(self) -> each:
        self._at = len(_place.keys)
        _place.keys.append(None)
        return self

    @property
    def key(self) -> Any:
        """The key where the reader is."""
        return _place.keys[self._at]

    @key.setter
    def key(self, key: Any) -> None:
        _place.keys[self._at] = key

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error is not None and not hasattr(error, "json_path"):
            error.json_path = json_path(_place.keys)
        del _place.keys[self._at :]


def json_path(keys: list[Any]) -> str:
    """`["config", "layers", 2]` as `config.layers[2]`. A deep path is cut in the middle, a long name at its end."""
    shown = [f"[{k}]" if isinstance(k, int) else f".{str(k)[:60]}" for k in keys]
    if len(shown) > 24:
        shown[12:-12] = ["…"]
    return printable("".join(shown).lstrip("."), 600)


# what objects raise when they are made from senseless values
_SENSELESS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


class reading:
    """For the length of a with block, errors say that they arose from a member of a file, and where in it.

    Whatever objects raise because of the values in the file comes out as a `FileError`.
    """

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
        if isinstance(error, FileError):
            error.args = (printable(f"{printable(str(error), 1200)}\n{text}"),)
        elif isinstance(error, (MemoryError, RecursionError)):
            raise FileLimitError(f"The file asks for too much ({type(error).__name__}).\n{text}") from error
        elif isinstance(error, BackendError):  # nothing is wrong with the file, which asks for what is not here
            raise FileError(f"{printable(str(error), 1200)}\n{text}") from error
        elif isinstance(error, _SENSELESS):
            raise CorruptFileError(f"{printable(_said(error), 1200)}\n{text}") from error
        else:
            error.add_note(text)


class undoing:
    """What a refused file changed is put back when the with block fails.

    That is the counts behind made-up names, and the stream that seeds are drawn from: the next model is as if nothing
    had been read.
    """

    __slots__ = ("_names", "_seeds")

    def __enter__(self) -> None:
        from keras_fn.random import host

        self._names, self._seeds = naming.state(), host.stream_state()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        from keras_fn.random import host

        if error is not None:
            naming.set_state(self._names)
            host.set_stream_state(self._seeds)


def _said(error: Exception) -> str:
    """What an error says, with its kind where it was not worded for people."""
    return str(error) if isinstance(error, KerasFnError) else f"{type(error).__name__}: {error}"

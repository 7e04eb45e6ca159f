"""Tracebacks without the frames of keras_fn, where the message says all there is to know."""

from __future__ import annotations

import pathlib
import types

from keras_fn.core.errors import KerasFnError
from keras_fn.core.switches import switches

_OWN = str(pathlib.Path(__file__).resolve().parent.parent)
_BACKENDS = tuple(f"keras_fn_{name}" for name in ("jax", "torch", "tensorflow", "numpy"))


def shorten(error: KerasFnError) -> None:
    """Takes the frames of keras_fn and its backends out of an error's traceback, but for the last one.

    Only of errors that keras_fn words itself: their message names what came, where, and how to mend it. The frames of
    any other error may show a bug, and stay. `keras_fn.config.disable_traceback_filtering()` keeps all frames.
    """
    if not switches.traceback_filtering or error.__traceback__ is None:
        return
    frames = []
    at: types.TracebackType | None = error.__traceback__
    while at is not None:
        frames.append(at)
        at = at.tb_next
    kept = [f for f in frames[:-1] if not _ours(f)] + frames[-1:]
    chain: types.TracebackType | None = None
    for frame in reversed(kept):
        chain = types.TracebackType(chain, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    error.__traceback__ = chain


def _ours(frame: types.TracebackType) -> bool:
    code = frame.tb_frame.f_code.co_filename
    return code.startswith(_OWN) or frame.tb_frame.f_globals.get("__name__", "").startswith(_BACKENDS)

"""Old idioms still run, and say what the new form is."""

from __future__ import annotations

import os
import sys
import warnings

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def warn_old(old: str, new: str) -> None:
    """Warns, at the user's line, that an old form was used."""
    level, frame = 1, sys._getframe(0)
    while frame is not None and frame.f_code.co_filename.startswith(_HERE):
        level, frame = level + 1, frame.f_back  # type: ignore[assignment]
    warnings.warn(f"{old} is an old form: use {new}.", DeprecationWarning, stacklevel=level)

"""Ctrl-C waits until the step that is running has ended, so that weights are always those of whole steps.

A step writes many variables one after the other. Stopped in between, it would leave weights of which some are new and
some old, and nobody could tell. Everywhere else (data, callbacks, between steps) Ctrl-C acts at once.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class WholeSteps:
    """For the length of a with block, Ctrl-C is held back inside of `with whole_steps.step:`; a second one is not.

    Only the main thread gets signals; in others this does nothing.

    Example:
        >>> with WholeSteps() as whole:
        ...     with whole.step:
        ...         pass  # here weights are written
    """

    __slots__ = ("_before", "step")

    def __init__(self) -> None:
        self.step = _Step()
        self._before: Any = None

    def __enter__(self) -> WholeSteps:
        if threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGINT)
            if callable(before):  # else Ctrl-C is ignored, or handled outside of Python
                self._before = self.step.then = before
                signal.signal(signal.SIGINT, self.step.hold)
        return self

    def __exit__(self, *exc: Any) -> None:
        if self._before is not None and signal.getsignal(signal.SIGINT) == self.step.hold:
            signal.signal(signal.SIGINT, self._before)


class _Step:
    """The part of the work that is not to be cut."""

    __slots__ = ("_came", "_runs", "then")

    def __init__(self) -> None:
        self.then: Any = None
        self._runs = False
        self._came: tuple[int, FrameType | None] | None = None

    def hold(self, number: int, frame: FrameType | None) -> None:
        """What the signal calls."""
        if self._runs and self._came is None:
            self._came = (number, frame)
            return
        self._came = None
        self._act(number, frame)

    def _act(self, number: int, frame: FrameType | None) -> None:
        if self.then is signal.default_int_handler:
            # it ends the run: what was there before is there again, however little of the way out is gone through
            signal.signal(signal.SIGINT, self.then)
        self.then(number, frame)

    def __enter__(self) -> None:
        self._runs = True

    def __exit__(self, kind: Any, *exc: Any) -> None:
        self._runs = False
        if self._came is not None:
            came, self._came = self._came, None
            if kind is None:
                self._act(*came)

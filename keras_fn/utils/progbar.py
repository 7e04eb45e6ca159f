"""`Progbar`: a bar that grows in the terminal."""

from __future__ import annotations

import math
import os
import sys
import time
from typing import Any

from keras_fn.core.errors import ArgumentError


class Progbar:
    """A progress bar with values beside it.

    Args:
        target: number of steps, None where it is not known.
        width: length of the bar in characters.
        verbose: 0 silent, 1 a bar that is drawn anew, 2 one line at the end.
        interval: seconds between drawings.
        stateful_metrics: names of values that are shown as they are, and not averaged over steps.
        stateless_metrics: names of values that are averaged over steps.
        unit_name: word for a step.

    Example:
        >>> import keras_fn
        >>> bar = keras_fn.utils.Progbar(2, verbose=0)
        >>> bar.update(1, [("loss", 0.5)])
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Any = None,
        stateless_metrics: Any = None,
        unit_name: str = "step",
    ) -> None:
        if verbose not in (0, 1, 2):
            raise ArgumentError(f"`verbose` must be 0, 1 or 2, not {verbose!r}.")
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.averaged = set(stateless_metrics or ())
        self._sums: dict[str, tuple[float, float]] = {}
        self._values: dict[str, Any] = {}
        self._began = time.perf_counter()
        self._last = 0.0
        self._seen = 0
        self._length = 0
        # a terminal, or a notebook, can draw over a line; a file cannot
        self.redraws = (hasattr(sys.stdout, "isatty") and sys.stdout.isatty()) or "ipykernel" in sys.modules

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Draws the bar at a step.

        Args:
            current: steps that are done.
            values: pairs `(name, value)` to show.
            finalize: whether this is the last drawing; where None, whether `current` has reached the target.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or []:
            if name in self.averaged:
                total, weight = self._sums.get(name, (0.0, 0.0))
                step = max(current - self._seen, 1)
                self._sums[name] = (total + value * step, weight + step)
                value = self._sums[name][0] / self._sums[name][1]
            self._values[name] = value
        self._seen = current
        now = time.perf_counter()
        if self.verbose == 0 or (self.verbose == 2 and not finalize):
            return
        if not finalize and (now - self._last < self.interval or not self.redraws):
            return
        self._last = now
        line = self._bar(current, now) if self.verbose == 1 else self._line(current, now)
        self._write(line, finalize)

    def add(self, n: int, values: Any = None) -> None:
        """Moves the bar by n steps."""
        self.update(self._seen + n, values)

    def _bar(self, current: int, now: float) -> str:
        if self.target is None:
            head = f"{current:>7}/Unknown"
            bar = ""
        else:
            digits = len(str(self.target))
            head = f"{current:>{digits}}/{self.target}"
            filled = self.width if self.target == 0 else math.floor(self.width * min(current / self.target, 1.0))
            bar = " " + "━" * filled + _grey("━" * (self.width - filled), self.redraws)
        return f"{head}{bar} {self._time(current, now)}{self._shown()}"

    def _line(self, current: int, now: float) -> str:
        head = f"{current}/{self.target if self.target is not None else current}"
        seconds = now - self._began
        return f"{head} - {seconds:.0f}s - {_duration(seconds / max(current, 1))}/{self.unit_name}{self._shown()}"

    def _time(self, current: int, now: float) -> str:
        spent = now - self._began
        each = spent / max(current, 1)
        if self.target is not None and current < self.target:
            return f"{_long(each * (self.target - current))} {_duration(each)}/{self.unit_name}"
        return f"{_long(spent)} {_duration(each)}/{self.unit_name}"

    def _shown(self) -> str:
        return "".join(f" - {name}: {_number(value)}" for name, value in self._values.items())

    def _write(self, line: str, finalize: bool) -> None:
        if self.verbose == 1 and self.redraws:
            blank = " " * max(self._length - len(line), 0)
            sys.stdout.write(f"\r{line}{blank}" + (os.linesep if finalize else ""))
            self._length = len(line)
        else:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _grey(text: str, colour: bool) -> str:
    return f"\x1b[37m{text}\x1b[0m" if colour and text else text


def _number(value: Any) -> str:
    if not isinstance(value, (int, float)):
        return str(value)
    return f"{value:.4f}" if abs(value) > 1e-3 or value == 0 else f"{value:.4e}"


def _duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def _long(seconds: float) -> str:
    seconds = int(seconds)
    if seconds >= 3600:
        return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
    return f"{seconds // 60}:{seconds % 60:02d}" if seconds >= 60 else f"{seconds}s"

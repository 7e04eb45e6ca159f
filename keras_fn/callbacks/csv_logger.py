"""`CSVLogger`: a line in a text file for each epoch."""

from __future__ import annotations

import csv
import io
import os
import warnings
from collections.abc import Iterable
from typing import Any

from keras_fn.callbacks.callback import Callback
from keras_fn.core.atomic import append, failing_as, new_file


class CSVLogger(Callback):
    """Writes the logs of each epoch as a line of a CSV file: the epoch's number, then the values sorted by name.

    Every line is brought to the disk at once, so that a run that is killed leaves all of them. What is missing reads
    "NA". A file that was there stays as it is until the first line is written. A run that goes on after it was killed
    (see `BackupAndRestore`) drops the lines of the epochs that it does again.

    Args:
        filename: path of the file.
        separator: text between values.
        append: whether lines go behind those that are there, under the same names.

    Example:
        >>> import keras_fn
        >>> log = keras_fn.callbacks.CSVLogger("training.csv")
    """

    kept = ("keys", "_length")

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self._length: int | None = None  # of what this run wrote, or found; None where nothing was written

    def on_train_begin(self, logs: Any = None) -> None:
        """Looks at the file that is there."""
        self.keys = self._length = None
        if self.append and (length := self._there()):
            with failing_as(self.filename), open(self.filename, newline="", encoding="utf-8") as file:
                self.keys = next(csv.reader(file, delimiter=self.sep))[1:]
            self._length = length

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on behind the line that was the last one, if the file is still there."""
        super().set_state(state)
        if self._length is not None and self._there() < self._length:
            warnings.warn(
                f"{self.filename} has lost lines since the run was cut off. The next ones go into a new file.",
                stacklevel=2,
            )
            self.keys = self._length = None

    def _there(self) -> int:
        """Bytes of the file; 0 where there is none. A disk that does not answer is not one that has no file."""
        with failing_as(self.filename):
            try:
                return os.stat(self.filename).st_size
            except FileNotFoundError:
                return 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Writes a line."""
        logs = logs or {}
        rows: list[list[Any]] = []
        if self.keys is None:
            self.keys = sorted(logs)
            if self._validates_later(self.keys):
                self.keys += [f"val_{name}" for name in self.keys if name != "learning_rate"]
            rows.append(["epoch", *self.keys])
        unknown = sorted(set(logs) - set(self.keys))
        if unknown:
            warnings.warn(
                f"{self.filename} has no columns for {', '.join(unknown)}: its first line has {', '.join(self.keys)}. "
                "These values are left out.",
                stacklevel=2,
            )
        rows.append([epoch, *(_text(logs.get(name, "NA")) for name in self.keys)])
        self._write(rows)

    def _validates_later(self, names: Iterable[str]) -> bool:
        """Whether values of a validation will come that the first epoch did not have."""
        run = getattr(self.model, "_kf_run", None)
        return run is not None and run.validates and not any(n.startswith("val_") for n in names)

    def _write(self, rows: list[list[Any]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self.sep, lineterminator="\n").writerows(rows)
        data = text.getvalue().encode()
        if self._length is None:
            with new_file(self.filename) as file:
                file.write(data)
            self._length = len(data)
            return
        if _ends_inside_a_line(self.filename, self._length):
            data = b"\n" + data
        self._length = append(self.filename, data, self._length)


def _text(value: Any) -> Any:
    if getattr(value, "ndim", 0):
        return f'"[{", ".join(map(str, value.tolist()))}]"'
    return value


def _ends_inside_a_line(filename: str, length: int) -> bool:
    """Whether somebody was killed while the last line was written."""
    with open(filename, "rb") as file:
        file.seek(length - 1)
        return file.read(1) != b"\n"

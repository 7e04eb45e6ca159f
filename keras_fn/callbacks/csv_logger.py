"""`CSVLogger`: a line in a text file for each epoch."""

from __future__ import annotations

import csv
import os
import warnings
from collections.abc import Iterable
from typing import IO, Any

from keras_fn.callbacks.callback import Callback


class CSVLogger(Callback):
    """Writes the logs of each epoch as a line of a CSV file: the epoch's number, then the values sorted by name.

    Every line is written out at once, so that a run that is killed leaves all of them. What is missing reads "NA".

    Args:
        filename: path of the file.
        separator: text between values.
        append: whether lines go behind those that are there, under the same names.

    Example:
        >>> import keras_fn
        >>> log = keras_fn.callbacks.CSVLogger("training.csv")
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self._file: IO[str] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Opens the file."""
        self.keys = self._old_keys() if self.append else None
        broken = self.append and _ends_inside_a_line(self.filename)
        mode = "a" if self.append else "w"
        self._file = open(self.filename, mode, newline="", encoding="utf-8")  # noqa: SIM115  closed in on_train_end
        if broken:
            self._file.write("\n")

    def _old_keys(self) -> list[str] | None:
        """The names in the first line of the file that is there."""
        if not os.path.exists(self.filename) or not os.path.getsize(self.filename):
            return None
        with open(self.filename, newline="", encoding="utf-8") as file:
            return next(csv.reader(file, delimiter=self.sep))[1:]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Writes a line."""
        logs = logs or {}
        if self.keys is None:
            self.keys = sorted(logs)
            if self._validates_later(self.keys):
                self.keys += [f"val_{name}" for name in self.keys if name != "learning_rate"]
            self._write(["epoch", *self.keys])
        unknown = sorted(set(logs) - set(self.keys))
        if unknown:
            warnings.warn(
                f"{self.filename} has no columns for {', '.join(unknown)}: its first line has {', '.join(self.keys)}. "
                "These values are left out.",
                stacklevel=2,
            )
        self._write([epoch, *(_text(logs.get(name, "NA")) for name in self.keys)])

    def _validates_later(self, names: Iterable[str]) -> bool:
        """Whether values of a validation will come that the first epoch did not have."""
        run = getattr(self.model, "_kf_run", None)
        return run is not None and run.validates and not any(n.startswith("val_") for n in names)

    def _write(self, row: list[Any]) -> None:
        assert self._file is not None
        csv.writer(self._file, delimiter=self.sep, lineterminator="\n").writerow(row)
        self._file.flush()

    def on_train_end(self, logs: Any = None) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _text(value: Any) -> Any:
    if getattr(value, "ndim", 0):
        return f'"[{", ".join(map(str, value.tolist()))}]"'
    return value


def _ends_inside_a_line(filename: str) -> bool:
    """Whether a run was killed while it wrote the last line."""
    if not os.path.exists(filename) or not os.path.getsize(filename):
        return False
    with open(filename, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"

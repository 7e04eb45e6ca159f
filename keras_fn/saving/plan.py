"""What loading will do, worked out before a weight is changed; and the report of what it did."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from keras_fn.core.context import context
from keras_fn.core.errors import ShapeError, StructureError
from keras_fn.core.variable import Variable
from keras_fn.saving.late import have_values

_SHOWN = 8
# variables that an optimizer has before it knows what it will update: the number of steps and the learning rate
WITHOUT_SLOTS = 2


class LoadReport:
    """What loading weights did. True where everything of the model and of the file found its counterpart.

    `str(report)` is a table.

    Attributes:
        where: the file.
        loaded: paths of the variables that were read.
        missing: paths of the model's variables that the file does not hold, or holds otherwise.
        unexpected: names of what the file holds and no variable asked for.
        mismatched: path -> `(shape in the model, shape in the file)`.

    Example:
        >>> import keras_fn, pathlib, tempfile, warnings
        >>> def made(units):
        ...     return keras_fn.Sequential([keras_fn.Input((2,)), keras_fn.layers.Dense(units, name="d")], name="m")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "one.safetensors"
        ...     made(1).save_weights(path)
        ...     bool(made(1).load_weights(path))
        ...     with warnings.catch_warnings():
        ...         warnings.simplefilter("ignore")  # they say what is skipped
        ...         report = made(3).load_weights(path, skip_mismatch=True)
        True
        >>> bool(report), report.mismatched["d/kernel"]
        (False, ((2, 3), (2, 1)))
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.loaded: list[str] = []
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.mismatched: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {}

    def __bool__(self) -> bool:
        return not (self.missing or self.unexpected or self.mismatched)

    def __repr__(self) -> str:
        counts = {name: len(getattr(self, name)) for name in ("loaded", "missing", "unexpected", "mismatched")}
        told = ", ".join(f"{n} {name}" for name, n in counts.items() if n or name == "loaded")
        return f"<LoadReport of {self.where}: {told}>"

    def __str__(self) -> str:
        rows = [("loaded", path, "") for path in self.loaded]
        rows += [("other shape", p, f"{a} in the model, {b} in the file") for p, (a, b) in self.mismatched.items()]
        rows += [("missing", path, "not in the file") for path in self.missing]
        rows += [("unexpected", name, "not in the model") for name in self.unexpected]
        width = max((len(path) for _, path, _ in rows), default=0)
        lines = [f"{what:<12}{path:<{width}}  {why}".rstrip() for what, path, why in rows]
        return "\n".join([repr(self), *lines])


def memory_for(variable: Variable, dtype: str) -> np.ndarray | None:
    """The memory of a variable where values of a dtype can be read straight into it; else None."""
    memory = variable.backend.cell_memory(variable._cell) if context.scope is None else None
    return memory if memory is not None and memory.dtype.name == dtype else None


class Stored(Protocol):
    """An array in a file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        ...

    def verify(self) -> None:
        """Raises where reading it would find that it is damaged."""


class Plan:
    """What a file gives to which variable, and what does not fit: nothing is written before all is known."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.report = LoadReport(where)
        self.pairs: list[tuple[Variable, Stored]] = []
        self.values: list[tuple[Variable, Any]] = []
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.shapes_differ = True

    def pair(self, what: str, variable: Variable, dataset: Stored) -> None:
        """Plans one array for one variable, if their shapes agree."""
        have, come = tuple(variable.shape), tuple(dataset.shape)
        if have == come:
            self.pairs.append((variable, dataset))
            return
        self.report.mismatched[variable.path] = (have, come)
        self.problems.append(f"{what}: {variable.name!r} is {have} in the model and {come} in the file.")

    def problem(self, text: str, variables: Any = (), names: Any = (), shape: bool = False) -> None:
        """Notes what does not fit: the variables that are not read for it, and the names in the file that are left."""
        self.problems.append(text)
        self.shapes_differ = self.shapes_differ and shape
        self.report.missing += [v.path for v in variables]
        self.report.unexpected += names

    def note(self, text: str, variables: Any = (), names: Any = ()) -> None:
        """Notes what is left out, and hinders nothing."""
        self.notes.append(text)
        self.report.missing += [v.path for v in variables]
        self.report.unexpected += names

    def finish(
        self, model: Any, skip_mismatch: bool, read_into: Callable[[Variable, Any], Any], level: int = 5
    ) -> LoadReport:
        """Writes all, or raises and writes nothing."""
        if self.problems and not skip_mismatch:
            shown = "\n".join(f"  {p}" for p in self.problems[:_SHOWN])
            more = f"\n  and {len(self.problems) - _SHOWN} more" if len(self.problems) > _SHOWN else ""
            error = ShapeError if self.shapes_differ else StructureError
            raise error(
                f"{self.where} does not fit the model {model.name!r}; no weight was changed:\n{shown}{more}\nLoad it "
                "into the model that it was saved from, or pass `skip_mismatch=True` to load what fits."
            )
        for text in (*self.problems, *self.notes):
            warnings.warn(text, stacklevel=level)
        for _, stored in self.pairs:
            stored.verify()  # what could still go wrong goes wrong before a weight is changed
        for variable, stored in self.pairs:
            read_into(variable, stored)
        for variable, value in self.values:
            variable.assign(value)
        have_values(v for v, _ in (*self.pairs, *self.values))
        self.report.loaded += [v.path for v, _ in (*self.pairs, *self.values)]
        return self.report

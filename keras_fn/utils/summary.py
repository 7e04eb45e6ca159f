"""The table that `model.summary()` prints. rich draws it and is imported when a table is first asked for."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keras_fn.core.errors import ArgumentError, closest
from keras_fn.utils.inspection import (
    class_name,
    connections,
    dtype_bits,
    graph_of,
    is_chain,
    is_model,
    members,
    output_text,
    size_text,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_HEADERS = ("Layer (type)", "Output Shape", "Param #", "Connected to")
# where each column ends, as a share of the line
_CHAIN, _GRAPH = (0.45, 0.80, 1.0), (0.30, 0.56, 0.74, 1.0)
_TRAINABLE_SHARE = 0.1


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Prints a table of a model's layers: names, output shapes, numbers of weights, connections.

    Args:
        model: the model.
        line_length: width of the table in characters. None: as wide as reads well, within the terminal.
        positions: where each column ends: shares of the width, from 0 to 1, or characters.
        print_fn: called with each line of the text. None: prints to standard output, or shows HTML in a notebook.
        expand_nested: whether layers of models inside the model are listed below them.
        show_trainable: whether a column says which layers are trained.
        layer_range: names (or regular expressions that match the beginning of names) of the first and the last layer
            to list. None: all.

    Raises:
        ArgumentError: where the width, the positions or the range make no sense.

    Example:
        >>> import keras_fn
        >>> x = keras_fn.Input((3,), name="x")
        >>> model = keras_fn.Model(x, keras_fn.layers.Dense(2, name="y")(x), name="small")
        >>> print_summary(model, line_length=50, print_fn=lambda line: print(line) if "Total" in line else None)
         Total params: 8 (32.00 B)
    """
    graph = graph_of(model)
    layers = members(model)
    chosen = layers[_bounds(layers, layer_range)]
    connected = graph is not None and not is_chain(model)
    width = _width(line_length, connected, show_trainable)
    table = _table(_ends(positions, connected, show_trainable), width, connected, show_trainable)
    for row in _rows(chosen, graph, expand_nested):
        table.add_row(*row.cells(connected, show_trainable))
    if print_fn is None:
        _write(_console(width), model, table)
        return
    buffer = io.StringIO()
    _write(_console(width, file=buffer, force_jupyter=False, force_terminal=False, color_system=None), model, table)
    for line in buffer.getvalue().splitlines():
        print_fn(line)


# --- the rows
@dataclass(frozen=True)
class _Row:
    """A line of the table: a layer or op, how deep it is nested, and what feeds it."""

    layer: Any
    depth: int
    shape: str
    sources: list[str]

    def cells(self, connected: bool, show_trainable: bool) -> list[Text]:
        from rich.text import Text

        indent = "   " * self.depth + ("└ " if self.depth else "")
        name = Text(f"{indent}{self.layer.name} (").append(class_name(self.layer), "blue").append(")")
        cells = [name, _coloured(self.shape), _coloured(_params_text(self.layer))]
        if connected:
            cells.append(_coloured(", ".join(self.sources) or "-"))
        if show_trainable:
            mark = _trainable_mark(self.layer)
            cells.append(Text(mark, style={"Y": "green", "N": "red"}.get(mark, "")))
        return cells


def _rows(layers: Iterable[Any], graph: Any, expand_nested: bool) -> Iterator[_Row]:
    # a stack and no recursion: models may be nested deeply
    todo = [(layer, 0, graph) for layer in reversed(list(layers))]
    while todo:
        layer, depth, around = todo.pop()
        # who feeds the layers inside a model is told by that model's own summary, as in Keras
        yield _Row(layer, depth, output_text(layer, around), connections(layer, around) if depth == 0 else [])
        if expand_nested and is_model(layer):
            inside = graph_of(layer)
            todo += [(x, depth + 1, inside) for x in reversed(layer.layers)]


def _bounds(layers: list[Any], layer_range: Sequence[str] | None) -> slice:
    if layer_range is None:
        return slice(None)
    if isinstance(layer_range, str) or len(layer_range) != 2 or not all(isinstance(x, str) for x in layer_range):
        raise ArgumentError(
            f"`layer_range` must be two strings, the names of the first and last layer to list, not {layer_range!r}."
        )
    names = [layer.name for layer in layers]
    first, last = (_matching(pattern, names) for pattern in layer_range)
    if first[0] > last[-1]:  # named the other way round
        first, last = last, first
    return slice(first[0], last[-1] + 1)


def _matching(pattern: str, names: list[str]) -> list[int]:
    found = [i for i, name in enumerate(names) if re.match(pattern, name)]
    if not found:
        raise ArgumentError(f"`layer_range`: no layer is named {pattern!r}.{closest(pattern, names)} Layers: {names}")
    return found


def _params_text(layer: Any) -> str:
    if not layer.built:
        return "0 (unbuilt)"
    return f"{layer.count_params():,}" if hasattr(layer, "count_params") else "0"


def _trainable_mark(layer: Any) -> str:
    weights = getattr(layer, "weights", None)
    if not layer.built or not weights:
        return "-"
    return "Y" if layer.trainable else "N"


def _coloured(text: str) -> Text:
    """Numbers in green and unknown lengths in cyan, where these are words of their own."""
    from rich.text import Text

    out = Text(text)
    out.highlight_regex(r"(?<![\w\[.])\d[\d,]*(?![\w\]])", "green")
    out.highlight_regex(r"\bNone\b", "cyan")
    return out


# --- the table
def _width(line_length: int | None, connected: bool, show_trainable: bool) -> int:
    if line_length is None:
        good = (108 if connected else 88) + (12 if show_trainable else 0)
        return max(min(good, shutil.get_terminal_size().columns - 4), 40)
    if not isinstance(line_length, int) or isinstance(line_length, bool) or line_length < 1:
        raise ArgumentError(f"`line_length` must be a number of characters above 0, not {line_length!r}.")
    return line_length


def _ends(positions: Sequence[float] | None, connected: bool, show_trainable: bool) -> list[float]:
    """The end of each column, as a share of the line or in characters."""
    columns = 3 + connected + show_trainable
    if positions is None:
        ends = list(_GRAPH if connected else _CHAIN)
        return [*(e * (1 - _TRAINABLE_SHARE) for e in ends), 1.0] if show_trainable else ends
    ends = [float(p) for p in positions][:columns]
    if len(ends) < columns or any(b <= a for a, b in zip([0.0, *ends], ends, strict=False)):
        raise ArgumentError(
            f"`positions` must say where each of the {columns} columns ends, from left to right, for example "
            f"{[round(x, 2) for x in _ends(None, connected, show_trainable)]}, and {positions!r} came."
        )
    return ends


def _table(ends: list[float], width: int, connected: bool, show_trainable: bool) -> Table:
    from rich import box
    from rich.table import Table

    if ends[-1] <= 1:
        ends = [e * width for e in ends]
    places = [int(e) for e in ends]
    sizes = [b - a for a, b in zip([0, *places], places, strict=False)]
    frame = 3 * len(sizes) + 1  # a border and two blanks a column
    if width < frame + 2 * len(sizes):
        raise ArgumentError(
            f"A table of {len(sizes)} columns needs at least {frame + 2 * len(sizes)} characters, and the line length "
            f"is {width}. Pass a larger `line_length`."
        )
    table = Table(width=None, box=box.HEAVY_HEAD, show_lines=True, header_style="bold")
    headers = [*_HEADERS[: 3 + connected], *(["Trainable"] if show_trainable else [])]
    sides = {"Param #": "right", "Trainable": "center"}
    for header, size in zip(headers, sizes, strict=True):
        table.add_column(header, justify=sides.get(header, "left"), width=size)  # type: ignore[arg-type]
    return table


def _totals(model: Any) -> Iterator[tuple[str, int, float]]:
    """What is counted, how many numbers that is, and how many bytes."""
    trained, rest = model.trainable_weights, model.non_trainable_weights
    optimizer = getattr(model, "optimizer", None)
    state = list(optimizer.variables) if optimizer is not None and optimizer.built else []
    yield "Total params", *_measure([*trained, *rest, *state])
    yield "Trainable params", *_measure(trained)
    yield "Non-trainable params", *_measure(rest)
    if state:
        yield "Optimizer params", *_measure(state)


def _measure(variables: Iterable[Any]) -> tuple[int, float]:
    count, size = 0, 0.0
    for v in variables:
        count += v.size
        size += v.size * dtype_bits(v.dtype) / 8
    return count, size


# --- showing
def _write(console: Console, model: Any, table: Table) -> None:
    from rich.console import Group
    from rich.text import Text

    title = Text(f'Model: "{model.name}"', style="bold")
    totals = []
    for what, count, size in _totals(model):
        line = Text(f" {what}: ", style="bold")
        totals.append(line.append(f"{count:,}", "not bold green").append(f" ({size_text(size)})", "not bold"))
    # one object, so that a notebook shows one block
    console.print(Group(title, table, *totals))


def _console(width: int, **options: Any) -> Console:
    from rich.console import Console

    return Console(width=width, highlight=False, markup=False, emoji=False, **options)

"""How large a box is, and what stands where in it: a dark heading above rows of facts. Lengths are in points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keras_fn.utils.plotting.diagram import Box, Cell

Measure = Callable[[str, float], float]  # width of a text in a font size

HEADING, FACT = 14.0, 12.0  # font sizes
_PAD_X, _PAD_Y = 10.0, 7.0
_DARK, _PALE, _GREY, _BLACK, _WHITE = "#1f2937", "#b6c2d1", "#5b6472", "#000000", "#ffffff"


@dataclass(frozen=True)
class Run:
    """Some text in one colour."""

    text: str
    colour: str


@dataclass(frozen=True)
class Rect:
    """A filled rectangle with a line of text in its middle; x and y from the corner of the box."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    runs: tuple[Run, ...]
    size: float


@dataclass(frozen=True)
class Table:
    """A box that is ready to draw."""

    width: float
    height: float
    rects: tuple[Rect, ...]


def table(box: Box, measure: Measure) -> Table:
    """The rectangles of a box; its rows are as wide as the widest needs."""
    lines = [([_heading(box)], HEADING, [_DARK])]
    for row in box.rows:
        lines.append(([_fact(cell) for cell in row], FACT, [cell.colour or _WHITE for cell in row]))
    widths = [[_width(runs, size, measure) for runs in cells] for cells, size, _ in lines]
    total = max(sum(row) for row in widths)
    rects, y = [], 0.0
    for (cells, size, fills), row in zip(lines, widths, strict=True):
        x, more, height = 0.0, (total - sum(row)) / len(row), size * 1.2 + 2 * _PAD_Y
        for runs, fill, width in zip(cells, fills, row, strict=True):
            rects.append(Rect(x, y, width + more, height, fill, runs, size))
            x += width + more
        y += height
    return Table(total, y, tuple(rects))


def _heading(box: Box) -> tuple[Run, ...]:
    if not box.name:
        return (Run(box.kind, _WHITE),)
    return Run(box.name, _WHITE), Run(f" ({box.kind})", _PALE)


def _fact(cell: Cell) -> tuple[Run, ...]:
    if not cell.label:
        return (Run(cell.value, _WHITE if cell.colour else _BLACK),)
    return Run(f"{cell.label}: ", _GREY), Run(cell.value, _BLACK)


def _width(runs: tuple[Run, ...], size: float, measure: Measure) -> float:
    return sum(measure(run.text, size) for run in runs) + 2 * _PAD_X

"""The tables of a document as one picture: `python -m benchmarks.chart docs/performance.md`.

It reads the document, so that picture and tables cannot differ, and writes an SVG and, where Pillow is installed, a
PNG beside it. For each workload and backend there are two dots, Keras and keras_fn, on a logarithmic scale of times
the loop by hand, and keras_fn / Keras as a number.
"""

from __future__ import annotations

import importlib.util
import math
import pathlib
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from benchmarks.workloads import BACKENDS, WORKLOADS

# the picture, in points
_LABELS, _PANEL, _NUMBER, _ROW, _TOP, _BOTTOM = 330, 190, 52, 20, 84, 40
_LEAST, _MOST = 0.1, 200.0  # ends of the scale; what lies outside stands at its edge
_TICKS = (0.1, 1.0, 10.0, 100.0)
_INK, _FAINT, _KERAS, _OURS, _BETTER, _WORSE = "#1f2937", "#e5e7eb", "#9ca3af", "#1d4ed8", "#15803d", "#b91c1c"
_ALIKE = 0.10  # differences under this are shown as none
_RATIO = r"\**([\d.e-]+) \(([\d.e-]+) to ([\d.e-]+)\)\**"


@dataclass(frozen=True)
class Ratio:
    """A median and the lowest and highest round."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Point:
    """A row of a table: what Keras and keras_fn take of the time by hand, and keras_fn of Keras's."""

    keras: Ratio
    ours: Ratio
    both: Ratio


def read(text: str) -> dict[str, dict[str, Point]]:
    """Workload -> backend -> point, from the tables between the marks of a document."""
    found: dict[str, dict[str, Point]] = {}
    for backend in BACKENDS:
        section = re.search(f"<!-- results: {backend} -->(.*?)<!-- end: {backend} -->", text, re.DOTALL)
        for line in section.group(1).splitlines() if section else []:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            name = next((n for n, w in WORKLOADS.items() if cells[0].split(";")[0] == w.title), None)
            ratios = [re.fullmatch(_RATIO, cell) for cell in cells[2:]]
            if name and len(ratios) == 3 and all(ratios):
                numbers = [Ratio(*map(float, r.groups())) for r in ratios if r]
                found.setdefault(name, {})[backend] = Point(*numbers)
    return {name: found[name] for name in WORKLOADS if name in found}


class Svg:
    """Shapes as SVG."""

    def __init__(self, width: float, height: float) -> None:
        size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
        font = "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\""
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>']
        self.rectangle(0, 0, width, height, "#ffffff")

    def rectangle(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>')

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>')

    def text(self, x: float, y: float, text: str, size: float, colour: str, anchor: str = "start") -> None:
        place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" dominant-baseline="central"'
        self.parts.append(f'<text {place} fill="{colour}">{escape(text)}</text>')

    def save(self, path: pathlib.Path) -> None:
        path.write_text("\n".join([*self.parts, "</svg>", ""]), encoding="utf-8")


class Pixels:
    """The same shapes drawn by Pillow."""

    zoom, fine = 2, 2  # pixels a point; dots are drawn larger and made smaller again

    def __init__(self, width: float, height: float) -> None:
        from PIL import Image, ImageDraw

        self.scale = self.zoom * self.fine
        self.image = Image.new("RGB", (round(width * self.scale), round(height * self.scale)), "#ffffff")
        self.draw = ImageDraw.Draw(self.image)

    def rectangle(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        left, top = x * self.scale, y * self.scale
        corner = (left + max(1, width * self.scale) - 1, top + max(1, height * self.scale) - 1)
        self.draw.rectangle((left, top, *corner), fill=colour)

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        self.draw.circle((x * self.scale, y * self.scale), radius * self.scale, fill=colour)

    def text(self, x: float, y: float, text: str, size: float, colour: str, anchor: str = "start") -> None:
        from PIL import ImageFont

        font = ImageFont.load_default(size * self.scale)
        letter = {"start": "l", "middle": "m", "end": "r"}[anchor]
        self.draw.text((x * self.scale, y * self.scale), text, fill=colour, font=font, anchor=f"{letter}m")

    def save(self, path: pathlib.Path) -> None:
        size = self.image.width // self.fine, self.image.height // self.fine
        self.image.resize(size).save(path, optimize=True)


def draw(points: dict[str, dict[str, Point]], canvas: Callable[[float, float], Any]) -> Any:
    """The chart on a canvas, `Svg` or `Pixels`."""
    backends = [b for b in BACKENDS if any(b in row for row in points.values())]
    step, rows = _PANEL + _NUMBER + 14, len(points)
    width, height = _LABELS + step * len(backends) + 10, _TOP + _ROW * rows + _BOTTOM
    c = canvas(width, height)
    _legend(c)
    for i, name in enumerate(points):
        y = _TOP + _ROW * i
        if i % 2 == 0:
            c.rectangle(8, y, width - 16, _ROW, "#f9fafb")
        c.text(16, y + _ROW / 2, _label(name), 11, _INK)
    for i, backend in enumerate(backends):
        left = _LABELS + step * i
        _axis(c, backend, left, rows)
        for j, row in enumerate(points.values()):
            if backend in row:
                _mark(c, row[backend], left, _TOP + _ROW * (j + 0.5))
    return c


def _label(name: str) -> str:
    return WORKLOADS[name].title.split(" (by hand")[0].replace("`", "")


def _x(left: float, ratio: float) -> float:
    inside = min(max(ratio, _LEAST), _MOST)
    return left + _PANEL * math.log(inside / _LEAST) / math.log(_MOST / _LEAST)


def _legend(c: Any) -> None:
    c.text(16, 20, "Time as a multiple of a loop written by hand", 15, _INK)
    c.text(16, 40, "Left is faster. Lines: lowest to highest round.", 11, _INK)
    c.dot(352, 20, 4.5, _KERAS)
    c.text(362, 20, "Keras 3.15.1", 11, _INK)
    c.dot(452, 20, 4.5, _OURS)
    c.text(462, 20, "keras_fn", 11, _INK)
    c.text(352, 40, "Number: keras_fn / Keras;", 11, _INK)
    c.text(492, 40, "green: faster", 11, _BETTER)
    c.text(566, 40, "red: slower", 11, _WORSE)


def _axis(c: Any, backend: str, left: float, rows: int) -> None:
    bottom = _TOP + _ROW * rows
    c.text(left + _PANEL / 2, 62, backend, 13, _INK, "middle")
    for tick in _TICKS:
        x = _x(left, tick)
        c.rectangle(x - 0.5, _TOP - 4, 1, bottom - _TOP + 8, _INK if tick == 1 else _FAINT)
        c.text(x, bottom + 14, "by hand" if tick == 1 else f"{tick:g} x", 9, _INK, "middle")


def _mark(c: Any, point: Point, left: float, y: float) -> None:
    for ratio, colour, shift in ((point.keras, _KERAS, -3), (point.ours, _OURS, 3)):
        low, high = _x(left, ratio.low), _x(left, ratio.high)
        c.rectangle(low, y + shift - 0.75, high - low, 1.5, colour)
        c.dot(_x(left, ratio.median), y + shift, 3.2, colour)
    ratio = point.both
    certain = abs(ratio.median - 1) > _ALIKE and not ratio.low <= 1 <= ratio.high
    colour = _INK if not certain else _BETTER if ratio.median < 1 else _WORSE
    c.text(left + _PANEL + _NUMBER, y, f"{ratio.median:.2f}" if ratio.median >= 0.01 else "< 0.01", 11, colour, "end")


def write(document: pathlib.Path) -> None:
    """Puts `NAME.svg` and `NAME.png` beside a document `NAME.md`."""
    points = read(document.read_text(encoding="utf-8"))
    if not points:
        raise SystemExit(f"{document} has no tables of results to draw.")
    draw(points, Svg).save(document.with_suffix(".svg"))
    if importlib.util.find_spec("PIL"):
        draw(points, Pixels).save(document.with_suffix(".png"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("python -m benchmarks.chart DOCUMENT")
    write(pathlib.Path(sys.argv[1]))

"""A picture as SVG text. No package is needed, and text stays text."""

from __future__ import annotations

import unicodedata
from html import escape

from keras_fn.utils.plotting.layout import TITLE_SIZE, Picture
from keras_fn.utils.plotting.routes import Line
from keras_fn.utils.plotting.tables import Table

_FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"
# Widths of the printable ASCII characters from the blank on, in thousandths of the font size (Adobe's metrics of
# Helvetica, which Arial and Liberation Sans share).
_WIDTHS = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
]  # fmt: skip


def text_width(text: str, size: float) -> float:
    """The width of a text in points, a little more than needed, as viewers have different fonts."""
    return sum(map(_character, text)) * size / 1000 * 1.04


def _character(c: str) -> int:
    place = ord(c) - 32
    if 0 <= place < len(_WIDTHS):
        return _WIDTHS[place]
    return 1000 if unicodedata.east_asian_width(c) in "WF" else 667


def svg(picture: Picture, dpi: float) -> str:
    """The picture as an SVG document, as large as `dpi` says (72 points are an inch; CSS has 96 pixels an inch)."""
    zoom = dpi / 72
    w, h = picture.width, picture.height
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{w * zoom:.0f}" height="{h * zoom:.0f}" '
        f'viewBox="0 0 {w:.2f} {h:.2f}" font-family="{_FONT}">',
        f'<rect width="{w:.2f}" height="{h:.2f}" fill="white"/>',
    ]
    for _, x, y, width, height in picture.frames:
        out.append(
            f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" rx="4" fill="#475569" '
            'fill-opacity="0.06" stroke="#64748b" stroke-dasharray="5 3"/>'
        )
    out += map(_line, picture.lines)
    for title, x, y, _, _ in picture.frames:
        out.append(
            f'<text x="{x + 8:.2f}" y="{y + 15:.2f}" font-size="{TITLE_SIZE}" fill="#334155" stroke="white" '
            f'stroke-width="3" paint-order="stroke">{escape(title)}</text>'
        )
    for table, x, y in picture.tables:
        out += _table(table, x, y)
    return "\n".join([*out, "</svg>", ""])


def _line(line: Line) -> str:
    (x, y), *rest = [(f"{x:.2f}", f"{y:.2f}") for x, y in line.points]
    letter = " C " if line.curve else " L "
    path = f"M {x} {y}{letter}" + " ".join(f"{a} {b}" for a, b in rest)
    drawn = f'<path d="{path}" fill="none" stroke="#1f2937" stroke-width="1.5" stroke-linecap="square"/>'
    if line.arrow:
        corners = " ".join(f"{a:.2f},{b:.2f}" for a, b in line.head())
        drawn += f'<polygon points="{corners}" fill="#1f2937"/>'
    return drawn


def _table(table: Table, x: float, y: float) -> list[str]:
    out = []
    for r in table.rects:
        out.append(
            f'<rect x="{x + r.x:.2f}" y="{y + r.y:.2f}" width="{r.width:.2f}" height="{r.height:.2f}" '
            f'fill="{r.fill}" stroke="#1f2937"/>'
        )
        runs = "".join(f'<tspan fill="{run.colour}">{escape(run.text)}</tspan>' for run in r.runs)
        out.append(
            f'<text x="{x + r.x + r.width / 2:.2f}" y="{y + r.y + r.height / 2:.2f}" font-size="{r.size}" '
            f'text-anchor="middle" dominant-baseline="central" xml:space="preserve">{runs}</text>'
        )
    return out

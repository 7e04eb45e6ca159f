"""A picture as pixels, drawn by Pillow with the font that comes with it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from keras_fn.core.errors import MissingPackageError
from keras_fn.utils.plotting.layout import TITLE_SIZE, Picture
from keras_fn.utils.plotting.routes import Line, Point
from keras_fn.utils.plotting.tables import Measure, Table

if TYPE_CHECKING:
    from PIL import Image

# of a picture longer than this the scale is lowered, but not below what can be read
_LONGEST = 10_000
_LEAST_DPI = 72.0
_FINE = 4  # slanted edges are drawn this many times larger, and made smaller again
_INK = "#1f2937"
# for names in scripts that Pillow's own font lacks: fonts that systems often have
_WORLD_FONTS = (
    "NotoSansCJK-Regular.ttc", "AppleSDGothicNeo.ttc", "PingFang.ttc", "malgun.ttf", "msyh.ttc", "meiryo.ttc",
    "DejaVuSans.ttf", "Arial Unicode.ttf",
)  # fmt: skip


def text_measure() -> Measure:
    """A function that tells how wide a text will be in points."""
    return lambda text, size: _font(size * 4, text.isascii()).getlength(text) / 4


def raster(picture: Picture, dpi: float) -> Image.Image:
    """The picture as an image of `dpi` pixels for 72 points, or less where that would be very long."""
    return _Canvas(picture, dpi).image


class _Canvas:
    def __init__(self, picture: Picture, dpi: float) -> None:
        image, draw = _pillow()
        longest = max(picture.width, picture.height)
        self.zoom = min(dpi, max(_LEAST_DPI, _LONGEST / longest * 72)) / 72
        self.image = image.new("RGB", (self._px(picture.width) + 1, self._px(picture.height) + 1), "white")
        self.draw = draw.Draw(self.image)
        self.pen = max(1, round(1.5 * self.zoom))
        for _, x, y, w, h in picture.frames:
            self._frame(x, y, w, h)
        for line in picture.lines:
            self._line(line)
        for title, x, y, _, _ in picture.frames:
            self._text(title, x + 8, y + 10, TITLE_SIZE, "#334155", halo=True)
        for table, x, y in picture.tables:
            self._table(table, x, y)

    def _px(self, points: float) -> int:
        return round(points * self.zoom)

    def _frame(self, x: float, y: float, w: float, h: float) -> None:
        left, top, right, bottom = map(self._px, (x, y, x + w, y + h))
        self.draw.rectangle((left, top, right, bottom), fill="#f3f5f7")
        pen, dash, step = max(1, self._px(1)), self._px(5), self._px(8)
        for at in range(left, right, step):
            for level in (top, bottom):
                self.draw.line((at, level, min(at + dash, right), level), "#64748b", pen)
        for at in range(top, bottom, step):
            for level in (left, right):
                self.draw.line((level, at, level, min(at + dash, bottom)), "#64748b", pen)

    def _line(self, line: Line) -> None:
        points = _bezier(line.points) if line.curve else line.points
        slanted: list[Point] = []
        for a, b in zip(points, points[1:], strict=False):
            if a[0] == b[0] or a[1] == b[1]:
                self._stroke(a, b)
            else:
                slanted += [b] if slanted and slanted[-1] == a else [a, b]
        if slanted:
            self._smooth(slanted, filled=False)
        if line.arrow:
            self._smooth(line.head(), filled=True)

    def _stroke(self, a: Point, b: Point) -> None:
        """A horizontal or vertical line with square ends, so that corners are closed."""
        half, more = self.pen // 2, self.pen - self.pen // 2 - 1
        xs, ys = sorted((self._px(a[0]), self._px(b[0]))), sorted((self._px(a[1]), self._px(b[1])))
        self.draw.rectangle((xs[0] - half, ys[0] - half, xs[1] + more, ys[1] + more), fill=_INK)

    def _smooth(self, points: list[Point], filled: bool) -> None:
        image, draw = _pillow()
        z, border = self.zoom, self.pen + 1
        left, top = (int(min(p[i] for p in points) * z) - border for i in (0, 1))
        right, bottom = (int(max(p[i] for p in points) * z) + border + 1 for i in (0, 1))
        mask = image.new("L", ((right - left) * _FINE, (bottom - top) * _FINE), 0)
        # the middle of a pixel is half a pixel from its corner
        fine = [((x * z + 0.5 - left) * _FINE, (y * z + 0.5 - top) * _FINE) for x, y in points]
        pen = draw.Draw(mask)
        if filled:
            pen.polygon(fine, fill=255)
        else:
            pen.line(fine, fill=255, width=self.pen * _FINE, joint="curve")
        mask = mask.resize((right - left, bottom - top), image.Resampling.BOX)
        self.image.paste(_INK, (left, top), mask)

    def _table(self, table: Table, x: float, y: float) -> None:
        pen = max(1, self._px(1))
        for r in table.rects:
            corners = [self._px(v) for v in (x + r.x, y + r.y, x + r.x + r.width, y + r.y + r.height)]
            self.draw.rectangle(corners, fill=r.fill, outline=_INK, width=pen)
            width = sum(self._font(run.text, r.size).getlength(run.text) for run in r.runs) / self.zoom
            at = x + r.x + (r.width - width) / 2
            for run in r.runs:
                at += self._text(run.text, at, y + r.y + r.height / 2, r.size, run.colour)

    def _text(self, text: str, x: float, y: float, size: float, colour: str, halo: bool = False) -> float:
        """Writes from x on, with the middle of the line at y; returns the width in points."""
        font = self._font(text, size)
        ascent, descent = font.getmetrics()
        place = (x * self.zoom, y * self.zoom + (ascent - descent) / 2)
        stroke = self._px(2) if halo else 0
        self.draw.text(place, text, fill=colour, font=font, anchor="ls", stroke_width=stroke, stroke_fill="white")
        return font.getlength(text) / self.zoom

    def _font(self, text: str, size: float) -> Any:
        return _font(round(size * self.zoom, 2), text.isascii())


def _bezier(points: list[Point], pieces: int = 24) -> list[Point]:
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = points
    out = []
    for i in range(pieces + 1):
        t = i / pieces
        a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
        out.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
    return out


@cache
def _font(size: float, ascii_only: bool) -> Any:
    from PIL import ImageFont

    _pillow()
    if not ascii_only:
        for name in _WORLD_FONTS:
            try:
                return ImageFont.truetype(name, size)
            except OSError:
                continue  # not on this system
    return ImageFont.load_default(size)


def _pillow() -> tuple[Any, Any]:
    try:
        from PIL import Image, ImageDraw
    except ImportError as e:
        raise MissingPackageError(
            "Pictures in pixels need Pillow: `pip install pillow` (or `pip install 'keras-fn[plot]'`). A file name "
            "that ends in .svg needs nothing."
        ) from e
    return Image, ImageDraw

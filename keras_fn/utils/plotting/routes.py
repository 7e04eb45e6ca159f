"""The ways of arrows between two layers, and where they touch the boxes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from keras_fn.utils.plotting.layers import Item, Link
from keras_fn.utils.plotting.places import spread

Point = tuple[float, float]

_TRACK = 9.0  # between parallel lines in a gap
_LEAD = 12.0  # straight part before the first and after the last of them
_ARROW_ROOM = 12.0
_PORTS = 18.0  # between arrows that end at the same box
_EDGE = 10.0  # no arrow nearer than this to a corner
_SAME = 0.5
_HEAD = 9.0  # length of an arrow's head


@dataclass
class Line:
    """A drawn line.

    Attributes:
        points: corners; for a curve, the four points of a cubic Bézier curve.
        curve: whether this is a curve.
        arrow: whether a head is at its end.
    """

    points: list[Point]
    curve: bool = False
    arrow: bool = False

    def moved(self, move: Callable[[Point], Point]) -> Line:
        """The same line elsewhere."""
        return Line([move(p) for p in self.points], self.curve, self.arrow)

    def head(self) -> list[Point]:
        """The corners of the arrow's head."""
        (x, y), (a, b) = self.points[-1], self.points[-2]
        length = math.hypot(x - a, y - b) or 1.0
        ux, uy = (x - a) / length, (y - b) / length
        bx, by = x - ux * _HEAD, y - uy * _HEAD
        wide = 0.42 * _HEAD
        return [(x, y), (bx - uy * wide, by + ux * wide), (bx + uy * wide, by - ux * wide)]


def set_ports(item: Item) -> None:
    """Chooses where arrows end at a box: straight below where they come from, as far as the box is wide."""
    reach = max(item.width / 2 - _EDGE, 0.0)
    links = sorted(item.ins, key=lambda link: link.tail.x + link.tail_port)
    wanted = [link.tail.x + link.tail_port - item.x for link in links]
    if len(links) == 1:
        links[0].head_port = wanted[0] if abs(wanted[0]) <= reach * 0.6 else 0.0
    elif links:
        distance = min(_PORTS, 2 * reach / (len(links) - 1))
        inside = [min(max(x, -reach), reach) for x in wanted]
        ports = spread(inside, [1.0] * len(links), [distance] * (len(links) - 1))
        for i, (link, port) in enumerate(zip(links, ports, strict=True)):
            left = -reach + i * distance
            right = reach - (len(links) - 1 - i) * distance
            link.head_port = min(max(port, left), right)
    for link in item.outs:
        if link.back:  # beside those that go forward
            link.tail_port = min(1.5 * _PORTS, reach)
    if len(item.outs) == 1 and item.outs[0].head.part is not None:
        link = item.outs[0]
        aim = link.head.x + link.head_port - item.x
        if link.head_key is not None and abs(aim) <= reach * 0.6 and len(link.head.ins) == 1:
            link.tail_port = aim


@dataclass
class _Bundle:
    """Links that leave one place: they share a line until they part."""

    start: float
    ends: list[float]
    links: list[Link]
    track: int = 0

    @property
    def span(self) -> tuple[float, float]:
        return min(self.start, *self.ends), max(self.start, *self.ends)

    @property
    def straight(self) -> bool:
        low, high = self.span
        return high - low < _SAME


class Gap:
    """The room between two layers.

    Attributes:
        size: its length along the direction of the graph.
    """

    def __init__(self, row: list[Item]) -> None:
        self.bundles = _bundles(row)
        self.tracks = _assign([b for b in self.bundles if not b.straight])
        self.size = 2 * _LEAD + _ARROW_ROOM + _TRACK * max(self.tracks - 1, 0)

    def lines(self, above: Point, below: Point, splines: str) -> list[Line]:
        """The lines from one layer to the next, whose extents along the graph are `above` and `below`."""
        out = []
        for bundle in self.bundles:
            for link in bundle.links:
                out += _drawn(link, bundle.track, above[1], below[0], splines)
        return out


def _drawn(link: Link, track: int, top: float, bottom: float, splines: str) -> list[Line]:
    """The lines of a link; the first begins at its tail and the last ends at its head."""
    x0, x1 = _start(link), _end(link)
    y0 = top if link.tail.part is None else link.tail.y + link.tail.height
    y1 = bottom if link.head.part is None else link.head.y
    if abs(x1 - x0) < _SAME:
        lines = [Line([(x0, y0), (x0, y1)])]
    elif splines == "ortho":
        y = top + _LEAD + _TRACK * track
        lines = [Line([(x0, y0), (x0, y), (x1, y), (x1, y1)])]
    elif splines == "line":
        lines = [Line([(x0, y0), (x0, top), (x1, bottom - _ARROW_ROOM), (x1, y1)])]
    else:
        end = bottom - _ARROW_ROOM
        middle = (top + end) / 2
        curve = Line([(x0, top), (x0, middle), (x1, middle), (x1, end)], curve=True)
        lines = [Line([(x0, y0), (x0, top)]), curve, Line([(x1, end), (x1, y1)])]
        lines = [line for line in lines if line.points[0] != line.points[-1]]
    if link.back and link.tail.part is not None:
        lines[0] = Line(lines[0].points[::-1], lines[0].curve, arrow=True)
    elif not link.back and _is_table(link.head):
        lines[-1].arrow = True
    return lines


def _is_table(item: Item) -> bool:
    return item.part is not None and not hasattr(item.part, "picture")


def _start(link: Link) -> float:
    return link.tail.x + link.tail_port


def _end(link: Link) -> float:
    return link.head.x + link.head_port


def _bundles(row: list[Item]) -> list[_Bundle]:
    found: dict[tuple[int, float], _Bundle] = {}
    for item in row:
        for link in item.outs:
            start = _start(link)
            bundle = found.setdefault((id(item), round(start, 1)), _Bundle(start, [], []))
            bundle.ends.append(_end(link))
            bundle.links.append(link)
    return list(found.values())


def _assign(bundles: list[_Bundle]) -> int:
    """Gives each bundle a track, from the top, so that no two lie over each other; returns how many there are."""
    # a line that goes down where another one ends must turn away above it
    above = {
        id(b): [a for a in bundles if a is not b and any(abs(a.start - end) < _TRACK / 2 for end in b.ends)]
        for b in bundles
    }

    def turn(b: _Bundle) -> tuple[int, float]:
        low, high = b.span
        to_right = high - b.start >= b.start - low
        return (0, -b.start) if to_right else (1, b.start)

    todo, tracks = sorted(bundles, key=turn), []
    done: set[int] = set()
    while todo:
        free = [b for b in todo if all(id(a) in done for a in above[id(b)])]
        bundle = (free or todo)[0]  # where they wait for each other in a circle, some lines touch
        todo.remove(bundle)
        done.add(id(bundle))
        low, high = bundle.span
        track = max((a.track + 1 for a in above[id(bundle)] if id(a) in done), default=0)
        while track < len(tracks) and any(low < b + _TRACK and a < high + _TRACK for a, b in tracks[track]):
            track += 1
        while len(tracks) <= track:
            tracks.append([])
        tracks[track].append((low, high))
        bundle.track = track
    return len(tracks)

"""Where everything in a picture goes. Frames are laid out first and stand as large boxes in what is around them.

Inside, "across" and "along" the direction of the graph are x and y; the picture is turned at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from keras_fn.utils.plotting import layers, routes
from keras_fn.utils.plotting.diagram import Box, Frame
from keras_fn.utils.plotting.layers import Edge, Item
from keras_fn.utils.plotting.places import place
from keras_fn.utils.plotting.routes import Line
from keras_fn.utils.plotting.tables import FACT, Measure, Table, table

_GAP = 18.0  # between neighbours in a layer
_MARGIN = 14.0  # around a frame's content
_TITLE = 20.0  # a frame's title
_LOOP = 22.0  # room for an arrow from a box to itself
TITLE_SIZE = FACT


@dataclass
class Picture:
    """Tables, frames and lines with their corners, in points.

    Attributes:
        tables: `(table, x, y)`.
        frames: `(title, x, y, width, height)`, outer ones first.
        lines: the arrows.
    """

    width: float = 0.0
    height: float = 0.0
    tables: list[tuple[Table, float, float]] = field(default_factory=list)
    frames: list[tuple[str, float, float, float, float]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


@dataclass
class _Plan:
    """A laid out frame; `entries` and `exits` are where arrows cross its border, from its middle."""

    width: float
    height: float
    picture: Picture
    entries: dict[Any, float] = field(default_factory=dict)
    exits: dict[Any, float] = field(default_factory=dict)


def lay_out(diagram: Frame, measure: Measure, rankdir: str = "TB", splines: str = "ortho") -> Picture:
    """Places a diagram.

    Args:
        diagram: boxes, frames and edges.
        measure: width of a text in a font size.
        rankdir: "TB", "BT", "LR" or "RL".
        splines: "ortho" (right angles), "curved", or "line".
    """
    return _Layout(measure, rankdir, splines).whole(diagram)


class _Layout:
    def __init__(self, measure: Measure, rankdir: str, splines: str) -> None:
        self.measure, self.splines = measure, splines
        self.sideways, self.backwards = rankdir in ("LR", "RL"), rankdir in ("BT", "RL")

    def whole(self, diagram: Frame) -> Picture:
        plan = self._level(diagram, {}, {}, outermost=True)
        return self._turned(plan)

    # --- one level
    def _level(self, frame: Frame, entries: dict[Box, None], exits: dict[Box, None], outermost: bool = False) -> _Plan:
        """Places the parts of a frame. `entries` and `exits` are the boxes that arrows from outside touch."""
        owner = {box: part for part in frame.parts for box in (part.boxes() if isinstance(part, Frame) else [part])}
        number = {id(part): i for i, part in enumerate(frame.parts)}
        plans = self._inner_plans(frame, owner, number, entries, exits)
        items = {id(part): self._item(part, plans) for part in frame.parts}
        doors_in = {box: Item(width=2.0) for box in entries}
        doors_out = {box: Item(width=2.0) for box in exits}
        edges = [Edge(door, items[id(owner[box])], None, box) for box, door in doors_in.items()]
        backwards: dict[tuple[Item, Item], None] = {}
        loops: dict[Item, None] = {}
        for source, target in frame.edges:
            a, b = owner[source], owner[target]
            if a is b:
                loops[items[id(a)]] = None
            elif number[id(a)] < number[id(b)]:
                edges.append(Edge(items[id(a)], items[id(b)], source, target))
            else:  # a shared layer can lead back; the arrow is laid the other way round
                backwards[items[id(b)], items[id(a)]] = None
        edges += [Edge(b, a, back=True) for b, a in backwards]
        edges += [Edge(items[id(owner[box])], door, box) for box, door in doors_out.items()]
        for item in loops:
            item.width += 2 * _LOOP
        everything = [*doors_in.values(), *items.values(), *doors_out.values()]
        rows = self._rows(everything, edges, set(doors_in.values()), set(doors_out.values()))
        return self._plan(frame, rows, doors_in, doors_out, loops, outermost)

    def _inner_plans(self, frame: Frame, owner: Any, number: Any, entries: Any, exits: Any) -> dict[int, _Plan]:
        touched_in: dict[int, dict[Box, None]] = {id(p): {} for p in frame.parts}
        touched_out: dict[int, dict[Box, None]] = {id(p): {} for p in frame.parts}
        for box in entries:
            touched_in[id(owner[box])][box] = None
        for box in exits:
            touched_out[id(owner[box])][box] = None
        for source, target in frame.edges:
            a, b = owner[source], owner[target]
            if number[id(a)] < number[id(b)]:
                touched_out[id(a)][source] = None
                touched_in[id(b)][target] = None
        return {
            id(part): self._level(part, touched_in[id(part)], touched_out[id(part)])
            for part in frame.parts
            if isinstance(part, Frame)
        }

    def _item(self, part: Box | Frame, plans: dict[int, _Plan]) -> Item:
        if isinstance(part, Frame):
            plan = plans[id(part)]
            return Item(plan, plan.width, plan.height)
        drawn = table(part, self.measure)
        across, along = (drawn.height, drawn.width) if self.sideways else (drawn.width, drawn.height)
        return Item(drawn, across, along)

    def _rows(self, items: list[Item], edges: list[Edge], first: set[Item], last: set[Item]) -> list[list[Item]]:
        layers.rank(items, edges, first, last)
        bends = layers.chains(edges, width=2.0)
        rows = layers.order([*items, *bends])
        for item in items:  # arrows meet frames at places that are fixed
            if isinstance(item.part, _Plan):
                for link in item.ins:
                    link.head_port = item.part.entries.get(link.head_key, 0.0)
                for link in item.outs:
                    link.tail_port = item.part.exits.get(link.tail_key, 0.0)
        place(rows, _GAP)
        for row in rows:
            for item in row:
                if isinstance(item.part, Table):
                    routes.set_ports(item)
        return rows

    def _plan(
        self,
        frame: Frame,
        rows: list[list[Item]],
        doors_in: dict[Box, Item],
        doors_out: dict[Box, Item],
        loops: dict[Item, None],
        outermost: bool,
    ) -> _Plan:
        before, after, left, right = self._margins(outermost, bool(doors_in), bool(doors_out))
        gaps = [routes.Gap(row) for row in rows[:-1]]
        lowest = before
        bands = []
        for i, row in enumerate(rows):
            height = max((item.height for item in row), default=0.0)
            bands.append((lowest, lowest + height))
            for item in row:
                item.y = lowest + (height - item.height) / 2
            lowest += height + (gaps[i].size if i < len(gaps) else 0.0)
        everything = [item for row in rows for item in row]
        leftmost = min(item.x - item.width / 2 for item in everything)
        shift = left - leftmost
        for item in everything:
            item.x += shift
        width = max(item.x + item.width / 2 for item in everything) + right
        if not outermost and not self.sideways:
            width = max(width, self.measure(frame.name, TITLE_SIZE) + 2 * _MARGIN)
        picture = Picture(width, lowest + after)
        for item in everything:
            self._put(item, picture, item in loops)
        for i, gap in enumerate(gaps):
            picture.lines += gap.lines(bands[i], bands[i + 1], self.splines)
        for row, (top, bottom) in zip(rows, bands, strict=True):
            picture.lines += [Line([(x.x, top), (x.x, bottom)]) for x in row if x.part is None and bottom > top]
        height = picture.height
        if not outermost:
            if self.sideways:
                height = max(height, self.measure(frame.name, TITLE_SIZE) + 2 * _MARGIN)
            picture.frames.insert(0, (frame.name, 0.0, 0.0, width, height))
        entries = {box: door.x - width / 2 for box, door in doors_in.items()}
        exits = {box: door.x - width / 2 for box, door in doors_out.items()}
        if height > picture.height:  # widened for its title: arrows that leave go on to the border
            picture.lines += [Line([(d.x, picture.height), (d.x, height)]) for d in doors_out.values()]
            picture.height = height
        return _Plan(width, height, picture, entries, exits)

    def _margins(self, outermost: bool, enters: bool, leaves: bool) -> tuple[float, float, float, float]:
        """Room before, after, left and right of the rows; a frame's title is at its top, however the graph goes."""
        before, after, left = 0.0 if enters else _MARGIN, 0.0 if leaves else _MARGIN, _MARGIN
        if not outermost:
            if self.sideways:
                left += _TITLE
            elif self.backwards:
                after += 0.0 if leaves else _TITLE
            else:
                before += 0.0 if enters else _TITLE
        return before, after, left, _MARGIN

    def _put(self, item: Item, picture: Picture, loop: bool) -> None:
        x, y = item.x - item.width / 2, item.y
        room = _LOOP if loop else 0.0
        if loop:
            edge, middle = item.x + item.width / 2 - room, item.y + item.height / 2
            away, up, low = edge + room * 0.7, middle - item.height / 5, middle + item.height / 5
            picture.lines.append(Line([(edge, low), (away, low), (away, up), (edge, up)], arrow=True))
        if isinstance(item.part, Table):
            picture.tables.append((item.part, x + room, y))
        elif isinstance(item.part, _Plan):
            inner = item.part.picture
            x += room
            picture.tables += [(t, a + x, b + y) for t, a, b in inner.tables]
            picture.frames += [(t, a + x, b + y, w, h) for t, a, b, w, h in inner.frames]
            picture.lines += [line.moved(lambda p: (p[0] + x, p[1] + y)) for line in inner.lines]

    # --- the direction
    def _turned(self, plan: _Plan) -> Picture:
        inner = plan.picture
        across, along = plan.width, inner.height
        out = Picture(*((along, across) if self.sideways else (across, along)))
        turn = self._turn(along)
        for t, x, y in inner.tables:
            length = t.width if self.sideways else t.height
            out.tables.append((t, *turn((x, along - y - length if self.backwards else y), True)))
        for title, x, y, w, h in inner.frames:
            corner = turn((x, along - y - h if self.backwards else y), True)
            out.frames.append((title, *corner, *((h, w) if self.sideways else (w, h))))
        out.lines = [line.moved(turn) for line in inner.lines]
        return out

    def _turn(self, along: float) -> Callable[..., tuple[float, float]]:
        sideways, backwards = self.sideways, self.backwards

        def turn(point: tuple[float, float], is_corner: bool = False) -> tuple[float, float]:
            x, y = point
            if backwards and not is_corner:
                y = along - y
            return (y, x) if sideways else (x, y)

        return turn

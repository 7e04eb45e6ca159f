"""Who stands in which layer of a layered drawing, and in which order there.

The steps are those of K. Sugiyama, S. Tagawa, M. Toda: Methods for visual understanding of hierarchical system
structures, IEEE Trans. SMC 11(2), 1981; ordering by medians and swaps follows E. Gansner et al.: A technique for
drawing directed graphs, IEEE TSE 19(3), 1993.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass, field
from typing import Any

_SWEEPS = 12


@dataclass(eq=False)
class Item:
    """Something that takes a place in a layer: a part of the diagram, or a bend of an arrow that passes the layer.

    Attributes:
        part: box or frame; None for a bend.
        width, height: size across and along the direction of the graph, in points.
        rank: number of the layer.
        place: place in the layer, from 0.
        x: middle, across; y: where the item begins, along.
        ins, outs: links to the layers before and after.
    """

    part: Any = None
    width: float = 0.0
    height: float = 0.0
    rank: int = 0
    place: int = 0
    x: float = 0.0
    y: float = 0.0
    ins: list[Link] = field(default_factory=list)
    outs: list[Link] = field(default_factory=list)


@dataclass(eq=False)
class Link:
    """A piece of an arrow, from one layer to the next.

    Attributes:
        tail, head: the items at its ends.
        tail_port, head_port: where it touches them, from their middles.
        tail_key, head_key: which box inside a frame it belongs to.
        back: whether the arrow points from the head to the tail, against the direction of the graph.
    """

    tail: Item
    head: Item
    tail_key: Any = None
    head_key: Any = None
    tail_port: float = 0.0
    head_port: float = 0.0
    back: bool = False


def rank(items: list[Item], edges: list[Edge], first: set[Item], last: set[Item]) -> None:
    """Sets the layers: after everything that leads to an item, and as near to what follows as saves length.

    Args:
        items: all items, in an order in which `edges` lead forwards.
        edges: the arrows.
        first: items that must stay in the first layer.
        last: items that must stay in the last layer.
    """
    ins: dict[Item, list[Item]] = {item: [] for item in items}
    outs: dict[Item, list[Item]] = {item: [] for item in items}
    for edge in edges:
        ins[edge.head].append(edge.tail)
        outs[edge.tail].append(edge.head)
    for item in items:
        item.rank = max((a.rank + 1 for a in ins[item]), default=0 if item in first or not first else 1)
    for item in reversed(items):
        if item not in first and len(outs[item]) > len(ins[item]):
            item.rank = min(b.rank for b in outs[item]) - 1
    deepest = max((item.rank for item in items if item not in last), default=-1)
    for item in last:
        item.rank = max(item.rank, deepest + 1)


@dataclass(frozen=True)
class Edge:
    """An arrow between items of any layers; see `Link` for the rest."""

    tail: Item
    head: Item
    tail_key: Any = None
    head_key: Any = None
    back: bool = False


def chains(edges: list[Edge], width: float) -> list[Item]:
    """Links the items; arrows over several layers get a bend in each. Arrows from one place share their bends.

    Returns:
        The bends.
    """
    bends: dict[tuple[Item, Any, bool, int], Item] = {}
    for edge in sorted(edges, key=lambda e: e.head.rank):
        at, key = edge.tail, edge.tail_key
        for level in range(edge.tail.rank + 1, edge.head.rank):
            place = (edge.tail, edge.tail_key, edge.back, level)
            bend = bends.get(place)
            if bend is None:
                bend = bends[place] = Item(width=width, rank=level)
                _link(at, bend, key, None, edge.back)
            at, key = bend, None
        _link(at, edge.head, key, edge.head_key, edge.back)
    return list(bends.values())


def _link(tail: Item, head: Item, tail_key: Any, head_key: Any, back: bool) -> None:
    link = Link(tail, head, tail_key, head_key, back=back)
    tail.outs.append(link)
    head.ins.append(link)


def order(items: list[Item]) -> list[list[Item]]:
    """The layers, each from left to right, so that few arrows cross."""
    rows: list[list[Item]] = [[] for _ in range(max(item.rank for item in items) + 1)]
    for item in _depth_first(items):
        rows[item.rank].append(item)
    _number(rows)
    best, fewest = [list(row) for row in rows], _crossings(rows)
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            _by_median(row, down)
        _swap_neighbours(rows)
        crossings = _crossings(rows)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    _number(best)
    return best


def _depth_first(items: list[Item]) -> list[Item]:
    """Each item followed by what it leads to: branches stay together."""
    found: dict[Item, None] = {}
    for root in items:
        if root.ins:
            continue
        stack = [root]
        while stack:
            item = stack.pop()
            if item not in found:
                found[item] = None
                stack.extend(link.head for link in reversed(item.outs))
    return list(found)


def _number(rows: list[list[Item]]) -> None:
    for row in rows:
        for i, item in enumerate(row):
            item.place = i


def _by_median(row: list[Item], down: bool) -> None:
    def median(item: Item) -> float:
        places = sorted(link.tail.place for link in item.ins) if down else sorted(x.head.place for x in item.outs)
        if not places:
            return item.place
        middle = len(places) // 2
        return places[middle] if len(places) % 2 else (places[middle - 1] + places[middle]) / 2

    row.sort(key=median)
    for i, item in enumerate(row):
        item.place = i


def _swap_neighbours(rows: list[list[Item]]) -> None:
    for row in rows:
        for i in range(len(row) - 1):
            a, b = row[i], row[i + 1]
            if _pair(b, a) < _pair(a, b):
                row[i], row[i + 1] = b, a
                a.place, b.place = b.place, a.place


def _pair(left: Item, right: Item) -> int:
    """How many links of two neighbours cross, where one stands left of the other."""
    count = 0
    for ours, theirs in (
        ([x.tail.place for x in left.ins], [x.tail.place for x in right.ins]),
        ([x.head.place for x in left.outs], [x.head.place for x in right.outs]),
    ):
        count += sum(a > b for a in ours for b in theirs)
    return count


def _crossings(rows: list[list[Item]]) -> int:
    count = 0
    for row in rows:
        seen: list[int] = []
        for item in row:
            heads = sorted(link.head.place for link in item.outs)
            count += sum(len(seen) - bisect_right(seen, head) for head in heads)
            for head in heads:
                insort(seen, head)
    return count

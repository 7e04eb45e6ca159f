"""Coordinates for ordered layers: straight arrows first, then everything near what it is linked to."""

from __future__ import annotations

import math

from keras_fn.utils.plotting.layers import Item, Link

_ROUNDS = 24
# how hard a link pulls: an arrow that passes layers should pass them straight, and not draw boxes aside
_BEND_TO_BEND, _BEND_TO_BOX, _BOX_TO_BEND, _PLAIN = 8.0, 1.0, 0.1, 1.0
_STIFF = 6.0  # how hard a run pulls its members into a line

Run = list[tuple[Item, float]]  # the items of a straight line, and how far from it each one's middle is to be


def place(rows: list[list[Item]], gap: float) -> None:
    """Sets `x` of all items, so that no two of a layer are nearer than their widths and a gap.

    Each round takes the layers one after the other, down or up, and puts every item as near as it can be (by least
    squares) to the weighted mean of the items it is linked to and of the run it belongs to.
    """
    for row in rows:
        edge = -(sum(item.width for item in row) + gap * (len(row) - 1)) / 2
        for item in row:
            item.x = edge + item.width / 2
            edge += item.width + gap
    runs = _runs(rows)
    for step in range(_ROUNDS):
        both = step >= _ROUNDS - 8
        down = step % 2 == 0
        lines = _lines(runs)
        for row in rows if down else reversed(rows):
            _settle(row, lines, both or down, both or not down, gap)
    for _ in range(3):
        for run in runs:
            _straighten(run, rows, gap)


# --- runs: items one below the other
def _runs(rows: list[list[Item]]) -> list[Run]:
    """Chains of bends, and chains of boxes without branches (arrows that only pass aside); the longest first."""
    found: list[Run] = []
    taken: set[Item] = set()
    for row in rows:
        for item in row:
            if item in taken:
                continue
            run, at, offset = [(item, 0.0)], item, 0.0
            while (link := _onward(at)) is not None:
                at, offset = link.head, offset + link.tail_port - link.head_port
                run.append((at, offset))
            taken.update(member for member, _ in run)
            if len(run) > 1 or item.part is None:
                found.append(run)
    return sorted(found, key=len, reverse=True)


def _onward(item: Item) -> Link | None:
    """The link to the next item of a run."""
    bend = item.part is None
    outs = [link for link in item.outs if (link.head.part is None) == bend]
    if not outs or (not bend and len(outs) > 1):
        return None
    ins = [link for link in outs[0].head.ins if (link.tail.part is None) == bend]
    return outs[0] if len(ins) == 1 else None


def _lines(runs: list[Run]) -> dict[Item, float]:
    """For each member of a run, where it would be if the run were straight."""
    out = {}
    for run in runs:
        mean = sum(item.x - offset for item, offset in run) / len(run)
        out.update({item: mean + offset for item, offset in run if len(run) > 1})
    return out


def _settle(row: list[Item], lines: dict[Item, float], use_ins: bool, use_outs: bool, gap: float) -> None:
    wanted, weights = [], []
    for item in row:
        total, pull = 0.0, 0.0
        if use_ins:
            for link in item.ins:
                w = _pull(item, link.tail)
                total += w * (link.tail.x + link.tail_port - link.head_port)
                pull += w
        if use_outs:
            for link in item.outs:
                w = _pull(item, link.head)
                total += w * (link.head.x + link.head_port - link.tail_port)
                pull += w
        if item in lines:
            total += _STIFF * lines[item]
            pull += _STIFF
        wanted.append(total / pull if pull else item.x)
        weights.append(pull or 0.01)
    widths = [(a.width + b.width) / 2 + gap for a, b in zip(row, row[1:], strict=False)]
    for item, x in zip(row, spread(wanted, weights, widths), strict=True):
        item.x = x


def _pull(item: Item, other: Item) -> float:
    if item.part is None:
        return _BEND_TO_BEND if other.part is None else _BEND_TO_BOX
    return _BOX_TO_BEND if other.part is None else _PLAIN


def _straighten(run: Run, rows: list[list[Item]], gap: float) -> None:
    """Moves a run onto as few straight lines as there is room for between the neighbours of its members."""
    piece: Run = []
    low, high = -math.inf, math.inf
    for item, offset in run:
        least, most = _room(item, rows[item.rank], gap)
        least, most = least - offset, most - offset
        if max(low, least) > min(high, most):
            _align(piece, low, high)
            piece, low, high = [], -math.inf, math.inf
        piece.append((item, offset))
        low, high = max(low, least), min(high, most)
    _align(piece, low, high)


def _room(item: Item, row: list[Item], gap: float) -> tuple[float, float]:
    least, most = -math.inf, math.inf
    if item.place:
        before = row[item.place - 1]
        least = before.x + (before.width + item.width) / 2 + gap
    if item.place + 1 < len(row):
        after = row[item.place + 1]
        most = after.x - (after.width + item.width) / 2 - gap
    return least, max(least, most)


def _align(piece: Run, low: float, high: float) -> None:
    """Puts a piece on one line: below or above what it is linked to if possible, else where it is on average."""
    if not piece:
        return
    ends: list[float] = []
    first, last = piece[0][0], piece[-1][0]
    if first.part is None:
        ends = [link.tail.x + link.tail_port for link in first.ins] + [x.head.x + x.head_port for x in last.outs]
    mean = sum(item.x - offset for item, offset in piece) / len(piece)
    x = next((end for end in ends if low <= end <= high), min(max(mean, low), high))
    for item, offset in piece:
        item.x = x + offset


def spread(wanted: list[float], weights: list[float], distances: list[float]) -> list[float]:
    """Positions nearest to the wanted ones, in order and with at least the given distances between neighbours.

    Minimises `sum(weight * (position - wanted)**2)`: isotonic regression by pooling of neighbours that are too near
    (R. Barlow et al.: Statistical inference under order restrictions, Wiley, 1972).

    Example:
        >>> spread([0.0, 0.0], [1.0, 1.0], [10.0])
        [-5.0, 5.0]
    """
    offsets = [0.0]
    for d in distances:
        offsets.append(offsets[-1] + d)
    pools: list[tuple[float, float, int]] = []  # mean, weight, members
    for x, w, offset in zip(wanted, weights, offsets, strict=True):
        mean, weight, members = x - offset, w, 1
        while pools and pools[-1][0] > mean:
            m, v, n = pools.pop()
            mean, weight, members = (mean * weight + m * v) / (weight + v), weight + v, members + n
        pools.append((mean, weight, members))
    means = [mean for mean, _, members in pools for _ in range(members)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]

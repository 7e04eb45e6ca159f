"""Coordinates for ordered layers: straight arrows first, then everything near what it is linked to."""

from __future__ import annotations

from keras_fn.utils.plotting.layers import Item, Link

_ROUNDS = 24
# how hard a link pulls: an arrow that passes layers should pass them straight
_BEND_TO_BEND, _TO_BEND, _PLAIN = 8.0, 2.0, 1.0


def place(rows: list[list[Item]], gap: float) -> None:
    """Sets `x` of all items, so that no two of a layer are nearer than their widths and a gap.

    Each round takes the layers one after the other, down or up, and puts every item as near as it can be (by least
    squares) to the weighted mean of the items it is linked to.
    """
    for row in rows:
        edge = 0.0
        for item in row:
            item.x = edge + item.width / 2
            edge += item.width + gap
    for step in range(_ROUNDS):
        both = step >= _ROUNDS - 8
        down = step % 2 == 0
        for row in rows if down else reversed(rows):
            _settle(row, both or down, both or not down, gap)


def _settle(row: list[Item], use_ins: bool, use_outs: bool, gap: float) -> None:
    wanted, weights = [], []
    for item in row:
        total, pull = 0.0, 0.0
        if use_ins:
            for link in item.ins:
                w = _pull(link)
                total += w * (link.tail.x + link.tail_port - link.head_port)
                pull += w
        if use_outs:
            for link in item.outs:
                w = _pull(link)
                total += w * (link.head.x + link.head_port - link.tail_port)
                pull += w
        wanted.append(total / pull if pull else item.x)
        weights.append(pull or 0.01)
    widths = [(a.width + b.width) / 2 + gap for a, b in zip(row, row[1:], strict=False)]
    for item, x in zip(row, spread(wanted, weights, widths), strict=True):
        item.x = x


def _pull(link: Link) -> float:
    bends = (link.tail.part is None and link.tail.width > 0) + (link.head.part is None and link.head.width > 0)
    return (_PLAIN, _TO_BEND, _BEND_TO_BEND)[bends]


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

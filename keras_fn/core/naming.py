"""Names that are made up for objects that were given none: `dense`, `dense_1`, …"""

from __future__ import annotations

import functools
import re
from collections import Counter

_counts: Counter[str] = Counter()


@functools.lru_cache(maxsize=1024)
def snake_case(name: str) -> str:
    """`Conv2DTranspose` as `conv2d_transpose`."""
    name = re.sub(r"\W+", "", name)
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])", "_", name).lower()


def unique(prefix: str) -> str:
    """The prefix with the number of names made from it before: `dense`, then `dense_1`."""
    n = _counts[prefix]
    _counts[prefix] += 1
    return f"{prefix}_{n}" if n else prefix


def uid(prefix: str = "") -> int:
    """A number from 1 on that counts the names made from a prefix."""
    _counts[prefix] += 1
    return _counts[prefix]


def state() -> dict[str, int]:
    """All counts."""
    return dict(_counts)


def set_state(counts: dict[str, int]) -> None:
    """Puts all counts where `state` found them."""
    _counts.clear()
    _counts.update(counts)


def reset() -> None:
    """Starts all counts anew."""
    _counts.clear()

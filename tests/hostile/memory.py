"""How much memory this process takes, and took at most."""

from __future__ import annotations

import os
import resource
import sys

_STATUS = "/proc/self/status"
_UNIT = 1 if sys.platform == "darwin" else 1024


def begin() -> int:
    """Bytes in use now. From here on, `most` counts anew, where the system lets it."""
    if not os.path.exists(_STATUS):
        return most()
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")  # the mark of the highest use, see proc(5)
    return _noted("VmRSS")


def most() -> int:
    """Bytes that were in use at most."""
    if os.path.exists(_STATUS):
        return _noted("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


def limit(more: int) -> None:
    """Lets the system refuse more than so many bytes of address space above what is in use."""
    if os.path.exists(_STATUS):
        most_ = _noted("VmSize") + more
        resource.setrlimit(resource.RLIMIT_AS, (most_, most_))


def _noted(name: str) -> int:
    with open(_STATUS, encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(f"{name}:"))

"""Medians, ratios with their spread, and the table."""

from __future__ import annotations

import importlib.metadata
import os
import pathlib
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.workloads import WORKLOADS

# the distributions that bring a framework
_FRAMEWORKS = {**{n: (n,) for n in ("jax", "torch", "numpy")}, "tensorflow": ("tensorflow", "tensorflow-cpu")}
HEADER = (
    "| workload | by hand | Keras / by hand | keras_fn / by hand | **keras_fn / Keras** |\n|---|---|---|---|---|\n"
)


@dataclass
class Row:
    """The rounds of one workload on one backend: implementation -> seconds a unit, round by round."""

    workload: str
    seconds: dict[str, list[float]] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def ratio(self, one: str, other: str) -> str:
        """The ratio of the medians, and in brackets the lowest and the highest ratio of a round."""
        a, b = self.seconds.get(one), self.seconds.get(other)
        if not a or not b:
            return "-"
        each = [x / y for x, y in zip(a, b, strict=True)]
        return f"{number(median(a) / median(b))} ({number(min(each))} to {number(max(each))})"

    def line(self) -> str:
        """The row of the table."""
        workload = WORKLOADS[self.workload]
        hand = self.seconds.get("hand")
        absolute = f"{duration(median(hand))} per {workload.unit}" if hand else "-"
        title = workload.title + self._told("modules", "modules", str) + self._told("peak", "peak memory", megabytes)
        cells = [self.ratio("keras", "hand"), self.ratio("keras_fn", "hand"), f"**{self.ratio('keras_fn', 'keras')}**"]
        return f"| {title} | {absolute} | {' | '.join(cells)} |"


    def _told(self, fact: str, name: str, shown: Callable[[Any], str]) -> str:
        """What each implementation's process said beside its times."""
        said = [f"{who} {shown(self.facts[i][fact])}" for i, who in _NAMED.items() if fact in self.facts.get(i, {})]
        return f"; {name}: {', '.join(said)}" if said else ""


_NAMED = {"hand": "by hand", "keras": "Keras", "keras_fn": "keras_fn"}


def number(x: float) -> str:
    """Two or three digits that say something."""
    return f"{x:.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.2f}" if x >= 0.095 else f"{x:.2g}"


def megabytes(size: int) -> str:
    """Bytes as whole megabytes."""
    return f"{size / 1e6:.0f} MB"


def duration(seconds: float) -> str:
    """Seconds in a unit that fits."""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            return f"{number(seconds * factor)} {unit}"
    return f"{number(seconds * 1e9)} ns"


def table(rows: list[Row]) -> str:
    """The table of a backend, and what did not run."""
    text = HEADER + "\n".join(r.line() for r in rows) + "\n"
    failed = [(r.workload, name, why) for r in rows for name, why in r.failed.items()]
    if failed:
        text += "\nDid not run: " + "; ".join(f"`{w}` with {_NAMED[n]} ({why})" for w, n, why in failed) + "\n"
    return text


def machine(backend: str, rounds: int) -> str:
    """Where and how the numbers were taken."""
    packages = [("keras", "Keras"), *((n, n) for n in _FRAMEWORKS[backend])]
    versions = [f"{shown} {v}" for package, shown in packages if (v := _version(package))]
    load = f", load average before {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{rounds} rounds on {os.cpu_count()} CPU cores ({platform.machine()}, {platform.system()}{load}), Python "
        f"{platform.python_version()}, {', '.join(versions)}."
    )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def section(backend: str, rows: list[Row], command: str, facts: str) -> str:
    """What stands in the document for a backend."""
    return f"### {backend}\n\n`{command}`: {facts}\n\n{table(rows)}"


def write(path: pathlib.Path, backend: str, text: str, kind: str = "results") -> None:
    """Puts the section between the backend's marks of that kind in a document; the rest stays as it is.

    Raises:
        SystemExit: where the document does not have the marks.
    """
    begin, end = f"<!-- {kind}: {backend} -->\n", f"<!-- end: {backend} -->\n"
    document = path.read_text(encoding="utf-8")
    before, mark, rest = document.partition(begin)
    _, other, after = rest.partition(end)
    if not mark or not other:
        raise SystemExit(f"{path} needs the lines {begin.strip()!r} and {end.strip()!r}: what is between is replaced.")
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")

"""The two tables of a backend: what small calls cost beyond the framework's own, and the ratios of heavy ones."""

from __future__ import annotations

from statistics import median
from typing import Any

from benchmarks.results import duration, number

Row = dict[str, Any]
NAMES = {
    "own": "the framework's call", "keras": "Keras", "keras_fn": "keras_fn", "keras jit": "Keras, compiled",
    "keras_fn jit": "keras_fn, compiled",
}  # fmt: skip


def ratio(row: Row, one: str, other: str) -> str:
    """The ratio of the medians, and in brackets the lowest and the highest ratio of a round."""
    a, b = row["seconds"].get(one), row["seconds"].get(other)
    if not a or not b:
        return "-"
    each = [x / y for x, y in zip(a, b, strict=True)]
    return f"{number(median(a) / median(b))} ({number(min(each))} to {number(max(each))})"


def over(row: Row, one: str) -> str:
    """Microseconds over the framework's own call: the median of the rounds, the lowest and the highest."""
    a, b = row["seconds"].get(one), row["seconds"].get("own")
    if not a or not b:
        return "-"
    each = sorted((x - y) * 1e6 for x, y in zip(a, b, strict=True))
    return f"{median(each):.2f} ({each[0]:.2f} to {each[-1]:.2f})"


def brief(row: Row) -> str:
    """A line to watch the run by: the ratios of the fastest rounds, which say most where the machine is busy."""
    base = row["seconds"].get("own") or row["seconds"].get("keras")
    took = duration(min(row["seconds"]["own"])) if "own" in row["seconds"] else "-"
    told = [f"{who} {number(min(each) / min(base))}" for who, each in row["seconds"].items() if base and who != "own"]
    return f"{row['name']}: {took}; {', '.join(told)}{remarks([row]).strip() and ' !'}"


def small_table(rows: list[Row]) -> str:
    """Overhead in microseconds."""
    text = "| op on one-element tensors | the framework's call | Keras over it, µs | **keras_fn over it, µs** |\n"
    text += "|---|---|---|---|\n"
    for row in rows:
        own = row["seconds"].get("own")
        shown = duration(median(own)) if own else "-"
        text += f"| `{row['name']}` | {shown} | {over(row, 'keras')} | **{over(row, 'keras_fn')}** |\n"
    return text


def heavy_table(rows: list[Row]) -> str:
    """Ratios; with the columns of what is compiled where the backend compiles."""
    jits = any("keras_fn jit" in row["seconds"] for row in rows)
    columns = [("keras", "own"), ("keras_fn", "own")]
    if jits:
        columns += [("keras jit", "own"), ("keras_fn jit", "own")]
    names = {**NAMES, "own": "own"}
    heads = [f"{names[a]} / {names[b]}" for a, b in columns] + ["**keras_fn / Keras**"]
    text = f"| op | {NAMES['own']}{', compiled' if jits else ''} | {' | '.join(heads)} |\n"
    text += "|---" * (len(heads) + 2) + "|\n"
    for row in rows:
        own = row["seconds"].get("own")
        mine = "keras_fn jit" if jits and "keras_fn jit" in row["seconds"] else "keras_fn"
        theirs = mine.replace("keras_fn", "keras")
        cells = [duration(median(own)) if own else "-", *(ratio(row, a, b) for a, b in columns)]
        text += f"| `{row['name']}` | {' | '.join(cells)} | **{ratio(row, mine, theirs)}** |\n"
    return text


def summary(rows: list[Row]) -> str:
    """How many of the heavy ops are as fast as the framework's own call."""
    name = "keras_fn jit" if any("keras_fn jit" in row["seconds"] for row in rows) else "keras_fn"
    found = {
        row["name"]: median(mine) / median(own)
        for row in rows
        if (own := row["seconds"].get("own"))
        and (mine := row["seconds"].get(name, row["seconds"].get("keras_fn")))
        and median(own) >= 1e-3
    }
    if not found:
        return ""
    slow = sorted((ratio, op) for op, ratio in found.items() if ratio > 1.05)[::-1]
    text = f"Of {len(found)} ops whose own call takes 1 ms and more, {len(found) - len(slow)} take at most 1.05 of it."
    if slow:
        text += " The others: " + ", ".join(f"`{op}` {number(r)}" for r, op in slow) + "."
    return text + "\n"


def remarks(rows: list[Row]) -> str:
    """What did not run, and what gave other values."""
    text = ""
    failed = [f"`{r['name']}` with {NAMES[who]} ({why})" for r in rows for who, why in r["failed"].items()]
    if failed:
        text += f"\nDid not run: {'; '.join(failed)}\n"
    differs = [f"`{r['name']}` with {NAMES[who]}" for r in rows for who in r["differs"]]
    if differs:
        text += f"\nGave other values: {', '.join(differs)}\n"
    return text


def section(backend: str, rows: list[Row], command: str, facts: str) -> str:
    """What stands in the document for a backend."""
    small, heavy = [r for r in rows if r["small"]], [r for r in rows if not r["small"]]
    text = f"### {backend}: single ops\n\n`{command}`: {facts}\n"
    if small:
        text += f"\n{small_table(small)}"
    if heavy:
        text += f"\n{heavy_table(heavy)}\n{summary(heavy)}"
    return text + remarks(rows)

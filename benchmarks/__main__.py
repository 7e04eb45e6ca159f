"""`python -m benchmarks [workload ...] [--backend jax ...] [--rounds N] [--write docs/performance.md]`."""

from __future__ import annotations

import argparse
import importlib.util
import os
import pathlib
import shlex
import sys
from contextlib import ExitStack
from typing import Any

from benchmarks import chart, results
from benchmarks.processes import Failed, Fresh, Standing
from benchmarks.workloads import BACKENDS, IMPLEMENTATIONS, WORKLOADS


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser("python -m benchmarks", description="Times keras_fn, Keras and loops by hand.")
    parser.add_argument("workload", nargs="*", help=f"of {', '.join(WORKLOADS)}; all where none is given")
    parser.add_argument("--backend", nargs="+", choices=BACKENDS, help="default: KERAS_BACKEND, else all installed")
    parser.add_argument("--rounds", type=int, default=5, help="each times every implementation once (default 5)")
    parser.add_argument("--seconds", type=float, default=0.5, help="least length of a round (default 0.5)")
    parser.add_argument("--write", type=pathlib.Path, help="a document whose tables and chart are replaced")
    parser.add_argument("--profile", action="store_true", help="instead of timing, show where keras_fn spends its time")
    found = parser.parse_args()
    if unknown := [w for w in found.workload if w not in WORKLOADS]:
        parser.error(f"unknown workload {', '.join(unknown)}; there are {', '.join(WORKLOADS)}")
    return found


def installed() -> list[str]:
    """The backend that the environment names, or all that can run here."""
    if name := os.environ.get("KERAS_BACKEND"):
        return [name]
    return [b for b in BACKENDS if importlib.util.find_spec(b)]


def measure(workload: str, backend: str, rounds: int, seconds: float) -> results.Row:
    """All rounds of a workload: in each, every implementation in turn, and another one first each time."""
    row = results.Row(workload)
    kind: type[Any] = Fresh if WORKLOADS[workload].fresh else Standing
    with ExitStack() as stack:
        running: dict[str, Any] = {}
        for name in IMPLEMENTATIONS:
            try:
                running[name] = kind(name, backend, workload, seconds)
            except Failed as e:
                row.failed[name] = str(e)
            else:
                stack.callback(running[name].close)
        names = list(running)
        row.seconds = {name: [] for name in names}
        for number in range(rounds):
            turn = number % len(names) if names else 0
            for name in names[turn:] + names[:turn]:
                row.seconds[name].append(running[name].round())
        row.facts = {name: process.facts for name, process in running.items()}
    return row


def show_profile(workload: str, backend: str, seconds: float) -> None:
    """Where keras_fn spends its time."""
    process = Standing("keras_fn", backend, workload, seconds)
    answer = process.ask("profile")
    process.close()
    print(f"=== {workload} on {backend}: {answer['units']} units\n{answer['profile']}")


def main() -> None:
    given = arguments()
    chosen = given.workload or list(WORKLOADS)
    command = shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])
    for backend in given.backend or installed():
        names = [w for w in chosen if WORKLOADS[w].runs_on(backend)]
        if given.profile:
            for name in names:
                if not WORKLOADS[name].fresh:
                    show_profile(name, backend, given.seconds)
            continue
        facts = results.machine(backend, given.rounds)
        rows = []
        print(f"### {backend}\n\n{facts}\n\n{results.HEADER}", end="", flush=True)
        for name in names:
            rows.append(measure(name, backend, given.rounds, given.seconds))
            print(rows[-1].line(), *(f"    {who}: {why}" for who, why in rows[-1].failed.items()), sep="\n", flush=True)
        if given.write:
            results.write(given.write, backend, results.section(backend, rows, command, facts))
    if given.write and not given.profile:
        chart.write(given.write)


if __name__ == "__main__":
    main()

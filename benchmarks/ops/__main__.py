"""`python -m benchmarks.ops [op ...] [--backend jax ...] [--rounds N] [--write docs/performance.md]`."""

from __future__ import annotations

import argparse
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

from benchmarks import results
from benchmarks.__main__ import installed
from benchmarks.ops import tables
from benchmarks.ops.cases import HEAVY, SMALL
from benchmarks.processes import environment
from benchmarks.workloads import BACKENDS


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.ops", description="Times single ops.")
    parser.add_argument("op", nargs="*", help="parts of names of rows; all where none is given")
    parser.add_argument("--backend", nargs="+", choices=BACKENDS, help="default: KERAS_BACKEND, else all installed")
    parser.add_argument("--rounds", type=int, default=5, help="each times every implementation once (default 5)")
    parser.add_argument("--seconds", type=float, default=0.01, help="about the length of a round (default 0.01)")
    parser.add_argument("--write", type=pathlib.Path, help="a document whose tables are replaced")
    found = parser.parse_args()
    names = [case.name for case in (*SMALL, *HEAVY)]
    if unknown := [part for part in found.op if not any(part in name for name in names)]:
        parser.error(f"no row has {', '.join(map(repr, unknown))} in its name; there are {', '.join(names)}")
    return found


def measure(backend: str, rounds: int, seconds: float, names: list[str]) -> list[tables.Row]:
    """The rows of a backend, from a process of its own; each is shown when it is there."""
    command = [sys.executable, "-m", "benchmarks.ops.worker", backend, str(rounds), str(seconds), *names]
    rows = []
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment(backend)
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                rows.append(json.loads(line))
                print(tables.brief(rows[-1]), file=sys.stderr, flush=True)
        if process.returncode:
            errors.seek(0)
            raise SystemExit(f"The ops on {backend} stopped:\n{errors.read()[-2000:]}")
    return rows


def main() -> None:
    given = arguments()
    command = shlex.join(["python", "-m", "benchmarks.ops", *sys.argv[1:]])
    for backend in given.backend or installed():
        facts = results.machine(backend, given.rounds)
        rows = measure(backend, given.rounds, given.seconds, given.op)
        text = tables.section(backend, rows, command, facts)
        print(text)
        if given.write:
            results.write(given.write, backend, text, kind="ops")


if __name__ == "__main__":
    main()

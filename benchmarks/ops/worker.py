"""All ops on one backend, in one process: `python -m benchmarks.ops.worker BACKEND ROUNDS SECONDS [NAME ...]`.

The framework's own call, Keras and keras_fn take turns within each round, and another one begins each time. Each row is
a line of JSON on stdout; whatever frameworks print there goes to stderr.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.ops.cases import HEAVY, SMALL, Case

PACKAGES = ("keras", "keras_fn")


class Clock:
    """Times calls of one backend."""

    def __init__(self, own: Any, rounds: int, seconds: float) -> None:
        self.own = own
        self.rounds = rounds
        self.seconds = seconds
        self.packages = {name: importlib.import_module(name) for name in PACKAGES}

    def calls(self, case: Case, small: bool) -> dict[str, Callable[..., Any]]:
        """What is timed: under "own", "keras" and "keras_fn", and " jit" behind it where it is compiled."""
        table = self.own.SMALL if small else self.own.CALLS
        compiles = self.own.compiled is not None and not small and case.compiles
        found = {}
        if case.name in table:
            found["own"] = self.own.compiled(table[case.name]) if compiles else table[case.name]
        for name, package in self.packages.items():
            found[name] = case.make(package)
            if compiles:
                found[f"{name} jit"] = self.own.compiled(case.make(package))
        return found

    def measure(self, case: Case, small: bool) -> dict[str, Any]:
        """The row: `seconds` of a call, round by round, and why something `failed`."""
        arguments = [self.own.tensor(x) for x in case.arrays()]
        row: dict[str, Any] = {"name": case.name, "small": small, "seconds": {}, "failed": {}}
        calls, times, results = self.calls(case, small), {}, {}
        for name, call in list(calls.items()):
            try:
                # on arguments of its own: Keras writes into some of what it gets
                results[name] = call(*map(self.own.tensor, case.arrays()))
                took = min(self.round(call, arguments, 1, small) for _ in range(2))
            except Exception as e:  # whatever an implementation cannot do is told in the table
                row["failed"][name] = f"{type(e).__name__}: {str(e).splitlines()[0][:150] if str(e) else ''}"
                del calls[name]
            else:
                times[name] = max(1, round(self.seconds / took))
        row["differs"] = self.differing(results, case) if case.unique else []
        row["seconds"] = {name: [] for name in calls}
        names = list(calls)
        for number in range(self.rounds):
            turn = number % len(names) if names else 0
            for name in names[turn:] + names[:turn]:
                row["seconds"][name].append(self.round(calls[name], arguments, times[name], small))
        return row

    def round(self, call: Callable[..., Any], arguments: list[Any], times: int, small: bool) -> float:
        """Seconds a call. What is small is not waited for: its cost is that of getting it on its way."""
        wait = self.own.wait
        gc.disable()
        began = time.perf_counter()
        if small:
            for _ in range(times):
                out = call(*arguments)
            wait(out)
        else:
            for _ in range(times):
                wait(call(*arguments))
        took = time.perf_counter() - began
        gc.enable()
        return took / times

    def differing(self, results: dict[str, Any], case: Case) -> list[str]:
        """Which of keras_fn's results are not those of the framework's own call, or of Keras where there is none."""
        other = results.get("own", results.get("keras"))
        if other is None:
            return []
        wanted = [self.own.to_numpy(x) for x in leaves(other)]
        return [
            name
            for name, result in results.items()
            if name.startswith("keras_fn") and not close([self.own.to_numpy(x) for x in leaves(result)], wanted)
        ]


def leaves(x: Any) -> list[Any]:
    """The tensors in a result."""
    return [leaf for part in x for leaf in leaves(part)] if isinstance(x, (tuple, list)) else [x]


def close(found: list[Any], wanted: list[Any]) -> bool:
    """Whether results agree, as far as both of them go (some calls tell more than others)."""
    return all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-2, atol=1e-3 * max(1.0, float(np.abs(b).max(initial=0))))
        for a, b in zip(found, wanted, strict=False)
    )


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    backend, rounds, seconds, *names = sys.argv[1:]
    clock = Clock(importlib.import_module(f"benchmarks.ops.own_{backend}"), int(rounds), float(seconds))
    for small, cases in ((True, SMALL), (False, HEAVY)):
        for case in cases:
            if not names or any(part in case.name for part in names):
                gc.collect()
                print(json.dumps(clock.measure(case, small)), file=answers, flush=True)


if __name__ == "__main__":
    main()

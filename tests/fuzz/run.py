"""Divides mutants among child processes and gathers what came of them."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from typing import Any

_TESTS = pathlib.Path(__file__).parent.parent


@dataclass
class Outcome:
    """What came of some mutants of one kind."""

    kind: str
    tried: int = 0
    loaded: int = 0
    slowest: float = 0.0
    peak_mb: int = 0
    failures: list[tuple[int, str]] = field(default_factory=list)

    def __str__(self) -> str:
        refused = self.tried - self.loaded - len(self.failures)
        failed = "".join(f"\n  {self.kind} {seed}: {text}" for seed, text in self.failures)
        return (
            f"{self.kind}: {self.tried} mutants, {self.loaded} loaded the same, {refused} refused, "
            f"slowest {self.slowest:.2f} s, peak {self.peak_mb} MB, {len(self.failures)} failures{failed}"
        )


def run(kind: str, first: int, count: int, batch: int = 20_000, timeout: float = 280.0) -> Outcome:
    """Loads mutants, each batch of them in a process of its own; a process that dies or hangs is a failure."""
    outcome = Outcome(kind)
    with tempfile.TemporaryDirectory() as folder:
        progress = pathlib.Path(folder) / "progress"
        for start in range(first, first + count, batch):
            size = min(batch, first + count - start)
            progress.write_bytes(bytes(8))
            told = _child(kind, start, size, progress, timeout)
            at = int.from_bytes(progress.read_bytes(), "little")
            if isinstance(told, str):
                outcome.failures.append((at, told))
                continue
            outcome.tried += told["tried"]
            outcome.loaded += told["loaded"]
            outcome.slowest = max(outcome.slowest, told["slowest"])
            outcome.peak_mb = max(outcome.peak_mb, told["peak_mb"])
            outcome.failures += [(seed, text) for seed, text in told["failures"]]
    return outcome


def _child(kind: str, first: int, count: int, progress: pathlib.Path, timeout: float) -> dict[str, Any] | str:
    command = [sys.executable, "-m", "fuzz.child", kind, str(first), str(count), str(progress)]
    path = os.pathsep.join([str(_TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        done = subprocess.run(
            command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        return f"the process did not end within {timeout} s"
    if done.returncode:
        return f"the process ended with {done.returncode}: {done.stderr[-2000:]}"
    return json.loads(done.stdout.splitlines()[-1])

"""The processes that are timed: one that stays and does round after round, or a fresh one for each round."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any


class Failed(Exception):
    """The implementation cannot do the workload; the text says why."""


def environment(backend: str) -> dict[str, str]:
    """What a process needs to know to run on a backend."""
    return {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}


class Standing:
    """A worker that is ready for rounds.

    Args:
        implementation: "keras_fn", "keras" or "hand".
        backend: the backend's name.
        workload: the workload's name.
        seconds: how long a round should take at least.
    """

    def __init__(self, implementation: str, backend: str, workload: str, seconds: float) -> None:
        self.facts: dict[str, Any] = {}
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed with the process)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", implementation, backend, workload, str(seconds)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=environment(backend),
        )  # fmt: skip
        ready = self._answer()
        self.facts.update({name: ready[name] for name in ("setup", "peak") if name in ready})

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.errors.seek(0)
            raise Failed(_last_line(self.errors.read()))
        return json.loads(line)

    def ask(self, what: str) -> dict[str, Any]:
        """Sends a line and waits for the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        return self._answer()

    def round(self) -> float:
        """Seconds a unit."""
        return self.ask("go")["seconds"]

    def close(self) -> None:
        """Ends the process."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        self.errors.close()


class Fresh:
    """A new interpreter for every round. Arguments as those of Standing."""

    def __init__(self, implementation: str, backend: str, workload: str, seconds: float) -> None:
        self.command = [sys.executable, "-m", "benchmarks.fresh", implementation, backend, workload]
        self.environment = environment(backend)
        self.facts: dict[str, Any] = {}
        self.round()  # files come from the cache from now on

    def round(self) -> float:
        """Seconds from the start of the process to its end."""
        began = time.perf_counter()
        done = subprocess.run(self.command, capture_output=True, text=True, env=self.environment, check=False)
        took = time.perf_counter() - began
        if done.returncode:
            raise Failed(_last_line(done.stderr))
        self.facts["modules"] = int(done.stdout.split()[-1])
        return took

    def close(self) -> None:
        """Nothing stays."""


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "the process ended without a word"

"""One implementation in a process of its own: `python -m benchmarks.worker IMPLEMENTATION BACKEND WORKLOAD SECONDS`.

It prepares the work, warms up, and then does one round for every line that comes on stdin. Answers are lines of JSON on
stdout; whatever frameworks print there goes to stderr.
"""

from __future__ import annotations

import cProfile
import gc
import importlib
import io
import json
import os
import pathlib
import pstats
import sys
import time
from typing import Any

from benchmarks.workloads import Job


def prepare(implementation: str, backend: str, workload: str) -> Job:
    """The job; the backend's own module where it is written by hand."""
    if implementation == "hand":
        return importlib.import_module(f"benchmarks.with_{backend}").prepare(workload)
    from benchmarks import with_keras

    return with_keras.prepare(workload, implementation)


def warm_up(job: Job, seconds: float) -> int:
    """Runs until compilation and measuring are over; how often to repeat the job so that a round takes so long."""
    job.run()
    job.run()
    took = _timed(job, 1)
    return max(1, round(seconds / took))


def _timed(job: Job, times: int) -> float:
    gc.collect()
    began = time.perf_counter()
    for _ in range(times):
        job.run()
    return time.perf_counter() - began


def peak_memory(job: Job) -> dict[str, int]:
    """`{"peak": bytes}` that the process grew by at most while the job ran; nothing where the system cannot tell."""
    reset, status = pathlib.Path("/proc/self/clear_refs"), pathlib.Path("/proc/self/status")
    if not job.weigh or not reset.exists():
        return {}
    gc.collect()
    reset.write_text("5")  # the peak begins anew at what is used now
    before = _status(status, "VmRSS")
    job.run()
    return {"peak": max(0, _status(status, "VmHWM") - before)}


def _status(file: pathlib.Path, name: str) -> int:
    """A line such as "VmHWM:   1234 kB", in bytes."""
    line = next(line for line in file.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def profile(job: Job, lines: int = 25) -> str:
    """Where the time goes: functions by their own time."""
    profiler = cProfile.Profile()
    profiler.runcall(job.run)
    text = io.StringIO()
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats("tottime").print_stats(lines)
    return text.getvalue()


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(**facts: Any) -> None:
        print(json.dumps(facts), file=answers, flush=True)

    implementation, backend, workload, seconds = sys.argv[1:5]
    began = time.perf_counter()
    job = prepare(implementation, backend, workload)
    times = warm_up(job, float(seconds))
    answer(setup=time.perf_counter() - began, times=times, **peak_memory(job))
    for line in sys.stdin:
        if line.strip() == "profile":
            answer(profile=profile(job), units=job.units)
        else:
            answer(seconds=_timed(job, times) / (times * job.units))


if __name__ == "__main__":
    main()

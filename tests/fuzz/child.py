"""Loads mutants `first` to `first + count` of one kind, and tells the outcome as a line of JSON.

    python -m fuzz.child KIND FIRST COUNT PROGRESS

The number of the mutant that is being loaded stands in the file PROGRESS, so that it is known when this process dies.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
import traceback
from typing import Any

MEMORY, SECONDS = 2**30, 5.0


def main(name: str, first: int, count: int, progress: str) -> dict[str, Any]:
    """Loads the mutants. Failures are pairs (number, text)."""
    from fuzz.kinds import Kind

    kind = Kind(name)
    start = _memory()
    resource.setrlimit(resource.RLIMIT_AS, (start + MEMORY, start + MEMORY))
    signal.signal(signal.SIGVTALRM, _too_long)
    tried, loaded, slowest, failures = 0, 0, 0.0, []
    with open(progress, "r+b", buffering=0) as note:
        for seed in range(first, first + count):
            tried += 1
            os.pwrite(note.fileno(), seed.to_bytes(8, "little"), 0)
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
            began = time.process_time()
            try:
                loaded += kind.check(seed)
            except Exception:
                failures.append((seed, traceback.format_exc(limit=-4)))
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            slowest = max(slowest, time.process_time() - began)
            if len(failures) >= 10:
                break
    kind.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"tried": tried, "loaded": loaded, "slowest": slowest, "peak_mb": peak, "failures": failures}


def _too_long(*_: Any) -> None:
    raise TimeoutError(f"more than {SECONDS} s")


def _memory() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])))

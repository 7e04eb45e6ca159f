"""What is timed from the start of an interpreter: `python -m benchmarks.fresh IMPLEMENTATION BACKEND WORKLOAD`.

It prints how many modules are loaded at the end.
"""

from __future__ import annotations

import importlib
import sys


def main() -> None:
    implementation, backend, workload = sys.argv[1:4]
    if workload == "import":
        importlib.import_module(backend if implementation == "hand" else implementation)
    elif implementation == "hand":
        importlib.import_module(f"benchmarks.with_{backend}").first()
    else:
        from benchmarks.with_keras import first

        first(implementation)
    sys.__stdout__.write(f"\n{len(sys.modules)}\n")


if __name__ == "__main__":
    main()

"""`python -m fuzz COUNT [--kind KIND] [--first SEED]`: how many mutants in all, by kind or of one kind."""

from __future__ import annotations

import argparse
import sys

from fuzz.run import run

# shares of the whole; the reader alone is much faster than a model
SHARES = {
    "arrays": 0.34, "modern": 0.08, "weights": 0.18, "shards": 0.08, "safetensors": 0.12, "keras": 0.1, "legacy": 0.1,
}  # fmt: skip


def main() -> int:
    """Returns 1 where anything failed."""
    parser = argparse.ArgumentParser(prog="fuzz")
    parser.add_argument("count", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--kind", choices=sorted(SHARES))
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    shares = {given.kind: 1.0} if given.kind else SHARES
    failed = 0
    for kind, share in shares.items():
        outcome = run(kind, given.first, max(1, int(given.count * share)))
        print(outcome, flush=True)
        failed += len(outcome.failures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

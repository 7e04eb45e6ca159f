"""The pytest plugin of the conformance suite: two options, and the score at the end.

pytest reads options before it looks for tests, so they cannot live beside the suite. This module is announced under
`pytest11` and imports nothing of keras_fn until the suite ran.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

SUITE = "test_suite.py::test_item["


def pytest_addoption(parser: Any) -> None:
    """Declares the options."""
    group = parser.getgroup("keras_fn", "conformance of a keras_fn backend")
    group.addoption("--keras-fn-backend", metavar="NAME", help="the backend to check (default: the active one)")
    group.addoption("--keras-fn-quick", action="store_true", help="check a part that is done in seconds")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints the score by group, where the suite ran."""
    passed, total, gaps = _counted(terminalreporter.stats)
    if not total:
        return
    from keras_fn.core.backend import active, use
    from keras_fn.testing.conformance.items import GROUPS, not_applicable

    name = terminalreporter.config.getoption("--keras-fn-backend")
    backend = use(name) if name else active.backend
    out = not_applicable()
    terminalreporter.section(f"conformance of the keras_fn backend {backend.name!r}")
    for group in GROUPS:
        if group in out:
            terminalreporter.write_line(f"{group:10} not applicable: {out[group]}")
        elif total[group]:
            known = f", {gaps[group]} known gaps" if gaps[group] else ""
            terminalreporter.write_line(f"{group:10} {passed[group]:5} of {total[group]}{known}")


def _counted(stats: dict[str, list[Any]]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Items passed, items run and known gaps, by group."""
    passed: Counter[str] = Counter()
    total: Counter[str] = Counter()
    gaps: Counter[str] = Counter()
    for outcome in ("passed", "failed", "error", "xfailed"):
        for report in stats.get(outcome, []):
            _, found, rest = getattr(report, "nodeid", "").partition(SUITE)
            if found:
                group = rest.partition("::")[0]
                total[group] += 1
                passed[group] += outcome == "passed"
                gaps[group] += outcome == "xfailed"
    return passed, total, gaps

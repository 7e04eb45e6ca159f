"""One test an item. The options are declared by `keras_fn.testing.plugin`."""

from __future__ import annotations

from typing import Any

import pytest

from keras_fn.core import backend as backends
from keras_fn.testing.conformance import gaps
from keras_fn.testing.conformance.items import Item, items


def pytest_generate_tests(metafunc: Any) -> None:
    """Parametrizes with the items of the backend that was asked for."""
    name = metafunc.config.getoption("--keras-fn-backend")
    quick = metafunc.config.getoption("--keras-fn-quick")
    backend = backends.use(name) if name else backends.active.backend
    found, known = items(quick), gaps.read(backend)
    lost = [] if quick else gaps.stale(known, [i.path for i in found])
    if lost:
        lines = ", ".join(repr(g.pattern) for g in lost)
        raise pytest.UsageError(f"{gaps.FILE} of the backend {backend.name!r} names no item of the suite: {lines}.")
    metafunc.parametrize("item", [pytest.param(i, id=i.path, marks=_marks(i, known)) for i in found])


def _marks(item: Item, known: list[gaps.Gap]) -> Any:
    gap = next((g for g in known if g.covers(item.path)), None)
    return () if gap is None else pytest.mark.xfail(reason=gap.reason, strict=True)


def test_item(item: Item) -> None:
    """The backend does what the op promises."""
    item.check()

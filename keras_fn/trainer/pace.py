"""How many steps go into one dispatch: single ones are timed first, and the backend says whether several would pay."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from keras_fn.core import trees
from keras_fn.core.backend import active
from keras_fn.trainer.programs import wait_for

# steps in one dispatch where it pays, and how many single steps are timed to find out
STEPS_PER_DISPATCH = 32
TIMED_STEPS = 6
# batches of evaluations and predictions that go alone first: a program for several is worth its compilation only where
# many come
ALONE = 500
# bytes of the batches that are gathered for one dispatch
TOGETHER = 2 * 2**20


def steps_at_once(model: Any, callbacks: Any, kind: str, source: Any) -> int:
    """How many batches of arrays the next dispatch may do."""
    wanted = model.steps_per_execution
    if wanted != "auto":
        return wanted
    if model.run_eagerly or (callbacks is not None and callbacks.watches_batches(kind)):
        return 1
    times = model._kf_cache.get(("times", kind), ())
    if len(times) < TIMED_STEPS or not active.backend.loop_pays(min(times)):
        return 1
    if kind != "train" and model._kf_cache.get(("alone", kind), 0) < ALONE:
        return 1
    return _together(source)


def is_timed(model: Any, kind: str) -> bool:
    """Whether no more single steps are timed."""
    return len(model._kf_cache.get(("times", kind), ())) >= TIMED_STEPS


def time_step(model: Any, kind: str, began: float) -> None:
    """Counts a single step, and times the first ones, to learn whether several at once would pay."""
    cache = model._kf_cache
    cache["alone", kind] = cache.get(("alone", kind), 0) + 1
    times = cache.setdefault(("times", kind), [])
    if model.steps_per_execution == "auto" and len(times) < TIMED_STEPS:
        wait_for(model)
        times.append(time.perf_counter() - began)


def _together(source: Any) -> int:
    """How many batches: fewer where they are gathered first, and would leave the processor's cache."""
    if not source.gathers_on_host():
        return STEPS_PER_DISPATCH
    size = sum(a.nbytes for a in trees.flatten(source.first()) if a is not None)
    return max(1, min(STEPS_PER_DISPATCH, TOGETHER // max(1, size)))


def grouped(batches: Iterator[Any], how_many: Any, form: Callable[[Any], Any] = len) -> Iterator[list[Any]]:
    """Lists of as many batches as may go together: of batches that have the same form."""
    group: list[Any] = []
    wanted = how_many()
    for batch in batches:
        if group and form(batch) != form(group[0]):
            yield from ([b] for b in group)
            group = []
        group.append(batch)
        if len(group) >= wanted:
            yield group
            group, wanted = [], how_many()
    yield from ([b] for b in group)

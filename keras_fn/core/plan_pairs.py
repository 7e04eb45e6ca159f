"""Two steps of a plan in one call, where the backend has a function for both that gives the same bits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from keras_fn.core.backend import Backend
from keras_fn.core.plan_steps import Step


def joined(
    backend: Backend, steps: list[Step], outputs: Iterable[int], value_of: Callable[[int], Any]
) -> list[Step]:
    """The steps with pairs of them joined.

    Only neighbours are joined, the second of which is the only one to take the first one's result, as its first
    argument. So nothing happens between them, and nobody misses that result.

    Args:
        backend: the backend, which says what a pair becomes.
        steps: the steps.
        outputs: the slots of the plan's results.
        value_of: what a slot held in the call that was watched.
    """
    used = Counter(p for step in steps for p in step.places)
    used.update(outputs)
    done: list[Step] = []
    for step in steps:
        before = done[-1] if done else None
        if before is not None and step.places[:1] == (before.out,) and used[before.out] == 1 and _plain(before, step):
            first, rest = ([value_of(p) for p in places] for places in (before.places, step.places[1:]))
            both = backend.joined(before.function, step.function, first, rest, value_of(before.out))
            if both is not None:
                done[-1] = Step(step.mode, both, before.places + step.places[1:], step.out, effect=False)
                continue
        done.append(step)
    return done


def _plain(first: Step, second: Step) -> bool:
    return first.mode == second.mode and not (first.effect or second.effect)

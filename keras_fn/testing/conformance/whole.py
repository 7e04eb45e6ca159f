"""Group `whole`: a compiler that reads Python code captures an op in one piece, and once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_fn.core.backend import active
from keras_fn.testing.conformance.calls import Mismatch, arrays_of, compare, computed, facts, leaves, numpy_of, tensors
from keras_fn.testing.samples import Call, Sample


def captures() -> bool:
    """Whether the backend has such a compiler."""
    return active.backend.captured(lambda x: x) is not None


def check_whole(sample: Sample, call: Call) -> None:
    """What was captured gives the same as the op, twice."""
    run = active.backend.captured(function(sample, call))
    assert run is not None
    values = arrays_of(call)
    wanted = computed(sample, call, values)
    for _ in range(2):
        with np.errstate(all="ignore"):
            got = leaves(run(*tensors(values)))
        if [facts(x)[1] for x in got] != [facts(x)[1] for x in wanted]:
            raise Mismatch(f"Captured, the op gives {[facts(x)[1] for x in got]}, and at once otherwise.")
        compare(got, [numpy_of(x) for x in wanted], sample.tolerance)


def function(sample: Sample, call: Call) -> Callable[..., Any]:
    """A call as a function of its tensors, in code so plain that only the op itself is on trial."""
    fn, kwargs = sample.function, call.kwargs
    # of each argument: what it is, or where its tensors stand; an int for one tensor, a slice for a list of them
    given, where, count = [], [], 0
    for a in call.args:
        many = isinstance(a, list) and any(isinstance(x, np.ndarray) for x in a)
        held = len(a) if many else int(isinstance(a, np.ndarray))
        where.append(slice(count, count + held) if many else count if held else None)
        given.append(None if held else a)
        count += held

    def run(*operands: Any) -> Any:
        args = []
        for a, place in zip(given, where, strict=True):
            if place is None:
                args.append(a)
            elif isinstance(place, int):
                args.append(operands[place])
            else:
                args.append(list(operands[place]))
        return fn(*args, **kwargs)

    return run

"""Groups `value`, `empty`, `special`, `spec`, `unknown` and `body`: one call, and what must be true of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keras_fn.core.backend import active
from keras_fn.core.spec import REGISTRY, Spec
from keras_fn.testing.conformance.calls import (
    Mismatch,
    apply,
    arrays_of,
    compare,
    computed,
    facts,
    leaves,
    numpy_of,
    specs,
    truth,
)
from keras_fn.testing.samples import Call, Sample


def check_value(sample: Sample, call: Call) -> None:
    """The result is what the oracle says."""
    got = computed(sample, call, arrays_of(call))
    compare(got, truth(sample, call), sample.tolerance, zeros=sample.zeros and call.group == "special")


def check_spec(sample: Sample, call: Call) -> None:
    """The inferred shapes and dtypes are those of the result."""
    values = arrays_of(call)
    inferred = _inferred(sample, call, specs(values))
    real = [facts(x) for x in computed(sample, call, values)]
    fits = all(_agree(a, b) for a, b in zip(inferred, real, strict=False)) and len(inferred) == len(real)
    if not fits or (inferred != real and not sample.dynamic):
        raise Mismatch(f"Inferred were {inferred}, and the results are {real}.")


def _inferred(sample: Sample, call: Call, operands: list[Spec]) -> list[Any]:
    out = leaves(apply(sample, call, operands))
    if not operands:  # made from nothing: the op computes at once, so its rule is asked
        op = REGISTRY[sample.op]
        out = leaves(op.infer(active.backend, op._bind(call.args, call.kwargs), []))
    for x in out:
        if not isinstance(x, Spec):
            raise Mismatch(f"A spec should have been inferred, and {type(x).__name__} came: {x!r}.")
    return [facts(x) for x in out]


def check_unknown(sample: Sample, call: Call) -> None:
    """With dimensions unknown, nothing is inferred that is not so."""
    values = arrays_of(call)
    real = [facts(x) for x in computed(sample, call, values)]
    for operands in _with_unknown(sample, specs(values)):
        inferred = _inferred(sample, call, operands)
        if len(inferred) != len(real) or not all(_agree(a, b) for a, b in zip(inferred, real, strict=True)):
            raise Mismatch(f"For {operands} were inferred {inferred}, and the results may be {real}.")


def _with_unknown(sample: Sample, known: list[Spec]) -> Iterator[list[Spec]]:
    """The first dimension of all that have a batch axis unknown, as it is while a model is built."""
    batched = range(len(known)) if sample.batched is None else sample.batched
    if any(known[i].shape for i in batched):
        yield [Spec((None, *s.shape[1:]), s.dtype) if i in batched and s.shape else s for i, s in enumerate(known)]


def _agree(inferred: tuple[Any, str], real: tuple[Any, str]) -> bool:
    shape, dtype = inferred
    return (
        dtype == real[1]
        and len(shape) == len(real[0])
        and all(a is None or a == b for a, b in zip(shape, real[0], strict=True))
    )


def check_body(sample: Sample, call: Call) -> None:
    """The backend's kernel gives what the op's body, its definition, gives."""
    values = arrays_of(call)
    got = computed(sample, call, values)
    with without_kernel(sample.op):
        body = computed(sample, call, values)
    dtypes = [facts(x)[1] for x in body]
    if dtypes != [facts(x)[1] for x in got]:
        raise Mismatch(f"The kernel gives {[facts(x)[1] for x in got]}, and the body gives {dtypes}.")
    compare(got, [numpy_of(x) for x in body], sample.tolerance)


@contextmanager
def without_kernel(name: str) -> Iterator[None]:
    """The active backend without its kernel for a composite."""
    kernels, op = active.backend.kernels, REGISTRY[name]
    kernel = kernels.pop(name)
    op.forget_kernels(active.backend)
    try:
        yield
    finally:
        kernels[name] = kernel
        op.forget_kernels(active.backend)

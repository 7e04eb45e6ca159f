"""The items of the suite: each one a group, a name and a check."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import keras_fn.ops  # pyright: ignore[reportUnusedImport]
import keras_fn.random  # noqa: F401  # pyright: ignore[reportUnusedImport]  (it declares ops)
from keras_fn.core.backend import active
from keras_fn.core.spec import REGISTRY
from keras_fn.testing.conformance import draws, edges, gradients, grid, programs, whole
from keras_fn.testing.conformance.calls import EIGHT_BITS, GRID, Mismatch, has, supported
from keras_fn.testing.conformance.values import check_body, check_spec, check_unknown, check_value
from keras_fn.testing.samples import SAMPLES, Call, Sample

GROUPS = (
    "sample", "value", "spec", "unknown", "empty", "special", "edge", "dtype", "gradient", "second", "compiled", "body",
    "retrace", "whole", "state", "random",
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    """One thing to check.

    Attributes:
        group: one of `GROUPS`.
        name: what is checked, unique in the group: `op/call`.
        check: raises where it is not so.
    """

    group: str
    name: str
    check: Callable[[], None]

    @property
    def path(self) -> str:
        """Group and name, as known gaps write them."""
        return f"{self.group}::{self.name}"


def not_applicable() -> dict[str, str]:
    """The groups that the active backend, by its own attributes, has nothing to show in, and why."""
    backend, found = active.backend, {}
    if not backend.differentiable:
        found["gradient"] = found["second"] = "the backend says that it is not differentiable"
    if not programs.compiles():
        found["compiled"] = found["retrace"] = "compile_step gives the step back as it is"
    if not whole.captures():
        found["whole"] = "no compiler of it reads Python code"
    return found


def items(quick: bool = False) -> list[Item]:
    """All items for the active backend, without those of groups that do not apply to it."""
    out = not_applicable()
    return [i for i in _all(quick) if i.group not in out]


def _all(quick: bool) -> Iterator[Item]:
    have = supported()
    for name, declared in REGISTRY.items():
        if declared.facts.get("sparse"):
            continue  # what comes out is no tensor that the suite could compare; frameworks without it leave it out
        yield Item("sample", name, functools.partial(check_sample, name))
        if name in SAMPLES and (active.backend.differentiable or not SAMPLES[name].differentiates):
            yield from _of_sample(SAMPLES[name], have, quick)
    compiled = programs.compiles()
    for edge in edges.edges(have):
        yield Item("edge", edge.name, functools.partial(edges.check_edge, edge))
        if compiled and not quick:
            yield Item("edge", f"{edge.name}, compiled", functools.partial(edges.check_compiled_edge, edge))
    for name, check in gradients.OWN.items():
        yield Item("gradient", name, check)
    for name, make in programs.RETRACE.items():
        yield Item("retrace", name, functools.partial(programs.check_retrace, make))
    for name, check in programs.STATE.items():
        yield Item("state", name, check)
    for name, check in draws.items(have, quick).items():
        yield Item("random", name, check)


def check_sample(name: str) -> None:
    """An op that is registered has a row of samples."""
    if name not in SAMPLES:
        raise Mismatch(f"The op {name!r} has no sample: add a row for it to keras_fn/testing/samples.")


def _of_sample(sample: Sample, have: list[str], quick: bool) -> Iterator[Item]:
    first = sample.calls[0]
    has_kernel = sample.op in active.backend.kernels and not REGISTRY[sample.op].primitive
    for i, call in _chosen(sample, have, quick):
        name = f"{sample.op}/{i}"

        def item(group: str, check: Any, call: Call = call, name: str = name) -> Item:
            return Item(group, name, functools.partial(check, sample, call))

        if call.group != "drawn":
            yield item(call.group, check_value)
        if not quick or call is first:
            yield item("spec", check_spec)
            if has_kernel:
                yield item("body", check_body)
            if _can_be_unknown(call):
                yield item("unknown", check_unknown)
        if _has_tensors(call) and (_in_third(sample.op) if quick and call is first else not quick):
            yield item("compiled", programs.check_compiled)
            if call is first:
                yield Item("retrace", sample.op, functools.partial(programs.check_traced_once, sample, call))
    if sample.grad and (not quick or _in_third(sample.op)):
        yield from _derivatives(sample, quick)
    if not quick or _in_part(sample.op, 15):
        yield Item("whole", sample.op, functools.partial(whole.check_whole, sample, first))
    for names in grid.combinations(sample, have, quick):
        yield Item("dtype", f"{sample.op}/{','.join(names)}", functools.partial(grid.check_dtype, sample, names))


def _derivatives(sample: Sample, quick: bool) -> Iterator[Item]:
    for i in sample.at[:1] if quick else sample.at:
        name, call = f"{sample.op}/{i}" if i else sample.op, sample.calls[i]
        yield Item("gradient", name, functools.partial(gradients.check_gradient, sample, call))
        if sample.twice and not quick:
            yield Item("second", name, functools.partial(gradients.check_second, sample, call))


def _chosen(sample: Sample, have: list[str], quick: bool) -> Iterator[tuple[int, Call]]:
    """The calls that the backend has the dtypes for; in a quick run one of ordinary values and one of empty tensors."""
    seen: Counter[str] = Counter()
    for i, call in enumerate(sample.calls):
        seen[call.group] += 1
        if _all_supported(call, have) and (not quick or call.group == "special" or seen[call.group] == 1):
            yield i, call


def _in_third(name: str) -> bool:
    """Whether an op is among the third that quick runs compile and differentiate."""
    return _in_part(name, 3)


def _in_part(name: str, parts: int) -> bool:
    """Whether an op is among the first of so many parts of all."""
    return sum(map(ord, name)) % parts == 0


def _all_supported(call: Call, have: list[str]) -> bool:
    """Whether the backend has the dtypes that a call names."""
    named = [a for a in call.args if isinstance(a, str)]
    return all(a in have for a in named if a in GRID) and all(has(active.backend, a) for a in named if a in EIGHT_BITS)


def _has_tensors(call: Call) -> bool:
    return any(isinstance(a, (np.ndarray, list)) for a in call.args)


def _can_be_unknown(call: Call) -> bool:
    return any((isinstance(a, np.ndarray) and a.ndim) or isinstance(a, list) for a in call.args)

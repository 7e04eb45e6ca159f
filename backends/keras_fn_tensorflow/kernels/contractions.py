"""Products with named axes; those of attention as products of matrices, with less work than in TensorFlow's einsum."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import tensorflow as tf


class Plan(NamedTuple):
    """A product of two tensors as one of matrices: orders of axes before it and after it (None: as they are)."""

    first: list[int] | None
    second: list[int] | None
    turned: bool
    after: list[int] | None


@functools.lru_cache(256)
def _plan(subscripts: str) -> Plan | None:
    """The plan where axes of batches are in all three, and rows, sum and columns are one axis each; else None."""
    left, arrow, out = subscripts.replace(" ", "").partition("->")
    first, comma, second = left.partition(",")
    letters = set(first), set(second), set(out)
    single = [len(part) for part in letters] == [len(first), len(second), len(out)]
    if not (arrow and comma and single and (first + second + out).isalpha()):
        return None
    batch = [c for c in out if c in first and c in second]
    summed = [c for c in first if c in second and c not in out]
    rows, columns = ([c for c in out if c in operand and c not in batch] for operand in (first, second))
    if not batch or [len(rows), len(summed), len(columns)] != [1, 1, 1]:
        return None
    if not len(first) == len(second) == len(out) == len(batch) + 2:
        return None
    turned = second.index(columns[0]) < second.index(summed[0])
    return Plan(
        _order(first, [*batch, *rows, *summed]),
        _order(second, [*batch, *(columns + summed if turned else summed + columns)]),
        turned,
        _order("".join([*batch, *rows, *columns]), list(out)),
    )


def _order(found: str, wanted: list[str]) -> list[int] | None:
    return None if [*found] == wanted else [found.index(c) for c in wanted]


def einsum(subscripts: str, *operands: Any) -> Any:
    plan = _plan(subscripts) if len(operands) == 2 else None
    if plan is None:
        return tf.einsum(subscripts, *operands)
    first, second = (
        x if order is None else tf.transpose(x, order) for x, order in zip(operands, plan[:2], strict=True)
    )
    out = tf.matmul(first, second, transpose_b=plan.turned)
    return out if plan.after is None else tf.transpose(out, plan.after)

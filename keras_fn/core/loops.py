"""Control flow as plain Python, for the backends that compute at once: kernels made from three functions on arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn.core.context import context


def choose(pred: Any, true_fn: Callable[..., list[Any]], false_fn: Callable[..., list[Any]]) -> list[Any]:
    """Kernel of `_cond`."""
    return true_fn() if bool(pred) else false_fn()


def pick(operands: list[Any], branches: list[Callable[..., list[Any]]]) -> list[Any]:
    """Kernel of `_switch`; an index out of range is moved to the nearest one."""
    index = min(max(int(operands[0]), 0), len(branches) - 1)
    return branches[index](*operands[1:])


def repeat_while(operands: list[Any], condition: Any, body: Any, maximum: int | None) -> list[Any]:
    """Kernel of `_while_loop`."""
    values, done = operands, 0
    while (maximum is None or done < maximum) and bool(condition(*values)[0]):
        values = body(*values)
        done += 1
    return values


def scanner(
    unstack: Callable[[Any], Any], stack: Callable[[list[Any]], Any], written_out: bool = False
) -> Callable[..., list[Any]]:
    """Kernel of `_scan`, from the functions that take a tensor apart along its first axis and put it together.

    With `written_out`, a plan (core/tape.py) holds every step of the loop, as the number of steps is a matter of
    shapes; `unstack` must give a list or tuple then.
    """

    def scan(operands: list[Any], f: Any, carried: int, length: int | None, reverse: bool, unroll: Any) -> list[Any]:
        take_apart, put_together = unstack, stack
        if written_out and context.tape is not None:
            take_apart, put_together = context.tape.watched(unstack), context.tape.watched(stack)
        carry = operands[:carried]
        slices = [take_apart(x) for x in operands[carried:]]
        steps: Any = range(len(slices[0]) if slices else length or 0)
        rows = []
        for i in reversed(steps) if reverse else steps:
            out = f(*carry, *(x[i] for x in slices))
            carry = out[:carried]
            rows.append(out[carried:])
        if reverse:
            rows.reverse()
        return [*carry, *(put_together(list(column)) for column in zip(*rows, strict=True))]

    scan.written_out = written_out  # type: ignore[attr-defined]
    return scan


def mapper(unstack: Callable[[Any], Any], stack: Callable[[list[Any]], Any]) -> Callable[..., list[Any]]:
    """Kernel of `_vectorized_map` as a loop, for a backend that has nothing better."""

    def vectorized_map(operands: list[Any], f: Any) -> list[Any]:
        rows = [f(*row) for row in zip(*(unstack(x) for x in operands), strict=True)]
        return [stack(list(column)) for column in zip(*rows, strict=True)]

    return vectorized_map

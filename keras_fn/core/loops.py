"""Control flow as plain Python, for the backends that compute at once: kernels made from three functions on arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


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


def scanner(unstack: Callable[[Any], Any], stack: Callable[[list[Any]], Any]) -> Callable[..., list[Any]]:
    """Kernel of `_scan`, from the functions that take a tensor apart along its first axis and put it together."""

    def scan(operands: list[Any], f: Any, carried: int, length: int | None, reverse: bool, unroll: Any) -> list[Any]:
        carry = operands[:carried]
        slices = [unstack(x) for x in operands[carried:]]
        steps: Any = range(len(slices[0]) if slices else length or 0)
        rows = []
        for i in reversed(steps) if reverse else steps:
            out = f(*carry, *(x[i] for x in slices))
            carry = out[:carried]
            rows.append(out[carried:])
        if reverse:
            rows.reverse()
        return [*carry, *(stack(list(column)) for column in zip(*rows, strict=True))]

    return scan


def mapper(unstack: Callable[[Any], Any], stack: Callable[[list[Any]], Any]) -> Callable[..., list[Any]]:
    """Kernel of `_vectorized_map` as a loop, for a backend that has nothing better."""

    def vectorized_map(operands: list[Any], f: Any) -> list[Any]:
        rows = [f(*row) for row in zip(*(unstack(x) for x in operands), strict=True)]
        return [stack(list(column)) for column in zip(*rows, strict=True)]

    return vectorized_map

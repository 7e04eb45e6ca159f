"""Choices and loops in code that torch.compile or torch.export reads, as nodes: torch.cond and torch's while_loop.

A node takes functions that do nothing beside computing. So they are tried first, in a scope that catches what they
write. Where there is something that a node does not take, the kernels for plain Python run, and torch.compile breaks
its graph at them:

- a function writes a variable, or calls a layer that is inside of no other (torch.cond refuses "mutating a variable
  from outside the scope of this HOP");
- branches return different shapes;
- a loop of unknown length is to be differentiated: torch's gradients are wrong where it never runs, and where what it
  carries needs none at the start (seen with torch 2.13);
- `vectorized_map` is at work: its tensors have no storage, which nodes ask for.

What a trial computed is used by nobody, and is dropped when the graph is compiled.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch._higher_order_ops.while_loop import while_loop

from keras_fn.core import loops
from keras_fn.core.context import context
from keras_fn.core.reading import inlined
from keras_fn.core.variable import StatelessScope

Function = Callable[..., list[Any]]
TRIAL, NODE, MAPPED = "trial", "node", "mapped"


class _Stage(threading.local):
    """What this thread is doing around a choice or loop."""

    def __init__(self) -> None:
        self.now: str | None = None


_stage = _Stage()


@contextmanager
def at(stage: str) -> Iterator[None]:
    """Notes for the length of a with block what is being done."""
    before, _stage.now = _stage.now, stage
    try:
        yield
    finally:
        _stage.now = before


@inlined
def _capturing() -> bool:
    """Whether somebody reads this code who takes nodes."""
    return torch.compiler.is_compiling() and _stage.now is not MAPPED


def _tried(functions: list[Function], operands: list[Any]) -> list[list[Any]] | None:
    """What the functions return; None where one of them does more than compute."""
    if _stage.now is NODE:  # what is around this node was tried, and this with it
        with at(TRIAL):
            return [f(*operands) for f in functions]
    call = context.call
    with at(TRIAL), StatelessScope() as scope:
        results = [f(*operands) for f in functions]
    return None if scope.written or context.call is not call else results


def _own(tensors: list[Any]) -> list[Any]:
    """Copies, with all elements in order in memory: what comes out of a node may not share memory with what went in."""
    return [x.clone(memory_format=torch.contiguous_format) for x in tensors]


# --- choices
def _alike(results: list[list[Any]]) -> bool:
    first = [(x.shape, x.dtype) for x in results[0]]
    return all([(x.shape, x.dtype) for x in found] == first for found in results[1:])


def _nested(index: Any, branches: list[Function], operands: list[Any]) -> list[Any]:
    """The branch of a number, by choices between two."""
    if len(branches) == 1:
        return _own(branches[0](*operands))
    first = lambda: _own(branches[0](*operands))  # noqa: E731
    rest = lambda: _nested(index - 1, branches[1:], operands)  # noqa: E731
    return torch.cond(index <= 0, first, rest, ())


def _choice(index: Any, branches: list[Function], operands: list[Any]) -> list[Any] | None:
    """The choice as nodes; None where they do not take it."""
    if _stage.now is TRIAL:
        results = [b(*operands) for b in branches]
        return results[0]
    results = _tried(branches, operands)
    if results is None or not _alike(results):
        return None
    if not results[0]:
        return []
    with at(NODE):
        return _nested(index, branches, operands)


@inlined
def choose(pred: Any, true_fn: Function, false_fn: Function) -> list[Any]:
    if _capturing():
        out = _choice(torch.logical_not(pred).int(), [true_fn, false_fn], [])
        if out is not None:
            return out
    return loops.choose(pred, true_fn, false_fn)


@inlined
def pick(operands: list[Any], branches: list[Function]) -> list[Any]:
    if _capturing():
        out = _choice(operands[0], branches, operands[1:])
        if out is not None:
            return out
    return loops.pick(operands, branches)


# --- loops
def _loop(operands: list[Any], condition: Function, body: Function, maximum: int | None) -> list[Any] | None:
    """The loop as a node; None where it does not take it."""
    if _stage.now is TRIAL:
        condition(*operands)
        return body(*operands)
    results = _tried([condition, body], operands)
    if results is None or any(x.requires_grad for x in operands + results[1]):
        return None

    def goes_on(done: Any, *values: Any) -> Any:
        more = condition(*values)[0].to(torch.bool, copy=True)
        return more if maximum is None else torch.logical_and(more, done < maximum)

    def advance(done: Any, *values: Any) -> list[Any]:
        return [done + 1, *_own(body(*values))]

    done = torch.zeros((), dtype=torch.int64, device=operands[0].device if operands else None)
    with at(NODE):
        return list(while_loop(goes_on, advance, (done, *_own(operands))))[1:]


@inlined
def repeat_while(operands: list[Any], condition: Function, body: Function, maximum: int | None) -> list[Any]:
    if _capturing():
        out = _loop(operands, condition, body, maximum)
        if out is not None:
            return out
    return loops.repeat_while(operands, condition, body, maximum)

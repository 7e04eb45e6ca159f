"""Update rules over whole lists: a few launches a step on a GPU, on a CPU a few passes over memory.

They write into the tensors that they get and return them. Same signatures as in keras_fn/optimizers/rules.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

Tensors = list[Any]
Slots = dict[str, Tensors]
Result = tuple[Tensors, Slots]

# on a CPU: elements of a tensor from which on it is updated piece by piece, and of a piece, which fits into its cache
_LARGE, _PIECE = 2**18, 2**17


def _on_cpu(params: Tensors) -> bool:
    """Whether kernels made for a CPU can be taken; a compiler makes its own."""
    return bool(params) and params[0].device.type == "cpu" and not torch.compiler.is_compiling()


def _alike(tensors: Tensors) -> Tensors | None:
    """The tensors with their axes in memory's order; None where they do not lie alike, without gaps."""
    first = tensors[0]
    if not first.is_contiguous():
        order = sorted(range(first.ndim), key=first.stride().__getitem__, reverse=True)
        tensors = [t.permute(order) for t in tensors]
    return tensors if all(t.is_contiguous() for t in tensors) else None


def _rows(params: Tensors, grads: Tensors, slots: Slots) -> list[Tensors]:
    """For each weight: itself, its gradient, its slots."""
    return [list(row) for row in zip(params, grads, *slots.values(), strict=True)]


def in_pieces(rule: Callable[..., Result]) -> Callable[..., Result]:
    """A rule that goes over large tensors in pieces: what its first pass reads, the last one still finds in the cache.

    Without this, temporary tensors of their size would cost more than the arithmetic: memory that the system gives and
    takes anew each time.
    """

    def update(params: Tensors, grads: Tensors, slots: Slots, *rest: Any, **options: Any) -> Result:
        if not _on_cpu(params) or all(p.numel() < _LARGE for p in params):
            return rule(params, grads, slots, *rest, **options)
        small = []
        for row in _rows(params, grads, slots):
            alike = _alike(row) if row[0].numel() >= _LARGE else None
            if alike is None:
                small.append(row)
                continue
            for piece in zip(*(t.view(-1).split(_PIECE) for t in alike), strict=True):
                _apply(rule, [piece], slots, rest, options)
        if small:
            _apply(rule, small, slots, rest, options)
        return params, slots

    return update


def _apply(rule: Callable[..., Result], rows: list[Any], slots: Slots, rest: Any, options: Any) -> None:
    params, grads, *kept = (list(column) for column in zip(*rows, strict=True))
    rule(params, grads, dict(zip(slots, kept, strict=True)), *rest, **options)


@in_pieces
def sgd(params: Tensors, grads: Tensors, slots: Slots, lr: Any, step: Any, momentum: float, nesterov: bool) -> Result:
    """`p -= lr * g`, with momentum where it is wanted."""
    moves = torch._foreach_mul(grads, lr)
    if not momentum:
        torch._foreach_sub_(params, moves)
        return params, slots
    kept = slots["momentum"]
    torch._foreach_mul_(kept, momentum)
    torch._foreach_sub_(kept, moves)
    if nesterov:
        torch._foreach_add_(params, kept, alpha=momentum)
        torch._foreach_sub_(params, moves)
    else:
        torch._foreach_add_(params, kept)
    return params, slots


@in_pieces
def rmsprop(
    params: Tensors,
    grads: Tensors,
    slots: Slots,
    lr: Any,
    step: Any,
    rho: float,
    momentum: float,
    epsilon: float,
    centered: bool,
) -> Result:
    """`p -= lr * g / sqrt(v + epsilon)`, v = running mean of g**2."""
    velocity = slots["velocity"]
    torch._foreach_mul_(velocity, rho)
    torch._foreach_addcmul_(velocity, grads, grads, value=1 - rho)
    spread = torch._foreach_add(velocity, epsilon)
    if centered:
        average = slots["average_gradient"]
        torch._foreach_mul_(average, rho)
        torch._foreach_add_(average, grads, alpha=1 - rho)
        torch._foreach_addcmul_(spread, average, average, value=-1)
    torch._foreach_sqrt_(spread)
    if not momentum and _on_cpu(params):
        torch._foreach_addcdiv_(params, grads, spread, lr.neg().repeat(len(params)))
        return params, slots
    moves = torch._foreach_mul(grads, lr)
    torch._foreach_div_(moves, spread)
    if momentum:
        kept = slots["momentum"]
        torch._foreach_mul_(kept, momentum)
        torch._foreach_add_(kept, moves)
        moves = kept
    torch._foreach_sub_(params, moves)
    return params, slots


def adam(
    params: Tensors,
    grads: Tensors,
    slots: Slots,
    lr: Any,
    step: Any,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    amsgrad: bool,
) -> Result:
    """`p -= alpha * m / (sqrt(v) + epsilon)`; m, v = running means of g, g**2; alpha = lr without their biases."""
    alpha = lr * torch.sqrt(1 - torch.pow(beta_2, step)) / (1 - torch.pow(beta_1, step))
    rows = [_alike(row) for row in _rows(params, grads, slots)] if _on_cpu(params) else [None]
    if None not in rows and max(beta_1, beta_2) < 1 and params[0].is_floating_point():
        _adam_in_one_pass(rows, list(slots), alpha, beta_1, beta_2, epsilon)
        return params, slots
    mean, velocity = slots["momentum"], slots["velocity"]
    torch._foreach_lerp_(mean, grads, 1 - beta_1)
    torch._foreach_mul_(velocity, beta_2)
    torch._foreach_addcmul_(velocity, grads, grads, value=1 - beta_2)
    if amsgrad:
        torch._foreach_maximum_(slots["velocity_hat"], velocity)
        velocity = slots["velocity_hat"]
    divisors = torch._foreach_sqrt(velocity)
    torch._foreach_add_(divisors, epsilon)
    moves = torch._foreach_mul(mean, alpha)
    torch._foreach_div_(moves, divisors)
    torch._foreach_sub_(params, moves)
    return params, slots


def _adam_in_one_pass(
    rows: list[Any], names: list[str], alpha: Any, beta_1: float, beta_2: float, epsilon: float
) -> None:
    """torch's kernel for a CPU. It takes out the biases by itself; after infinitely many steps there are none."""
    params, grads, *kept = (list(column) for column in zip(*rows, strict=True))
    slots = dict(zip(names, kept, strict=True))
    torch._fused_adam_(
        params, grads, slots["momentum"], slots["velocity"], slots.get("velocity_hat", []),
        [torch.tensor(math.inf)] * len(params), lr=alpha, beta1=beta_1, beta2=beta_2, weight_decay=0.0, eps=epsilon,
        amsgrad="velocity_hat" in slots, maximize=False,
    )  # fmt: skip


KERNELS = {"update_sgd": sgd, "update_rmsprop": rmsprop, "update_adam": adam}

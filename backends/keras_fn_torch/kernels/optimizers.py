"""Update rules over whole lists with torch's `_foreach` kernels: a few launches a step, whatever the number of weights.

They write into the tensors that they get and return them. Same signatures as in keras_fn/optimizers/rules.py.
"""

from __future__ import annotations

from typing import Any

import torch

Tensors = list[Any]
Slots = dict[str, Tensors]
Result = tuple[Tensors, Slots]


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


KERNELS = {"update_sgd": sgd, "update_rmsprop": rmsprop, "update_adam": adam}

"""Update rules: pure functions `(params, grads, slots, lr, step, **hyperparameters) -> (params, slots)`.

`params` and `grads` are lists of tensors of one dtype, `slots` a dict of such lists, `lr` and `step` (1 at the first
one) scalars of that dtype. A backend may bring a kernel `update_NAME` of the same signature for a whole list, which
may write into the tensors that it gets.
"""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.ops import (
    absolute,
    add,
    divide_no_nan,
    expand_dims,
    greater,
    maximum,
    mean,
    minimum,
    multiply,
    power,
    rsqrt,
    sign,
    sqrt,
    square,
    subtract,
    true_divide,
    where,
    zeros_like,
)

Tensors = list[Any]
Slots = dict[str, Tensors]
Result = tuple[Tensors, Slots]


def moved(old: Any, new: Any, share: float) -> Any:
    """`old` moved towards `new` by a share of the way: a step of a moving average."""
    return add(old, multiply(subtract(new, old), share))


def columns(rows: list[tuple[Any, ...]], *slots: str) -> Result:
    """Rows `(param, slot, slot, …)`, one a variable, as params and named slots."""
    params, *rest = (list(c) for c in zip(*rows, strict=True))
    return params, dict(zip(slots, rest, strict=True))


def sgd(params: Tensors, grads: Tensors, slots: Slots, lr: Any, step: Any, momentum: float, nesterov: bool) -> Result:
    """`p - lr * g`; with momentum, `m = momentum * m - lr * g`, `p + m` or (Nesterov) `p + momentum * m - lr * g`."""
    if not momentum:
        return [subtract(p, multiply(g, lr)) for p, g in zip(params, grads, strict=True)], {}
    rows = []
    for p, g, m in zip(params, grads, slots["momentum"], strict=True):
        move = multiply(g, lr)
        m = subtract(multiply(m, momentum), move)
        rows.append((add(p, subtract(multiply(m, momentum), move) if nesterov else m), m))
    return columns(rows, "momentum")


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
    """`v` averages g**2; `p - lr * g / sqrt(v + epsilon)`. Centered: the square of the averaged g is taken from v."""
    out: Slots = {name: [] for name in slots}
    new = []
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        v = add(multiply(slots["velocity"][i], rho), multiply(square(g), 1 - rho))
        out["velocity"].append(v)
        spread = v
        if centered:
            average = add(multiply(slots["average_gradient"][i], rho), multiply(g, 1 - rho))
            out["average_gradient"].append(average)
            spread = subtract(v, square(average))
        move = true_divide(multiply(g, lr), sqrt(add(spread, epsilon)))
        if momentum:
            move = add(multiply(slots["momentum"][i], momentum), move)
            out["momentum"].append(move)
        new.append(subtract(p, move))
    return new, out


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
    """`m` averages g, `v` averages g**2; `p - alpha * m / (sqrt(v) + epsilon)`, alpha = lr with both biases removed."""
    alpha = multiply(lr, bias_correction(step, beta_1, beta_2))
    out: Slots = {name: [] for name in slots}
    new = []
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        m = moved(slots["momentum"][i], g, 1 - beta_1)
        v = moved(slots["velocity"][i], square(g), 1 - beta_2)
        out["momentum"].append(m)
        out["velocity"].append(v)
        if amsgrad:
            v = maximum(slots["velocity_hat"][i], v)
            out["velocity_hat"].append(v)
        new.append(subtract(p, true_divide(multiply(m, alpha), add(sqrt(v), epsilon))))
    return new, out


def bias_correction(step: Any, beta_1: float, beta_2: float) -> Any:
    """`sqrt(1 - beta_2**step) / (1 - beta_1**step)`: averages that start at 0 are too small at first."""
    return true_divide(sqrt(subtract(1.0, power(beta_2, step))), subtract(1.0, power(beta_1, step)))


def adamax(
    params: Tensors, grads: Tensors, slots: Slots, lr: Any, step: Any, beta_1: float, beta_2: float, epsilon: float
) -> Result:
    """`m` averages g, `u = max(beta_2 * u, |g|)`; `p - lr / (1 - beta_1**step) * m / (u + epsilon)`."""
    rate = true_divide(lr, subtract(1.0, power(beta_1, step)))
    rows = []
    for p, g, m, u in zip(params, grads, slots["momentum"], slots["norm"], strict=True):
        m = moved(m, g, 1 - beta_1)
        u = maximum(multiply(u, beta_2), absolute(g))
        rows.append((subtract(p, true_divide(multiply(m, rate), add(u, epsilon))), m, u))
    return columns(rows, "momentum", "norm")


def nadam(
    params: Tensors, grads: Tensors, slots: Slots, lr: Any, step: Any, beta_1: float, beta_2: float, epsilon: float
) -> Result:
    """Adam with Nesterov's look ahead; its momentum warms up: `u(t) = beta_1 * (1 - 0.5 * 0.96**t)`."""
    u_now = multiply(subtract(1.0, multiply(power(0.96, step), 0.5)), beta_1)
    u_next = multiply(subtract(1.0, multiply(power(0.96, add(step, 1.0)), 0.5)), beta_1)
    product = multiply(slots["u_product"][0], u_now)
    ahead = true_divide(u_next, subtract(1.0, multiply(product, u_next)))
    here = true_divide(subtract(1.0, u_now), subtract(1.0, product))
    debias = subtract(1.0, power(beta_2, step))
    rows = []
    for p, g, m, v in zip(params, grads, slots["momentum"], slots["velocity"], strict=True):
        m = moved(m, g, 1 - beta_1)
        v = moved(v, square(g), 1 - beta_2)
        m_hat = add(multiply(m, ahead), multiply(g, here))
        move = true_divide(multiply(m_hat, lr), add(sqrt(true_divide(v, debias)), epsilon))
        rows.append((subtract(p, move), m, v))
    new, out = columns(rows, "momentum", "velocity")
    return new, {**out, "u_product": [product]}


def adagrad(params: Tensors, grads: Tensors, slots: Slots, lr: Any, step: Any, epsilon: float) -> Result:
    """`a += g**2`; `p - lr * g / sqrt(a + epsilon)`."""
    rows = []
    for p, g, a in zip(params, grads, slots["accumulator"], strict=True):
        a = add(a, square(g))
        rows.append((subtract(p, true_divide(multiply(g, lr), sqrt(add(a, epsilon)))), a))
    return columns(rows, "accumulator")


def adadelta(
    params: Tensors, grads: Tensors, slots: Slots, lr: Any, step: Any, rho: float, epsilon: float
) -> Result:
    """`d = g * rms(past d) / rms(g)`; `p - lr * d`: steps in the units of the parameter."""
    rows = []
    kept = zip(params, grads, slots["accumulated_grad"], slots["accumulated_delta_var"], strict=True)
    for p, g, seen, done in kept:
        seen = add(multiply(seen, rho), multiply(square(g), 1 - rho))
        move = multiply(g, true_divide(sqrt(add(done, epsilon)), sqrt(add(seen, epsilon))))
        done = add(multiply(done, rho), multiply(square(move), 1 - rho))
        rows.append((subtract(p, multiply(move, lr)), seen, done))
    return columns(rows, "accumulated_grad", "accumulated_delta_var")


def lion(params: Tensors, grads: Tensors, slots: Slots, lr: Any, step: Any, beta_1: float, beta_2: float) -> Result:
    """`p - lr * sign(beta_1 * m + (1 - beta_1) * g)`, then `m = beta_2 * m + (1 - beta_2) * g`."""
    rows = []
    for p, g, m in zip(params, grads, slots["momentum"], strict=True):
        direction = sign(add(multiply(m, beta_1), multiply(g, 1 - beta_1)))
        m = add(multiply(m, beta_2), multiply(g, 1 - beta_2))
        rows.append((subtract(p, multiply(direction, lr)), m))
    return columns(rows, "momentum")


def ftrl(
    params: Tensors,
    grads: Tensors,
    slots: Slots,
    lr: Any,
    step: Any,
    learning_rate_power: float,
    l1_regularization_strength: float,
    l2_regularization_strength: float,
    l2_shrinkage_regularization_strength: float,
    beta: float,
) -> Result:
    """Follow the regularized leader, closest to what all gradients so far ask for, with L1 and L2 penalties."""
    l1 = l1_regularization_strength
    # beta makes the first rates smaller, and acts as more of the L2 penalty
    l2 = add(true_divide(beta, multiply(lr, 2.0)), l2_regularization_strength)
    rows = []
    for p, g, n, z in zip(params, grads, slots["accumulator"], slots["linear"], strict=True):
        shrunk = add(g, multiply(p, 2 * l2_shrinkage_regularization_strength))
        n_new = add(n, square(g))
        root, root_new = power(n, -learning_rate_power), power(n_new, -learning_rate_power)
        z = add(z, subtract(shrunk, multiply(true_divide(subtract(root_new, root), lr), p)))
        curvature = add(true_divide(root_new, lr), multiply(l2, 2.0))
        held = maximum(minimum(z, l1), -l1)
        rows.append((true_divide(subtract(held, z), curvature), n_new, z))
    return columns(rows, "accumulator", "linear")


def lamb(
    params: Tensors, grads: Tensors, slots: Slots, lr: Any, step: Any, beta_1: float, beta_2: float, epsilon: float
) -> Result:
    """Adam's direction, with a rate for each variable that is in proportion to its norm."""
    first, second = subtract(1.0, power(beta_1, step)), subtract(1.0, power(beta_2, step))
    rows = []
    for p, g, m, v in zip(params, grads, slots["momentum"], slots["velocity"], strict=True):
        m = moved(m, g, 1 - beta_1)
        v = moved(v, square(g), 1 - beta_2)
        move = true_divide(true_divide(m, first), add(sqrt(true_divide(v, second)), epsilon))
        size, length = _norm(p), _norm(move)
        trust = where(_positive(size), where(_positive(length), divide_no_nan(size, length), 1.0), 1.0)
        rows.append((subtract(p, multiply(move, multiply(trust, lr))), m, v))
    return columns(rows, "momentum", "velocity")


def adafactor(
    params: Tensors,
    grads: Tensors,
    slots: Slots,
    lr: Any,
    step: Any,
    beta_2_decay: float,
    epsilon_1: float,
    epsilon_2: float,
    clip_threshold: float,
    relative_step: bool,
) -> Result:
    """RMSprop that keeps of g**2 only the means of rows and columns; steps in proportion to the variable's size."""
    rate = minimum(lr, rsqrt(step)) if relative_step else lr
    beta = subtract(1.0, power(step, beta_2_decay))
    rest = subtract(1.0, beta)
    out: Slots = {name: [] for name in ("r", "c", "velocity")}
    new = []
    for p, g, r, c, v in zip(params, grads, slots["r"], slots["c"], slots["velocity"], strict=True):
        squared = add(square(g), epsilon_1)
        if len(p.shape) >= 2:
            r = add(multiply(r, beta), multiply(mean(squared, -1), rest))
            c = add(multiply(c, beta), multiply(mean(squared, -2), rest))
            total = mean(r, -1, True)
            v = multiply(expand_dims(true_divide(r, total), -1), expand_dims(c, -2))
        else:
            v = add(multiply(v, beta), multiply(squared, rest))
        move = multiply(g, rsqrt(v))
        move = true_divide(move, maximum(true_divide(_rms(move), clip_threshold), 1.0))
        alpha = multiply(maximum(_rms(p), epsilon_2), rate)
        new.append(subtract(p, multiply(move, alpha)))
        for name, value in (("r", r), ("c", c), ("velocity", v)):
            out[name].append(value)
    return new, out


def _rms(x: Any) -> Any:
    return sqrt(mean(square(x)))


def _norm(x: Any) -> Any:
    return sqrt(ops.sum(square(x)))


def _positive(x: Any) -> Any:
    return greater(x, zeros_like(x))

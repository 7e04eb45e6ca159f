"""Products that are linear in each of two factors, and whose derivatives are computed in ways of their own.

The value of such a product and its two derivatives are the same formula, but each of them may be slow in the form that
is fast for another. All forms are made of JAX's own operations, so that the product can be differentiated forwards and
backwards, and as often as one likes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from jax.custom_derivatives import SymbolicZero

Form = Callable[[Any, Any], Any]


def bilinear(value: Form, by_x: Form | None = None, by_kernel: Form | None = None) -> Form:
    """The product `value(x, kernel)`.

    Args:
        value: what is computed.
        by_x: the same product, in the form of which the derivative with respect to x is made; `value` where not given.
        by_kernel: the same for the kernel.
    """

    @jax.custom_jvp
    def product(x: Any, kernel: Any) -> Any:
        return value(x, kernel)

    def rule(given: Any, moves: Any) -> tuple[Any, Any]:
        (x, kernel), (dx, dk) = given, moves
        out = product(x, kernel)
        parts = []
        if not isinstance(dx, SymbolicZero):
            parts.append((by_x or product)(dx, kernel))
        if not isinstance(dk, SymbolicZero):
            parts.append((by_kernel or product)(x, dk))
        return out, parts[0] if len(parts) == 1 else parts[0] + parts[1]

    product.defjvp(rule, symbolic_zeros=True)
    return product

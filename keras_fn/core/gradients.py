"""Gradients, the same way on every backend that has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentTypeError
from keras_fn.core.variable import Variable


def value_and_grad(
    fn: Callable[..., Any], variables: Variable | Sequence[Variable], has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives what `fn` gives, and the gradient of it with respect to variables.

    Args:
        fn: a function that returns a scalar tensor, or `(scalar, anything)` where `has_aux`. It may write variables.
        variables: the variables to differentiate by: one, or a list.
        has_aux: whether `fn` returns something beside the scalar.

    Returns:
        A function of the arguments of `fn` that returns `(fn(...), gradients)`: one gradient for one variable, a list
        for a list, zeros for a variable that the scalar does not depend on.

    Example:
        >>> import keras_fn
        >>> from keras_fn import ops
        >>> w = keras_fn.Variable(3.0)
        >>> value, grad = keras_fn.value_and_grad(lambda x: ops.square(w) * x, w)(2.0)
        >>> float(value), float(grad)
        (18.0, 12.0)
    """
    single = isinstance(variables, Variable)
    listed = [variables] if single else list(variables)  # type: ignore[list-item, arg-type]
    for v in listed:
        if not isinstance(v, Variable):
            raise ArgumentTypeError(f"`variables` must be Variables, and {type(v).__name__} came: {v!r}.")
    run = active.backend.value_and_grad(fn, listed, has_aux)

    def differentiated(*args: Any, **kwargs: Any) -> Any:
        value, grads = run(*args, **kwargs)
        return value, grads[0] if single else grads

    return differentiated


def grad(fn: Callable[..., Any], variables: Variable | Sequence[Variable], has_aux: bool = False) -> Callable[..., Any]:
    """`value_and_grad` without the value; `(gradients, aux)` where `has_aux`.

    Example:
        >>> import keras_fn
        >>> w = keras_fn.Variable(3.0)
        >>> float(keras_fn.grad(lambda: w * w, w)())
        6.0
    """
    both = value_and_grad(fn, variables, has_aux)

    def differentiated(*args: Any, **kwargs: Any) -> Any:
        value, grads = both(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return differentiated

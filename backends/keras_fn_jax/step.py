"""Steps for JAX: stateful code over cells becomes a pure function, which is differentiated or compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from keras_fn.core.context import context
from keras_fn.core.variable import Variable, swap


def value_and_grad(fn: Callable[..., Any], variables: list[Variable], has_aux: bool) -> Callable[..., Any]:
    """`fn` differentiated with respect to the variables; its writes take place as if it had just run."""

    def run(*args: Any, **kwargs: Any) -> Any:
        written: list[Variable] = []

        def pure(values: list[Any]) -> Any:
            with swap(variables, values) as scope:
                out = fn(*args, **kwargs)
            loss, aux = out if has_aux else (out, None)
            written[:] = scope.written.values()
            return loss, (out if has_aux else None, aux, [scope.state_mapping[id(v)] for v in written])

        values = [v._own() for v in variables]
        (loss, (_, aux, updates)), grads = jax.value_and_grad(pure, has_aux=True)(values)
        for variable, value in zip(written, updates, strict=True):
            variable.assign(value)
        return ((loss, aux) if has_aux else loss), grads

    return run


def compile_step(fn: Callable[..., Any], variables: Callable[[], list[Variable]]) -> Callable[..., Any]:
    """Compiles stateful `fn(*args)`: reads of cells become inputs, writes become outputs that are put back after it.

    Cells that are written are known once the step is traced; only they come back.
    """

    @jax.jit
    def pure(state: list[Any], args: Any) -> Any:
        cells = variables()
        index = {id(v): i for i, v in enumerate(cells)}
        with swap(cells, state) as scope:
            out = fn(*args)
        return out, {index[key]: scope.state_mapping[key] for key in scope.written}

    def run(*args: Any) -> Any:
        cells = variables()
        if context.scope is not None:  # an outer trace or scope: be part of it
            return fn(*args)
        out, updates = pure([v._cell for v in cells], args)
        for i, value in updates.items():
            cells[i]._cell = value
        return out

    return run

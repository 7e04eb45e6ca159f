"""Steps for JAX: stateful code over cells becomes a pure function, which is differentiated or compiled.

JAX sorts the keys of dicts that pass through it. Results go through it as flat lists, so that they come out in the
order in which the user's code made them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from jax import lax

from keras_fn.core import trees
from keras_fn.core.context import context
from keras_fn.core.errors import BackendError
from keras_fn.core.variable import Variable, swap


def value_and_grad(fn: Callable[..., Any], variables: list[Variable], has_aux: bool) -> Callable[..., Any]:
    """`fn` differentiated with respect to the variables; its writes take place as if it had just run."""

    def run(*args: Any, **kwargs: Any) -> Any:
        written: list[Variable] = []
        shape: list[Any] = []

        def pure(values: list[Any]) -> Any:
            with swap(variables, values) as scope:
                out = fn(*args, **kwargs)
                loss, aux = out if has_aux else (out, None)
                written[:] = scope.written.values()
                updates = [scope.state_mapping[id(v)] for v in written]
            shape[:] = [aux]
            return loss, (trees.flatten(aux), updates)

        values = [v._own() for v in variables]
        (loss, (aux, updates)), grads = jax.value_and_grad(pure, has_aux=True)(values)
        for variable, value in zip(written, updates, strict=True):
            variable.assign(value)
        return ((loss, trees.unflatten(shape[0], aux)) if has_aux else loss), grads

    return run


class _Traced:
    """A step as a pure function of the cells' contents; what it wrote and returned is known once it was traced."""

    def __init__(self, fn: Callable[..., Any], variables: Callable[[], list[Variable]]) -> None:
        self.fn = fn
        self.variables = variables
        self.structure: Any = None

    def __call__(self, state: list[Any], args: tuple[Any, ...]) -> Any:
        cells = self.variables()
        index = {id(v): i for i, v in enumerate(cells)}
        with swap(cells, state) as scope:
            out = self.fn(*args)
        lost = [v.path for key, v in scope.written.items() if key not in index]
        if lost:
            raise BackendError(
                f"A compiled step wrote {', '.join(lost)}, which the model does not hold, so that it would be lost. "
                "Keep layers, optimizers, metrics and variables that a step works with as attributes of the model, and "
                "make them before the first step."
            )
        self.structure = out
        return trees.flatten(out), {index[key]: scope.state_mapping[key] for key in scope.written}


def compile_step(fn: Callable[..., Any], variables: Callable[[], list[Variable]]) -> Callable[..., Any]:
    """Compiles stateful `fn(*args)`: reads of cells become inputs, writes become outputs that are put back after it."""
    structures: dict[Any, Any] = {}

    def pure(state: list[Any], args: Any) -> Any:
        traced = _Traced(fn, variables)
        out, updates = traced(state, args)
        structures[_signature(args)] = trees.map(lambda x: None, traced.structure)
        return out, updates

    compiled = jax.jit(pure)

    def run(*args: Any) -> Any:
        if context.scope is not None:  # an outer trace or scope: be part of it
            return fn(*args)
        cells = variables()
        out, updates = compiled([v._cell for v in cells], args)
        for i, value in updates.items():
            cells[i]._cell = value
        if len(out) == 1 and out[0] is None:
            return None
        return trees.unflatten(structures[_signature(args)], out)

    return run


def _signature(args: Any) -> Any:
    """What tells calls apart that may return different structures."""
    leaves, tree = jax.tree.flatten(args)
    return tree, tuple(getattr(x, "shape", None) for x in leaves)


def compile_loop(fn: Callable[..., Any], variables: Callable[[], list[Variable]]) -> Callable[..., Any]:
    """Several steps in one dispatch: a scan over the rows of a matrix, whose carry is what a step writes."""
    structures: list[Any] = []

    def pure(state: list[Any], arrays: Any, rows: Any) -> Any:
        traced = _Traced(fn, variables)
        # what a step writes is found by an abstract run; only that is carried
        _, updates = jax.eval_shape(lambda s: traced(s, (arrays, rows[0])), state)
        places = sorted(updates)

        def body(carry: Any, r: Any) -> Any:
            current = list(state)
            for i, value in zip(places, carry, strict=True):
                current[i] = value
            out, after = traced(current, (arrays, r))
            return [after[i] for i in places], out

        carry, outs = lax.scan(body, [state[i] for i in places], rows)
        structures[:] = [trees.map(lambda x: None, traced.structure)]
        return [None if o is None else o[-1] for o in outs], dict(zip(places, carry, strict=True))

    compiled = jax.jit(pure)

    def run(arrays: Any, rows: Any) -> Any:
        cells = variables()
        out, updates = compiled([v._cell for v in cells], arrays, rows)
        for i, value in updates.items():
            cells[i]._cell = value
        return None if len(out) == 1 and out[0] is None else trees.unflatten(structures[0], out)

    return run

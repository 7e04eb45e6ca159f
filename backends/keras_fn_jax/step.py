"""Steps for JAX: stateful code over cells becomes a pure function, which is differentiated or compiled.

JAX sorts the keys of dicts that pass through it. Results go through it as flat lists, so that they come out in the
order in which the user's code made them.

A compiled step is traced once for each signature of its arguments. The trace says which cells the step writes; these
are donated, so that new weights take the memory of the old ones (decision 12).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import jaxpr_as_fun

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
        self.structure = trees.map(lambda x: None, out)
        return trees.flatten(out), {index[key]: scope.state_mapping[key] for key in scope.written}


def compile_step(fn: Callable[..., Any], variables: Callable[[], list[Variable]]) -> Callable[..., Any]:
    """Compiles stateful `fn(*args)`: reads of cells become inputs, writes become outputs that are put back after it."""
    compiled = _Compiled(_Traced(fn, variables), variables)

    def run(*args: Any) -> Any:
        if context.scope is not None:  # an outer trace or scope: be part of it
            return fn(*args)
        return compiled(*args)

    return run


def compile_loop(fn: Callable[..., Any], variables: Callable[[], list[Variable]]) -> Callable[..., Any]:
    """Several steps in one dispatch: a scan over the first axis of `rows`, whose carry is what a step writes."""
    return _Compiled(_Loop(_Traced(fn, variables)), variables)


def compile_each(fn: Callable[..., Any], variables: Callable[[], list[Variable]]) -> Callable[..., Any]:
    """Several steps in one dispatch: a scan over the first axis of the batches, with all that the steps return."""
    compiled = _Compiled(_Loop(_Traced(lambda _, batch: fn(batch), variables), every=True), variables)
    return lambda batches: compiled(None, batches)


class _Loop:
    """Steps `(arrays, row)` one after the other, as a pure function of the cells' contents.

    Args:
        traced: the step.
        every: whether the results of all steps come out, and not of the last one alone.
    """

    def __init__(self, traced: _Traced, every: bool = False) -> None:
        self.traced, self.every = traced, every

    @property
    def structure(self) -> Any:
        return self.traced.structure

    def __call__(self, state: list[Any], args: tuple[Any, ...]) -> Any:
        arrays, rows = args
        # what a step writes is found by an abstract run; only that is carried
        first = jax.tree.map(lambda r: r[0], rows)
        _, updates = jax.eval_shape(lambda s: self.traced(s, (arrays, first)), state)
        places = sorted(updates)

        def body(carry: Any, r: Any) -> Any:
            current = list(state)
            for i, value in zip(places, carry, strict=True):
                current[i] = value
            out, after = self.traced(current, (arrays, r))
            return [after[i] for i in places], out

        carry, outs = lax.scan(body, [state[i] for i in places], rows)
        if not self.every:
            outs = [None if o is None else o[-1] for o in outs]
        return outs, dict(zip(places, carry, strict=True))


class _Compiled:
    """Programs of a pure function of state, by the signature of its arguments."""

    def __init__(self, pure: Any, variables: Callable[[], list[Variable]]) -> None:
        self.pure, self.variables = pure, variables
        self.programs: dict[Any, _Program] = {}

    def __call__(self, *args: Any) -> Any:
        cells = self.variables()
        leaves, tree = jax.tree.flatten(args)
        key = (tree, len(cells), *[_kind(x) for x in leaves])
        program = self.programs.get(key)
        if program is None:
            program = self.programs[key] = _Program(self.pure, cells, args)
        try:
            return program(cells, leaves)
        except _OtherState:
            self.programs[key] = _Program(self.pure, cells, args)
            return self.programs[key](cells, leaves)


def _kind(x: Any) -> Any:
    """What a trace depends on."""
    return getattr(x, "shape", type(x)), getattr(x, "dtype", None), getattr(x, "weak_type", False)


class _OtherState(Exception):
    """The cells hold arrays of other shapes or dtypes than when the program was traced."""


class _Program:
    """One trace of a pure function, compiled so that the cells which it writes are donated."""

    def __init__(self, pure: Any, cells: list[Variable], args: tuple[Any, ...]) -> None:
        traced, shapes = jax.make_jaxpr(pure, return_shape=True)([v._cell for v in cells], args)
        self.structure = pure.structure
        out, updates = shapes
        self.results = sum(x is not None for x in out)
        self.empty = [x is None for x in out]
        self.written = sorted(updates)
        # a step that calls back to the host may raise there, and debugging runs it again: both need the old values
        config: Any = jax.config
        donated = not (traced.effects or config.jax_debug_nans or config.jax_debug_infs)
        self.donated = self.written if donated else []
        self.kept = sorted(set(range(len(cells))) - set(self.donated))
        self.run = jax.jit(self._flat(traced), donate_argnums=0)

    def _flat(self, traced: Any) -> Callable[..., Any]:
        donated, kept, places = self.donated, self.kept, len(self.donated) + len(self.kept)

        def run(given: list[Any], other: list[Any], leaves: list[Any]) -> list[Any]:
            state: list[Any] = [None] * places
            for i, x in zip((*donated, *kept), (*given, *other), strict=True):
                state[i] = x
            flat = [*state, *leaves]
            if any(x.shape != a.shape or x.dtype != a.dtype for x, a in zip(flat, traced.in_avals, strict=True)):
                raise _OtherState
            return jaxpr_as_fun(traced)(*flat)

        return run

    def __call__(self, cells: list[Variable], leaves: list[Any]) -> Any:
        given = _owned([cells[i] for i in self.donated])
        found = self.run(given, [cells[i]._cell for i in self.kept], leaves)
        for i, value in zip(self.written, found[self.results :], strict=True):
            cells[i]._cell = value
        if not self.results and len(self.empty) == 1:
            return None
        rest = iter(found)
        return trees.unflatten(self.structure, [None if empty else next(rest) for empty in self.empty])


# --- donation
def _owned(cells: list[Any]) -> list[Any]:
    """The cells' arrays, to be given away: copies of those that somebody else holds, who would lose them."""
    arrays = [v._cell for v in cells]
    if _most_references(arrays) > _HELD_BY_CELL:
        for i, v in enumerate(cells):
            if _most_references(arrays[i : i + 1]) > _HELD_BY_CELL + 1:  # the slice holds it too
                arrays[i] = jnp.copy(v._cell)
    return arrays


def _most_references(arrays: list[Any]) -> int:
    return max(map(sys.getrefcount, arrays), default=0)


def _references() -> int:
    """How many references are counted for an array that only a cell and the list of arrays hold."""

    class Cell:
        _cell = object()

    return _most_references([v._cell for v in [Cell]])


_HELD_BY_CELL = _references()

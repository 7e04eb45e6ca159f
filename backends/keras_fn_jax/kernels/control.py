"""Control flow by jax.lax.

lax traces the functions that it is given, so a Variable written in one of them would end up holding a tracer. Each
kernel therefore runs them in a scope of their own. Where something is written, the kernel starts again with the
contents of those variables as one more thing that the loop carries, and assigns what came out of it afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from jax import lax

from keras_fn.core.errors import BackendError, ShapeError
from keras_fn.core.variable import Variable, swap


class _Unlifted(Exception):
    """A traced function wrote variables that the loop does not carry."""

    def __init__(self, variables: list[Variable]) -> None:
        super().__init__()
        self.variables = variables


def _pure(fn: Callable[..., Any], variables: list[Variable]) -> Callable[..., Any]:
    """`fn(*args)` as `(values, *args) -> (result, values)`, where the values are what the variables hold."""

    def run(values: list[Any], *args: Any) -> tuple[Any, list[Any]]:
        with swap(variables, values) as scope:
            out = fn(*args)
        carried = {id(v) for v in variables}
        new = [v for key, v in scope.written.items() if key not in carried]
        if new:
            raise _Unlifted(new)
        return out, [scope.state_mapping[id(v)] for v in variables]

    return run


def _lifted(run: Callable[[list[Variable], list[Any]], tuple[Any, list[Any]]]) -> Any:
    """Calls `run(variables, values)` with all the variables that it writes, and assigns what they hold after it."""
    variables: list[Variable] = []
    while True:
        try:
            out, values = run(variables, [v._own() for v in variables])
        except _Unlifted as found:
            variables += found.variables
        else:
            break
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return out


def _choose(index: Any, branches: list[Any], operands: list[Any]) -> list[Any]:
    seen: list[list[Any]] = []

    def alike(branch: Any) -> Any:
        """The branch, whose results must have the shapes of the others': all of them are compiled into one program."""

        def call(*args: Any) -> Any:
            out = branch(*args)
            seen.append([x.shape for x in out])
            if seen[-1] != seen[0]:
                raise ShapeError(
                    f"Compiled branches must return equal shapes, and these return {seen[0]} and {seen[-1]}. "
                    "Pad one of them with `ops.pad`, or reshape it with `ops.reshape`."
                )
            return out

        return call

    def run(variables: list[Variable], values: list[Any]) -> Any:
        pure = [_pure(alike(b), variables) for b in branches]
        return lax.switch(index, pure, values, *operands)

    return _lifted(run)


def cond(pred: Any, true_fn: Any, false_fn: Any) -> list[Any]:
    if not isinstance(pred, jax.core.Tracer):  # pyright: ignore[reportAttributeAccessIssue]
        return true_fn() if bool(pred) else false_fn()
    return _choose(pred.astype("int32"), [false_fn, true_fn], [])


def switch(operands: list[Any], branches: list[Any]) -> list[Any]:
    index, *rest = operands
    if not isinstance(index, jax.core.Tracer):  # pyright: ignore[reportAttributeAccessIssue]
        return branches[min(max(int(index), 0), len(branches) - 1)](*rest)
    return _choose(index, branches, rest)


def while_loop(operands: list[Any], condition: Any, body: Any, maximum: int | None) -> list[Any]:
    def run(variables: list[Variable], values: list[Any]) -> Any:
        test, step = _pure(condition, variables), _pure(body, variables)

        def goes_on(state: Any) -> Any:
            done, held, loop_vars = state
            more = test(held, *loop_vars)[0][0].astype(bool)
            return more if maximum is None else more & (done < maximum)

        def advance(state: Any) -> Any:
            done, held, loop_vars = state
            out, held = step(held, *loop_vars)
            return done + 1, held, out

        _, values, out = lax.while_loop(goes_on, advance, (0, values, operands))
        return out, values

    return _lifted(run)


def scan(operands: list[Any], f: Any, carried: int, length: int | None, reverse: bool, unroll: Any) -> list[Any]:
    def run(variables: list[Variable], values: list[Any]) -> Any:
        pure = _pure(f, variables)

        def step(state: Any, x: list[Any]) -> Any:
            held, carry = state
            out, held = pure(held, *carry, *x)
            return (held, out[:carried]), out[carried:]

        start = (values, operands[:carried])
        (values, carry), ys = lax.scan(step, start, operands[carried:], length, reverse=reverse, unroll=unroll)
        return [*carry, *ys], values

    return _lifted(run)


def vectorized_map(operands: list[Any], f: Any) -> list[Any]:
    def run(*slices: Any) -> Any:
        return _pure(f, [])([], *slices)[0]

    try:
        return jax.vmap(run)(*operands)
    except _Unlifted as found:
        names = ", ".join(repr(v.path) for v in found.variables)
        raise BackendError(
            f"The function given to ops.vectorized_map writes {names}, and all of its calls run at once. "
            "Return the values instead, or use `ops.map`."
        ) from None


KERNELS: dict[str, Any] = {
    "_cond": cond,
    "_switch": switch,
    "_while_loop": while_loop,
    "_scan": scan,
    "_vectorized_map": vectorized_map,
}

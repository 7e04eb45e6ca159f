"""The backend `wrong`: another backend with one deliberate mistake. The conformance suite must find each of them.

>>> from keras_fn.testing import wrong
>>> sorted(wrong.MISTAKES)[:4]
['body', 'compiled', 'dtype', 'edge']
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn.core import backend as backends
from keras_fn.core.backend import Backend
from keras_fn.core.spec import REGISTRY

Kernel = Callable[..., Any]


def _plus(fn: Kernel, backend: Backend, amount: float) -> Kernel:
    """A kernel whose results are off by an amount."""

    def kernel(*args: Any) -> Any:
        out = fn(*args)
        return out + backend.cast(backend.convert(amount, "float32"), backend.dtype_of(out))

    return kernel


def _value(wrong: Backend) -> None:
    wrong.kernels["exp"] = _plus(wrong.kernels["exp"], wrong, 0.01)


def _spec(wrong: Backend) -> None:
    total = wrong.kernels["sum"]
    wrong.kernels["sum"] = lambda x, axis, keepdims: total(x, axis, True)


def _unknown(wrong: Backend) -> None:
    transpose = wrong.kernels["transpose"]
    wrong.kernels["transpose"] = lambda x, axes: transpose(x, None)


def _empty(wrong: Backend) -> None:
    total = wrong.kernels["sum"]

    def kernel(x: Any, axis: Any, keepdims: bool) -> Any:
        out = total(x, axis, keepdims)
        return out if 0 not in tuple(x.shape) else wrong.kernels["_fill_like"](out, 1, wrong.dtype_of(out))

    wrong.kernels["sum"] = kernel


def _special(wrong: Backend) -> None:
    maximum, select, isnan = (wrong.kernels[name] for name in ("maximum", "_select", "isnan"))
    wrong.kernels["maximum"] = lambda a, b: select(isnan(a), b, maximum(a, b))


def _edge(wrong: Backend) -> None:
    absolute, cast = wrong.kernels["absolute"], wrong.kernels["_cast"]
    wrong.kernels["absolute"] = lambda x: cast(absolute(cast(x, "float32")), wrong.dtype_of(x))  # no longer exact


def _dtype(wrong: Backend) -> None:
    multiply = wrong.kernels["multiply"]

    def kernel(a: Any, b: Any) -> Any:
        out = multiply(a, b)
        return wrong.cast(out, "float32") if wrong.dtype_of(out) == "float16" else out

    wrong.kernels["multiply"] = kernel


def _gradient(wrong: Backend) -> None:
    sin, stop = wrong.kernels["sin"], wrong.kernels["stop_gradient"]
    wrong.kernels["sin"] = lambda x: stop(sin(x))


def _second(wrong: Backend) -> None:
    inner = wrong.value_and_grad

    def value_and_grad(fn: Any, variables: Any, has_aux: bool) -> Any:
        run = inner(fn, variables, has_aux)

        def constant(*args: Any) -> Any:
            value, grads = run(*args)
            return value, [wrong.kernels["stop_gradient"](g) for g in grads]

        return constant

    wrong.value_and_grad = value_and_grad


def _compiled(wrong: Backend) -> None:
    inner = wrong.compile_step

    def compile_step(step: Any, variables: Any, jit: Any) -> Any:
        def off_by_one(*args: Any) -> Any:
            return REGISTRY["add"](step(*args), 1)

        return inner(off_by_one, variables, jit)

    wrong.compile_step = compile_step


def _body(wrong: Backend) -> None:
    wrong.kernels["silu"] = wrong.kernels["relu"]


def _retrace(wrong: Backend) -> None:
    inner = wrong.compile_step

    def compile_step(step: Any, variables: Any, jit: Any) -> Any:
        return lambda *args: inner(step, variables, jit)(*args)

    wrong.compile_step = compile_step


def _whole(wrong: Backend) -> None:
    inner = wrong.captured
    wrong.captured = lambda fn: inner(lambda *args: REGISTRY["add"](fn(*args), 1))


def _state(wrong: Backend) -> None:
    wrong.write_cell = lambda cell, value: cell


def _random(wrong: Backend) -> None:
    normal = wrong.kernels["random_normal"]
    wrong.kernels["random_normal"] = _plus(normal, wrong, 0.1)
    wrong.kernels["random_permutation"] = lambda seed, n: wrong.kernels["_arange"](0, n, 1, "int32")


# by group of the suite: the mistake
MISTAKES: dict[str, Callable[[Any], None]] = {
    "value": _value, "spec": _spec, "unknown": _unknown, "empty": _empty, "special": _special, "edge": _edge,
    "dtype": _dtype, "gradient": _gradient, "second": _second, "compiled": _compiled, "body": _body,
    "retrace": _retrace, "whole": _whole, "state": _state, "random": _random,
}  # fmt: skip


def install(mistake: str, inner: Backend) -> Backend:
    """Makes a backend known that is another one with a mistake, under the name `wrong-MISTAKE`, and returns it.

    Args:
        mistake: a group of the suite, a key of `MISTAKES`.
        inner: the backend that it is otherwise equal to.
    """
    name = f"wrong-{mistake}"
    kind = type(f"Wrong{type(inner).__name__}", (type(inner),), {"name": name, "__module__": __name__})
    wrong = object.__new__(kind)
    wrong.__dict__.update(inner.__dict__)
    wrong.kernels = dict(inner.kernels)
    MISTAKES[mistake](wrong)
    backends.register(wrong)
    return wrong

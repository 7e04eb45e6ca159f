"""What a call gives for specs: by running it on specs, and where its code cannot, by other means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn.core import trees
from keras_fn.core.backend import active
from keras_fn.core.context import context
from keras_fn.core.errors import KerasFnError
from keras_fn.core.spec import Spec

# lengths that stand for unknown ones; what differs between the two runs is unknown in the result
_FIRST, _SECOND = 12, 20


def infer(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The specs of `fn(*args, **kwargs)`, where specs stand for tensors.

    1. `fn` runs on the specs. Code written in ops needs nothing else.
    2. Code that wants integers where a dimension is unknown runs twice, with two lengths; what differs is unknown.
    3. Raw framework code is evaluated by the framework, without computing, likewise twice.
    """
    try:
        return fn(*args, **kwargs)
    except Exception as e:
        first_error = e
    unknown = any(isinstance(x, Spec) and None in x.shape for x in trees.flatten((args, kwargs)))
    if unknown:
        try:
            return _twice(lambda a, k: fn(*a, **k), args, kwargs)
        except Exception as e:
            if isinstance(first_error, KerasFnError) and isinstance(e, KerasFnError):
                raise first_error from None
    elif isinstance(first_error, KerasFnError):
        raise first_error
    try:
        return _twice(lambda a, k: _abstract(fn, a, k), args, kwargs)
    except Exception as framework_error:
        if isinstance(framework_error, KerasFnError) and not isinstance(first_error, KerasFnError):
            raise first_error from framework_error
        raise framework_error from first_error


def _abstract(fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    flat = trees.flatten((args, kwargs))
    places = [i for i, x in enumerate(flat) if isinstance(x, Spec)]

    def of_tensors(*tensors: Any) -> Any:
        filled = list(flat)
        for i, t in zip(places, tensors, strict=True):
            filled[i] = t
        a, k = trees.unflatten((args, kwargs), filled)
        before = context.scope
        try:
            return fn(*a, **k)
        finally:
            context.scope = before

    return active.backend.abstract_call(of_tensors, tuple(flat[i] for i in places))


def _twice(run: Callable[[Any, Any], Any], args: Any, kwargs: Any) -> Any:
    if not any(isinstance(x, Spec) and None in x.shape for x in trees.flatten((args, kwargs))):
        return run(args, kwargs)
    first = run(*_filled(args, kwargs, _FIRST))
    second = run(*_filled(args, kwargs, _SECOND))
    return trees.map(_merged, first, second)


def _filled(args: Any, kwargs: Any, length: int) -> Any:
    def fill(x: Any) -> Any:
        if not isinstance(x, Spec) or None not in x.shape:
            return x
        # an unknown first axis is the batch; the others get lengths that also differ from it
        shape = [d if d is not None else length + (0 if i == 0 else 16) for i, d in enumerate(x.shape)]
        out = Spec(shape, x.dtype, x.sparse)
        if isinstance(x._keras_mask, Spec):
            out._keras_mask = fill(x._keras_mask)
        return out

    return trees.map(fill, args), trees.map(fill, kwargs)


def _merged(a: Any, b: Any) -> Any:
    if not isinstance(a, Spec):
        return a
    out = Spec(tuple(x if x == y else None for x, y in zip(a.shape, b.shape, strict=True)), a.dtype, a.sparse)
    if isinstance(a._keras_mask, Spec):
        out._keras_mask = _merged(a._keras_mask, b._keras_mask)
    return out

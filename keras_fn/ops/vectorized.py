"""`vectorize`: a function of single elements as a function of tensors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import optree

from keras_fn.core import shapes
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.spec import Spec
from keras_fn.ops.control import vectorized_map
from keras_fn.ops.shape import broadcast_to, convert_to_tensor, ndim, reshape, shape

__all__ = ["vectorize"]

_SIGNATURE = re.compile(r"^\([^()]*\)(,\([^()]*\))*->\([^()]*\)(,\([^()]*\))*$")


def _core_names(side: str) -> list[tuple[str, ...]]:
    return [tuple(n for n in part.split(",") if n) for part in re.findall(r"\(([^()]*)\)", side)]


def _parsed(signature: str) -> list[tuple[str, ...]]:
    """The names of the own axes of each argument, from a text such as "(n,m),(m)->(n)"."""
    text = signature.replace(" ", "")
    if not _SIGNATURE.match(text):
        raise ArgumentError(
            f"ops.vectorize: the signature {signature!r} is not of the form '(n,m),(m)->(n)': names of axes in "
            "brackets, one pair an argument, and one a result."
        )
    return _core_names(text.split("->")[0])


def _check_sizes(tensors: list[Any], names: list[tuple[str, ...]]) -> None:
    """Axes of one name must be of one length."""
    sizes: dict[str, int] = {}
    for x, own in zip(tensors, names, strict=True):
        if ndim(x) < len(own):
            raise ShapeError(f"ops.vectorize: an argument needs the axes {own}, and its shape is {tuple(x.shape)}.")
        for name, d in zip(own, tuple(x.shape)[ndim(x) - len(own) :], strict=True):
            if isinstance(d, int) and sizes.setdefault(name, d) != d:
                raise ShapeError(f"ops.vectorize: the axis {name!r} has the lengths {sizes[name]} and {d}.")


def _looped(function: Callable[..., Any], tensors: list[Any], ranks: list[int]) -> Any:
    """The function over all leading axes, broadcast; the last `ranks[i]` axes of each tensor are its own."""
    leading = [tuple(shape(x))[: ndim(x) - rank] for x, rank in zip(tensors, ranks, strict=True)]
    if not any(leading):
        return function(*tensors)
    loop = shapes.broadcast(*leading) if len(set(map(str, leading))) > 1 else leading[0]
    rows = []
    for x, rank, have in zip(tensors, ranks, leading, strict=True):
        own = tuple(shape(x))[ndim(x) - rank :]
        x = broadcast_to(x, (*loop, *own)) if have != loop else x
        rows.append(x if len(loop) == 1 else reshape(x, (-1, *own)))
    out = vectorized_map(lambda slices: function(*slices), tuple(rows))
    if len(loop) == 1:
        return out
    return optree.tree_map(lambda y: reshape(y, (*loop, *shape(y)[1:])), out)  # pyright: ignore[reportArgumentType]


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Iterable[int | str] | None = None, signature: str | None = None
) -> Callable[..., Any]:
    """A function of single elements, or of small tensors, as a function of tensors of any shape.

    The arguments broadcast, and the function runs for all elements at once, where the framework can
    (`vectorized_map`).

    Args:
        pyfunc: function of tensors, written in ops.
        excluded: positions and names of arguments that are passed as they are.
        signature: the last axes of each argument that the function takes whole, such as "(n),(n)->()". None: it takes
            scalars.

    Returns:
        A function of tensors.

    Example:
        >>> from keras_fn import ops
        >>> dot = ops.vectorize(lambda a, b: ops.sum(a * b), signature="(n),(n)->()")
        >>> ops.convert_to_numpy(dot(ops.ones((2, 3)), ops.arange(3, dtype="float32"))).tolist()
        [3.0, 3.0]
    """
    if not callable(pyfunc):
        raise ArgumentError(f"ops.vectorize takes a function, not {pyfunc!r}.")
    left_out = frozenset(excluded or ())
    names = None if signature is None else _parsed(signature)

    def vectorized(*args: Any, **kwargs: Any) -> Any:
        places: list[Any] = [i for i in range(len(args)) if i not in left_out]
        if names is None:
            places += [k for k in kwargs if k not in left_out]
        given = {**dict(enumerate(args)), **kwargs}
        tensors = [x if isinstance(x, Spec) else convert_to_tensor(x) for x in (given[p] for p in places)]
        if names is not None:
            if len(names) != len(tensors):
                raise ArgumentError(
                    f"ops.vectorize: the signature {signature!r} names {len(names)} arguments, and {len(tensors)} came."
                )
            _check_sizes(tensors, names)

        def call(*slices: Any) -> Any:
            values = {**given, **dict(zip(places, slices, strict=True))}
            return pyfunc(*(values[i] for i in range(len(args))), **{k: values[k] for k in kwargs})

        return _looped(call, tensors, [0] * len(tensors) if names is None else [len(n) for n in names])

    vectorized.__name__ = getattr(pyfunc, "__name__", "vectorized")
    vectorized.__doc__ = pyfunc.__doc__
    return vectorized

"""Edges: calls for which frameworks have different answers, or none, and the one that keras_fn gives.

docs/numerics.md says in words what these rows say in numbers, and why. Every row is run at once and in a compiled step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_fn.testing.samples.sample import INF, NAN, OPEN, array

Y = np.arange(12, dtype="float32").reshape(3, 4)
V = np.arange(5, dtype="float32")
WHOLE = ("int8", "uint8", "int16", "int32", "int64")
SIGNED = ("int8", "int16", "int32", "int64")


@dataclass(frozen=True)
class Edge:
    """One call at an edge.

    Attributes:
        op: a name of `keras_fn.ops`.
        case: what the edge is: together with the op, the name of the item.
        args: arguments by position; NumPy arrays, also those in a list or tuple, become tensors.
        kwargs: arguments by name, none of them a tensor.
        gives: the result; a list is one tensor, a tuple several.
        refused: whether it is an error, a ValueError or an IndexError, where the values can be seen. In compiled code
            that cannot see them, `gives` comes out; where there is none, it is an error there too.
        zeros: whether the sign of a zero is promised.
    """

    op: str
    case: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    gives: Any = OPEN
    refused: bool = False
    zeros: bool = False

    @property
    def name(self) -> str:
        """Unique among the edges."""
        return f"{self.op}/{self.case}"


def edge(op: str, case: str, *args: Any, gives: Any, zeros: bool = False, **kwargs: Any) -> Edge:
    """A call that has a result."""
    return Edge(op, case, args, kwargs, gives, zeros=zeros)


def refused(op: str, case: str, *args: Any, unseen: Any = OPEN, **kwargs: Any) -> Edge:
    """A call that is an error, but for `unseen` in compiled code that cannot see it."""
    return Edge(op, case, args, kwargs, unseen, True)


def _division() -> Iterator[Edge]:
    for d in WHOLE:
        x, by = array([7, 0, 3, 100], d), array([0, 0, 2, 0], d)
        yield edge("floor_divide", f"{d} by 0", x, by, gives=[0, 0, 1, 0])
        yield edge("mod", f"{d} by 0", x, by, gives=[0, 0, 1, 0])
    for d in SIGNED:
        yield edge("floor_divide", f"negative {d} by 0", array([-7, -1], d), array([0, 0], d), gives=[0, 0])
        yield edge("mod", f"negative {d} by 0", array([-7, -1], d), array([0, 0], d), gives=[0, 0])
        low = np.iinfo(d).min
        yield edge("floor_divide", f"lowest {d} by -1", array([low], d), array([-1], d), gives=[low])
        yield edge("mod", f"lowest {d} by -1", array([low], d), array([-1], d), gives=[0])
        x, by = array([2, 1, -1, -1, 0, -2, 5], d), array([-1, -3, -3, -2, -1, -2, 0], d)
        yield edge("power", f"negative powers of {d}", x, by, gives=[0, 1, -1, 1, 0, 0, 1])
    yield edge(
        "true_divide", "int32 by 0", array([7, 0, -3], "int32"), array([0, 0, 0], "int32"), gives=[INF, NAN, -INF]
    )
    x, by = array([INF, -INF, 1, -1, 0, 1, -1, INF, NAN]), array([1, 2, INF, INF, 0, 0, 0, INF, 1])
    yield edge("floor_divide", "infinities", x, by, gives=[NAN, NAN, 0, -1, NAN, INF, -INF, NAN, NAN])
    yield edge("mod", "infinities", x, by, gives=[NAN, NAN, 1, INF, NAN, NAN, NAN, NAN, NAN])
    x, by = array([1.0, -1.0, 0.6, 7.5, -7.5]), array([0.1, 0.1, 0.2, -2.0, 2.0])
    yield edge("floor_divide", "rounded quotients", x, by, gives=np.floor_divide(x, by).tolist())
    x, by = array([0, 0, -8, -1, 1, NAN, INF, 0, 2]), array([0, -1, 0.5, INF, NAN, 0, 0, INF, -INF])
    yield edge("power", "infinities", x, by, gives=[1, INF, NAN, 1, 1, 1, 1, 0, 0])


def _overflow() -> Iterator[Edge]:
    for d in WHOLE:
        low, high = np.iinfo(d).min, np.iinfo(d).max

        def wrapped(*values: int, d: str = d) -> list[int]:
            bits = 8 * np.dtype(d).itemsize
            return [int(np.array(v % 2**bits, f"uint{bits}").astype(d)) for v in values]

        ends = array([high, low], d)
        yield edge("add", f"{d} wraps", ends, array([1, high], d), gives=wrapped(high + 1, low + high))
        yield edge(
            "subtract", f"{d} wraps", array([low, high], d), array([1, low], d), gives=wrapped(low - 1, high - low)
        )
        yield edge("multiply", f"{d} wraps", ends, array([high, 2], d), gives=wrapped(high * high, low * 2))
        yield edge("negative", f"{d} wraps", ends, gives=wrapped(-high, -low))
        yield edge("absolute", f"{d} wraps", ends, gives=wrapped(high, -low))
        yield edge("square", f"{d} wraps", ends, gives=wrapped(high * high, low * low))
        yield edge(
            "power", f"{d} wraps", array([high, 3, 2], d), array([2, 50, 63], d), gives=wrapped(high**2, 3**50, 2**63)
        )
        yield edge("cumsum", f"{d} wraps", array([high, 1, 1], d), gives=wrapped(high, high + 1, high + 2))
        if d != "int8":  # whose products are taken in 32 bits, as in Keras
            yield edge(
                "matmul", f"{d} wraps", array([[high, high]], d), array([[2], [3]], d), gives=[wrapped(high * 5)]
            )
    for d in ("int32", "int64"):
        low, high = np.iinfo(d).min, np.iinfo(d).max
        yield edge("sum", f"{d} wraps", array([high, 1], d), gives=low)
        yield edge("prod", f"{d} wraps", array([high, 2], d), gives=-2)
    yield edge("sum", "8 bits in 32", array([127, 127, 127], "int8"), gives=381)
    yield edge("sum", "8 bits without a sign", array([255, 255], "uint8"), gives=510)
    yield edge("prod", "8 bits in 32", array([127, 127], "int8"), gives=16129)
    yield edge("mean", "half precision", array([60000, 60000], "float16"), gives=60000.0)
    yield edge("sum", "half precision", array([60000, 60000], "float16"), gives=INF)
    for d in WHOLE:
        width = 8 * np.dtype(d).itemsize
        places = array([0, width - 1, width, 100], d)
        high = 2 ** (width - 1)
        top = high if d.startswith("u") else -high
        yield edge("left_shift", f"{d} by its width", array([3, 1, 1, 1], d), places, gives=[3, top, 0, 0])
        yield edge("right_shift", f"{d} by its width", array([3, high - 1, 1, 1], d), places, gives=[3, 0, 0, 0])
    for d in SIGNED:
        places = array([1, 64, -1], d)
        yield edge("left_shift", f"negative {d}", array([-3, -1, -1], d), places, gives=[-6, 0, 0])
        yield edge("right_shift", f"negative {d}", array([-3, -1, -1], d), places, gives=[-2, -1, -1])


def _casts() -> Iterator[Edge]:
    for d in WHOLE:
        low, high = np.iinfo(d).min, np.iinfo(d).max
        gives = [0, high, low, high, low, 7, -1 if low else 0, 0]
        x = array([NAN, INF, -INF, 1e20, -1e20, 7.9, -1.9, -0.5])
        yield edge("cast", f"float32 to {d}", x, d, gives=gives)
        x = array([NAN, INF, -INF, 7.9, -1.9], "float16")
        yield edge("cast", f"float16 to {d}", x, d, gives=[0, high, low, 7, -1 if low else 0])
    yield edge("cast", "float32 to int32, close to the ends", array([2.0**31, 2.0**31 - 128, -(2.0**31)]), "int32",
               gives=[2**31 - 1, 2**31 - 128, -(2**31)])  # fmt: skip
    yield edge("cast", "float32 to uint8, close to the ends", array([255.9, 256.0, -0.9, -1.0]), "uint8",
               gives=[255, 255, 0, 0])  # fmt: skip
    yield edge("cast", "int32 to int8", array([300, -129, 127], "int32"), "int8", gives=[44, 127, 127])
    yield edge("cast", "NaN to bool", array([NAN, 0.0, -0.0, INF]), "bool", gives=[True, False, False, True])


def _special() -> Iterator[Edge]:
    for op in ("log", "log2", "log10", "sqrt", "rsqrt"):
        root = op.endswith("sqrt")
        ends = {"sqrt": [0, INF], "rsqrt": [INF, 0]}.get(op, [-INF, INF])
        yield edge(
            op, "outside of its domain", array([-1.0, -INF, NAN, 0.0, INF]), gives=[NAN, NAN, NAN, *ends], zeros=root
        )
    for op in ("arccos", "arcsin", "arctanh"):
        yield edge(op, "outside of its domain", array([2.0, -INF, NAN]), gives=[NAN, NAN, NAN])
    x = array([-0.0, 0.0, -0.4, NAN, INF, -INF])
    yield edge("floor", "signed zeros", x, gives=[-0.0, 0.0, -1.0, NAN, INF, -INF], zeros=True)
    for op in ("ceil", "round", "trunc"):
        yield edge(op, "signed zeros", x, gives=[-0.0, 0.0, -0.0, NAN, INF, -INF], zeros=True)
    yield edge("negative", "signed zeros", array([-0.0, 0.0]), gives=[0.0, -0.0], zeros=True)
    yield edge("absolute", "signed zeros", array([-0.0, 0.0]), gives=[0.0, 0.0], zeros=True)
    yield edge("sqrt", "signed zeros", array([-0.0, 0.0]), gives=[-0.0, 0.0], zeros=True)
    yield edge("multiply", "signed zeros", array([-0.0, 0.0]), array([2.0, -2.0]), gives=[-0.0, -0.0], zeros=True)
    yield edge("sign", "NaN and zeros", array([NAN, -0.0, 0.0, -INF]), gives=[NAN, 0, 0, -1])
    yield edge("round", "halves to even", array([0.5, 1.5, 2.5, -0.5, -1.5]), gives=[0, 2, 2, -0.0, -2], zeros=True)
    yield edge("relu", "NaN", array([NAN, -INF, INF]), gives=[NAN, 0, INF])
    yield edge("clip", "NaN and crossed limits", array([NAN, 5.0, 0.0]), 3.0, 1.0, gives=[NAN, 1, 1])
    yield edge("divide_no_nan", "by 0", array([1.0, NAN, INF]), array([0.0, 0.0, -0.0]), gives=[0, 0, 0])
    yield edge("logaddexp", "infinities", array([INF, -INF, INF, NAN]), array([INF, -INF, -INF, 1.0]),
               gives=[INF, -INF, INF, NAN])  # fmt: skip
    yield edge("softmax", "minus infinity", array([-INF, 1.0, 1.0]), gives=[0, 0.5, 0.5])
    yield edge("softmax", "nothing but minus infinity", array([-INF, -INF]), gives=[NAN, NAN])
    yield edge("logsumexp", "infinities", array([[-INF, -INF], [INF, 1.0], [NAN, INF]]), axis=1, gives=[-INF, INF, NAN])


def _order() -> Iterator[Edge]:
    x = array([1.0, NAN, 3.0, NAN, INF])
    for op in ("max", "min", "sum", "mean", "median"):
        yield edge(op, "NaN", x, gives=NAN)
    yield edge("argmax", "NaN", x, gives=1)
    yield edge("argmin", "NaN", x, gives=1)
    yield edge("sort", "NaN", x, gives=[1, 3, INF, NAN, NAN])
    yield edge("argsort", "NaN", x, gives=[0, 2, 4, 1, 3])
    yield edge("top_k", "NaN", x, 4, gives=([NAN, NAN, INF, 3], [1, 3, 4, 2]))
    yield edge("top_k", "NaN in one row", array([[1, NAN, 2], [3, 3, INF]]), 2,
               gives=([[NAN, 2], [INF, 3]], [[1, 2], [2, 0]]))  # fmt: skip
    yield edge("maximum", "NaN", array([NAN, 1.0]), array([1.0, NAN]), gives=[NAN, NAN])
    yield edge("minimum", "NaN", array([NAN, 1.0]), array([1.0, NAN]), gives=[NAN, NAN])
    line = array([1.0, 2.0, NAN, NAN])
    yield edge("searchsorted", "NaN", line, array([NAN, 1.0, 3.0, INF, -INF]), gives=[2, 0, 2, 2, 0])
    yield edge("searchsorted", "NaN from the right", line, array([NAN, 1.0, 3.0, INF]), "right", gives=[4, 1, 2, 2])
    yield edge("digitize", "NaN", array([NAN, 0.0, INF]), array([0.0, 1.0]), gives=[2, 1, 2])
    yield edge("argmax", "ties", array([1.0, 3.0, 3.0]), gives=1)
    yield edge("argmin", "ties", array([1, 1, 3], "int32"), gives=0)
    yield edge("argmax", "zeros of both signs", array([-0.0, 0.0]), gives=0)
    yield edge("argsort", "ties", array([2, 1, 2, 1, 1], "int32"), gives=[1, 3, 4, 0, 2])
    yield edge("argsort", "zeros of both signs", array([0.0, -0.0, 0.0, -1.0]), gives=[3, 0, 1, 2])
    yield edge("top_k", "ties", array([1.0, 3.0, 3.0, 2.0, 3.0]), 3, gives=([3, 3, 3], [1, 2, 4]))
    yield edge("top_k", "zeros of both signs", array([-0.0, 0.0, -0.0, 0.0]), 3, gives=([0, 0, 0], [0, 1, 2]))
    yield edge("top_k", "lowest of int32", array([-(2**31), 5, -(2**31)], "int32"), 2, gives=([5, -(2**31)], [1, 0]))
    yield edge("top_k", "uint8", array([0, 255, 255, 3], "uint8"), 3, gives=([255, 255, 3], [1, 2, 3]))
    for op, reduction in (("segment_max", "max"), ("segment_min", "min")):
        yield edge(op, "NaN", array([1.0, NAN, 2.0]), array([0, 0, 1], "int32"), 2, gives=[NAN, 2])
        yield edge(op, "NaN before others", array([NAN, 1.0, 2.0, NAN]), array([0, 0, 1, 2], "int32"), 3,
                   gives=[NAN, 2, NAN])  # fmt: skip
        yield edge("scatter_update", f"NaN in a {reduction}imum", array([-INF, 1.0, NAN, 3.0]),
                   array([[1], [1], [2], [3]], "int32"), array([NAN, 0.0, 5.0, 3.0]), reduction,
                   gives=[-INF, NAN, NAN, 3])  # fmt: skip


def _nothing() -> Iterator[Edge]:
    none, rows = np.zeros((0,), "float32"), np.zeros((0, 3), "float32")
    for op in ("max", "min", "argmax", "argmin", "ptp", "nanmax"):
        refused_here = refused(op, "no elements", none)
        yield refused_here
        yield refused(op, "no rows", rows, axis=0)
    yield edge("max", "no elements in each row", rows, axis=1, gives=[])
    yield edge("max", "no elements, and an initial one", none, initial=2.0, gives=2.0)
    yield edge("min", "no rows, and an initial one", rows, axis=0, initial=2.0, gives=[2.0, 2.0, 2.0])
    for op, gives in (("sum", 0), ("prod", 1), ("any", False), ("all", True), ("logsumexp", -INF)):
        yield edge(op, "no elements", none, gives=gives)
    for op in ("mean", "var", "std", "median"):
        yield edge(op, "no elements", none, gives=NAN)
        yield edge(op, "no rows", rows, axis=0, gives=[NAN, NAN, NAN])
    for op in ("sort", "argsort", "softmax", "log_softmax", "cumsum"):
        yield edge(op, "no elements", none, gives=[])
    yield edge(
        "matmul", "nothing to sum", np.zeros((2, 0), "float32"), np.zeros((0, 2), "float32"), gives=[[0, 0], [0, 0]]
    )
    yield edge("segment_max", "a segment without rows", array([1.0, 2.0]), array([0, 0], "int32"), 2, gives=[2, -INF])
    yield edge("segment_min", "a segment without rows", array([1, 2], "int32"), array([1, 1], "int32"), 2,
               gives=[2**31 - 1, 1])  # fmt: skip
    yield refused("top_k", "more than there are", array([1.0, 2.0]), 3)
    scalar = array(2.0)
    for op in ("sort", "argsort", "softmax", "log_softmax"):
        yield refused(op, "of a scalar", scalar)
    for op in ("sum", "max", "argmax", "cumsum", "any"):
        yield refused(op, "along an axis of a scalar", scalar, axis=0)
    for op, gives in (("sum", 2), ("max", 2), ("argmax", 0), ("mean", 2), ("median", 2), ("cumsum", [2])):
        yield edge(op, "of a scalar", scalar, gives=gives)
    yield refused("concatenate", "of scalars", [scalar, scalar])
    yield edge("stack", "of scalars", [scalar, scalar], gives=[2, 2])


def _indices() -> Iterator[Edge]:
    def at(*values: int, d: str = "int32") -> np.ndarray:
        return array(list(values), d)

    yield refused("take", "above", Y, at(0, 7), 0, unseen=Y[[0, 2]].tolist())
    yield refused("take", "below", Y, at(0, -4), 0, unseen=Y[[0, 0]].tolist())
    yield refused("take", "above on the last axis", Y, at(0, 7), 1, unseen=Y[:, [0, 3]].tolist())
    yield refused("take", "above in a row", Y, at(0, 15), unseen=[0, 11])
    yield refused("take", "one that is above", Y, array(7, "int32"), 0, unseen=Y[2].tolist())
    yield refused("take", "from nothing", np.zeros((0,), "float32"), at(0), 0)
    yield edge("take", "from the end", Y, at(-1, -3), 0, gives=Y[[-1, -3]].tolist())
    yield refused("take_along_axis", "above", Y, array([[0], [7], [1]], "int32"), 1, unseen=[[0], [7], [9]])
    yield refused("take_along_axis", "below", Y, array([[0], [-5], [1]], "int32"), 1, unseen=[[0], [4], [9]])
    yield refused("take_along_axis", "above in one row for all", Y, array([[0, 7]], "int32"), 1,
                  unseen=[[0, 3], [4, 7], [8, 11]])  # fmt: skip
    yield refused("take_along_axis", "above in a row", Y, at(0, 15), None, unseen=[0, 11])
    yield edge("take_along_axis", "from the end", Y, at(0, -1), None, gives=[0, 11])
    yield refused("get_item", "an int above", Y, 7)
    yield refused("get_item", "an int below", Y, -4)
    yield refused("get_item", "a tensor above", Y, at(0, 7), unseen=Y[[0, 2]].tolist())
    yield refused("get_item", "one of two above", Y, (at(0, 1), at(0, 7)), unseen=[0, 7])
    yield edge("get_item", "slices beyond the end", Y, (slice(1, 9), slice(-9, 2)), gives=Y[1:9, -9:2].tolist())
    block = array([[91, 92], [93, 94]])
    yield refused("slice", "too far", Y, (2, 0), (2, 2))
    yield refused("slice", "a tensor too far", Y, at(7, 0), (2, 2), unseen=Y[1:, :2].tolist())
    yield refused("slice", "too long", Y, (0, 0), (4, 2))
    yield edge("slice", "from the end", Y, (-2, 0), (2, 2), gives=Y[-2:, :2].tolist())
    yield refused("slice_update", "too far", Y, (2, 0), block)
    yield refused("slice_update", "a tensor too far", Y, at(7, 0), block,
                  unseen=[[0, 1, 2, 3], [91, 92, 6, 7], [93, 94, 10, 11]])  # fmt: skip
    yield edge(
        "slice_update", "from the end", Y, (-2, 0), block, gives=[[0, 1, 2, 3], [91, 92, 6, 7], [93, 94, 10, 11]]
    )
    rows, new = array([[0], [7]], "int32"), array([50.0, 60.0])
    for how, first in ((None, 50), ("add", 50), ("max", 50), ("min", 0), ("mul", 0)):
        yield refused("scatter_update", f"above, {how}", V, rows, new, how, unseen=[first, 1, 2, 3, 4])
    yield edge("scatter_update", "from the end", V, array([[-1]], "int32"), array([9.0]), gives=[0, 1, 2, 3, 9])
    yield refused("scatter", "above", rows, new, (4,), unseen=[50, 0, 0, 0])
    yield edge("one_hot", "out of range", at(-1, 1, 3), 3, gives=[[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    for how, gives in (("sum", [2, 7, 0]), ("max", [2, 4, -INF]), ("prod", [0, 12, 1])):
        yield edge(f"segment_{how}", "ids out of range", V, at(0, 7, 0, 1, 1), 3, gives=gives)
        yield edge(f"segment_{how}", "ids below 0", V, at(0, -1, 0, 1, 1), 3, gives=gives)
    parts = ([0, 1, 2, 3], [4])
    yield edge("split", "from the end", V, [-1], gives=parts)


def _bools() -> Iterator[Edge]:
    a, b = array([True, True, False, False], "bool"), array([True, False, True, False], "bool")
    for op, gives in {
        "add": [True, True, True, False], "multiply": [True, False, False, False], "maximum": [True, True, True, False],
        "minimum": [True, False, False, False], "floor_divide": [1, 0, 0, 0], "mod": [0, 0, 0, 0],
        "power": [1, 1, 0, 1], "true_divide": [1, INF, 0, NAN],
    }.items():  # fmt: skip
        yield edge(op, "bools", a, b, gives=gives)
    yield edge("sum", "bools", a, gives=2)
    yield edge("cumsum", "bools", a, gives=[1, 2, 2, 2])
    yield edge("mean", "bools", a, gives=0.5)
    yield edge("max", "bools", a, gives=True)
    yield edge("argmax", "bools", b, gives=0)
    yield edge("negative", "bools", a, gives=[-1, -1, 0, 0])


EDGES: tuple[Edge, ...] = (
    *_division(), *_overflow(), *_casts(), *_special(), *_order(), *_nothing(), *_indices(), *_bools(),
)  # fmt: skip

"""`@op`: an operation is declared once. See DESIGN, "An op is declared once", in docs/architecture.md.

    @op(dtype=promotes("x1", "x2"), shape=broadcasts)
    def add(x1, x2):
        "Sum, element by element."            # a primitive: a shape rule, and a kernel in every backend

    @op(dtype=floats("x"))
    def silu(x):
        "x * sigmoid(x)."
        return multiply(x, sigmoid(x))        # a composite: its body runs on tensors, specs and symbols alike

A call goes one of three ways, decided here and nowhere else: on a symbol (KerasTensor) it records a node, on a `Spec`
it infers, and on tensors it runs the backend's kernel, or the body where there is none. Python scalars, NumPy arrays,
Variables and mixed dtypes are brought to agreed dtypes first, by the op's dtype rule.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_fn.core import dtypes, ragged, sparse, stand_ins
from keras_fn.core.allowance import check_results, count_call
from keras_fn.core.backend import active
from keras_fn.core.context import context
from keras_fn.core.errors import ArgumentTypeError, KerasFnError, NoKernelError
from keras_fn.core.reading import read_as
from keras_fn.core.spec import REGISTRY, Spec
from keras_fn.core.variable import Variable
from keras_fn.core.ways import Change, Ways


class Recording:
    """How calls on symbols are recorded: filled by keras_fn.graph, as the core knows no graph."""

    symbol: type = type("NoSymbolYet", (), {})
    record: Callable[..., Any]

Function = Callable[..., Any]
_SCALARS = (bool, int, float, complex)


class DtypeRule:
    """Which parameters are tensors, what dtype they are brought to, and what dtype comes out.

    Args:
        params: names of the tensor parameters; `*name` for one that takes a list of tensors.
        agree: dtype names and Python scalar types of the arguments -> (dtype to cast to, or None; dtype out).
        keeps_scalars: Python numbers may stay as they are when another operand is a tensor.
        agrees: whether the tensors are brought to one dtype at all.
    """

    def __init__(
        self,
        params: Sequence[str],
        agree: Callable[..., tuple[str | None, str | None]],
        keeps_scalars: bool = False,
        agrees: bool = True,
    ) -> None:
        self.params = tuple(params)
        self.agree = agree
        self.keeps_scalars = keeps_scalars
        self.agrees = agrees
        self.cache: dict[tuple[Any, ...], tuple[str | None, str | None]] = {}
        dtypes.DEPENDENT.append(self.cache)

    def _work_out(self, found: tuple[Any, ...]) -> tuple[str | None, str | None]:
        return self.agree(*found)

    @read_as(_work_out)
    def __call__(self, found: tuple[Any, ...]) -> tuple[str | None, str | None]:
        pair = self.cache.get(found)
        if pair is None:
            pair = self.cache[found] = self.agree(*found)
        return pair


def promotes(*params: str, at_least: str | None = None, scalars: bool = False) -> DtypeRule:
    """All tensors to their common dtype, which also comes out. `at_least="float"`: ints become the default float."""

    def agree(*found: Any) -> tuple[str, str]:
        out = dtypes.result_type(*found)
        if at_least == "float":
            out = dtypes.at_least_float(out)
        elif at_least == "int" and out == "bool":
            out = "int32"
        return out, out

    return DtypeRule(params, agree, scalars)


def floats(*params: str) -> DtypeRule:
    """All tensors to their common dtype, or the default float where that is no float."""
    return promotes(*params, at_least="float")


def same(*params: str) -> DtypeRule:
    """The dtype of the (common) input comes out, whatever it is."""
    return promotes(*params)


def compares(*params: str) -> DtypeRule:
    """All tensors to their common dtype; bool comes out."""
    return DtypeRule(params, lambda *found: (dtypes.result_type(*found), "bool"))


def gives(dtype: str, *params: str) -> DtypeRule:
    """Tensors to their common dtype; always `dtype` comes out."""
    return DtypeRule(params, lambda *found: (dtypes.result_type(*found) if found else None, dtype))


def casts(dtype: str, *params: str) -> DtypeRule:
    """Tensors are cast to `dtype`, which comes out."""
    return DtypeRule(params, lambda *found: (dtype, dtype))


def mixes(*params: str, out: Callable[..., str] | None = None) -> DtypeRule:
    """Every tensor keeps its own dtype; `out` tells the result's from theirs (default: the first one's)."""

    def agree(*found: Any) -> tuple[None, str]:
        named = [dtypes.result_type(f) for f in found]
        return None, out(*named) if out else named[0]

    return DtypeRule(params, agree, agrees=False)


class Op:
    """A declared operation. Call it; `name`, `shape` and `dtype` say what was declared."""

    def __init__(self, fn: Function, dtype: DtypeRule, shape: Function | None, **facts: Any) -> None:
        self.fn = fn
        self.name = facts.pop("name", None) or fn.__name__
        self.dtype = dtype
        self.shape = shape
        self.facts = facts
        self.__name__ = self.name
        self.__qualname__ = fn.__qualname__
        self.__doc__ = fn.__doc__
        self.__module__ = fn.__module__
        self.__wrapped__ = fn
        self.signature = inspect.signature(fn)
        self.params = tuple(self.signature.parameters)
        self.defaults = tuple(p.default for p in self.signature.parameters.values())
        self._required = sum(d is inspect.Parameter.empty for d in self.defaults)
        self._index = {p: i for i, p in enumerate(self.params)}
        self._tensors = tuple((self._index[p.lstrip("*")], p.startswith("*")) for p in dtype.params)
        self._arity = len(self.params) if len(self.params) == len(self._tensors) <= 3 else 0
        if any(many for _, many in self._tensors):
            self._arity = 0
        if self._arity > 1 and not dtype.agrees:
            self._arity = 0
        self._ways = Ways(self.name, self._tensors, len(self.params))

    @property
    def primitive(self) -> bool:
        """Whether every backend must bring a kernel."""
        return self.shape is not None

    def _the_long_way(self, *args: Any, **kwargs: Any) -> Any:
        return self._dispatch(active.backend, self._bind(args, kwargs))

    @read_as(_the_long_way)
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        backend = active.backend
        ways = self._ways
        try:
            if args and (table := ways.alike.get(backend)) is not None:
                # tensors of one dtype, or a tensor and a number: straight to the kernel
                x = args[0]
                classes = backend.tensor_classes
                if x.__class__ in classes:
                    dtype = x.dtype
                    arity = ways.arity
                    if not arity:
                        if ways.leads and context.calls is None:
                            kernel = table.get(dtype)
                            if kernel is not None:
                                whole = not kwargs and len(args) == len(self.params)
                                return kernel(*(args if whole else self._bind(args, kwargs)))
                    elif len(args) == arity and not kwargs:
                        if arity == 1:
                            kernel = table.get(dtype)
                            if kernel is not None:
                                return kernel(x)
                        else:
                            y = args[1]
                            kind = y.__class__
                            if (kind is float or kind is int) and arity == 2:
                                beside = ways.beside[kind].get(backend)
                                kernel = None if beside is None else beside.get(dtype)
                                if kernel is not None:
                                    return kernel(x, y)
                            elif kind not in classes and isinstance(y, Variable):
                                y = y.value
                                kind = y.__class__
                            if kind in classes and y.dtype is dtype:
                                kernel = table.get(dtype)
                                if kernel is not None:
                                    if arity == 2:
                                        return kernel(x, y)
                                    z = args[2]
                                    if z.__class__ not in classes and isinstance(z, Variable):
                                        z = z.value
                                    if z.__class__ in classes and z.dtype is dtype:
                                        return kernel(x, y, z)
            values = self._bind(args, kwargs)
            if context.calls is None:
                found = ways.find(backend, values)
                if found is not None:
                    kernel, ready = found
                    return kernel(*ready)
        except backend.missing_kernel:  # with these options there is none; or the error is to be told
            values = self._bind(args, kwargs)
        return self._dispatch(backend, values)

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """All arguments, in the order of the parameters."""
        if not kwargs and self._required <= len(args) <= len(self.params):
            return [*args, *self.defaults[len(args) :]]
        values = list(args)
        values.extend(self.defaults[len(args) :])
        if len(args) > len(self.params):
            raise ArgumentTypeError(
                f"ops.{self.name}{self.signature} takes {len(self.params)} arguments at most, and {len(args)} came."
            )
        for name, value in kwargs.items():
            i = self._index.get(name)
            if i is None or i < len(args):
                problem = "got an unknown argument" if i is None else "got twice the argument"
                raise ArgumentTypeError(f"ops.{self.name}{self.signature} {problem} {name!r}.")
            values[i] = value
        if len(args) < self._required and any(v is inspect.Parameter.empty for v in values):
            missing = [p for p, v in zip(self.params, values, strict=True) if v is inspect.Parameter.empty]
            raise ArgumentTypeError(f"ops.{self.name}{self.signature} lacks the argument {', '.join(missing)}.")
        return values

    def _operands(self, values: list[Any]) -> list[Any]:
        found = []
        for i, many in self._tensors:
            value = values[i]
            if value is None:
                needed = len(self._tensors) == 1 or (self._arity and self.primitive)  # a body may do without others
                if needed and self.defaults[i] is inspect.Parameter.empty:
                    raise ArgumentTypeError(
                        f"ops.{self.name.strip('_')} needs a tensor for {self.params[i]!r}, and None came."
                    )
                continue
            if many:
                found.extend(value)
            else:
                found.append(value)
        return found

    def _dispatch(self, backend: Any, values: list[Any]) -> Any:
        for i, many in self._tensors:
            if many:
                if isinstance(values[i], (Spec, Variable)) or not isinstance(values[i], (list, tuple)):
                    values[i] = list(_unstacked(values[i]))
                else:
                    values[i] = list(values[i])
        operands = self._operands(values)
        symbolic = False
        for x in operands:
            if isinstance(x, Spec):
                if isinstance(x, Recording.symbol):
                    return Recording.record(self, values)
                symbolic = True
        if symbolic:
            return self.infer(backend, values, operands)
        if context.calls is not None and self.shape is not None:  # a file is being loaded
            check_results(self.name, self.infer(backend, list(values), operands))
        return self._run(backend, values, operands)

    def infer(self, backend: Any, values: list[Any], operands: list[Any]) -> Any:
        """The spec of the result, from specs among the operands."""
        if context.calls is not None:
            count_call(self.name)
        specs = [x if x.__class__ is Spec else _as_spec(backend, x) for x in operands]
        narrower = backend.narrower
        if narrower:
            specs = [stand_ins.narrowed(s, narrower) for s in specs]
        found = [s if s.__class__ is type else s.dtype for s in specs]  # a class: of a Python number
        if any(s.sparse for s in specs if s.__class__ is not type):
            return sparse.infer(self, backend, values, specs)
        target, out = self.dtype(tuple(found))
        agreed = [s if d == target else _cast_spec(s, target) for s, d in zip(specs, found, strict=True)]
        self._replace(values, iter(agreed))
        if self.shape is None:
            return self._infer_composite(values, out)
        try:
            shape = self.shape(*values)
        except KerasFnError as e:
            if not e.args or not str(e.args[0]).startswith("ops."):
                e.args = (f"ops.{self.name}: {e.args[0] if e.args else ''}",)
            raise
        result = _specs(shape, out)
        return stand_ins.narrowed(result, narrower) if narrower else result

    def _infer_composite(self, values: list[Any], dtype: Any) -> Any:
        closed = self.facts.get("closed")
        if closed is not None:
            try:
                return Spec(closed(*values), dtype)
            except KerasFnError:
                pass  # the body's own ops say it better
        return self.fn(*values)

    def _run(self, backend: Any, values: list[Any], operands: list[Any]) -> Any:
        found = []
        tensors = []
        for x in operands:
            if isinstance(x, Variable):
                x = x.value
            if backend.is_tensor(x):
                found.append(backend.dtype_of(x))
            elif isinstance(x, np.ndarray):
                x = backend.convert(x, None)
                found.append(backend.dtype_of(x))
            elif type(x) in _SCALARS:
                found.append(type(x))
            elif x.__class__ in backend.sparse_classes:
                return sparse.run(self, backend, values, operands)
            elif x.__class__ in backend.ragged_classes:
                return ragged.run(self, backend, values, operands)
            else:
                x = backend.convert(x, None)
                found.append(backend.dtype_of(x))
            tensors.append(x)
        target, _ = self.dtype(tuple(found))
        self._replace(values, iter(tensors))
        given = list(values)
        changes = _changes(found, target, self.dtype.keeps_scalars)
        for i, how, to in changes:
            x = tensors[i]
            tensors[i] = int(x) if how == "whole" else (backend.cast if how == "cast" else backend.convert)(x, to)
        self._replace(values, iter(tensors))
        kernel = backend.kernels.get(self.name)
        if kernel is None:
            if self.shape is not None:
                raise NoKernelError(
                    f"The backend {backend.name!r} has no kernel for ops.{self.name}, which is a primitive. "
                    "Take another backend (KERAS_BACKEND=jax, torch or tensorflow)."
                )
            kernel = self.fn
        try:
            out = kernel(*values)
        except backend.missing_kernel as error:
            return stand_ins.run(self, backend, values, error)
        self._ways.remember(backend, kernel, given, tensors, changes)
        return out

    def forget_kernels(self, backend: Any) -> None:
        """Looks for kernels anew: those of the backend are others from now on."""
        self._ways.forget(backend)

    def _replace(self, values: list[Any], new: Any) -> None:
        for i, many in self._tensors:
            if values[i] is None:
                continue
            values[i] = [next(new) for _ in values[i]] if many else next(new)

    def __reduce__(self) -> Any:
        return _registered, (self.name,)

    def __deepcopy__(self, memo: Any) -> Op:
        return self

    def __repr__(self) -> str:
        return f"<op {self.name}{self.signature}>"


def _changes(found: list[Any], target: str | None, keeps_scalars: bool) -> list[Change]:
    """What makes operands of these dtypes and classes agree."""
    kept = keeps_scalars and not all(f in _SCALARS for f in found)
    changes: list[Change] = []
    for i, f in enumerate(found):
        if f not in _SCALARS:
            if target is not None and f != target:
                changes.append((i, "cast", target))
        elif not kept:
            changes.append((i, "convert", target or dtypes.result_type(f)))
        elif f is bool and target != "bool":
            changes.append((i, "whole", target))
    return changes


def _registered(name: str) -> Op:
    return REGISTRY[name]


def op(*, dtype: DtypeRule, shape: Function | None = None, **facts: Any) -> Callable[[Function], Op]:
    """Declares an operation and registers it under its name.

    Args:
        dtype: the rule that names the tensor parameters and their dtypes (`promotes`, `floats`, `same`, …).
        shape: for a primitive, a function of the same arguments, specs in the place of tensors, that gives the
            shape of the result, or a Spec, or a tuple or list of them. None: the body is the definition.
        facts: anything the conformance suite wants to know (`oracle="numpy.exp"`, `samples=…`); `bits=True` where the
            bits of an operand matter, so that no other dtype can stand in for its own; `sparse=True` where the result
            is a sparse tensor; `closed=function` for a composite whose shape is told faster than by its body: it gives
            the shape of the one result, which has the rule's dtype.
    """

    def declare(fn: Callable[..., Any]) -> Op:
        declared = Op(fn, dtype, shape, **facts)
        if declared.name in REGISTRY:
            raise ValueError(f"The op {declared.name!r} is declared twice.")
        REGISTRY[declared.name] = declared
        return declared

    return declare


def _unstacked(x: Any) -> Any:
    """A stacked tensor given in the place of a list of tensors, as its slices."""
    return (x[i] for i in range(x.shape[0]))


def _as_spec(backend: Any, x: Any) -> Any:
    """A spec for an operand; a Python scalar stands for itself (it is weak)."""
    if isinstance(x, Spec):
        return x
    if type(x) in _SCALARS:
        return type(x)
    if isinstance(x, Variable):
        return Spec(x.shape, x.dtype)
    if backend.is_tensor(x):
        return Spec(tuple(x.shape), backend.dtype_of(x))
    if x.__class__ in backend.sparse_classes:
        return Spec(tuple(x.shape), backend.dtype_of(x), sparse=True)
    array = np.asarray(x)
    return Spec(array.shape, array.dtype)


def _cast_spec(spec: Any, target: str | None) -> Spec:
    """What the op's kernel or body sees of an operand: a spec of the agreed dtype."""
    if spec in _SCALARS:
        return Spec((), target or dtypes.result_type(spec))
    return spec if target is None or spec.dtype == target else Spec(spec.shape, target)


def _specs(shape: Any, dtype: Any) -> Any:
    """What a shape rule gave, as specs: shape tuples take the op's dtype, specs stay as they are."""
    if isinstance(shape, Spec) or shape is None:
        return shape
    if isinstance(shape, list):
        return [_specs(s, dtype) for s in shape]
    if isinstance(shape, tuple) and any(isinstance(s, (tuple, list, Spec, dict)) for s in shape):
        return tuple(_specs(s, dtype) for s in shape)
    if isinstance(shape, dict):
        return {k: _specs(s, dtype) for k, s in shape.items()}
    return Spec(shape, dtype)

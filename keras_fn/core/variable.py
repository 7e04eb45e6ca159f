"""`Variable`: a cell that holds a tensor; and `StatelessScope`, the one way to read and write cells on the side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np

from keras_fn.core import dtypes, shapes
from keras_fn.core.aligned import aligned, zeroed
from keras_fn.core.allowance import VARIABLE, count_work, take_room
from keras_fn.core.backend import active
from keras_fn.core.context import context
from keras_fn.core.errors import ArgumentError, BackendError, ShapeError
from keras_fn.core.spec import TensorOperators
from keras_fn.core.version import structure

_classes: dict[tuple[type, type | None], type] = {}


def mixed(cls: type, base: type | None) -> type:
    """`cls` with a backend's mix-in behind it, made once for each pair."""
    if base is None or issubclass(cls, base):
        return cls
    found = _classes.get((cls, base))
    if found is None:
        body = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
        body["_plain_class"] = cls
        found = _classes[cls, base] = type(base)(cls.__name__, (cls, base), body)
    return found


class Variable(TensorOperators):
    """A tensor that stays, and can be written: a weight, a running statistic, a seed, a metric's total.

    Args:
        initializer: initial values (array, number, nested list), or a function `(shape, dtype) -> values`.
        shape: shape; needed where `initializer` is a function.
        dtype: dtype name; None for the default float (or the dtype of the given values).
        trainable: whether optimizers update it.
        autocast: whether it is read in the compute dtype of the layer that uses it.
        aggregation: how copies of it on several devices are combined.
        name: name; last part of `path`.

    Example:
        >>> import keras_fn
        >>> v = keras_fn.Variable([1.0, 2.0], name="v")
        >>> v.assign_add([1.0, 1.0])
        >>> v.numpy().tolist()
        [2.0, 3.0]
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        return object.__new__(mixed(cls, active.backend.variable_base))

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise ArgumentError(f"Variable got unknown arguments: {', '.join(kwargs)}.")
        self.backend = active.backend
        self.name = name or "variable"
        self.path = "/".join((*context.path, self.name))
        self.autocast = autocast
        self.aggregation = aggregation
        self.synchronization = synchronization
        self.layout = layout
        self._regularizer: Any = None
        self.constraint: Any = None
        self.overwrite_with_gradient = False
        self._trainable = bool(trainable)
        self._kf_born_trainable = self._trainable
        self._kf_use: str | None = None
        self._initializer = initializer if callable(initializer) else None
        value = self._initial_value(initializer, shape, dtype)
        if getattr(getattr(initializer, "__self__", initializer), "_kf_fresh", False) and isinstance(value, np.ndarray):
            self.backend.fill(self, value)
        else:
            self._cell = self.backend.new_cell(value, self._dtype, self._trainable, self.path)
        structure.made()

    def arrange(self, use: str | None) -> None:
        """Keeps the values in the order in memory in which kernels for a use read them: see `Backend.arranged_cell`."""
        self._kf_use = use
        if use is not None and self.backend.arranges:
            self._cell = self.backend.arranged_cell(self._cell, use)

    def _initial_value(self, initializer: Any, shape: Any, dtype: Any) -> Any:
        if context.calls is not None:  # a file is being loaded
            count_work(f"the initial value of {self.path!r}", VARIABLE)
        if callable(initializer):
            if shape is None:
                raise ArgumentError("A Variable with an initializer function needs a `shape`.")
            self._dtype = dtypes.standardize(dtype)
            self._shape: tuple[Any, ...] = shapes.standardize(shape)
            if None in self._shape:
                raise ShapeError(f"A Variable needs a fully known shape, and got {self._shape} for {self.path!r}.")
            if context.room is not None:
                take_room(self.path, self._shape, self._dtype)
            # keras_fn's own initializers give host arrays by `draw`
            draw: Any = getattr(initializer, "draw", None) or initializer
            if context.undrawn is not None and getattr(getattr(draw, "__self__", None), "_kf_random", False):
                context.undrawn[id(self)] = (self, draw)
                stored = self._dtype if self._dtype in ("float16", "float64") else "float32"
                return self.backend.adopt(aligned(self._shape, stored, zeroed))
            value = draw(self._shape, dtype=self._dtype)
            got = tuple(value.shape)
            if got != self._shape:
                raise ShapeError(f"The initializer of {self.path!r} gave the shape {got} instead of {self._shape}.")
            return value
        tensor = self.backend.convert(unwrap(initializer), None if dtype is None else dtypes.standardize(dtype))
        self._dtype = self.backend.dtype_of(tensor)
        self._shape = tuple(tensor.shape)
        if shape is not None and shapes.standardize(shape) != self._shape:
            raise ShapeError(f"The values of {self.path!r} have the shape {self._shape}, and {tuple(shape)} was asked.")
        return tensor

    # --- facts
    @property
    def shape(self) -> tuple[int, ...]:
        """Shape: a tuple of ints."""
        return self._shape

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self._shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return shapes.size(self._shape) or 0

    @property
    def dtype(self) -> str:
        """dtype name, as read: the compute dtype inside a layer that casts on its own."""
        if context.autocast is not None and self.autocast and dtypes.is_float(self._dtype):
            return context.autocast
        return self._dtype

    @property
    def trainable(self) -> bool:
        """Whether optimizers update it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        if value != self._trainable:
            self._trainable = value
            structure.made()
            self.backend.set_cell_trainable(self._cell, value)

    @property
    def regularizer(self) -> Any:
        """The penalty on the values that is added to the loss, or None."""
        return self._regularizer

    @regularizer.setter
    def regularizer(self, value: Any) -> None:
        self._regularizer = value
        structure.made()

    # --- reading
    @property
    def value(self) -> Any:
        """The tensor held now, in the compute dtype inside a layer that casts on its own."""
        scope = context.scope
        value = None if scope is None else scope.get_current_value(self)
        if value is None:
            value = self.backend.read_cell(self._cell)
        if context.autocast is not None and self.autocast and dtypes.is_float(self._dtype):
            return value if context.autocast == self._dtype else self.backend.cast(value, context.autocast)
        return value

    def numpy(self) -> Any:
        """A copy of the values as a NumPy array, in the variable's own dtype."""
        return self.backend.copy_to_numpy(self._own())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    __index__ = __int__

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def __len__(self) -> int:
        if not self._shape:
            raise TypeError(f"len() of the scalar {self!r}.")
        return self._shape[0]

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    # --- writing
    def assign(self, value: Any) -> None:
        """Writes new values of the same shape; they are cast to the variable's dtype.

        Raises:
            ShapeError: where the shape differs.
        """
        backend = self.backend
        value = unwrap(value)
        if not backend.is_tensor(value):
            value = backend.convert(value, self._dtype)
        elif backend.dtype_of(value) != self._dtype:
            value = backend.cast(value, self._dtype)
        if tuple(value.shape) != self._shape:
            raise ShapeError(
                f"The variable {self.path!r} has the shape {self._shape}, and values of the shape "
                f"{tuple(value.shape)} came."
            )
        if context.scope is None:
            self._cell = backend.write_cell(self._cell, value)
        else:
            context.scope.add_update((self, value))

    def assign_add(self, value: Any) -> None:
        """Adds to the values."""
        self.assign(self.backend.kernels["add"](self._own(), _in_dtype(self, value)))

    def assign_sub(self, value: Any) -> None:
        """Subtracts from the values."""
        self.assign(self.backend.kernels["subtract"](self._own(), _in_dtype(self, value)))

    def _own(self) -> Any:
        """The tensor in the variable's own dtype."""
        scope = context.scope
        value = None if scope is None else scope.get_current_value(self)
        return self.backend.read_cell(self._cell) if value is None else value

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self._shape}, dtype={self._dtype}, backend={self.backend.name}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        copy = object.__new__(type(self))
        memo[id(self)] = copy
        copy.__dict__.update(self.__dict__)
        copy._cell = self.backend.new_cell(self.numpy(), self._dtype, self._trainable, self.path)
        copy.arrange(self._kf_use)
        return copy

    def __reduce__(self) -> Any:
        state = {k: v for k, v in self.__dict__.items() if k not in ("_cell", "backend", "_initializer")}
        return _rebuild, (self.backend.name, self.numpy(), state)


def _rebuild(backend: str, values: Any, state: dict[str, Any]) -> Variable:
    if active.backend.name != backend:
        raise BackendError(f"This was pickled under the backend {backend!r}, and {active.backend.name!r} is active.")
    variable = Variable(values, dtype=state["_dtype"], trainable=state["_trainable"])
    variable.__dict__.update(state)
    variable.arrange(variable._kf_use)
    return variable


def _in_dtype(variable: Variable, value: Any) -> Any:
    value = unwrap(value)
    if isinstance(value, (int, float)):
        return value
    backend = variable.backend
    return backend.convert(value, variable._dtype) if not backend.is_tensor(value) else (
        value if backend.dtype_of(value) == variable._dtype else backend.cast(value, variable._dtype)
    )


def unwrap(x: Any) -> Any:
    """The tensor in a Variable; anything else unchanged."""
    return x.value if isinstance(x, Variable) else x


class StatelessScope:
    """Reads and writes of variables go to a mapping on the side for the length of a with block.

    The cells themselves stay as they are, and other threads never see what happens here. Compiled JAX steps, the
    `stateless_*` methods and hand-written JAX loops all rest on it.

    Args:
        state_mapping: pairs `(variable, value)`, the values to be read.
        collect_losses: whether losses that layers add are collected in `losses`.

    Example:
        >>> import keras_fn
        >>> v = keras_fn.Variable(1.0)
        >>> with keras_fn.StatelessScope([(v, keras_fn.ops.convert_to_tensor(5.0))]) as scope:
        ...     v.assign_add(1.0)
        >>> float(scope.get_current_value(v)), float(v.value)
        (6.0, 1.0)
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self.losses: list[Any] = []
        self.state_mapping: dict[int, Any] = {}
        self.written: dict[int, Variable] = {}
        self._keep: list[Variable] = []
        self._before: StatelessScope | None = None
        for variable, value in state_mapping or ():
            if not isinstance(variable, Variable):
                raise ArgumentError(f"state_mapping holds pairs (Variable, value), and {variable!r} is no Variable.")
            value = unwrap(value)
            if not variable.backend.is_tensor(value):
                value = variable.backend.convert(value, variable._dtype)
            if tuple(value.shape) != variable._shape:
                raise ShapeError(
                    f"The value for {variable.path!r} has the shape {tuple(value.shape)} instead of {variable._shape}."
                )
            self.state_mapping[id(variable)] = value
            self._keep.append(variable)

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Notes a write."""
        variable, value = update
        self.state_mapping[id(variable)] = value
        self.written[id(variable)] = variable

    def get_current_value(self, variable: Variable) -> Any:
        """What the variable holds inside the scope (or one around it); None where nothing was given or written."""
        value = self.state_mapping.get(id(variable))
        if value is None and self._before is not None:
            return self._before.get_current_value(variable)
        return value

    def add_loss(self, loss: Any) -> None:
        """Notes a loss that a layer added."""
        self.losses.append(loss)

    def __enter__(self) -> StatelessScope:
        self._before = context.scope
        context.scope = self
        return self

    def __exit__(self, *exc: Any) -> None:
        context.scope, self._before = self._before, None


def swap(variables: list[Variable], values: Iterable[Any]) -> StatelessScope:
    """A scope in which `variables` hold `values`, without checks: for compiled steps."""
    scope = StatelessScope()
    scope.state_mapping = {id(v): x for v, x in zip(variables, values, strict=True)}
    return scope


Initializer = Callable[..., Any]

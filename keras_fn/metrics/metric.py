"""`Metric`: a measure of how a model does, gathered over batches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from keras_fn.core import dtypes, naming
from keras_fn.core.allowance import take_room
from keras_fn.core.arguments import Checked
from keras_fn.core.context import context
from keras_fn.core.errors import ArgumentError
from keras_fn.core.variable import StatelessScope, Variable


class Metric(Checked):
    """Base of the metrics. Subclass it, make the state with `add_variable`, write `update_state` and `result`.

    Both must be written in ops: they run inside compiled steps, and nothing is read on the host before `result` is
    looked at.

    Args:
        dtype: dtype of the state; None for the default float.
        name: name; made from the class's where None.

    Example:
        >>> import keras_fn
        >>> from keras_fn import ops
        >>> class Largest(keras_fn.metrics.Metric):
        ...     def __init__(self, **kwargs):
        ...         super().__init__(**kwargs)
        ...         self.largest = self.add_variable((), "zeros", name="largest")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.largest.assign(ops.maximum(self.largest, ops.max(y_pred)))
        ...     def result(self):
        ...         return self.largest.value
        >>> float(Largest()([0.0], [3.0]))
        3.0
    """

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or naming.unique(naming.snake_case(type(self).__name__))
        self._dtype = dtypes.standardize(getattr(dtype, "compute_dtype", dtype))
        self._variables: list[Variable] = []
        self._initial: list[np.ndarray] = []

    @property
    def dtype(self) -> str:
        """The dtype name of the state."""
        return self._dtype

    # --- state
    def add_variable(
        self,
        shape: Any,
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """A variable of the state; `reset_state` brings it back to its first values.

        Args:
            shape: shape.
            initializer: "zeros", "ones", another initializer's name, or a function `(shape, dtype) -> values`.
            dtype: dtype name; that of the metric where None.
            aggregation: how copies of it on several devices are combined.
            name: name.
        """
        dtype = self._dtype if dtype is None else dtypes.standardize(dtype)
        shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
        if context.room is not None:  # a file is being loaded
            take_room(f"{self.name}/{name}", shape, dtype)
        values = _initial_values(initializer, shape, dtype)
        before, context.path = context.path, (*context.path, self.name)
        try:
            variable = Variable(
                values, dtype=dtype, trainable=False, autocast=False, aggregation=aggregation, name=name
            )
        finally:
            context.path = before
        self._variables.append(variable)
        self._initial.append(values)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """`add_variable` with a scalar of 0 as default."""
        return self.add_variable(shape, "zeros" if initializer is None else initializer, dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The state: the metric's own variables, then those of metrics that are its attributes."""
        found = list(self._variables)
        for inner in self._inner():
            found.extend(inner.variables)
        return found

    def _inner(self) -> Iterable[Metric]:
        for value in vars(self).values():
            if isinstance(value, Metric):
                yield value
            elif type(value) in (list, tuple):
                yield from (v for v in value if isinstance(v, Metric))

    def build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        """Makes state that depends on shapes. A trainer calls it before a step is compiled; most metrics need none."""

    # --- the three steps
    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Takes a batch into account. To be written by subclasses."""
        raise NotImplementedError(f"The metric {type(self).__name__} must have a method `update_state`.")

    def result(self) -> Any:
        """The measure over all batches since the last reset. To be written by subclasses."""
        raise NotImplementedError(f"The metric {type(self).__name__} must have a method `result`.")

    def reset_state(self) -> None:
        """Forgets all batches."""
        for variable, values in zip(self._variables, self._initial, strict=True):
            variable.assign(values)
        for inner in self._inner():
            inner.reset_state()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`update_state`, then `result`."""
        self.update_state(*args, **kwargs)
        return self.result()

    # --- the three steps as pure functions
    def stateless_update_state(self, metric_variables: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """The values of `variables` after a batch, from those before it. Nothing is written."""
        with StatelessScope(self._mapping(metric_variables)) as scope:
            self.update_state(*args, **kwargs)
        return [_current(scope, v) for v in self.variables]

    def stateless_result(self, metric_variables: Any) -> Any:
        """The measure that the values of `variables` mean."""
        with StatelessScope(self._mapping(metric_variables)):
            return self.result()

    def stateless_reset_state(self) -> list[Any]:
        """The values of `variables` before any batch."""
        with StatelessScope() as scope:
            self.reset_state()
        return [_current(scope, v) for v in self.variables]

    def _mapping(self, values: Any) -> list[tuple[Variable, Any]]:
        values, variables = list(values), self.variables
        if len(values) != len(variables):
            raise ArgumentError(
                f"The metric {self.name!r} has {len(variables)} variables ({', '.join(v.name for v in variables)}), "
                f"and {len(values)} values came. Give one for each, in the order of `variables`."
            )
        return list(zip(variables, values, strict=True))

    # --- config
    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, "dtype": self._dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """A new metric from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _current(scope: StatelessScope, variable: Variable) -> Any:
    value = scope.get_current_value(variable)
    return variable.value if value is None else value


def _initial_values(initializer: Any, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """First values as a host array, in a dtype that NumPy has."""
    host = dtype if dtype in ("float16", "float32", "float64") or not dtypes.is_float(dtype) else "float32"
    if initializer == "zeros":
        return np.zeros(shape, host)
    if initializer == "ones":
        return np.ones(shape, host)
    if isinstance(initializer, (str, dict, type)):
        from keras_fn import initializers

        initializer = initializers.get(initializer)
    if not callable(initializer):
        raise ArgumentError(
            f"`initializer` must be 'zeros', 'ones', an initializer or a function (shape, dtype) -> values, "
            f"not {initializer!r}."
        )
    from keras_fn import ops

    draw = getattr(initializer, "draw", None) or initializer
    return np.asarray(ops.convert_to_numpy(draw(shape, dtype=dtype)), host)

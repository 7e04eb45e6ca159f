"""The JAX backend of keras_fn."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from keras_fn.core import dtypes
from keras_fn.core.backend import Backend
from keras_fn.core.constants import Constants
from keras_fn.core.spec import Spec
from keras_fn.core.variable import StatelessScope, Variable
from keras_fn_jax import step
from keras_fn_jax.kernels import KERNELS
from keras_fn_jax.kernels.basic import JOINED, cast, compiled_with_casts
from keras_fn_jax.sparse import SparseMethods
from keras_fn_jax.waiting import WAITING, LateCell


class JaxVariable:
    """What jax.numpy looks for in an argument.

    JAX 0.10 no longer calls `__jax_array__` while it abstracts the arguments of a compiled function, and most of
    jax.numpy is compiled. A pytree node works in both worlds: a variable as an argument is the array that it holds.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        jax.tree_util.register_pytree_node(cls, lambda v: ((v.value,), None), lambda aux, leaves: leaves[0])  # pyright: ignore[reportAttributeAccessIssue]

    _cell = LateCell()

    def __jax_array__(self) -> Any:
        return self.value  # type: ignore[attr-defined]


class JaxBackend(SparseMethods, Backend):
    """Kernels over jax.Array; a compiled step is a pure function of the cells' contents."""

    name = "jax"
    tensor_class = type(jnp.zeros(()))
    steps_take_arrays = True
    variable_base = JaxVariable
    kernels: dict[str, Callable[..., Any]] = KERNELS

    def __init__(self) -> None:
        self._constants = Constants(self.convert, self.tensor_class)

    def is_tensor(self, x: Any) -> bool:
        return isinstance(x, jax.Array)

    def dtype_of(self, x: Any) -> str:
        return _NAMES.get(x.dtype) or dtypes.standardize(x.dtype)

    @functools.cached_property
    def gathers_on_host(self) -> bool:  # type: ignore[override]
        # the memory of an array on the CPU is the device's: its rows need no copy of the whole array first, and no
        # gather in the step, which XLA's CPU compiler makes slowly
        return jax.default_backend() == "cpu"

    def convert(self, x: Any, dtype: str | None) -> Any:
        if isinstance(x, jax.Array):
            return x if dtype is None or x.dtype == dtype else x.astype(dtype)
        if x.__class__ in self.sparse_classes:
            return x if dtype is None or x.dtype == dtype else self.map_values(lambda v: v.astype(dtype), x)
        if dtype is None:
            dtype = _default_dtype(x)
        return jnp.asarray(x, dtype=dtype)

    def constant(self, number: Any, dtype: str) -> Any:
        # whether there are 64 bits may change
        return self.convert(number, dtype) if dtype in _NARROWER else self._constants.get(number, dtype)

    def cast(self, x: Any, dtype: str) -> Any:
        return cast(x, self.narrower.get(dtype, dtype) if dtype in _NARROWER else dtype)

    def casting(self, name: str, kernel: Any, operands: list[Any], targets: list[str | None]) -> Any:
        # each program costs more to call than one of a few elements takes; but XLA takes a product with a bool for a
        # choice, which NaN and -0.0 do not come through
        if name not in JOINED or _NARROWER.keys() & set(targets) or any(self._is_bool(x) for x in operands):
            return None
        return compiled_with_casts(kernel, targets)

    def _is_bool(self, x: Any) -> bool:
        return isinstance(x, jax.Array) and x.dtype == bool

    @property
    def narrower(self) -> Mapping[str, str]:
        return {} if jax.config.read("jax_enable_x64") else _NARROWER

    def host_view(self, x: Any) -> Any:
        if isinstance(x, Tracer) or any(d.platform != "cpu" for d in x.devices()):
            return None
        return np.asarray(x)

    def to_numpy(self, x: Any) -> Any:
        return np.asarray(x)

    def adopt(self, array: Any) -> Any:
        return jax.device_put(array, may_alias=True)

    def value_and_grad(self, fn: Callable[..., Any], variables: list[Any], has_aux: bool) -> Callable[..., Any]:
        return step.value_and_grad(fn, variables, has_aux)

    def compile_step(self, fn: Callable[..., Any], variables: Callable[[], list[Any]], jit: Any) -> Callable[..., Any]:
        return step.compile_step(fn, variables)

    def compile_loop(self, fn: Callable[..., Any], variables: Callable[[], list[Any]], jit: Any) -> Callable[..., Any]:
        return step.compile_loop(fn, variables)

    def compile_each(self, fn: Callable[..., Any], variables: Callable[[], list[Any]], jit: Any) -> Callable[..., Any]:
        return step.compile_each(fn, variables)

    def loop_pays(self, seconds: float) -> bool:
        # a scan around long steps gains nothing, and around convolutions on a CPU it loses (docs/decisions/0004)
        return seconds < 2e-3

    def new_cell(self, value: Any, dtype: str, trainable: bool, name: str) -> Any:
        with jax.ensure_compile_time_eval():  # also where a layer builds itself inside a trace
            return self.convert(value, dtype)

    def fill(self, variable: Any, values: Any) -> None:
        if WAITING.takes(values, variable._dtype):
            WAITING.add(variable, values)
        else:
            super().fill(variable, values)

    def abstract_call(self, fn: Callable[..., Any], specs: Any) -> Any:
        def to_struct(x: Any) -> Any:
            return jax.ShapeDtypeStruct(x.shape, x.dtype) if isinstance(x, Spec) else x

        def pure(args: Any) -> Any:
            with StatelessScope():
                return jax.tree.map(lambda x: x, fn(*args))

        found = jax.eval_shape(pure, jax.tree.map(to_struct, specs, is_leaf=lambda x: isinstance(x, Spec)))
        return jax.tree.map(lambda s: Spec(s.shape, s.dtype), found)

    def stop(self) -> None:
        jax.effects_barrier()


_NAMES = {np.dtype(n): n for n in ("float32", "float16", "int32", "bool", "int64", "float64", "uint8", "uint32")}


# JAX has 64 bits only where its user asks for them
_NARROWER = {"int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64"}


def _default_dtype(x: Any) -> str | None:
    if hasattr(x, "dtype"):
        return None
    kind = np.asarray(x).dtype.kind
    return dtypes.floatx() if kind == "f" else "int32" if kind == "i" else None


BACKEND = JaxBackend()
__all__ = ["BACKEND", "JaxBackend", "Variable"]

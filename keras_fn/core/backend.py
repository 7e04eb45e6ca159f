"""The contract of a backend, how one is found, and the one that is active.

A backend is an importable package that holds a `Backend` object named `BACKEND` and announces it under the
entry-point group `keras_fn.backends`. Nothing here imports a framework before its backend is asked for.
"""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import entry_points
from typing import Any, ClassVar

import numpy as np

from keras_fn.core import trees
from keras_fn.core.errors import BackendError, closest
from keras_fn.core.user_settings import path, user_settings

GROUP = "keras_fn.backends"
# tried in this order where nobody says which backend to take
PREFERENCE = ("jax", "torch", "tensorflow", "numpy")
_FRAMEWORK = {"jax": "jax", "torch": "torch", "tensorflow": "tensorflow", "numpy": "numpy"}

Run = Callable[..., Any]


class Backend:
    """What a framework must give. Subclass it, fill `kernels`, and set `BACKEND = MyBackend()` in the package.

    Attributes:
        name: the name that `KERAS_BACKEND` and `keras_fn.backend.use` take.
        kernels: op name -> function over the framework's tensors, of agreed dtypes, all arguments by position.
        tensor_class: the class of a concrete (eager) tensor.
        tensor_classes: the classes whose instances take an op's short way to its kernel; `tensor_class` alone where
            it is not set.
        sparse_classes: the classes of sparse tensors; empty where there are none. Anything with `in`.
        ragged_classes: the classes of ragged tensors; empty where there are none.
        row_classes: those of them that store whole rows, which ops without a rule for sparse tensors make dense.
        narrower: dtypes that the framework does not hold, and what it takes in their place (JAX without 64 bits).
        stand_ins: dtypes for which it lacks kernels, and those in which ops are computed instead; None: in none.
        missing_kernel: what is raised where a kernel is missing.
        slices_cheaply: whether a slice of an array in memory reaches the device with less work than a gathered batch.
        gathers_on_host: whether gathering a batch from a NumPy array into memory of the host, which a compiled step
            reads in place, is less work than gathering it from a tensor inside the step.
        steps_take_arrays: whether compiled steps take NumPy arrays, with less work than `convert` and a tensor.
            They may read them when the call has returned.
        differentiable: whether `value_and_grad` works.
        arranges: whether a subclass has an `arranged_cell` of its own; found out by itself.
        variable_base: mix-in for `Variable` (what the framework's functions look for in their arguments).
        supports_sparse, supports_ragged: whether the framework has sparse and ragged tensors.
        layer_base: mix-in for `Layer` (for example torch.nn.Module), or None.
    """

    name: ClassVar[str]
    kernels: dict[str, Callable[..., Any]]
    tensor_class: type
    tensor_classes: frozenset[type]
    sparse_classes: Container[type] = frozenset()
    row_classes: Container[type] = frozenset()
    ragged_classes: Container[type] = frozenset()
    narrower: Mapping[str, str] = {}
    stand_ins: Mapping[str, str | None] = {}
    missing_kernel: tuple[type[Exception], ...] = (NotImplementedError,)
    slices_cheaply: bool = True
    gathers_on_host: bool = False
    steps_take_arrays: bool = False
    differentiable: bool = True
    arranges: bool = False
    variable_base: type | None = None
    layer_base: type | None = None
    supports_sparse: bool = False
    supports_ragged: bool = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "tensor_classes" not in cls.__dict__ and hasattr(cls, "tensor_class"):
            cls.tensor_classes = frozenset([cls.tensor_class])
        cls.arranges = cls.arranged_cell is not Backend.arranged_cell

    # --- tensors
    def is_tensor(self, x: Any) -> bool:
        """Whether x is a tensor of this framework, concrete or being traced."""
        raise NotImplementedError

    def dtype_of(self, x: Any) -> str:
        """The dtype name of a tensor."""
        raise NotImplementedError

    def shape_of(self, x: Any) -> tuple[Any, ...]:
        """The shape of a tensor: ints, and scalar tensors for what is known only at run time."""
        return tuple(x.shape)

    def convert(self, x: Any, dtype: str | None) -> Any:
        """A tensor from a NumPy array, number, nested list, or tensor. Never copies without need."""
        raise NotImplementedError

    def constant(self, number: Any, dtype: str) -> Any:
        """The tensor of a Python number that stands beside others in a call, as `convert` gives it: it is only read."""
        return self.convert(number, dtype)

    def cast(self, x: Any, dtype: str) -> Any:
        """The tensor in another dtype."""
        raise NotImplementedError

    def casting(self, name: str, kernel: Run, operands: list[Any], targets: list[str | None]) -> Run | None:
        """The kernel of an op with the casts of its tensors before it in one, where that is less work; else None.

        Args:
            name: of the op.
            kernel: takes the operands, and nothing else.
            operands: tensors, and numbers that stay as they are, of the dtypes of all calls to come.
            targets: for each of them the dtype to cast to, or None.
        """
        return None

    def to_numpy(self, x: Any) -> Any:
        """The values as a NumPy array, off the device and out of the autograd graph."""
        raise NotImplementedError

    def host_view(self, x: Any) -> Any:
        """The values of a concrete tensor that lies in the host's memory, as a NumPy array; None for any other."""
        return None

    def takes_in_place(self, array: Any) -> bool:
        """Whether `convert` makes no copy of a NumPy array: its tensor lies over the array's own memory."""
        return False

    def copy_to_numpy(self, x: Any) -> Any:
        """The values as a NumPy array that stays as it is when a cell is written, or written to."""
        return np.array(self.to_numpy(x))

    def set_mask(self, x: Any, mask: Any) -> Any:
        """The tensor with `_keras_mask` set. Raises AttributeError where the tensor cannot carry it."""
        x._keras_mask = mask
        return x

    # --- sparse tensors, where `sparse_classes` is not empty (ops/sparse.py says what ops do with them)
    def densify(self, x: Any) -> Any:
        """The dense tensor of a sparse one."""
        raise NotImplementedError

    def coordinates(self, x: Any) -> tuple[Any, Any]:
        """Places and values of what is stored: int tensor `(n, rank)`, each place once, and tensor `(n,)`."""
        raise NotImplementedError

    def from_coordinates(self, places: Any, values: Any, shape: Any, unique: bool = False) -> Any:
        """The sparse tensor with these values at these places; those at one place are added, unless `unique`."""
        raise NotImplementedError

    def sparse_batch(self, places: Any, values: Any, shape: Any) -> Any:
        """The sparse tensor of a batch, from NumPy arrays with each place once, in order."""
        return self.from_coordinates(self.convert(places, None), self.convert(values, None), shape, unique=True)

    def single_elements(self, x: Any) -> Any:
        """The sparse tensor of one that stores whole rows, where the framework has a class for these; else x."""
        return x

    def map_values(self, fn: Callable[[Any], Any], x: Any) -> Any:
        """The sparse tensor whose stored values are `fn` of those of x."""
        raise NotImplementedError

    def sparse_reshape(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """The sparse tensor in another shape; one dimension may be -1."""
        raise NotImplementedError

    def sparse_matmul(self, x1: Any, x2: Any) -> Any:
        """The product of two matrices, one of them sparse, or both; sparse if both are."""
        raise NotImplementedError

    # --- ragged tensors, where `ragged_classes` is not empty (ops/ragged.py says what ops do with them)
    def fill_up(self, x: Any) -> Any:
        """The dense tensor of a ragged one, its rows filled up with zeros to the length of the longest."""
        raise NotImplementedError

    def row_count(self, x: Any) -> int:
        """The number of rows of one that has values."""
        raise NotImplementedError

    def flat_rank(self, x: Any) -> int:
        """The number of axes of the flat values."""
        raise NotImplementedError

    def map_flat(self, fn: Callable[..., Any], operands: list[Any]) -> Any:
        """The ragged tensor whose flat values are `fn` of those of the operands; dense ones broadcast to its rows."""
        raise NotImplementedError

    def reduce_ragged(self, name: str, x: Any, axis: Any, keepdims: bool) -> Any:
        """The reduction of that name: sum, _prod, mean, amax, amin, any or all."""
        raise NotImplementedError

    def ragged_rows(self, x: Any, rows: Any) -> Any:
        """The rows of those numbers."""
        raise NotImplementedError

    def join_ragged(self, xs: list[Any], axis: int) -> Any:
        """`concatenate` of tensors of which some are ragged."""
        raise NotImplementedError

    def stack_ragged(self, xs: list[Any], axis: int) -> Any:
        """`stack` of such tensors."""
        raise NotImplementedError

    def expand_ragged(self, x: Any, axis: Any) -> Any:
        """`expand_dims` of one."""
        raise NotImplementedError

    def squeeze_ragged(self, x: Any, axis: Any = None) -> Any:
        """`squeeze` of one."""
        raise NotImplementedError

    def flip_ragged(self, x: Any, axes: Sequence[int]) -> Any:
        """`flip` of a ragged tensor along axes counted from the front."""
        raise NotImplementedError

    def tile_ragged(self, x: Any, repeats: Sequence[int]) -> Any:
        """`tile` of a ragged tensor, with a number for each axis, and perhaps for new ones in front."""
        raise NotImplementedError

    def split_ragged(self, x: Any, indices_or_sections: Any, axis: int) -> list[Any]:
        """`split` of a ragged tensor."""
        raise NotImplementedError

    def cumsum_ragged(self, x: Any, axis: int) -> Any:
        """`cumsum` of a ragged tensor along an axis."""
        raise NotImplementedError

    def elements_ragged(self, x: Any) -> Any:
        """The elements of a ragged tensor in a row, dense."""
        raise NotImplementedError

    # --- cells: what a Variable holds
    def new_cell(self, value: Any, dtype: str, trainable: bool, name: str) -> Any:
        """A cell from an array of initial values."""
        return self.convert(value, dtype)

    def fill(self, variable: Any, values: Any) -> None:
        """Gives a new variable its cell; or says later, where it is first read, what the cell is.

        Args:
            variable: has a dtype, a shape and a path, and no `_cell` yet.
            values: an array of that shape, which nobody else holds.
        """
        variable._cell = self.new_cell(values, variable._dtype, variable._trainable, variable.path)

    def arranged_cell(self, cell: Any, use: str) -> Any:
        """The cell with its values in the order in memory in which kernels read them; its shape stays.

        Args:
            cell: what `new_cell` made.
            use: "convolution" for the kernel of a convolution, of shape `(*window, inputs, outputs)`.
        """
        return cell

    def read_cell(self, cell: Any) -> Any:
        """The tensor in a cell, as ops should see it."""
        return cell

    def write_cell(self, cell: Any, value: Any) -> Any:
        """Writes a tensor of the same shape and dtype; returns the cell to keep (a new one where cells are values)."""
        return value

    def cell_memory(self, cell: Any) -> Any:
        """The memory of a cell as a NumPy array to write values into; None where cells are values, or lie elsewhere."""
        return None

    def adopt(self, array: Any) -> Any:
        """A tensor of a NumPy array that nobody else holds: with its memory, where the framework takes it over."""
        return self.convert(array, array.dtype.name)

    def write_cells(self, cells: list[Any], values: list[Any]) -> None:
        """Writes many cells at once, where `write_cell` gives back the cell that it got."""
        for cell, value in zip(cells, values, strict=True):
            self.write_cell(cell, value)

    def add_to_cells(self, cells: list[Any], values: list[Any]) -> None:
        """Adds tensors to many cells at once, where `write_cell` gives back the cell that it got."""
        for cell, value in zip(cells, values, strict=True):
            self.write_cell(cell, self.kernels["add"](cell, value))

    def share_memory(self, x1: Any, x2: Any) -> bool:
        """Whether a write into one tensor may be seen in the other; also where that is not known."""
        return True

    def joined(
        self, first: Callable[..., Any], second: Callable[..., Any], args: list[Any], rest: list[Any], between: Any
    ) -> Callable[..., Any] | None:
        """A function that does in one call what two steps of a plan do, to the same bits; None where there is none.

        Args:
            first: a kernel, or `cast`.
            second: what takes its result, as the first argument.
            args: the arguments of the first one in the call that was watched: tensors of these shapes and dtypes come.
            rest: the further arguments of the second one, likewise.
            between: the result of the first one, likewise.

        Returns:
            A function of `args` and `rest`.
        """
        return None

    def set_cell_trainable(self, cell: Any, trainable: bool) -> None:
        """Tells the framework that gradients are wanted for the cell, or not."""

    def seed_cell(self, cell: Any) -> Any:
        """The cell of a SeedGenerator, moved to where the backend's random functions read it without waiting."""
        return cell

    # --- the framework's global generator of random numbers, which data loaders draw from
    def random_state(self) -> Any:
        """Where it is, as a NumPy array; None where there is none, or it cannot be read."""
        return None

    def set_random_state(self, state: Any) -> None:
        """Puts it where `random_state` found it."""

    def seed_generator(self, seed: int) -> None:
        """Starts it anew."""

    # --- programs
    def value_and_grad(self, fn: Callable[..., Any], variables: list[Any], has_aux: bool) -> Callable[..., Any]:
        """A function of the arguments of `fn` that returns `(fn's result, gradients)`."""
        raise NotImplementedError

    def inference(self) -> AbstractContextManager[Any]:
        """A context in which nothing is recorded for gradients."""
        return nullcontext()

    def compile_step(self, step: Run, variables: Callable[[], list[Any]], jit: Any) -> Run:
        """Compiles `step(*tensors)`, which reads and writes `variables()`, for repeated calls."""
        return step

    def compile_loop(self, step: Run, variables: Callable[[], list[Any]], jit: Any) -> Run:
        """Compiles several steps in one dispatch: a function of `(arrays, matrix of row numbers)`.

        `step(arrays, rows)` runs for each row of the matrix, in order; what the last one returned comes back. Order,
        number of updates and results are those of single steps. The matrix may as well be a structure of tensors, of
        which each step gets the parts along the first axis.
        """
        single = self.compile_step(step, variables, jit)

        def several(arrays: Any, rows: Any) -> Any:
            logs = None
            for r in trees.parts(rows):
                logs = single(arrays, r)
            return logs

        return several

    def compile_each(self, step: Run, variables: Callable[[], list[Any]], jit: Any) -> Run:
        """Compiles several steps in one dispatch: a function of batches stacked along a new first axis.

        `step(batch)` runs for each of them, in order; all results come back, stacked likewise.
        """
        single = self.compile_step(step, variables, jit)

        def several(batches: Any) -> Any:
            return trees.map(self._stacked, *[single(batch) for batch in trees.parts(batches)])

        return several

    def _stacked(self, *parts: Any) -> Any:
        return None if parts[0] is None else np.stack([self.to_numpy(p) for p in parts])

    def loop_pays(self, seconds: float) -> bool:
        """Whether several steps in one dispatch are faster, for steps that take so long one by one."""
        return False

    def captured(self, fn: Run) -> Run | None:
        """The function as a compiler that reads Python code captures it; None where the framework has none.

        It raises where the code cannot be captured in one piece, and where a call like the first would be captured
        anew. For tests: whatever was compiled before is forgotten.
        """
        return None

    def abstract_call(self, fn: Callable[..., Any], specs: Any) -> Any:
        """The specs of `fn(*tensors)` for tensors like `specs`, evaluated by the framework without computing."""
        raise NotImplementedError

    # --- plans (core/tape.py)
    def eager(self) -> bool:
        """Whether tensors have values now, in this thread: no function is being traced."""
        return True

    def mode(self) -> Any:
        """What the framework's global state would do differently to the same calls (recording for gradients)."""
        return None

    def in_mode(self, mode: Any) -> AbstractContextManager[Any]:
        """A context with that state."""
        return nullcontext()

    def stop(self) -> None:
        """Waits until everything that was dispatched is computed (for timing)."""

    def __reduce__(self) -> Any:
        return load, (self.name,)

    def __deepcopy__(self, memo: Any) -> Backend:
        return self

    def __repr__(self) -> str:
        return f"<keras_fn backend {self.name!r}>"


class _Slot:
    """`active.backend` is a plain attribute after first use; before it, looking it up resolves the default."""

    backend: Backend

    def __getattr__(self, attribute: str) -> Any:
        if attribute == "backend":
            return use_default()
        raise AttributeError(attribute)


active = _Slot()
_loaded: dict[str, Backend] = {}


def available() -> dict[str, bool]:
    """Every known backend's name, and whether its framework is installed."""
    found = {}
    for point in entry_points(group=GROUP):
        framework = _FRAMEWORK.get(point.name)
        found[point.name] = framework is None or importlib.util.find_spec(framework) is not None
    return dict(sorted(found.items(), key=lambda i: PREFERENCE.index(i[0]) if i[0] in PREFERENCE else len(PREFERENCE)))


def default_name() -> tuple[str, str]:
    """The backend's name from KERAS_BACKEND, else ~/.keras/keras.json, else the first that is installed; and whence."""
    if name := os.environ.get("KERAS_BACKEND"):
        return name, "the environment variable KERAS_BACKEND"
    settings, installed = user_settings(), available()
    first = next((name for name in PREFERENCE if installed.get(name)), "numpy")
    if "backend" in settings:
        name = str(settings["backend"])
        if installed.get(name, True):
            return name, str(path())
        # Keras writes this file by itself, for whatever was installed when it first ran
        warnings.warn(
            f"{path()} asks for the backend {name!r}, which is not installed here: {first!r} is taken. Set "
            f"KERAS_BACKEND={first}, or edit the file, to choose it without this warning.",
            stacklevel=2,
        )
    return first, "what is installed"


def use_default() -> Backend:
    """Makes the default backend the active one."""
    name, source = default_name()
    try:
        return use(name)
    except BackendError as e:
        e.args = (f"{e.args[0]} {name!r} is asked for by {source}.",)
        raise


def register(backend: Backend) -> Backend:
    """Makes a backend known in this process, without a package that announces it; returns the one of that name.

    Raises:
        BackendError: where it is no Backend.
    """
    if not isinstance(backend, Backend):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise BackendError(f"A keras_fn.core.backend.Backend object is wanted, and {backend!r} came.")
    return _loaded.setdefault(backend.name, backend)


def load(name: str) -> Backend:
    """The backend of that name, imported at its first use.

    Raises:
        BackendError: where there is no such backend, or its framework is not installed.
    """
    if name in _loaded:
        return _loaded[name]
    points = {p.name: p for p in entry_points(group=GROUP)}
    if name not in points:
        raise BackendError(f"There is no backend {name!r}.{closest(name, points)} {_inventory()}")
    framework = _FRAMEWORK.get(name)
    if framework and importlib.util.find_spec(framework) is None:
        raise BackendError(f"The backend {name!r} needs {framework}, which is not installed. {_inventory()}")
    loaded = points[name].load()
    backend = loaded if isinstance(loaded, Backend) else getattr(loaded, "BACKEND", None)
    if not isinstance(backend, Backend):
        raise BackendError(
            f"The entry point {points[name].value!r} of the backend {name!r} must lead to a "
            f"keras_fn.core.backend.Backend object, and leads to {loaded!r}."
        )
    _loaded[name] = backend
    return backend


def _inventory() -> str:
    installed = available()
    have = [n for n, there in installed.items() if there]
    lack = [n for n, there in installed.items() if not there]
    text = f"Installed: {', '.join(have) or 'none'}."
    return text + "".join(f" For {n}: pip install 'keras-fn[{n}]'." for n in lack)


def use(name: str) -> Backend:
    """Makes the backend of that name the active one, for what is created from now on."""
    backend = load(name)
    active.backend = backend
    return backend


@contextmanager
def using(name: str) -> Iterator[Backend]:
    """`use` for the length of a with block."""
    before = active.backend
    try:
        yield use(name)
    finally:
        active.backend = before

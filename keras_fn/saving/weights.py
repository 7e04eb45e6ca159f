"""The weights of a model in an HDF5 file, in Keras 3's layout: `<path of the layer>/vars/<number>`."""

from __future__ import annotations

import warnings
from typing import Any

import h5py

from keras_fn.core.errors import KerasFnError, ShapeError, StructureError
from keras_fn.core.variable import StatelessScope, Variable
from keras_fn.layers.base import Layer
from keras_fn.optimizers import Optimizer
from keras_fn.random import SeedGenerator
from keras_fn.saving.h5 import Reader, Writer, group_at, read_into
from keras_fn.saving.walk import walk

_SHOWN = 8


# --- writing
def write_state(model: Any, root: h5py.File) -> None:
    """Writes each object's variables into its group, array by array."""
    written: set[int] = set()
    for path, owner in walk(model):
        group = root.require_group(_vars(path))
        group.attrs["name"] = owner.name
        written |= save_object(owner, Writer(group))
    left = [v.path for v in model.weights if id(v) not in written]
    if left:
        warnings.warn(
            f"{len(left)} weights of {model.name!r} are not written: {', '.join(left[:_SHOWN])}. They lie in a "
            "set, whose "
            "order changes from run to run, or in an object that is no layer. Keep layers in attributes, lists "
            "or dicts.",
            stacklevel=4,
        )


def _vars(path: str) -> str:
    return f"{path}/vars" if path else "vars"


def save_object(owner: Any, store: Writer) -> set[int]:
    """Lets one object write its variables. Returns the ids of the weights that are taken care of by it."""
    save = getattr(owner, "save_own_variables", None)
    if save is not None:
        save(store)
    else:
        for i, v in enumerate(_own(owner)):
            store[str(i)] = v
    return {id(v) for v in owner._kf_own()} if isinstance(owner, Layer) else set()


def _own(owner: Any) -> list[Variable]:
    """The variables that an object writes, where its class says nothing about it."""
    if isinstance(owner, SeedGenerator):
        return [owner.state]
    return owner._kf_saved() if isinstance(owner, Layer) else owner.variables


# --- reading
class _Plan:
    """What a file gives to which variable, and what does not fit: nothing is written before all is known."""

    def __init__(self) -> None:
        self.pairs: list[tuple[Variable, h5py.Dataset]] = []
        self.values: list[tuple[Variable, Any]] = []
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.shapes_differ = True

    def problem(self, text: str, shape: bool = False) -> None:
        self.problems.append(text)
        self.shapes_differ = self.shapes_differ and shape

    def finish(self, model: Any, where: str, skip_mismatch: bool) -> None:
        """Writes all, or raises and writes nothing."""
        if self.problems and not skip_mismatch:
            shown = "\n".join(f"  {p}" for p in self.problems[:_SHOWN])
            more = f"\n  and {len(self.problems) - _SHOWN} more" if len(self.problems) > _SHOWN else ""
            error = ShapeError if self.shapes_differ else StructureError
            raise error(
                f"{where} does not fit the model {model.name!r}; no weight was changed:\n{shown}{more}\nLoad it "
                "into the "
                "model that it was saved from, or pass `skip_mismatch=True` to load what fits."
            )
        for text in (*self.problems, *self.notes):
            warnings.warn(text, stacklevel=5)
        for variable, dataset in self.pairs:
            read_into(variable, dataset)
        for variable, value in self.values:
            variable.assign(value)


def read_state(model: Any, root: Any, where: str, skip_mismatch: bool = False) -> None:
    """Reads each object's variables from its group.

    All shapes are compared first, without reading an array; only if all fit (or with `skip_mismatch`, for those that
    fit) values are read and written, array by array.

    Raises:
        ShapeError, StructureError: where the file does not fit. No weight was changed then.
    """
    plan, known = _Plan(), set()
    for path, owner in walk(model):
        name = _vars(path)
        known.add(name)
        group = group_at(root, name, where)
        store = Reader(group, f"{where}/{name}")
        if isinstance(owner, Optimizer):
            _plan_optimizer(plan, model, owner, store)
        elif isinstance(owner, SeedGenerator):
            _plan_seed(plan, owner, store)
        elif type(owner).load_own_variables is Layer.load_own_variables:
            plan_arrays(plan, f"{name} ({type(owner).__name__} {owner.name!r})", owner, _own(owner), store)
        else:
            _plan_custom(plan, name, owner, store)
    _note_unknown(plan, root, known, where)
    plan.finish(model, where, skip_mismatch)


def plan_arrays(plan: _Plan, what: str, owner: Any, variables: list[Variable], store: Reader) -> None:
    """Plans a group that holds one array for each of some variables, under "0", "1", …"""
    if len(store) != len(variables):
        hint = "" if variables or owner.built else " It is not built yet: call the model on data, or `build`, first."
        plan.problem(f"{what} has {len(variables)} weights, and {len(store)} are in the file.{hint}")
        return
    for i, v in enumerate(variables):
        if str(i) not in store:
            plan.problem(f"{what}: the file has no array {i} for {v.path!r}; it has {list(store)[:_SHOWN]}.")
            continue
        dataset = store.dataset(str(i))
        if tuple(dataset.shape) != tuple(v.shape):
            plan.problem(f"{what}: {v.name!r} is {v.shape} in the model and {dataset.shape} in the file.", shape=True)
            continue
        plan.pairs.append((v, dataset))


def _plan_custom(plan: _Plan, name: str, owner: Any, store: Reader) -> None:
    """A class with its own `load_own_variables` runs it now, with its writes held back."""
    what = f"{name} ({type(owner).__name__} {owner.name!r})"
    try:
        with StatelessScope() as scope:
            owner.load_own_variables(store)
    except (KerasFnError, ValueError, KeyError, TypeError) as e:
        plan.problem(f"{what}: {e}", shape=isinstance(e, ShapeError))
        return
    plan.values += [(v, scope.state_mapping[key]) for key, v in scope.written.items()]


def _plan_seed(plan: _Plan, owner: SeedGenerator, store: Reader) -> None:
    """Keras leaves seeds out of its files: where there is none, the generator keeps its own."""
    if "0" in store and tuple(store.dataset("0").shape) == tuple(owner.state.shape):
        plan.pairs.append((owner.state, store.dataset("0")))


def _plan_optimizer(plan: _Plan, model: Any, owner: Optimizer, store: Reader) -> None:
    if not len(store):
        return
    if not owner.built and len(store) != len(owner.variables):
        owner.build(model.trainable_variables)
    variables = owner.variables
    fit = len(store) == len(variables) and all(
        str(i) in store and tuple(store.dataset(str(i)).shape) == tuple(v.shape) for i, v in enumerate(variables)
    )
    if fit:
        plan.pairs += [(v, store.dataset(str(i))) for i, v in enumerate(variables)]
    else:
        plan.notes.append(
            f"The state of the optimizer {owner.name!r} is not loaded: it has {len(variables)} variables, and the file "
            f"has {len(store)}, or their shapes differ. Training goes on with a fresh optimizer."
        )


def _note_unknown(plan: _Plan, root: Any, known: set[str], where: str) -> None:
    """Weights in the file that no layer asked for."""
    unknown: list[str] = []

    def look(name: str, item: Any) -> None:
        is_vars = isinstance(item, h5py.Group) and name.rsplit("/", 1)[-1] == "vars" and len(item)
        if is_vars and name not in known and "optimizer" not in name and "seed_generator" not in name:
            unknown.append(name)

    root.visititems(look)
    if unknown:
        plan.notes.append(
            f"{where} holds weights for which the model has no layer, and which are not used: "
            f"{', '.join(unknown[:_SHOWN])}."
        )

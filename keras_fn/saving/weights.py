"""The weights of a model in an HDF5 file, in Keras 3's layout: `<path of the layer>/vars/<number>`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

from keras_fn.core.errors import CorruptFileError, KerasFnError, ShapeError
from keras_fn.core.variable import StatelessScope, Variable
from keras_fn.layers.base import Layer
from keras_fn.optimizers import Optimizer
from keras_fn.random import SeedGenerator
from keras_fn.saving.h5 import Reader, group_at, read_into
from keras_fn.saving.hdf5 import File, Group
from keras_fn.saving.plan import WITHOUT_SLOTS, LoadReport, Plan
from keras_fn.saving.walk import walk

_SHOWN = 8
Roots = list[tuple[Any, str]]


# --- writing
def write_state(model: Any, root: Any) -> list[tuple[int, int, int]]:
    """Writes each object's variables into its group of an h5py file, array by array, and the check sums of all.

    Returns:
        Where large arrays lie in the file: `(place, length, CRC-32)` of each.
    """
    from keras_fn.saving.checksums import Ledger
    from keras_fn.saving.h5_writing import Writer

    ledger = Ledger()

    def store(name: str, owner: Any) -> Writer:
        group = root.require_group(name)
        group.attrs["name"] = owner.name
        return Writer(group, ledger)

    write_objects(model, store)
    ledger.write(root)
    return ledger.places


def write_objects(model: Any, store: Callable[[str, Any], Any]) -> None:
    """Lets each object write its variables into what `store` gives for the name of its group and itself."""
    written: set[int] = set()
    for path, owner in walk(model):
        written |= save_object(owner, store(_vars(path), owner))
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


def save_object(owner: Any, store: Any) -> set[int]:
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
class _Merged(Reader):
    """The groups of one name in several files, as one."""

    def __init__(self, parts: list[Reader]) -> None:
        super().__init__(None, parts[0].where)
        self._owners: dict[str, Reader] = {}
        for part in parts:
            for key in part:
                if self._owners.setdefault(key, part) is not part:
                    raise CorruptFileError(
                        f"The array {key!r} is in {self._owners[key].where} and in {part.where}, and belongs into one."
                    )

    def dataset(self, key: str) -> Any:
        return self._owners[key].dataset(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._owners)

    def __len__(self) -> int:
        return len(self._owners)

    def __contains__(self, key: object) -> bool:
        return key in self._owners


def _store(roots: Roots, name: str) -> Reader:
    """What the files hold under the name of a group."""
    parts = [Reader(group_at(root, name, where), f"{where}/{name}") for root, where in roots]
    filled = [part for part in parts if len(part)]
    return _Merged(filled) if len(filled) > 1 else (filled or parts)[0]


def read_state(model: Any, roots: Roots, skip_mismatch: bool = False) -> LoadReport:
    """Reads each object's variables from its group in a file, or in several that share the weights of a model.

    All shapes are compared first, without reading an array; only if all fit (or with `skip_mismatch`, for those that
    fit) values are read and written, array by array.

    Args:
        model: a model.
        roots: pairs `(open file, its name)`.
        skip_mismatch: whether to warn of what does not fit, and go on.

    Raises:
        ShapeError, StructureError: where the file does not fit. No weight was changed then.
    """
    plan, known = Plan(roots[0][1]), set()
    for path, owner in walk(model):
        name = _vars(path)
        known.add(name)
        store = _store(roots, name)
        if isinstance(owner, Optimizer):
            _plan_optimizer(plan, model, owner, store)
        elif isinstance(owner, SeedGenerator):
            _plan_seed(plan, owner, store)
        elif type(owner).load_own_variables is Layer.load_own_variables:
            plan_arrays(plan, f"{name} ({type(owner).__name__} {owner.name!r})", owner, _own(owner), store, name)
        else:
            _plan_custom(plan, name, owner, store)
    for root, where in roots:
        _note_unknown(plan, root, known, where)
    return plan.finish(model, skip_mismatch, read_into)


def plan_arrays(plan: Plan, what: str, owner: Any, variables: list[Variable], store: Reader, name: str) -> None:
    """Plans a group that holds one array for each of some variables, under "0", "1", …"""
    if len(store) != len(variables):
        hint = "" if variables or owner.built else " It is not built yet: call the model on data, or `build`, first."
        left = [f"{name}/{key}" for key in store]
        plan.problem(f"{what} has {len(variables)} weights, and {len(store)} are in the file.{hint}", variables, left)
        return
    for i, v in enumerate(variables):
        if str(i) not in store:
            plan.problem(f"{what}: the file has no array {i} for {v.path!r}; it has {list(store)[:_SHOWN]}.", [v])
        else:
            plan.pair(what, v, store.dataset(str(i)))


def _plan_custom(plan: Plan, name: str, owner: Any, store: Reader) -> None:
    """A class with its own `load_own_variables` runs it now, with its writes held back."""
    what = f"{name} ({type(owner).__name__} {owner.name!r})"
    try:
        with StatelessScope() as scope:
            owner.load_own_variables(store)
    except (KerasFnError, ValueError, KeyError, TypeError) as e:
        plan.problem(f"{what}: {e}", owner._kf_own(), shape=isinstance(e, ShapeError))
        return
    plan.values += [(v, scope.state_mapping[key]) for key, v in scope.written.items()]


def _plan_seed(plan: Plan, owner: SeedGenerator, store: Reader) -> None:
    """Keras leaves seeds out of its files: where there is none, the generator keeps its own."""
    if "0" in store and tuple(store.dataset("0").shape) == tuple(owner.state.shape):
        plan.pairs.append((owner.state, store.dataset("0")))


def _plan_optimizer(plan: Plan, model: Any, owner: Optimizer, store: Reader) -> None:
    if not len(store):
        return
    if not owner.built and len(store) != len(owner.variables):
        owner.build(model.trainable_variables)
    variables = owner.variables
    if len(store) == WITHOUT_SLOTS < len(variables):  # it was saved before its first step
        variables = variables[:WITHOUT_SLOTS]
    fit = len(store) == len(variables) and all(
        str(i) in store and tuple(store.dataset(str(i)).shape) == tuple(v.shape) for i, v in enumerate(variables)
    )
    if fit:
        plan.pairs += [(v, store.dataset(str(i))) for i, v in enumerate(variables)]
    else:
        plan.note(
            f"The state of the optimizer {owner.name!r} is not loaded: it has {len(variables)} variables, and the file "
            f"has {len(store)}, or their shapes differ. Training goes on with a fresh optimizer.",
            variables,
        )


def _note_unknown(plan: Plan, root: File, known: set[str], where: str) -> None:
    """Weights in the file that no layer asked for."""
    unknown: list[str] = []

    for name, item in root.walk():
        is_vars = isinstance(item, Group) and name.rsplit("/", 1)[-1] == "vars" and len(item)
        if is_vars and name not in known and "optimizer" not in name and "seed_generator" not in name:
            unknown.append(name)
    if unknown:
        plan.note(
            f"{where} holds weights for which the model has no layer, and which are not used: "
            f"{', '.join(unknown[:_SHOWN])}.",
            names=unknown,
        )

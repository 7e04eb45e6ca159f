"""Plans: what a function did on tensors, written down once as a flat list of kernel calls and run again from the list.

A function whose code is the library's own (layers, losses, metrics, optimizers) does the same to all tensors of the
same shapes and dtypes. So one real call of it is watched: every kernel, cast and read or write of a cell that the
backend is asked for is noted, with the places (slots) that its tensors come from. Later calls run the notes: no layer
calls, no dispatch, no decisions on dtypes and masks. The kernels, their order and their arguments are the same, or
one call takes the place of two where it gives the same bits, so the results are equal bit for bit.

What cannot be written down stays a step of its own that calls the original code: layers, losses and metrics of the
user's own, whose Python may do anything, and layers in which a tensor turned up that no kernel made.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

from keras_fn.core import trees
from keras_fn.core.backend import Backend
from keras_fn.core.context import Call, context
from keras_fn.core.masks import get_mask
from keras_fn.core.plan_pairs import joined
from keras_fn.core.plan_steps import LastWrites, Step, needed
from keras_fn.core.spec import REGISTRY
from keras_fn.core.variable import Variable
from keras_fn.core.version import Watch

_recording = threading.Lock()
_OWN = __name__.partition(".")[0]
# how many signatures a function keeps plans for; a function that is called with ever new shapes gains nothing by them
MAX_PLANS = 16
# how many steps a plan may have: a loop that is written out takes one for each of its kernels and rounds
MAX_STEPS = 20_000


def is_own(thing: Any) -> bool:
    """Whether a function or class is the library's own, so that it does nothing beside computing."""
    return str(getattr(thing, "__module__", "")).partition(".")[0] == _OWN


def calls(fn: Callable[..., Any], own: bool, *args: Any, **kwargs: Any) -> Any:
    """Calls a function that may be the user's (`own` is false): a plan keeps it as one step that calls it again."""
    tape = context.tape
    return fn(*args, **kwargs) if tape is None or own else tape.opaque(fn, args, kwargs)


class Plan:
    """The notes of one call: run them on other tensors of the same signature.

    Args:
        template: the slots' contents before a run: constants, and None for what comes in or is computed.
        reads: slot -> variable whose cell goes there.
        parts: runs of steps with what the framework's gradient mode was: (mode, [(function, slot, getter, slot of the
            result, slots not needed any more)]); a step with one argument has its slot, one with more a getter.
        outputs: slots of the results, flat, and the structure that they are returned in.
    """

    __slots__ = ("backend", "has_code", "outputs", "parts", "reads", "structure", "template")

    def __init__(
        self, backend: Backend, template: list[Any], reads: list[Any], parts: list[Any], outputs: list[int], out: Any
    ) -> None:
        self.backend, self.template, self.reads, self.parts = backend, template, reads, parts
        self.outputs, self.structure = outputs, out
        self.has_code = any(isinstance(step[0], OpaqueCall) for _, steps in parts for step in steps)

    def run(self, inputs: list[Any]) -> Any:
        """The results for inputs, flat, in the order of the call that was watched."""
        if self.has_code and not context.depth:
            context.call = Call()  # losses that layers add belong to this run
        slots = self.template.copy()
        slots[: len(inputs)] = inputs
        for slot, variable in self.reads:
            slots[slot] = variable._cell
        for mode, steps in self.parts:
            if mode is None:
                _run(steps, slots)
            else:
                with self.backend.in_mode(mode):
                    _run(steps, slots)
        if self.structure is None:
            return None
        values = [slots[i] for i in self.outputs]
        return values[0] if self.structure is _ONE else self.structure.unflatten(values)

    def __len__(self) -> int:
        return sum(len(steps) for _, steps in self.parts)


_ONE = object()


def _run(steps: list[Any], slots: list[Any]) -> None:
    for function, place, getter, result, done in steps:
        slots[result] = function(slots[place]) if getter is None else function(*getter(slots))
        for slot in done:
            slots[slot] = None


class Tape:
    """Watches one call. `watch` makes one and puts it before the backend; layers and losses find it in the context."""

    def __init__(self, backend: Backend, held: list[Any], inputs: list[Any]) -> None:
        self.backend = backend
        self.thread = threading.get_ident()
        self.cells = {id(v._cell): v for v in held if isinstance(v, Variable)}
        self.template: list[Any] = []
        self.changing: list[bool] = []  # whether a slot differs from run to run
        self.known: dict[int, int] = {}
        self.kept: list[Any] = []  # ids stay those of the objects while these live
        self.steps: list[Step] = []
        self.reads: list[tuple[int, Variable]] = []
        self.layers: list[Any] = []
        self.losses: list[tuple[Any, int, Any]] = []  # those that hidden layers added: layer, number there, value
        self.hidden = 0  # inside a kernel, or code of the user's: what happens there is one step
        self.problem = ""
        self.retry = False
        for x in inputs:
            self._name(x, self._slot(None, changing=True))
        for x in held:
            if not isinstance(x, Variable):
                self._name(x, self._slot(x, changing=False))

    # --- slots
    def _slot(self, value: Any, changing: bool) -> int:
        self.template.append(None if changing else value)
        self.changing.append(changing)
        return len(self.template) - 1

    def _name(self, x: Any, slot: int) -> None:
        self.known[id(x)] = slot
        self.kept.append(x)

    def _place(self, x: Any) -> int:
        """The slot of an argument: of a tensor that is known, of a constant, or of a structure that is put together."""
        known = self.known.get(id(x))
        if known is not None:
            return known
        if isinstance(x, Variable):
            return self._place(x.value)
        if isinstance(x, (list, tuple, dict)):
            return self._structure(x)
        if id(x) in self.cells and self.backend.read_cell(x) is x:
            return self._read(x, self.cells[id(x)])
        if _is_tensor(x, self.backend):
            raise _UnknownError(f"a tensor of shape {tuple(x.shape)} came from elsewhere")
        if callable(x) and not isinstance(x, type):
            raise _UnknownError(f"the function {x!r} is an argument")
        return self._slot(x, changing=False)

    def _structure(self, x: Any) -> int:
        leaves = trees.flatten(x) if x else []
        places = [self._place(leaf) for leaf in leaves]
        if not any(self.changing[p] for p in places):
            return self._slot(x, changing=False)
        out = self._slot(None, changing=True)
        kind = type(x)
        if kind is list and not any(isinstance(e, (list, tuple, dict)) for e in x):
            self._step(_listed, places, out)
        else:
            self._step(_Put(trees.structure(x)), places, out)
        return out

    def _read(self, cell: Any, variable: Variable) -> int:
        slot = self._slot(None, changing=True)
        self.reads.append((slot, variable))
        self._name(cell, slot)
        return slot

    def _step(self, function: Callable[..., Any], places: list[int], out: int, effect: bool = False) -> None:
        self.steps.append(Step(self.backend.mode(), function, tuple(places), out, effect))

    # --- what happens
    def watched(
        self, function: Callable[..., Any], always: bool = True, effect: bool = False
    ) -> Callable[..., Any]:
        """A function of the backend that notes its calls.

        Args:
            function: the function.
            always: also where it gives back its own argument.
            effect: whether it does something beside giving back a result.
        """

        def run(*args: Any, **kwargs: Any) -> Any:
            if self.hidden or threading.get_ident() != self.thread:
                return function(*args, **kwargs)
            self.hidden += 1
            try:
                out = function(*args, **kwargs)
            finally:
                self.hidden -= 1
            if always or out is not args[0]:
                self.note(function, args, kwargs, out, effect)
            return out

        return run

    def note(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any, effect: bool
    ) -> None:
        """Notes a call and names its results."""
        if self.problem:
            return
        if len(self.steps) >= MAX_STEPS:
            self.fail(f"it has more than {MAX_STEPS} steps")
            return
        try:
            places = [self._place(x) for x in (*args, *kwargs.values())]
        except _UnknownError as e:
            self.fail(f"{getattr(function, '__name__', function)}: {e}")
            return
        changing = any(self.changing[p] for p in places)
        if kwargs:
            function = _with_names(function, len(args), tuple(kwargs))
        self._results(function if changing else None, places, out, effect)

    def _results(self, function: Callable[..., Any] | None, places: list[int], out: Any, effect: bool) -> None:
        """Names the results of a step, or of what is the same every time where there is no function."""
        if not isinstance(out, (list, tuple, dict)):
            slot = self.known.get(id(out)) if out is not None else None
            if slot is None or function is None or not self.changing[slot]:
                slot = self._slot(out, changing=function is not None)
                if out is not None:
                    self._name(out, slot)
                result = slot
            else:
                result = self._slot(None, changing=True)  # given back or written in place: it has its name
            if function is not None:
                self._step(function, places, result, effect)
            return
        whole = self._slot(out, changing=function is not None)
        if function is not None:
            self._step(function, places, whole, effect)
        self._parts(out, whole, function is not None)

    def _parts(self, out: Any, whole: int, changing: bool) -> None:
        """Names the parts of a result that is a structure."""
        items = out.items() if isinstance(out, dict) else enumerate(out)
        for key, value in items:
            if value is None or (id(value) in self.known and changing):
                continue  # a part that is written in place has its name
            slot = self._slot(value, changing)
            if changing:
                self._step(itemgetter(key), [whole], slot)
            if isinstance(value, (list, tuple, dict)):
                self._parts(value, slot, changing)
            else:
                self._name(value, slot)

    def read(self, cell: Any) -> Any:
        """`read_cell`, noted."""
        out = type(self.backend).read_cell(self.backend, cell)
        if self.hidden or self.problem or threading.get_ident() != self.thread:
            return out
        variable = self.cells.get(id(cell))
        if variable is None:
            self.fail("a variable that the model does not list was read")
        elif out is cell:
            if id(cell) not in self.known:
                self._read(cell, variable)
        else:  # cells that are objects of the framework: each read gives a tensor of its own
            slot = self._slot(None, changing=True)
            self._step(_value_of, [self._slot(variable, changing=False)], slot)
            self._name(out, slot)
        return out

    def write(self, cell: Any, value: Any) -> Any:
        """`write_cell`, noted."""
        self.hidden += 1
        try:
            out = type(self.backend).write_cell(self.backend, cell, value)
        finally:
            self.hidden -= 1
        if self.hidden or self.problem or threading.get_ident() != self.thread:
            return out
        variable = self.cells.get(id(cell))
        if out is not cell or variable is None:
            self.fail("a cell was written that is replaced by the write")
            return out
        try:
            place = self._place(value)
        except _UnknownError as e:
            self.fail(f"write of {variable.path}: {e}")
            return out
        where = self._slot(variable, changing=False)
        self._step(_write_to, [where, place], self._slot(None, changing=True), effect=True)
        self.steps[-1].written = variable
        return out

    def loss(self, layer: Any, value: Any) -> None:
        """Notes that a layer added a loss: one of ours adds it in each run, one of the user's has done so by then."""
        if self.hidden:
            self.losses.append((layer, len(layer._kf_losses) - 1, value))
        else:
            self.note(_KeepLoss(layer), (value,), {}, None, effect=True)

    def layer(self, layer: Any, own: bool, run: Callable[[], Any], args: Any, kwargs: Any) -> Any:
        """The call of a layer: looked into where it is the library's own, else one step."""
        if self.hidden or self.problem:
            return run()
        if not own or layer.__dict__.get("_kf_opaque"):
            return self.opaque(layer, args, kwargs, _Weak(layer))
        self.layers.append(layer)
        out = run()
        if not self.problem:  # else the stack stays, and says where the problem was
            self.layers.pop()
        return out

    def opaque(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], later: Any = None
    ) -> Any:
        """Calls code of the user's, and notes the call as one step; `later` is what the plan calls instead of it."""
        if context.scope is not None:
            self.fail("code of the user's runs in a scope that catches what it writes")
        if self.hidden or self.problem:
            return function(*args, **kwargs)
        again = OpaqueCall(later or function, args, kwargs)
        flat = trees.flatten((args, kwargs))
        self.hidden += 1
        try:
            out = function(*args, **kwargs)
        finally:
            self.hidden -= 1
        try:
            places = [self._place(x) for x in again.tensors(flat, self)]
        except _UnknownError as e:
            self.fail(str(e))
            return out
        step: Callable[..., Any] = again
        if not places:
            step, places = (lambda _: again()), [self._slot(None, changing=False)]
        self._results(step, places, out, effect=True)
        self.steps[-1].opaque = True
        for x in trees.flatten(out):
            mask = get_mask(x)
            if mask is not None and id(mask) not in self.known:
                self._results(get_mask, [self.known[id(x)]], mask, effect=False)
        for layer, number, value in self.losses:
            self._results(_LossOf(layer, number), [self._slot(None, changing=False)], value, effect=True)
        self.losses.clear()
        return out

    def fail(self, problem: str) -> None:
        """There will be no plan from this call. Where a layer was the reason, the next one takes it as one step."""
        if self.problem:
            return
        self.problem = problem
        if self.layers:
            self.layers[-1].__dict__["_kf_opaque"] = True
            self.retry = True

    # --- the result
    def plan(self, out: Any) -> Plan | None:
        """The plan, given what the call returned; None where there was a problem."""
        outputs: list[int] = []
        if out is not None and not self.problem:
            for x in trees.flatten(out):
                slot = self.known.get(id(x))
                if slot is None or not self.changing[slot]:
                    self.fail("a result is the same every time")
                    return None
                outputs.append(slot)
        if self.problem:
            return None
        shape = None if out is None else trees.structure(out) if isinstance(out, (list, tuple, dict)) else _ONE
        steps = self._arranged(outputs)
        used = {place for step in steps for place in step.places}.union(outputs)
        reads = [(slot, v) for slot, v in self.reads if slot in used]
        return Plan(self.backend, self.template, reads, self._grouped(steps, outputs), outputs, shape)

    def _grouped(self, steps: list[Step], outputs: list[int]) -> list[Any]:
        """The steps by gradient mode, each with the slots that nobody needs after it."""
        last: dict[int, int] = {}
        for i, step in enumerate(steps):
            for slot in (*step.places, step.out):
                if self.changing[slot]:
                    last[slot] = i
        done: dict[int, list[int]] = {}
        for slot, i in last.items():
            if slot not in outputs:
                done.setdefault(i, []).append(slot)
        parts: list[Any] = []
        outside = self.backend.mode()
        for i, step in enumerate(steps):
            mode = None if step.mode == outside else step.mode
            if not parts or parts[-1][0] != mode:
                parts.append((mode, []))
            one, many = (step.places[0], None) if len(step.places) == 1 else (-1, itemgetter(*step.places))
            parts[-1][1].append((step.function, one, many, step.out, tuple(done.get(i, ()))))
        return parts

    def _arranged(self, outputs: list[int]) -> list[Step]:
        """The steps that are needed, pairs of them joined, and the writes of cells last."""
        objects = {id(x): x for x in self.kept}
        values = {slot: objects.get(key) for key, slot in self.known.items()}

        def value_of(slot: int) -> Any:
            return values.get(slot) if self.changing[slot] else self.template[slot]

        steps = joined(self.backend, needed(self.steps, outputs), outputs, value_of)
        return LastWrites(self.backend, steps, self.reads, value_of, self._made).ordered(outputs)

    def _made(self, value: Any) -> int:
        return self._slot(value, changing=value is None)


class _Weak:
    """Calls a layer. A plan belongs to a model, and must not keep it alive, which may be the layer."""

    __slots__ = ("layer",)

    def __init__(self, layer: Any) -> None:
        self.layer = weakref.ref(layer)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.layer()(*args, **kwargs)  # type: ignore[misc]


class _KeepLoss(_Weak):
    """Adds a loss to a layer."""

    __slots__ = ()

    def __call__(self, loss: Any) -> None:
        self.layer()._kf_keep_loss(loss)  # type: ignore[union-attr]


class _LossOf(_Weak):
    """A loss that a layer has added while it was called."""

    __slots__ = ("number",)

    def __init__(self, layer: Any, number: int) -> None:
        super().__init__(layer)
        self.number = number

    def __call__(self, _: Any) -> Any:
        return self.layer()._kf_losses[self.number]  # type: ignore[union-attr]


class OpaqueCall:
    """Code of the user's in a plan: called anew in each run, in the context that it had."""

    __slots__ = ("autocast", "function", "places", "structure", "training", "values")

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.function = function
        self.training, self.autocast = context.training, context.autocast
        self.structure = trees.structure((args, kwargs))
        self.values = trees.flatten((args, kwargs))
        self.places: list[int] = []

    def tensors(self, flat: list[Any], tape: Tape) -> list[Any]:
        """The tensors among the arguments, whose places among them are noted."""
        self.places = [i for i, x in enumerate(flat) if id(x) in tape.known or _is_tensor(x, tape.backend)]
        for i in self.places:
            self.values[i] = None  # else the plan would keep the tensors of the watched call
        return [flat[i] for i in self.places]

    def __call__(self, *tensors: Any) -> Any:
        values = self.values.copy()
        for i, x in zip(self.places, tensors, strict=True):
            values[i] = x
        args, kwargs = self.structure.unflatten(values)
        before = context.training, context.autocast, context.masks, context.depth
        context.training, context.autocast = self.training, self.autocast
        context.depth += 1
        if context.masks is None:
            context.masks = {}
        try:
            return self.function(*args, **kwargs)
        finally:
            context.training, context.autocast, context.masks, context.depth = before


class Plans:
    """The plans of a function of tensors, one for each signature of its arguments.

    The first call with a signature runs the function as it is (it may build things), the second one is watched, and
    from the third on the plan runs.

    Args:
        backend: the backend of the tensors.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.watch = Watch()
        self.plans: dict[Any, Any] = {}
        self.reasons: list[str] = []  # why there is no plan, for those who ask

    def possible(self) -> bool:
        """Whether this is a moment for plans: eager, and nobody is tracing, watching or swapping variables."""
        return context.tape is None and context.scope is None and self.backend.eager()

    def run(
        self, key: Any, flat: list[Any], function: Callable[[], Any], held: Callable[[], list[Any]]
    ) -> Any:
        """Runs the plan of a signature, or `function`, and makes the plan where it is due.

        Args:
            key: what tells the signatures apart, beside the backend's mode.
            flat: the tensors, and what lies between them.
            function: the call itself.
            held: gives the variables that it reads and writes, and the tensors that are constants of it.
        """
        if not self.watch.holds(lambda: _variables(held())):
            self.plans.clear()
        key = (self.backend.mode(), key)
        plan = self.plans.get(key)
        if type(plan) is Plan:
            return plan.run(flat)
        if plan == _NEVER:
            return function()
        if plan is None:
            if len(self.plans) >= MAX_PLANS:
                self.plans.pop(next(iter(self.plans)))
            self.plans[key] = 1
            return function()
        return self._watched(key, plan, flat, function, held)

    def _watched(self, key: Any, tries: int, flat: list[Any], function: Any, held: Any) -> Any:
        if not _recording.acquire(blocking=False):
            return function()  # another thread is watching: at another call, then
        try:
            tape = Tape(self.backend, held(), flat)
            with watching(tape):
                out = function()
            plan = tape.plan(out)
        finally:
            _recording.release()
        if not self.watch.holds(lambda: _variables(held())):  # the call made or froze weights: once more
            self.plans.clear()
            return out
        if plan is not None:
            self.plans[key] = plan
        else:
            self.reasons.append(tape.problem)
            self.plans[key] = tries + 1 if tape.retry and tries < _TRIES else _NEVER
        return out


class Planned:
    """A function of structures of tensors that runs as plans.

    Args:
        function: the function. What it does beside computing must go through variables.
        variables: gives the variables that it reads and writes.
        backend: the backend of its tensors.
    """

    def __init__(
        self, function: Callable[..., Any], variables: Callable[[], list[Variable]], backend: Backend
    ) -> None:
        self.function, self.variables = function, variables
        self.plans = Plans(backend)

    def __call__(self, *args: Any) -> Any:
        """What the function returns."""
        plans = self.plans
        if plans.possible():
            flat = trees.flatten(args[0] if len(args) == 1 else args)
            key = signature(flat, plans.backend)
            if key is not None:
                return plans.run(key, flat, lambda: self.function(*args), self.variables)
        return self.function(*args)


def _variables(held: list[Any]) -> list[Variable]:
    return [v for v in held if isinstance(v, Variable)]


_NEVER = -1
_TRIES = 64  # each one takes one more layer as a single step


def signature(flat: list[Any], backend: Backend) -> Any:
    """Shapes and dtypes of tensors, and the constants between them; None where something does not fit into a plan."""
    key: list[Any] = []
    kinds = backend.tensor_classes
    for x in flat:
        if x.__class__ in kinds:
            if getattr(x, "_keras_mask", None) is not None:
                return None
            key.append((x.shape, x.dtype))
        elif x is None or x.__class__ in (int, float, bool, str):
            key.append((x.__class__, x))
        else:
            return None
    return tuple(key)


@contextmanager
def watching(tape: Tape) -> Iterator[None]:
    """Puts a tape between the library and the backend for the length of a with block."""
    backend = tape.backend
    before = dict(backend.__dict__)
    kernels = backend.kernels
    _forget_short_ways(backend)
    backend.kernels = _WatchedKernels(kernels, tape)
    backend.convert = tape.watched(backend.convert, always=False)
    backend.constant = tape.watched(backend.constant, always=False)
    backend.cast = tape.watched(backend.cast, always=False)
    backend.read_cell = tape.read
    backend.write_cell = tape.write
    context.tape = tape
    try:
        yield
    finally:
        context.tape = None
        backend.__dict__.clear()
        backend.__dict__.update(before)
        _forget_short_ways(backend)


class _WatchedKernels(dict[str, Any]):
    def __init__(self, kernels: dict[str, Any], tape: Tape) -> None:
        # the kernels of optimizers write into their arguments; those of loops that are written out call watched ones
        watched = {
            n: k if getattr(k, "written_out", False) else tape.watched(k, effect=n.startswith("update_"))
            for n, k in kernels.items()
        }
        super().__init__(watched)


def _forget_short_ways(backend: Backend) -> None:
    """Ops remember the kernel for a dtype, past the backend's table."""
    for op in REGISTRY.values():
        op.forget_kernels(backend)


def _is_tensor(x: Any, backend: Backend) -> bool:
    return backend.is_tensor(x) or x.__class__ in backend.sparse_classes


class _UnknownError(Exception):
    """An argument whose origin is not known."""


def _listed(*values: Any) -> list[Any]:
    return list(values)


class _Put:
    """Puts tensors into a structure."""

    __slots__ = ("structure",)

    def __init__(self, structure: Any) -> None:
        self.structure = structure

    def __call__(self, *values: Any) -> Any:
        return self.structure.unflatten(values)


def _value_of(variable: Variable) -> Any:
    return variable.backend.read_cell(variable._cell)


def _write_to(variable: Variable, value: Any) -> None:
    variable._cell = variable.backend.write_cell(variable._cell, value)


def _with_names(function: Callable[..., Any], count: int, names: tuple[str, ...]) -> Callable[..., Any]:
    def run(*values: Any) -> Any:
        return function(*values[:count], **dict(zip(names, values[count:], strict=True)))

    return run

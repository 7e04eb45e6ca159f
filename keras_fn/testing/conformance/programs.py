"""Groups `compiled`, `retrace` and `state`: steps as the trainer compiles them, and the cells that they write."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

import keras_fn
from keras_fn import ops
from keras_fn.core.backend import active
from keras_fn.core.variable import StatelessScope, Variable
from keras_fn.testing.conformance.calls import (
    Mismatch,
    apply,
    arrays_of,
    compare,
    computed,
    facts,
    leaves,
    numpy_of,
    tensors,
)
from keras_fn.testing.samples import Call, Sample


class Program:
    """A call of an op as a compiled step that counts how often its Python runs.

    Args:
        sample: the op.
        call: its arguments.
    """

    _last: ClassVar[tuple[Any, Program] | None] = None

    def __init__(self, sample: Sample, call: Call) -> None:
        self.traces = 0
        self.values = arrays_of(call)

        def step(*operands: Any) -> Any:
            self.traces += 1
            return apply(sample, call, operands)

        self.step = active.backend.compile_step(step, list, "auto")

    @classmethod
    def of(cls, sample: Sample, call: Call) -> Program:
        """The program of a call. The last one is kept: what follows in the list of items asks for the same."""
        key = (active.backend, id(sample), id(call))
        if cls._last is None or cls._last[0] != key:
            cls._last = key, cls(sample, call)
        return cls._last[1]

    def run(self) -> Any:
        """What the step gives for new tensors of the same values."""
        with np.errstate(all="ignore"):
            return self.step(*tensors(self.values))


def check_compiled(sample: Sample, call: Call) -> None:
    """A compiled step gives what the op gives at once."""
    values = arrays_of(call)
    eager = computed(sample, call, values)
    got = leaves(Program.of(sample, call).run())
    wanted = [facts(x)[1] for x in eager]
    if [facts(x)[1] for x in got] != wanted:
        raise Mismatch(f"Compiled, the dtypes are {[facts(x)[1] for x in got]}, and at once {wanted}.")
    compare(got, [numpy_of(x) for x in eager], sample.tolerance)


def compiles() -> bool:
    """Whether the backend makes something of a step, or runs it as it is."""
    step: Callable[..., Any] = lambda x: x  # noqa: E731
    return active.backend.compile_step(step, list, "auto") is not step


def _equal(got: Any, wanted: Any, what: str) -> None:
    got, wanted = np.asarray(got), np.asarray(wanted)
    if got.shape != wanted.shape or not np.allclose(got, wanted, rtol=1e-5, atol=1e-6):
        raise Mismatch(f"{what}: {got.tolist()} came, and {wanted.tolist()} was wanted.")


# --- retrace
def _traces(
    make: Callable[[], tuple[Callable[..., Any], Callable[[], list[Any]]]], shapes: list[tuple[int, ...]]
) -> list[int]:
    """How often the step's Python had run after each call."""
    counted = [0]
    fn, variables = make()

    def step(x: Any) -> Any:
        counted[0] += 1
        return fn(x)

    compiled = active.backend.compile_step(step, variables, "auto")
    seen = []
    for shape in shapes:
        compiled(ops.convert_to_tensor(np.ones(shape, "float32")))
        seen.append(counted[0])
    return seen


def _plain() -> Any:
    return (lambda x: ops.sum(ops.multiply(x, 2.0))), list


def _stateful() -> Any:
    total = Variable(0.0, name="total")
    return (lambda x: total.assign_add(ops.sum(x))), lambda: [total]


def _seeded() -> Any:
    seed = keras_fn.random.SeedGenerator(3)
    return (lambda x: keras_fn.random.dropout(x, 0.5, seed=seed)), lambda: [seed.state]


def _looped() -> Any:
    return (lambda x: ops.fori_loop(0, 3, lambda i, v: ops.multiply(v, 2.0), x)), list


def check_traced_once(sample: Sample, call: Call) -> None:
    """The third call of one signature runs no Python of the step any more."""
    program = Program.of(sample, call)
    program.run()
    program.run()
    before = program.traces
    program.run()
    if program.traces > before:
        raise Mismatch(f"The step's Python ran again in another call with equal shapes: {program.traces} times in all.")


def check_retrace(make: Any) -> None:
    """Calls of one signature are traced at first, twice at most; a second signature leaves the first one known."""
    a, b = (2, 3), (4, 3)
    seen = _traces(make, [a, a, a, a, b, b, b, a, b])
    if seen[3] > seen[1] or seen[8] > seen[5]:
        raise Mismatch(f"After calls of the shapes a a a a b b b a b, the step's Python had run {seen} times.")


RETRACE = {"plain": _plain, "stateful": _stateful, "seeded": _seeded, "looped": _looped}


# --- state
def _written() -> None:
    for name in ("float32", "int32", "bool"):
        v = Variable(np.array([0, 1, 1]), dtype=name)
        v.assign(np.array([1, 0, 1]).astype(name))
        _equal(v.numpy(), np.array([1, 0, 1]).astype(name), f"A {name} variable after assign")
        if facts(v.value) != ((3,), name):
            raise Mismatch(f"A variable of {name} holds {facts(v.value)}.")


def _added() -> None:
    v = Variable([1.0, 2.0])
    v.assign_add([0.5, 0.5])
    v.assign_sub([1.0, 1.0])
    _equal(v.numpy(), [0.5, 1.5], "After assign_add and assign_sub")


def _copies() -> None:
    host = np.array([1.0, 2.0], "float32")
    v, w = Variable(host), Variable(host)
    host[0] = 9.0
    v.assign([5.0, 6.0])
    _equal(w.numpy(), [1.0, 2.0], "A variable made of an array that was written later")
    kept = active.backend.copy_to_numpy(w.value)
    w.assign([7.0, 7.0])
    _equal(kept, [1.0, 2.0], "A copy taken before a write")


def _stepped() -> None:
    v = Variable([1.0, 2.0])

    def step(x: Any) -> Any:
        v.assign(ops.add(ops.multiply(v, 2.0), x))
        return ops.sum(v)

    compiled = active.backend.compile_step(step, lambda: [v], "auto")
    last = None
    for _ in range(3):
        last = compiled(ops.convert_to_tensor([1.0, 0.0]))
    _equal(v.numpy(), [15.0, 16.0], "A variable after three compiled steps")
    _equal(numpy_of(last), 31.0, "What the last of them returned")


def _scoped() -> None:
    v = Variable([1.0, 2.0])
    with StatelessScope([(v, ops.convert_to_tensor([5.0, 6.0]))]) as scope:
        _equal(numpy_of(v.value), [5.0, 6.0], "A variable inside a scope")
        v.assign(ops.add(v, 1.0))
        _equal(numpy_of(v.value), [6.0, 7.0], "A variable written inside a scope")
    _equal(v.numpy(), [1.0, 2.0], "The same variable outside")
    _equal(numpy_of(scope.get_current_value(v)), [6.0, 7.0], "What the scope says")


def _threads() -> None:
    v, seen = Variable([1.0]), []
    with StatelessScope([(v, ops.convert_to_tensor([5.0]))]):
        other = threading.Thread(target=lambda: seen.append(v.numpy().tolist()))
        other.start()
        other.join()
    _equal(seen, [[1.0]], "A variable that another thread reads while this one has a scope")


def _drawn() -> None:
    seed = keras_fn.random.SeedGenerator(3)
    first, second = (ops.convert_to_numpy(keras_fn.random.normal((4,), seed=seed)) for _ in range(2))
    if np.array_equal(first, second):
        raise Mismatch("A SeedGenerator gave the same numbers twice.")


def _looped_writes() -> None:
    v = Variable(0.0)

    def step(x: Any) -> Any:
        return ops.fori_loop(0, 3, lambda i, t: (v.assign_add(1.0), ops.add(t, v))[1], x)

    out = active.backend.compile_step(step, lambda: [v], "auto")(ops.convert_to_tensor(0.0))
    _equal(numpy_of(out), 6.0, "A loop that writes and reads a variable")
    _equal(v.numpy(), 3.0, "The variable after it")


STATE: dict[str, Callable[[], None]] = {
    "write": _written, "add": _added, "copies": _copies, "step": _stepped, "scope": _scoped, "threads": _threads,
    "seeds": _drawn, "loop": _looped_writes,
}  # fmt: skip

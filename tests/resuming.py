"""A training run with everything that has state, which can be cut off and taken up again: for tests."""

from __future__ import annotations

import itertools
import pathlib
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import keras_fn
from keras_fn import callbacks, layers

ROWS, EPOCHS, BATCH = 44, 4, 5
_rng = np.random.default_rng(0)
X = _rng.normal(size=(ROWS, 6)).astype("float32")
Y = _rng.integers(0, 3, ROWS)


class Killed(BaseException):
    """Stands for the end of the process."""


class Kill(callbacks.Callback):
    """Kills the run after so many batches."""

    comes_last = True

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if not self.left:
            raise Killed


class Counts(callbacks.Callback):
    """A user's callback with state of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[float] = []
        self.total = np.zeros(3)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seen.append(logs["loss"])
        self.total = self.total + epoch

    def get_state(self) -> dict[str, Any]:
        return {"seen": self.seen, "total": self.total}

    def set_state(self, state: dict[str, Any]) -> None:
        self.seen, self.total = state["seen"], state["total"]


# --- data
class Shuffled:
    """Batches by index, shuffled after each epoch by a generator of its own."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(5)
        self.order = np.arange(ROWS)

    def __len__(self) -> int:
        return ROWS // BATCH

    def __getitem__(self, i: int) -> Any:
        rows = self.order[i * BATCH : (i + 1) * BATCH]
        return X[rows] + np.random.normal(size=(len(rows), 6)).astype("float32") / 10, Y[rows]  # noise: NumPy's global

    def on_epoch_end(self) -> None:
        self.rng.shuffle(self.order)


class Stream:
    """Begun anew each epoch, in an order of NumPy's global generator."""

    def __iter__(self) -> Iterator[Any]:
        order = np.random.permutation(ROWS)
        for start in range(0, ROWS - BATCH + 1, BATCH):
            rows = order[start : start + BATCH]
            yield X[rows], Y[rows]


def endless() -> Iterator[Any]:
    """A generator that is never begun anew."""
    for i in itertools.count():
        rows = np.arange(BATCH * i, BATCH * i + BATCH) % ROWS
        yield X[rows], Y[rows]


DATA: dict[str, tuple[Any, dict[str, Any]]] = {
    "arrays": (lambda: (X, Y), {"validation_split": 0.2}),
    "indexed": (Shuffled, {}),
    "stream": (Stream, {}),
    "generator": (endless, {"steps_per_epoch": 7}),
    "epochs end inside": (Stream, {"steps_per_epoch": 5}),
}
# other modules add theirs, which they test themselves
PLAIN = tuple(DATA)


# --- the run
def model(policy: str = "float32", steps: Any = "auto", scaled: bool = False) -> Any:
    """Dropout, moving statistics, moving averages of weights, collected gradients; a loss that is scaled if asked."""
    keras_fn.core.naming.reset()
    made = keras_fn.Sequential([
        keras_fn.Input((6,)), layers.Dense(8, activation="relu", dtype=policy), layers.BatchNormalization(dtype=policy),
        layers.Dropout(0.4, dtype=policy), layers.Dense(3, dtype="float32"),
    ])  # fmt: skip
    optimizer = keras_fn.optimizers.Adam(0.02, use_ema=True, ema_overwrite_frequency=3, gradient_accumulation_steps=2)
    if scaled:  # the scale doubles within the run, and a first one that is too large skips steps
        optimizer = keras_fn.optimizers.LossScaleOptimizer(optimizer, initial_scale=2.0**24, dynamic_growth_steps=4)
    loss = keras_fn.losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile(optimizer, loss, metrics=["accuracy"], steps_per_execution=steps)
    return made


_made: dict[Any, tuple[Any, list[Any]]] = {}


def forget() -> None:
    """The next model is made anew."""
    _made.clear()


def as_new(policy: str = "float32", steps: Any = "auto", scaled: bool = False) -> Any:
    """The model as a new process makes it: nothing is left of what it learned. Compiled steps stay, to save time."""
    if (policy, steps, scaled) not in _made:
        made = model(policy, steps, scaled)
        made.optimizer.build(made.trainable_variables)
        first = [(v, v.numpy()) for v in (*made.variables, *made.optimizer.variables)]
        _made[policy, steps, scaled] = made, first
    made, first = _made[policy, steps, scaled]
    for v in made._kf_state:
        v.assign(np.full(v.shape, 7, v.dtype))
    for v, value in first:
        v.assign(value)
    made._kf_cache.pop(("times", "train"), None)
    keras_fn.utils.set_random_seed(3)
    return made


def listeners(folder: pathlib.Path) -> list[Any]:
    """Callbacks that keep state."""
    return [
        callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True),
        callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
        callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=1.0),
        callbacks.CSVLogger(folder / "log.csv"),
        callbacks.ModelCheckpoint(
            folder / "{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=4, keep=2
        ),
        Counts(),
    ]  # fmt: skip


def train(
    folder: pathlib.Path, data: str = "arrays", kill: int | None = None, save_freq: Any = 1, policy: str = "float32",
    extra: Any = (), steps: Any = "auto", scaled: bool = False, **backup: Any,
) -> tuple[Any, Any]:  # fmt: skip
    """The run, or what is left of it. Returns the variables, and what else there is to compare."""
    folder.mkdir(exist_ok=True)
    made = as_new(policy, steps, scaled)
    several = [*listeners(folder), *extra, callbacks.BackupAndRestore(folder / "b", save_freq=save_freq, **backup)]
    if kill is not None:
        several.append(Kill(kill))
    make, arguments = DATA[data]
    given = make()
    x, y = given if isinstance(given, tuple) else (given, None)
    if y is not None:
        arguments = {**arguments, "batch_size": BATCH}
    history = made.fit(x, y, epochs=EPOCHS, verbose=0, callbacks=several, **arguments)
    state = [(v.path, v.numpy()) for v in made._kf_state]
    files = {p.name: None if p.suffix == ".h5" else p.read_bytes() for p in sorted(folder.iterdir()) if p.is_file()}
    return state, (history.history, history.epoch, several[5].seen, several[5].total.tolist(), files)


def same(one: tuple[Any, Any], other: tuple[Any, Any]) -> None:
    """All variables to the last bit, and what else came of the run."""
    for (path, a), (_, b) in zip(one[0], other[0], strict=True):
        np.testing.assert_array_equal(a, b, err_msg=path)
    assert one[1] == other[1]


def cut_and_compare(folder: pathlib.Path, data: str, kills: Sequence[int] = (11, 6)) -> None:
    """A run that is cut off after so many batches, and again, ends with the bits of one that was not, and no warning.

    The first cut falls into the second epoch, and the next ones into what is left.
    """
    whole = train(folder / "whole", data)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*(other batches|another order)")
        for kill in kills:
            try:
                train(folder / "cut", data, kill=kill)
            except Killed:
                continue
            raise AssertionError(f"the run ended before {kill} batches")
        same(whole, train(folder / "cut", data))

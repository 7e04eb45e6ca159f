"""Ctrl-C at any moment of `fit` leaves a model that is usable, and holds the weights of whole steps."""

from __future__ import annotations

import inspect
import pathlib
import random
import signal
import sys
import threading
from types import FrameType
from typing import Any

import numpy as np
import pytest

import keras_fn
from keras_fn import callbacks, layers
from keras_fn.core.backend import active
from keras_fn.trainer.interrupts import WholeSteps

X = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
Y = X.sum(1, keepdims=True)


@pytest.fixture(autouse=True)
def python_handles_ctrl_c():
    """A shell starts what runs in its background with Ctrl-C ignored; Python then leaves it so."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Interrupt:
    """For the length of a with block, Ctrl-C at the n-th call of a Python function; calls are counted."""

    def __init__(self, at: int) -> None:
        self.at, self.seen = at, 0
        self.thread = threading.get_ident()

    def _look(self, frame: FrameType, event: str, _: Any) -> None:
        # Python drops what is raised while a generator is closed, so that no library could act on it
        if event == "call" and not frame.f_code.co_flags & inspect.CO_GENERATOR:
            self.seen += 1
            if self.seen == self.at:
                signal.raise_signal(signal.SIGINT)

    def __enter__(self) -> Interrupt:
        sys.setprofile(self._look)
        return self

    def __exit__(self, *exc: Any) -> None:
        sys.setprofile(None)


def model() -> Any:
    keras_fn.utils.set_random_seed(0)
    keras_fn.core.naming.reset()
    made = keras_fn.Sequential([
        keras_fn.Input((4,)), layers.Dense(5, activation="relu"), layers.BatchNormalization(), layers.Dense(1),
    ])  # fmt: skip
    made.compile(keras_fn.optimizers.Adam(0.05), "mse", steps_per_execution=1)
    return made


def weights(made: Any) -> list[Any]:
    return [v.numpy() for v in made.weights]


def fit(made: Any, *listening: Any) -> None:
    made.fit(X, Y, batch_size=4, epochs=2, verbose=0, shuffle=False, validation_split=0.2, callbacks=list(listening))


class Cut:
    """What a run that was cut off must hold, and whether it can be used."""

    def __init__(self) -> None:
        made = self.made = model()
        made.optimizer.build(made.trainable_variables)
        self.first = [(v, v.numpy()) for v in (*made.weights, *made.optimizer.variables)]
        self.after = [weights(made)]
        fit(made, callbacks.LambdaCallback(on_train_batch_end=lambda *_: self.after.append(weights(made))))

    def begin(self) -> Any:
        for v, value in self.first:
            v.assign(value)
        return self.made

    def holds_whole_steps(self, made: Any) -> int:
        """The number of steps whose weights it holds."""
        now = weights(made)
        found = [k for k, w in enumerate(self.after) if all(map(np.array_equal, w, now))]
        assert found, "weights of no whole number of steps"
        return found[0]


if active.backend.differentiable:

    def test_at_any_call(tmp_path: pathlib.Path) -> None:
        cut, rng, steps = Cut(), random.Random(0), set()
        with Interrupt(-1) as counted:
            fit(cut.begin())
        for _ in range(60):
            made = cut.begin()
            with Interrupt(rng.randint(1, counted.seen)) as asked:
                try:
                    fit(made)
                except KeyboardInterrupt:
                    pass
                else:
                    assert asked.seen < asked.at, "Ctrl-C got lost"
            steps.add(cut.holds_whole_steps(made))
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert len(steps) > 4
        made = cut.begin()
        fit(made)  # whatever was left of the runs that were cut off, this one is as the first
        assert cut.holds_whole_steps(made) == len(cut.after) - 1
        made.save(tmp_path / "m.keras")
        assert made.predict(X, verbose=0).shape == (24, 1)

    def test_while_it_is_built_and_compiled(tmp_path: pathlib.Path) -> None:
        cut, rng = Cut(), random.Random(1)
        fresh = model()
        with Interrupt(-1) as counted:
            fit(fresh)
        for i in range(2):
            made = model()
            with Interrupt(rng.randint(1, counted.seen // 2)), pytest.raises(KeyboardInterrupt):
                fit(made)
            cut.holds_whole_steps(made)
            made.set_weights(cut.after[0])
            made.compile(keras_fn.optimizers.Adam(0.05), "mse", steps_per_execution=1)
            fit(made)
            assert cut.holds_whole_steps(made) == len(cut.after) - 1
            made.save(tmp_path / f"{i}.keras")

    def test_callbacks_hear_of_it() -> None:
        heard: list[str] = []

        class Listens(callbacks.Callback):
            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                signal.raise_signal(signal.SIGINT)

            def on_train_abort(self) -> None:
                heard.append("abort")

            def on_train_end(self, logs: Any = None) -> None:
                heard.append("end")

        made = model()
        with pytest.raises(KeyboardInterrupt):
            fit(made, Listens())
        assert heard == ["abort"]
        assert int(made.optimizer.iterations.numpy()) == 1

    def test_in_another_thread() -> None:
        made, failed = model(), []

        def run() -> None:
            try:
                fit(made)
            except BaseException as e:
                failed.append(e)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        assert not failed


def test_only_the_first_one_waits() -> None:
    order: list[str] = []

    def twice_in_a_step() -> None:
        with WholeSteps() as whole, whole.step:
            signal.raise_signal(signal.SIGINT)
            order.append("went on")
            signal.raise_signal(signal.SIGINT)
            order.append("never")

    def once_in_a_step() -> None:
        with WholeSteps() as whole:
            with whole.step:
                signal.raise_signal(signal.SIGINT)
                order.append("to its end")
            order.append("never")

    for work in (twice_in_a_step, once_in_a_step):
        with pytest.raises(KeyboardInterrupt):
            work()
    assert order == ["went on", "to its end"]


def test_a_handler_of_the_user_is_called_and_comes_back() -> None:
    seen: list[int] = []

    def mine(number: int, frame: Any) -> None:
        seen.append(number)

    before = signal.signal(signal.SIGINT, mine)
    try:
        with WholeSteps() as whole:
            with whole.step:
                signal.raise_signal(signal.SIGINT)
                assert not seen
            assert seen == [signal.SIGINT]
        assert signal.getsignal(signal.SIGINT) is mine
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with WholeSteps() as whole, whole.step:
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)

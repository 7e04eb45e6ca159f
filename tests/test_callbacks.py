"""Callbacks: what they do at which epoch, what they write, and going on after a run was killed."""

from __future__ import annotations

import csv
import itertools
import pathlib
from typing import Any

import numpy as np
import pytest

import keras_fn
from keras_fn import callbacks, layers
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, FileFormatError, StructureError

X = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
Y = (X.sum(1) > 0).astype("int32")


def model(optimizer: Any = "sgd", dropout: float = 0.0) -> Any:
    x = keras_fn.Input((4,))
    h = layers.Dropout(dropout)(layers.Dense(5, activation="relu")(x)) if dropout else x
    made = keras_fn.Model(x, layers.Dense(2, activation="softmax")(h))
    made.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


class Values(callbacks.Callback):
    """Puts values into the logs, one an epoch."""

    def __init__(self, *values: float) -> None:
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["v"] = self.values[epoch]


class Calls(callbacks.Callback):
    """Notes which moments came."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []


for _name in [n for n in dir(callbacks.Callback) if n.startswith("on_") and "_batch_" not in n]:
    setattr(Calls, _name, lambda self, *args, name=_name, **kwargs: self.seen.append(name))


def simulate(callback: Any, values: list[float], made: Any = None) -> tuple[int, list[dict[str, float]]]:
    """Runs a callback over epochs with given logs, as `fit` does; returns how many epochs, and the logs."""
    made = made or model()
    callback.set_model(made)
    callback.on_train_begin()
    made.stop_training = False
    notes = []
    for epoch, value in enumerate(values):
        logs = {"v": value, "loss": value}
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, logs)
        notes.append(logs)
        if made.stop_training:
            break
    callback.on_train_end()
    return len(notes), notes


# numbers of epochs are those of Keras 3.15.1 on the same values
STOPS = [
    ({"patience": 0}, 4, 3, 0.85, 2),
    ({"patience": 2}, 5, 4, 0.85, 2),
    ({"patience": 1, "min_delta": 0.1}, 2, 1, 1, 0),
    ({"patience": 1, "baseline": 0.5}, 4, 3, 0.85, 2),
    ({"patience": 1, "start_from_epoch": 3}, 5, 4, 0.86, 3),
    ({"patience": 1, "mode": "max"}, 2, 1, 1, 0),
]


@pytest.mark.parametrize(("arguments", "epochs", "stopped", "best", "best_epoch"), STOPS)
def test_early_stopping(arguments: dict[str, Any], epochs: int, stopped: int, best: float, best_epoch: int) -> None:
    stop = callbacks.EarlyStopping("v", **{"mode": "min", **arguments})
    ran, _ = simulate(stop, [1, 0.9, 0.85, 0.86, 0.87, 0.8, 0.8, 0.9])
    assert (ran, stop.stopped_epoch, stop.best, stop.best_epoch) == (epochs, stopped, best, best_epoch)


def test_early_stopping_puts_the_best_weights_back(capsys: Any) -> None:
    made = model()
    stop = callbacks.EarlyStopping("v", mode="min", patience=2, restore_best_weights=True, verbose=1)
    stop.set_model(made)
    stop.on_train_begin()
    kept = []
    for epoch, value in enumerate([1.0, 0.5, 0.6, 0.7]):
        made.set_weights([np.full(w.shape, epoch, "float32") for w in made.get_weights()])
        kept.append(made.get_weights())
        stop.on_epoch_end(epoch, {"v": value})
    stop.on_train_end()
    assert all((a == b).all() for a, b in zip(made.get_weights(), kept[1], strict=True))
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 4: early stopping",
        "Restoring model weights from the end of the best epoch: 2.",
    ]


RATES = [
    ({"patience": 1}, [1e-2, 1e-2, 1e-3, 1e-4, 1e-5, 1e-5, 1e-6, 1e-7]),
    ({"patience": 1, "cooldown": 2}, [1e-2, 1e-2, 1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5]),
    ({"patience": 2, "min_delta": 0.1, "min_lr": 0.003}, [1e-2, 1e-2, 1e-2, 3e-3, 3e-3, 3e-3, 3e-3, 3e-3]),
]


@pytest.mark.parametrize(("arguments", "rates"), RATES)
def test_reduce_lr_on_plateau(arguments: dict[str, Any], rates: list[float]) -> None:
    callback = callbacks.ReduceLROnPlateau("v", mode="min", **arguments)
    _, logs = simulate(callback, [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5])
    np.testing.assert_allclose([note["learning_rate"] for note in logs], rates, rtol=1e-5)


def test_reduce_lr_refuses_factors_that_do_not_reduce() -> None:
    with pytest.raises(ArgumentError, match="below 1"):
        callbacks.ReduceLROnPlateau(factor=1.0)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [(lambda epoch, rate: rate * 0.5, [0.005, 0.0025]), (lambda epoch: 0.1 / (epoch + 1), [0.1, 0.05])],
)
def test_learning_rate_scheduler(schedule: Any, rates: list[float], capsys: Any) -> None:
    _, logs = simulate(callbacks.LearningRateScheduler(schedule, verbose=1), [1, 1])
    np.testing.assert_allclose([note["learning_rate"] for note in logs], rates, rtol=1e-6)
    assert "Epoch 2: LearningRateScheduler setting learning rate to" in capsys.readouterr().out


def test_learning_rate_scheduler_errors() -> None:
    with pytest.raises(ArgumentTypeError, match="must return the learning rate"):
        simulate(callbacks.LearningRateScheduler(lambda epoch: "fast"), [1])
    decay = keras_fn.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    with pytest.raises(ArgumentTypeError, match="follows a schedule of its own"):
        simulate(callbacks.LearningRateScheduler(lambda epoch: 0.1), [1], model(keras_fn.optimizers.SGD(decay)))


@pytest.mark.parametrize("make", [callbacks.EarlyStopping, callbacks.ReduceLROnPlateau])
def test_a_name_that_is_not_in_the_logs_is_warned_of(make: Any) -> None:
    with pytest.warns(UserWarning, match=r"watches 'los', which is not in the logs.*Did you mean 'loss'.*loss, v"):
        simulate(make("los", mode="min"), [1])
    with pytest.warns(UserWarning, match="Pass `validation_data`"):
        simulate(make("val_loss"), [1])


def test_the_direction_comes_from_the_metric() -> None:
    made = model()
    made.evaluate(X, Y, verbose=0)
    assert callbacks.monitor.direction(made, "val_accuracy", "") == 1
    assert callbacks.monitor.direction(made, "val_loss", "") == -1
    with pytest.raises(ArgumentError, match="Pass mode='max' or mode='min'"):
        callbacks.monitor.direction(made, "val_odd", "EarlyStopping")
    with pytest.raises(ArgumentError, match="`mode` must be"):
        callbacks.EarlyStopping(mode="up")


def test_model_checkpoint_names_and_best_only(tmp_path: pathlib.Path, capsys: Any) -> None:
    save = callbacks.ModelCheckpoint(
        tmp_path / "new" / "m-{epoch:02d}-{v:.2f}.keras", "v", mode="min", save_best_only=True, verbose=1
    )
    simulate(save, [1, 0.8, 0.9, 0.7])
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == [
        "m-01-1.00.keras",
        "m-02-0.80.keras",
        "m-04-0.70.keras",
    ]
    said = capsys.readouterr().out
    assert "Epoch 3: v did not improve from 0.80000" in said
    assert "Epoch 4: v improved from 0.80000 to 0.70000, saving model to" in said


def test_model_checkpoint_threshold_and_weights_only(tmp_path: pathlib.Path) -> None:
    made = model()
    save = callbacks.ModelCheckpoint(
        tmp_path / "{epoch}.weights.h5",
        "v",
        mode="min",
        save_best_only=True,
        save_weights_only=True,
        initial_value_threshold=0.9,
    )
    simulate(save, [1, 0.8], made)
    assert [p.name for p in tmp_path.iterdir()] == ["2.weights.h5"]
    other = model()
    other.load_weights(tmp_path / "2.weights.h5")
    np.testing.assert_array_equal(other.predict(X, verbose=0), made.predict(X, verbose=0))


def test_a_checkpoint_is_a_model_that_loads(tmp_path: pathlib.Path) -> None:
    made = model()
    simulate(callbacks.ModelCheckpoint(tmp_path / "m.keras"), [1], made)
    loaded = keras_fn.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), made.predict(X, verbose=0))


@pytest.mark.parametrize(
    ("path", "arguments", "message"),
    [
        ("m", {}, "must end in `.keras`"),
        ("m.h5", {"save_weights_only": True}, "must end in `.weights.h5`"),
        ("m.keras", {"save_freq": "batch"}, "`save_freq` must be 'epoch' or a number"),
        ("m.keras", {"save_freq": 0}, "`save_freq` must be 'epoch' or a number"),
    ],
)
def test_model_checkpoint_errors(path: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        callbacks.ModelCheckpoint(path, **arguments)


def test_a_field_that_is_not_in_the_logs(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ArgumentError, match=r"names 'lss'.*Did you mean 'loss'.*epoch, loss, v"):
        simulate(callbacks.ModelCheckpoint(tmp_path / "{lss}.keras"), [1])


def test_csv_logger(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log.csv"
    simulate(callbacks.CSVLogger(path), [1, 2])
    assert path.read_text().splitlines() == ["epoch,loss,v", "0,1,1", "1,2,2"]
    # cut off inside a line: the next run begins on one of its own
    path.write_text("epoch,loss,v\n0,1,1\n1,2")
    simulate(callbacks.CSVLogger(path, append=True), [3])
    assert path.read_text().splitlines() == ["epoch,loss,v", "0,1,1", "1,2", "0,3,3"]
    path.write_text("epoch,w,loss\n")
    with pytest.warns(UserWarning, match="no columns for v"):
        simulate(callbacks.CSVLogger(path, append=True), [3])
    assert path.read_text().splitlines()[1:] == ["0,NA,3"]
    simulate(callbacks.CSVLogger(path, separator=";"), [1])
    assert path.read_text().splitlines()[0] == "epoch;loss;v"


def test_lambda_callback() -> None:
    seen: list[Any] = []
    callback = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((epoch, logs["v"])), on_test_end=lambda logs: seen.append("tested")
    )
    simulate(callback, [5, 6])
    assert seen == [(0, 5), (1, 6)]
    model().evaluate(X, Y, verbose=0, callbacks=[callback])
    assert seen[-1] == "tested"
    assert not callback.listens("on_train_batch_end")
    with pytest.raises(ArgumentTypeError, match="Did you mean 'on_epoch_end'"):
        callbacks.LambdaCallback(on_epoch_ends=print)


def test_callbacks_must_be_objects() -> None:
    with pytest.raises(ArgumentTypeError, match="It is a class: make an object of it"):
        model().evaluate(X, Y, verbose=0, callbacks=[callbacks.TerminateOnNaN])


def test_a_callback_does_not_keep_its_model() -> None:
    callback = callbacks.EarlyStopping()
    made = model()
    callback.set_model(made)
    assert callback.model is made
    del made
    assert callback.model is None


# --- with training
if active.backend.differentiable:

    def test_moments_of_fit() -> None:
        calls = Calls()
        model().fit(X, Y, epochs=2, verbose=0, validation_data=(X, Y), callbacks=[calls])
        epoch = ["on_epoch_begin", "on_test_begin", "on_test_end", "on_epoch_end"]
        assert calls.seen == ["on_train_begin", *epoch, *epoch, "on_train_end"]

    @pytest.mark.parametrize("raises", [False, True])
    def test_terminate_on_nan(raises: bool, capsys: Any) -> None:
        bad = X.copy()
        bad[10:] = np.nan
        made = model()

        def fit() -> Any:
            guard = callbacks.TerminateOnNaN(raise_error=raises)
            return made.fit(bad, Y, batch_size=4, epochs=3, verbose=0, shuffle=False, callbacks=[guard])

        if raises:
            with pytest.raises(RuntimeError, match="The loss is nan at batch 2"):
                fit()
        else:
            assert len(fit().epoch) == 1
            assert capsys.readouterr().out == "Batch 2: Invalid loss, terminating training\n"
            assert int(made.optimizer.iterations.numpy()) == 3

    def test_save_freq_counts_batches_over_epochs(tmp_path: pathlib.Path) -> None:
        save = callbacks.ModelCheckpoint(tmp_path / "s-{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=5)
        model().fit(X, Y, epochs=2, verbose=0, batch_size=3, callbacks=[save])
        assert sorted(p.name for p in tmp_path.iterdir()) == [
            "s-1-5.weights.h5",
            "s-2-2.weights.h5",
            "s-2-7.weights.h5",
        ]

    def test_csv_logger_knows_of_later_validations(tmp_path: pathlib.Path) -> None:
        path = tmp_path / "log.csv"
        log = callbacks.CSVLogger(path)
        history = model().fit(
            X, Y, epochs=2, verbose=0, validation_data=(X, Y), validation_freq=2, callbacks=[log]
        ).history  # fmt: skip
        rows = list(csv.DictReader(path.read_text().splitlines()))
        assert list(rows[0]) == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
        assert rows[0]["val_loss"] == "NA"
        assert float(rows[1]["val_loss"]) == history["val_loss"][0]

    @pytest.mark.parametrize("on_epoch", [False, True])
    def test_swap_ema_weights(on_epoch: bool) -> None:
        made = model(keras_fn.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.9))
        swap = callbacks.SwapEMAWeights(swap_on_epoch=on_epoch)
        seen: dict[str, Any] = {}

        def note(name: str) -> Any:
            return lambda *args: seen.__setitem__(name, made.get_weights()[0])

        look = callbacks.LambdaCallback(on_test_begin=note("test"), on_epoch_end=note("epoch end"))
        plain = model(keras_fn.optimizers.SGD(0.5))
        plain.set_weights(made.get_weights())
        plain.fit(X, Y, epochs=1, batch_size=4, verbose=0, shuffle=False)
        made.fit(
            X, Y, epochs=1, batch_size=4, verbose=0, shuffle=False, validation_data=(X, Y), callbacks=[swap, look]
        )  # fmt: skip
        average = made.optimizer._averages[0].numpy()
        raw = plain.get_weights()[0]
        assert np.abs(average - raw).max() > 1e-3
        np.testing.assert_allclose(seen["test"], raw if on_epoch else average, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(seen["epoch end"], average if on_epoch else raw, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(made.get_weights()[0], average)

    def test_swap_ema_weights_needs_averages() -> None:
        with pytest.raises(ArgumentError, match="use_ema=True"):
            model().fit(X, Y, verbose=0, validation_data=(X, Y), callbacks=[callbacks.SwapEMAWeights()])

    # --- going on after being killed
    class Killed(Exception):
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

    def run(folder: pathlib.Path, save_freq: Any, kill: int | None, data: Any = None) -> Any:
        keras_fn.utils.set_random_seed(3)
        keras_fn.core.naming.reset()
        made = model(keras_fn.optimizers.Adam(0.05), dropout=0.5)
        stop = callbacks.EarlyStopping("loss", patience=3, restore_best_weights=True)
        safe = callbacks.BackupAndRestore(folder, save_freq=save_freq, double_checkpoint=True)
        several = [safe, stop, callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=1.0)]
        if kill is not None:
            several.append(Kill(kill))
        arguments: dict[str, Any] = {"epochs": 4, "verbose": 0, "callbacks": several}
        if data is None:
            history = made.fit(X, Y, batch_size=5, validation_split=0.2, **arguments)
        else:
            history = made.fit(data(), steps_per_epoch=4, **arguments)
        return made, history, stop

    def stream() -> Any:
        """A generator that never begins anew."""
        for i in itertools.count():
            rows = np.arange(5 * i, 5 * i + 5) % len(X)
            yield X[rows], Y[rows]

    @pytest.mark.parametrize(("save_freq", "kill"), [("epoch", 7), (1, 6), (3, 11)])
    @pytest.mark.parametrize("data", [None, stream])
    def test_a_run_that_was_killed_goes_on_to_the_same_bits(
        tmp_path: pathlib.Path, save_freq: Any, kill: int, data: Any
    ) -> None:
        whole, history, stop = run(tmp_path / "whole", save_freq, None, data)
        with pytest.raises(Killed):
            run(tmp_path / "cut", save_freq, kill, data)
        assert list((tmp_path / "cut").glob("backup-*.npz"))
        again, history_again, stop_again = run(tmp_path / "cut", save_freq, None, data)
        for a, b in zip(whole._kf_state, again._kf_state, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=a.path)
        assert history_again.history == history.history
        assert history_again.epoch == history.epoch
        assert (stop_again.best, stop_again.best_epoch, stop_again.wait) == (stop.best, stop.best_epoch, stop.wait)
        assert not list((tmp_path / "cut").iterdir())

    def test_a_backup_of_another_model_is_refused(tmp_path: pathlib.Path) -> None:
        with pytest.raises(Killed):
            run(tmp_path, 1, 3)
        with pytest.raises(StructureError, match="is of another model or optimizer"):
            model().fit(X, Y, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path)])

    def test_a_damaged_backup(tmp_path: pathlib.Path) -> None:
        with pytest.raises(Killed):
            run(tmp_path, 1, 3)
        older, newest = sorted(tmp_path.iterdir())
        newest.write_bytes(b"PK\x03\x04 no zip")
        with pytest.warns(UserWarning, match=rf"{newest.name} is damaged: .*\n{older.name}, which is older"):
            made, history, _ = run(tmp_path, 1, None)
        assert history.epoch == [0, 1, 2, 3]
        older.write_bytes(b"PK\x03\x04 no zip")
        with pytest.raises(FileFormatError, match="is damaged"):
            made.fit(X, Y, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path)])

    def test_backups_can_be_kept(tmp_path: pathlib.Path) -> None:
        safe = callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
        made = model()
        made.fit(X, Y, epochs=2, verbose=0, callbacks=[safe])
        assert [p.name for p in tmp_path.iterdir()] == ["backup-000002.npz"]
        done = int(made.optimizer.iterations.numpy())
        assert made.fit(X, Y, epochs=2, verbose=0, callbacks=[safe]).epoch == [0, 1]
        assert int(made.optimizer.iterations.numpy()) == done


@pytest.mark.parametrize("save_freq", ["batch", 0, True, False])
def test_backup_arguments(save_freq: Any) -> None:
    with pytest.raises(ArgumentError, match="save_freq"):
        callbacks.BackupAndRestore("folder", save_freq=save_freq)

"""A run that is cut off again and again ends with the bits of one that never was."""

from __future__ import annotations

import pathlib
import random
from typing import Any

import numpy as np
import pytest

import keras_fn
from keras_fn import callbacks
from keras_fn.callbacks.state_file import read_state_file, write_state_file
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, FileFormatError, FileWriteError
from resuming import BATCH, PLAIN, Killed, Shuffled, X, Y, as_new, same, train


def cut_again_and_again(folder: pathlib.Path, seed: int, most: int, **arguments: Any) -> tuple[Any, int]:
    """Runs that are killed at random steps, until one comes to its end. Returns it, and how many were killed."""
    rng = random.Random(seed)
    for kills in range(most):
        try:
            return train(folder, kill=rng.randint(1, 5), **arguments), kills
        except Killed:
            pass
    return train(folder, **arguments), most


def state(made: Any) -> list[tuple[str, Any]]:
    return [(v.path, v.numpy()) for v in made._kf_state]


if active.backend.differentiable:

    @pytest.mark.parametrize("data", PLAIN)
    def test_killed_at_random_steps(data: str, tmp_path: pathlib.Path) -> None:
        whole = train(tmp_path / "whole", data)
        cut, kills = cut_again_and_again(tmp_path / "cut", seed=len(data), most=20, data=data)
        assert kills >= 5
        same(whole, cut)

    @pytest.mark.parametrize(
        ("policy", "scaled"), [("mixed_float16", False), ("mixed_float16", True), ("mixed_bfloat16", False)]
    )
    def test_mixed_precision(policy: str, scaled: bool, tmp_path: pathlib.Path) -> None:
        whole = train(tmp_path / "whole", policy=policy, scaled=scaled)
        cut, kills = cut_again_and_again(tmp_path / "cut", seed=1, most=6, policy=policy, scaled=scaled)
        assert kills >= 3
        same(whole, cut)
        scales = [float(value) for path, value in whole[0] if path.endswith("/dynamic_scale")]
        assert len(scales) == scaled
        assert all(0 < scale != 2.0**24 for scale in scales)  # it has moved

    @pytest.mark.parametrize(("save_freq", "background"), [("epoch", False), (3, True), ("epoch", True)])
    def test_backups_that_are_rare_or_late(save_freq: Any, background: bool, tmp_path: pathlib.Path) -> None:
        whole = train(tmp_path / "whole")
        arguments = {"save_freq": save_freq, "background": background, "keep": 2}
        for kill in (9, 10, 3):
            with pytest.raises(Killed):
                train(tmp_path / "cut", kill=kill, **arguments)
        same(whole, train(tmp_path / "cut", **arguments))

    class KillAtEpochEnd(callbacks.Callback):
        """Lets several steps go into one dispatch, as it does not look at batches."""

        comes_last = True

        def __init__(self, epoch: int) -> None:
            super().__init__()
            self.epoch = epoch

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == self.epoch:
                raise Killed

    @pytest.mark.parametrize("steps", [3, "auto"])
    def test_several_steps_in_a_dispatch(steps: Any, tmp_path: pathlib.Path) -> None:
        """Two runs of which one is cut off; nothing looks at batches, so that "auto" may take several."""

        def run(folder: pathlib.Path, epoch: int) -> Any:
            made = as_new(steps=steps)
            safe = callbacks.BackupAndRestore(folder)
            many = np.tile(X, (20, 1)), np.tile(Y, 20)
            history = made.fit(*many, epochs=3, batch_size=BATCH, verbose=0, callbacks=[safe, KillAtEpochEnd(epoch)])
            return state(made), history.history

        whole = run(tmp_path / "whole", 9)
        for epoch in (0, 1):
            with pytest.raises(Killed):
                run(tmp_path / "cut", epoch)
        same(whole, run(tmp_path / "cut", 9))

    def test_fit_with_a_folder(tmp_path: pathlib.Path) -> None:
        """`fit(resume=…)`: more epochs, and none that is done twice."""

        def run(folder: pathlib.Path, epochs: int) -> Any:
            made = as_new()
            history = made.fit(X, Y, epochs=epochs, batch_size=BATCH, verbose=0, resume=folder)
            return state(made), history.history

        whole = run(tmp_path / "whole", 4)
        run(tmp_path / "parts", 1)
        run(tmp_path / "parts", 3)
        parts = run(tmp_path / "parts", 4)
        same(whole, parts)
        same(parts, run(tmp_path / "parts", 4))  # nothing is left to do

    def test_what_was_averaged_in_an_epoch_goes_on(tmp_path: pathlib.Path) -> None:
        """SwapEMAWeights sets the weights aside between epochs."""
        swap = [callbacks.SwapEMAWeights(swap_on_epoch=True)]
        whole = train(tmp_path / "whole", extra=swap)
        with pytest.raises(Killed):
            train(tmp_path / "cut", kill=12, save_freq="epoch", extra=[callbacks.SwapEMAWeights(swap_on_epoch=True)])
        same(whole, train(tmp_path / "cut", save_freq="epoch", extra=[callbacks.SwapEMAWeights(swap_on_epoch=True)]))

    def test_other_callbacks_than_before(tmp_path: pathlib.Path) -> None:
        """Those that were there before find what they noted, wherever they stand in the list now."""
        whole = train(tmp_path / "whole")
        for extra in ([callbacks.LambdaCallback(), callbacks.TerminateOnNaN()], []):
            with pytest.raises(Killed):
                train(tmp_path / "cut", kill=10, extra=extra)
        same(whole, train(tmp_path / "cut", extra=[callbacks.LambdaCallback()]))

    def test_other_data_is_told(tmp_path: pathlib.Path) -> None:
        class Unseeded(Shuffled):
            count = 0

            def __init__(self) -> None:
                super().__init__()
                type(self).count += 1
                self.rng = np.random.default_rng(self.count)
                self.on_epoch_end()

        def run() -> None:
            safe = callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
            as_new().fit(Unseeded(), epochs=2, verbose=0, callbacks=[safe])

        run()
        with pytest.warns(UserWarning, match="Unseeded gives other batches than it gave to the run that was cut off"):
            run()

    def test_a_generator_needs_the_length_of_epochs(tmp_path: pathlib.Path) -> None:
        def data() -> Any:
            yield from [(X, Y)]

        safe = callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
        as_new().fit(data(), epochs=1, verbose=0, callbacks=[safe])
        with pytest.raises(ArgumentError, match="steps_per_epoch"):
            as_new().fit(data(), epochs=2, verbose=0, callbacks=[safe])

    # --- checkpoints
    def test_all_but_the_newest_are_deleted(tmp_path: pathlib.Path) -> None:
        save = callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras", keep=2)
        safe = callbacks.BackupAndRestore(tmp_path / "b", keep=3, delete_checkpoint=False)
        as_new().fit(X, Y, epochs=5, verbose=0, callbacks=[save, safe])
        assert sorted(p.name for p in tmp_path.glob("*.keras")) == ["4.keras", "5.keras"]
        assert sorted(p.name for p in (tmp_path / "b").iterdir()) == [f"backup-00000{i}.npz" for i in (3, 4, 5)]

    @pytest.mark.parametrize("weights_only", [False, True])
    def test_files_written_in_the_background_hold_the_same(weights_only: bool, tmp_path: pathlib.Path) -> None:
        ending = ".weights.h5" if weights_only else ".keras"

        def run(background: bool) -> list[Any]:
            keras_fn.utils.set_random_seed(3)
            folder = tmp_path / str(background)
            path = folder / f"{{epoch}}-{{batch}}{ending}"
            save = callbacks.ModelCheckpoint(
                path, save_weights_only=weights_only, save_freq=2, background=background
            )  # fmt: skip
            as_new().fit(X, Y, epochs=2, batch_size=BATCH, verbose=0, callbacks=[save])
            found = []
            for path in sorted(folder.iterdir()):
                again = as_new(steps=7)
                again.load_weights(path)
                found.append([path.name, [v.numpy().tolist() for v in (*again.variables, *again.optimizer.variables)]])
            return found

        as_new(steps=7)
        now, later = run(False), run(True)
        assert len(now) == 9 and now == later
        assert now[0][1] != now[1][1]

    def test_errors_in_the_background_come_out(tmp_path: pathlib.Path) -> None:
        (tmp_path / "folder").write_text("a file where a folder should be")
        safe = callbacks.BackupAndRestore(tmp_path / "folder" / "b", background=True)
        with pytest.raises((FileWriteError, NotADirectoryError, FileExistsError)):
            as_new().fit(X, Y, epochs=2, verbose=0, callbacks=[safe])


# --- the file
def test_state_files(tmp_path: pathlib.Path) -> None:
    import ml_dtypes

    tree = {
        "numbers": [1, 2.5, None, True, float("inf")],
        "text": {"array": "ä", "dict": []},
        "arrays": [np.arange(3.0), np.ones((2, 0)), np.array(7, "int8"), np.array([1.5, 2], ml_dtypes.bfloat16)],
    }
    write_state_file(tmp_path / "s.npz", tree)
    again = read_state_file(tmp_path / "s.npz")
    assert (again["numbers"], again["text"]) == (tree["numbers"], tree["text"])
    for a, b in zip(tree["arrays"], again["arrays"], strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    for wrong in ({"a": object()}, {1: 2}, {"a": np.array([None])}):
        with pytest.raises(ArgumentTypeError, match=r"(?i)state"):
            write_state_file(tmp_path / "w.npz", wrong)  # type: ignore[arg-type]


def test_any_damage_is_found(tmp_path: pathlib.Path) -> None:
    """Each cut, and each byte that is changed, gives an error, or the same content."""
    path = tmp_path / "s.npz"
    values = np.arange(6.0)
    write_state_file(path, {"a": values, "b": "text"})
    raw = path.read_bytes()
    found = 0
    for i in range(len(raw)):
        for broken in (raw[:i], raw[:i] + bytes([raw[i] ^ 0x55]) + raw[i + 1 :]):
            path.write_bytes(broken)
            try:
                state = read_state_file(path)
            except FileFormatError:
                found += 1
            else:
                assert state["b"] == "text" and state["a"].tobytes() == values.tobytes(), i
    assert found > len(raw)


@pytest.mark.parametrize("keep", [0, -1, True, "2"])
def test_keep_must_be_a_number(keep: Any, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ArgumentError, match="keep"):
        callbacks.BackupAndRestore(tmp_path, keep=keep)
    with pytest.raises(ArgumentError, match="keep"):
        callbacks.ModelCheckpoint(tmp_path / "a.keras", keep=keep)

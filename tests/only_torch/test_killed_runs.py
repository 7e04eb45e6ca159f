"""Processes that train are killed at random moments, and the last one ends with the bits of one that was not."""

from __future__ import annotations

import os
import pathlib
import random
import signal
import time
import traceback
from typing import Any

import numpy as np
import pytest
import torch

import resuming
from keras_fn.callbacks import Callback
from keras_fn.callbacks.state_file import read_state_file, write_state_file


class Tells(Callback):
    """Says when a number of batches is done."""

    def __init__(self, batches: int, where: int | None) -> None:
        super().__init__()
        self.left, self.where = batches, where

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if not self.left and self.where is not None:
            os.write(self.where, b"!")


def in_a_child(folder: pathlib.Path, batches: int, seconds: float | None) -> bool:
    """Trains in a child, which is killed so long after so many batches. Returns whether it came to its end."""
    heard, tell = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(heard)
            run(folder, Tells(batches, tell))
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(tell)
    if os.read(heard, 1) and seconds is not None:  # nothing comes from a child that ended before
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    os.close(heard)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed by itself"
    return os.WIFEXITED(status)


def run(folder: pathlib.Path, tells: Tells) -> None:
    state, (history, epochs, seen, total, _) = resuming.train(folder, save_freq=1, keep=2, extra=[tells])
    result = {"variables": [v for _, v in state], "history": history, "epochs": epochs, "seen": seen, "total": total}
    write_state_file(folder / "result.npz", result)


def test_killed_again_and_again(tmp_path: pathlib.Path) -> None:
    assert in_a_child(tmp_path / "whole", 1, None)
    rng, kills = random.Random(0), 0
    while not in_a_child(tmp_path / "cut", rng.randint(1, 5), rng.uniform(0, 0.02)):
        kills += 1
    assert kills >= 4
    whole, cut = (read_state_file(tmp_path / name / "result.npz") for name in ("whole", "cut"))
    for a, b in zip(whole.pop("variables"), cut.pop("variables"), strict=True):
        np.testing.assert_array_equal(a, b)
    assert whole == cut
    assert (tmp_path / "whole" / "log.csv").read_bytes() == (tmp_path / "cut" / "log.csv").read_bytes()


def loader() -> torch.utils.data.DataLoader:
    data = torch.utils.data.TensorDataset(torch.from_numpy(resuming.X), torch.from_numpy(resuming.Y))
    return torch.utils.data.DataLoader(data, batch_size=resuming.BATCH, shuffle=True)


def test_a_data_loader_that_shuffles(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(resuming.DATA, "loader", (loader, {}))
    torch.manual_seed(1)
    whole = resuming.train(tmp_path / "whole", "loader", save_freq="epoch")
    torch.manual_seed(1)
    for kill in (12, 11, 4):
        with pytest.raises(resuming.Killed):
            resuming.train(tmp_path / "cut", "loader", kill, "epoch")
        torch.manual_seed(99)
    resuming.same(whole, resuming.train(tmp_path / "cut", "loader", save_freq="epoch"))

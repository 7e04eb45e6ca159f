"""Processes that are killed while they train, again and again: `python tests/killing_training.py COUNT [policy ...]`.

A child trains a small model under each policy in turn, and gets a SIGKILL after a random number of steps and a moment
more; the next one goes on where it was. What comes of it in the end must have the bits of a run that nobody killed:
weights, the optimizer's state, metrics, seeds, the history, and the lines of the log.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np

import keras_fn
import resuming
from keras_fn.callbacks import Callback
from keras_fn.callbacks.state_file import read_state_file, write_state_file

# name -> arguments of `resuming.train`
POLICIES: dict[str, dict[str, Any]] = {
    "float32": {},
    "mixed_bfloat16": {"policy": "mixed_bfloat16"},
    "mixed_float16": {"policy": "mixed_float16", "scaled": True},
}
_RESULT, _LOG = "result.npz", "log.csv"


class Tells(Callback):
    """Writes a byte after each step, so that the one who kills can count them."""

    def __init__(self, where: int) -> None:
        super().__init__()
        self.where = where

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        os.write(self.where, b".")


def train_all(folder: pathlib.Path, policies: list[str], tell: int | None = None) -> None:
    """Trains under each policy whose result is not there yet."""
    folder.mkdir(exist_ok=True)
    for name in policies:
        place = folder / name
        if (place / _RESULT).exists():
            continue
        resuming.forget()
        keras_fn.utils.set_random_seed(7)
        extra = [] if tell is None else [Tells(tell)]
        state, (history, epochs, seen, total, _) = resuming.train(place, keep=2, extra=extra, **POLICIES[name])
        found = {"variables": [v for _, v in state], "paths": [path for path, _ in state], "history": history}
        write_state_file(place / _RESULT, {**found, "epochs": epochs, "seen": seen, "total": total})


def kill_trainers(count: int, folder: pathlib.Path, policies: list[str], seed: int = 0) -> dict[str, int]:
    """Kills so many processes that train, and compares. Returns what was seen.

    Raises:
        AssertionError: where anything differs from a run that nobody killed, or where the run ended too early.
    """
    train_all(folder / "whole", policies)
    rng, kills, steps = random.Random(seed), 0, 0
    while kills < count:
        steps += _killed_after(rng.randint(1, 4), rng.uniform(0, 0.01), folder / "cut", policies)
        kills += 1
    done = subprocess.run(_command(folder / "cut", policies, None), env=_environment(), check=False)
    assert done.returncode == 0, "the last run failed"
    compared = sum(_compare(folder / "whole" / name, folder / "cut" / name) for name in policies)
    return {"kills": count, "steps before them": steps, "arrays of equal bits": compared}


def _command(folder: pathlib.Path, policies: list[str], tell: int | None) -> list[str]:
    return [sys.executable, __file__, "train", str(folder), "-" if tell is None else str(tell), *policies]


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(pathlib.Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path}


def _killed_after(steps: int, seconds: float, folder: pathlib.Path, policies: list[str]) -> int:
    """Starts a process that trains, and kills it so long after so many steps. Returns the steps that were heard of."""
    heard, tell = os.pipe()
    child = subprocess.Popen(_command(folder, policies, tell), env=_environment(), pass_fds=(tell,))
    os.close(tell)
    try:
        for done in range(steps):
            assert os.read(heard, 1), f"the run came to its end {done} steps after the last kill, or failed"
        time.sleep(seconds)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        os.close(heard)
    assert child.returncode == -signal.SIGKILL, "the child ended by itself"
    return steps


def _compare(whole: pathlib.Path, cut: pathlib.Path) -> int:
    """Compares all that two runs left. Returns the number of arrays."""
    one, other = read_state_file(whole / _RESULT), read_state_file(cut / _RESULT)
    arrays = one.pop("variables"), other.pop("variables")
    for path, a, b in zip(one["paths"], *arrays, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=path)
        assert a.dtype == b.dtype, path
    for key in one:  # as text, in which numbers that are none are equal
        a, b = json.dumps(one[key]), json.dumps(other[key])
        assert a == b, f"{whole.name}, {key}: {a} without kills, and {b} with them"
    assert (whole / _LOG).read_bytes() == (cut / _LOG).read_bytes()
    assert sorted(p.name for p in whole.glob("*.weights.h5")) == sorted(p.name for p in cut.glob("*.weights.h5"))
    assert not [p for p in cut.rglob("*") if ".kf-" in p.name]
    return len(arrays[0])


def main(arguments: list[str]) -> None:
    """Kills, and prints what was seen; or, called by itself with `train`, trains."""
    if arguments[:1] == ["train"]:
        folder, tell, *policies = arguments[1:]
        train_all(pathlib.Path(folder), policies, None if tell == "-" else int(tell))
        return
    count, policies = int(arguments[0]) if arguments else 20, arguments[1:] or list(POLICIES)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        seen = kill_trainers(count, pathlib.Path(folder), policies)
    print(keras_fn.config.backend(), policies, seen, f"{time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

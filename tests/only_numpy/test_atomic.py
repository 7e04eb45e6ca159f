"""Whatever fails or is killed while a file is written: one whole file is there, and the error says why."""

from __future__ import annotations

import errno
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import keras_fn
import killing
from failing import FAILURES, Failing, calls_of, raising
from keras_fn import layers
from keras_fn.core import atomic
from keras_fn.core.errors import FileThereError, FileWriteError, FileWritePermissionError


def one_layer() -> Any:
    return keras_fn.Sequential([keras_fn.Input((2,)), layers.Dense(1)])


def into_fresh(path: pathlib.Path) -> Any:
    model = one_layer()
    model.load_weights(path)
    return model


ONE_FILE = [name for name in killing.FORMATS if name not in killing.OTHERS]


def loader(name: str) -> Callable[[pathlib.Path], Any]:
    return keras_fn.saving.load_model if name in ("m.keras", "folder") else into_fresh


@pytest.mark.parametrize("there_before", [True, False])
@pytest.mark.parametrize("name", ONE_FILE)
def test_each_call_to_the_system_may_fail(name: str, there_before: bool, tmp_path: pathlib.Path) -> None:
    save, load = killing.FORMATS[name][0], loader(name)
    old, new, path = one_layer(), one_layer(), tmp_path / name
    killing.fill(old, 1), killing.fill(new, 2)
    save(old, path)
    made = calls_of(lambda: save(old, path))
    outcomes = set()
    for k, call in enumerate(made):
        often = call in ("lseek", "write") or not there_before
        for make in (FAILURES[k % 6],) if often else (FAILURES[k % 5], FAILURES[(k + 2) % 5], KeyboardInterrupt):
            if not there_before:
                remove(path)
            where = f"{call} (call {k} of {len(made)}) raises {make()!r}"
            raised: Any = None
            try:
                with Failing(k, raising(make)):
                    save(new, path)
            except (FileWriteError, KeyboardInterrupt) as e:
                raised = e
            if isinstance(raised, FileWriteError):
                wanted: Any = make()
                assert str(path.parent) in str(raised) and raised.errno == wanted.errno, where
            outcomes.add(type(raised))
            finished = raised is None
            if there_before or atomic.standing(path).exists():
                found = killing.number_in(load(path))
                assert found == 2 if finished else found in (1, 2), where
            save(old, path)
            assert os.listdir(tmp_path) == [name], where
    assert len(made) > 10 and {FileWriteError, FileWritePermissionError, KeyboardInterrupt} <= outcomes


def remove(path: pathlib.Path) -> None:
    import shutil

    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


@pytest.mark.parametrize("name", ONE_FILE)
def test_the_process_is_killed_at_each_call(name: str, tmp_path: pathlib.Path) -> None:
    save, load = killing.FORMATS[name][0], loader(name)
    model, path = one_layer(), tmp_path / name
    killing.fill(model, 1)
    save(model, path)
    made = calls_of(lambda: save(model, path))
    aside = 0
    for k in range(len(made)):
        child = os.fork()
        if child == 0:
            try:
                killing.fill(model, k + 2)
                with Failing(k, lambda: os.kill(os.getpid(), signal.SIGKILL)):
                    save(model, path)
            finally:
                os._exit(1)
        assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
        aside += atomic.standing(path) != path
        assert 1 <= killing.number_in(load(path)) <= k + 2
    assert aside == (1 if name == "folder" else 0)
    save(model, path)
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", list(killing.FORMATS))
def test_kills_at_random_moments(name: str, tmp_path: pathlib.Path) -> None:
    seen = killing.kill_savers(name, 15, tmp_path)
    assert seen["kills"] == 15
    assert seen["killed in the middle of one"] or name == "log.csv"  # to which lines are added where it lies


# --- what the disk says
def test_a_disk_that_is_full(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.keras"
    killing.fill(model := one_layer(), 1)
    model.save(path)

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(FileWriteError, match=r"m\.keras could not be written: No space left.* bytes free in .*whole"):
        model.save(path)
    monkeypatch.undo()
    assert killing.number_in(keras_fn.saving.load_model(path)) == 1


def test_a_real_disk_that_is_full() -> None:
    """/dev/full takes nothing. The limit of the size of files is another disk that is full, which every system has."""
    code = (
        "import resource, signal, sys, pathlib\n"
        "import keras_fn\n"
        "from keras_fn import layers\n"
        "from keras_fn.core.errors import FileWriteError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "keras_fn.Sequential([keras_fn.Input((2,)), layers.Dense(1)]).save(path)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    keras_fn.Sequential([keras_fn.Input((200,)), layers.Dense(200)]).save(path)\n"
        "except FileWriteError as e:\n"
        "    assert 'File too large' in str(e), e\n"
        "    assert keras_fn.saving.load_model(path).output_shape == (None, 1)\n"
        "    print('refused')\n"
    )
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "m.keras"
        out = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False,
                             env={**os.environ, "KERAS_BACKEND": "numpy"})  # fmt: skip
        assert out.stdout == "refused\n", out.stderr
        assert os.listdir(folder) == ["m.keras"]


# --- one file
def test_the_mode_and_the_link_stay(tmp_path: pathlib.Path) -> None:
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    with atomic.new_file(link) as file:
        file.write(b"new")
    assert link.is_symlink() and real.read_text() == "new" and real.stat().st_mode & 0o777 == 0o640
    made = tmp_path / "made.txt"
    before = os.umask(0o027)
    try:
        with atomic.new_file(made) as file:
            file.write(b"x")
    finally:
        os.umask(before)
    assert made.stat().st_mode & 0o777 == 0o640


def test_long_names(tmp_path: pathlib.Path) -> None:
    path = tmp_path / ("ä" * 120 + ".keras")
    for number in (1, 2):
        killing.fill(model := one_layer(), number)
        model.save(path)
        assert killing.number_in(keras_fn.saving.load_model(path)) == number


def test_what_others_write_is_left_alone(tmp_path: pathlib.Path) -> None:
    """A save that runs, files that look similar, and files of other paths."""
    path = tmp_path / "m.keras"
    other = tmp_path / f".m.keras.{'0' * 8}.{'0' * 12}.kf-tmp"  # of another machine
    other.write_text("x")
    (tmp_path / ".m.keras.tmp").write_text("x")
    with atomic.new_file(path) as slow:
        slow.write(b"slow")
        with atomic.new_file(path) as fast:
            fast.write(b"fast")
        assert path.read_bytes() == b"fast"
    assert path.read_bytes() == b"slow"
    assert sorted(os.listdir(tmp_path)) == sorted([".m.keras.tmp", other.name, "m.keras"])


def test_a_folder_where_a_file_is_to_be(tmp_path: pathlib.Path) -> None:
    (tmp_path / "m.keras").mkdir()
    with pytest.raises(FileThereError, match="is a folder"):
        one_layer().save(tmp_path / "m.keras")
    assert os.listdir(tmp_path) == ["m.keras"]


def test_appending(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntw")
    end = atomic.append(path, b"two\n", 4)
    assert path.read_bytes() == b"one\ntwo\n" and end == 8
    for k, call in enumerate(calls_of(lambda: atomic.append(path, b"three\n", end))[:-1]):
        atomic.append(path, b"", end)
        with Failing(k, raising(FAILURES[0])), pytest.raises(FileWriteError):
            atomic.append(path, b"three\n", end)
        assert path.read_bytes() == b"one\ntwo\n", call


def test_large_arrays_pass_through(tmp_path: pathlib.Path) -> None:
    model = keras_fn.Sequential([keras_fn.Input((600,)), layers.Dense(700)])
    for name in ("m.keras", "m.weights.h5", "m.safetensors"):
        killing.FORMATS[name][0](model, tmp_path / name)
        again = keras_fn.Sequential([keras_fn.Input((600,)), layers.Dense(700)])
        again.load_weights(tmp_path / name)
        np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])

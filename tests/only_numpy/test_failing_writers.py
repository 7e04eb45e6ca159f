"""All that writes files, with each call to the system failing in turn: the old content or the new one is there.

Model files of one piece are in test_atomic.py; here are those of several parts, what callbacks write, pictures, and
downloads.
"""

from __future__ import annotations

import errno
import io
import os
import pathlib
import re
import signal
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import keras_fn
import killing
from failing import CHANGING, FAILURES, Failing, calls_of, raising
from keras_fn import callbacks, layers, utils
from keras_fn.callbacks.backup_and_restore import backups, read_newest
from keras_fn.callbacks.state_file import read_state_file, write_state_file
from keras_fn.core.errors import FileLimitError, KerasFnError
from web import Site, serving


class Writer:
    """Writes version after version into a folder, and tells which one is there."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder

    def write(self, version: int) -> None:
        raise NotImplementedError

    def found(self) -> int:
        """The version that is there."""
        raise NotImplementedError

    def close(self) -> None:
        """Ends what serves it."""


def model_of(version: int) -> Any:
    made = keras_fn.Sequential([keras_fn.Input((2,)), layers.Dense(3, name="a"), layers.Dense(2, name="b")], name="m")
    killing.fill(made, version)
    return made


class Shards(Writer):
    """Weights in several files, and their index."""

    def write(self, version: int) -> None:
        model_of(version).save_weights(self.folder / "m.weights.json", max_shard_size=40 / 2**30)

    def found(self) -> int:
        made = model_of(0)
        made.load_weights(self.folder / "m.weights.json")
        return killing.number_in(made)


class Checkpoint(Writer):
    """ModelCheckpoint, one file again and again."""

    ending = ".keras"

    def write(self, version: int) -> None:
        save = callbacks.ModelCheckpoint(self.folder / f"m{self.ending}", save_weights_only=self.ending != ".keras")
        model = model_of(version)
        save.set_model(model)
        save.on_train_begin()
        save.on_epoch_end(0, {})

    def found(self) -> int:
        made = model_of(0)
        made.load_weights(self.folder / f"m{self.ending}")
        return killing.number_in(made)


class WeightsCheckpoint(Checkpoint):
    """ModelCheckpoint of weights alone."""

    ending = ".weights.h5"


class Backups(Writer):
    """BackupAndRestore: numbered files, of which the newest is kept."""

    def write(self, version: int) -> None:
        self.number = getattr(self, "number", 0) + 1
        callbacks.BackupAndRestore(self.folder / "b")._store(self.number, {"version": version})

    def found(self) -> int:
        there = backups(self.folder / "b")
        state = read_newest([there[n] for n in sorted(there, reverse=True)])
        assert state is not None
        return state["version"]


class State(Writer):
    """A state file."""

    def write(self, version: int) -> None:
        write_state_file(self.folder / "s.npz", {"version": version, "array": np.full(9, version)})

    def found(self) -> int:
        state = read_state_file(self.folder / "s.npz")
        assert set(state["array"].tolist()) == {state["version"]}
        return state["version"]


class Log(Writer):
    """CSVLogger: a file that is begun anew."""

    def write(self, version: int) -> None:
        log = callbacks.CSVLogger(self.folder / "log.csv")
        log.set_model(None)
        log.on_train_begin()
        log.on_epoch_end(version, {"loss": 0.5})

    def found(self) -> int:
        head, line = (self.folder / "log.csv").read_text().splitlines()
        assert head == "epoch,loss" and line.endswith(",0.5")
        return int(line.split(",")[0])


class LongLog(Log):
    """CSVLogger: a file to which lines are added."""

    def write(self, version: int) -> None:
        if version == 1:
            super().write(1)
            return
        log = callbacks.CSVLogger(self.folder / "log.csv", append=True)
        log.set_model(None)
        log.on_train_begin()
        log.on_epoch_end(version, {"loss": 0.5})

    def found(self) -> int:
        text = (self.folder / "log.csv").read_text()
        assert text in ("epoch,loss\n1,0.5\n", "epoch,loss\n1,0.5\n2,0.5\n"), text
        return text.count("\n") - 1


class Picture(Writer):
    """A model drawn with pixels."""

    name = "m.png"

    def write(self, version: int) -> None:
        utils.plot_model(model_of(0), self.folder / self.name, dpi=60 * version)

    def found(self) -> int:
        from PIL import Image

        with Image.open(self.folder / self.name) as picture:
            picture.load()  # all of it is there
            return round(picture.info["dpi"][0] / 60)


class Drawing(Writer):
    """A model drawn with lines."""

    def write(self, version: int) -> None:
        utils.plot_model(model_of(0), self.folder / "m.svg", dpi=72 * version)

    def found(self) -> int:
        text = (self.folder / "m.svg").read_text()
        assert text.rstrip().endswith("</svg>")
        width, drawn = re.findall(r'width="([\d.]+)"', text)[:2]
        return round(float(width) / float(drawn))


class Graphviz(Writer):
    """A model drawn by Graphviz, whose part a function plays here."""

    def write(self, version: int) -> None:
        utils.plot_model(model_of(0), self.folder / "m.gv", dpi=version)

    def found(self) -> int:
        text = (self.folder / "m.gv").read_text()
        assert text.rstrip().endswith("}")
        return int(text.split("dpi=")[1].split(";")[0].strip('"'))


class Image(Writer):
    """An array as a picture."""

    def write(self, version: int) -> None:
        utils.save_img(self.folder / "i.png", np.full((3, 3, 3), version, "uint8"), scale=False)

    def found(self) -> int:
        return int(utils.img_to_array(utils.load_img(self.folder / "i.png")).max())


class Download(Writer):
    """A file from the web."""

    def __init__(self, folder: pathlib.Path) -> None:
        super().__init__(folder)
        self._serving = serving()
        self.site: Site = self._serving.__enter__()
        self.urls = {version: self.site.put(f"f{version}", self.content(version)) for version in (1, 2)}

    def content(self, version: int) -> bytes:
        return bytes([version]) * 5000

    def write(self, version: int) -> None:
        utils.get_file("f", self.urls[version], cache_dir=self.folder, cache_subdir="c", force_download=True)

    def found(self) -> int:
        (version,) = set((self.folder / "c" / "f").read_bytes())
        return version

    def close(self) -> None:
        self._serving.__exit__(None, None, None)


class Unpacked(Download):
    """An archive from the web, which is unpacked."""

    def content(self, version: int) -> bytes:
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w") as packed:
            for i in range(3):
                packed.writestr(f"in/{i}", bytes([version]) * 100)
        return memory.getvalue()

    def write(self, version: int) -> None:
        options = {"cache_dir": self.folder, "cache_subdir": "c", "force_download": True, "extract": True}
        assert utils.get_file("f", self.urls[version], **options) == str(self.folder / "c" / "f")

    def found(self) -> int:
        from keras_fn.core.atomic import standing

        files = sorted(standing(self.folder / "c" / "f").rglob("*"))
        assert [p.name for p in files] == ["in", "0", "1", "2"]
        (version,) = {b for p in files[1:] for b in p.read_bytes()}
        return version


WRITERS = [
    Shards, Checkpoint, WeightsCheckpoint, Backups, State, Log, LongLog, Picture, Drawing, Graphviz, Image, Download,
    Unpacked,
]  # fmt: skip
# calls by which what is of no use any more is deleted: where they fail, it stays until the next time
_CLEANING = ("unlink", "rmdir", "scandir", "listdir", "open", "lstat", "stat", "close", "fstat")


@pytest.fixture
def written(
    request: pytest.FixtureRequest, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Writer]:
    """A writer in an empty folder."""

    def run(command: Any, input: bytes, **_: Any) -> Any:
        return subprocess.CompletedProcess(command, 0, input, b"")

    if request.param is Graphviz:
        monkeypatch.setattr("keras_fn.utils.plotting.plot._has_graphviz", lambda: True)
        monkeypatch.setattr(subprocess, "run", run)
    made = request.param(tmp_path)
    yield made
    made.close()


def temporary(folder: pathlib.Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if ".kf-" in p.name or ".part" in p.name)


def all_names(folder: pathlib.Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


@pytest.mark.parametrize("written", WRITERS, indirect=True)
def test_each_call_to_the_system_may_fail(written: Writer) -> None:
    written.write(1)
    names = all_names(written.folder)
    made = calls_of(lambda: written.write(2))
    assert written.found() == 2 and len(made) > 4
    told = 0
    for k, call in enumerate(made):
        for make in _failures(k, made):
            written.write(1)
            where = f"{call} (call {k} of {len(made)}) raises {make()!r}"
            error = _failure(written, k, make)
            found = written.found()
            assert found == 2 if error is None else found in (1, 2), where
            if isinstance(error, Exception):
                told += 1
                _check_words(error, make(), written.folder, where)
                left = [] if call in _CLEANING else temporary(written.folder)
                # an old folder stays aside where it is not known that the new one is on the disk
                assert all(call == "fsync" and name.endswith(".kf-old") for name in left), f"{where}: {left}"
    written.write(1)
    assert not temporary(written.folder)
    assert len(all_names(written.folder)) == len(names)
    assert told > 5


def _failures(k: int, made: list[str]) -> list[Callable[[], BaseException]]:
    """One for each call that changes something, and Ctrl-C at a third of them; of many others only some."""
    if made[k] not in CHANGING:
        return [] if len(made) > 60 and k % 6 else [FAILURES[k % 5]]
    return [FAILURES[k % 5], *([] if k % 3 else [KeyboardInterrupt])]


def _failure(written: Writer, k: int, make: Callable[[], BaseException]) -> BaseException | None:
    try:
        with Failing(k, raising(make)):
            written.write(2)
    except (OSError, KeyboardInterrupt) as e:
        return e
    return None


def _check_words(error: Exception, cause: BaseException, folder: pathlib.Path, where: str) -> None:
    """The error says what failed, and at which path."""
    assert isinstance(error, KerasFnError) and isinstance(error, OSError), f"{where}: {error!r}"
    assert str(folder) in str(error), f"{where}: {error}"
    assert isinstance(cause, OSError)
    reasons = [os.strerror(cause.errno or 0)]
    if where.startswith("stat"):  # by which a folder that is there is told from a file, once it could not be made
        reasons.append("File exists")
    assert any(reason in str(error) for reason in reasons), f"{where}: {error}"


@pytest.mark.parametrize("written", WRITERS, indirect=True)
def test_the_process_is_killed_at_each_call_that_changes_something(written: Writer) -> None:
    written.write(1)
    written.write(2)  # what is imported the first time is there now
    made = calls_of(lambda: written.write(2))
    seen = set()
    for k, call in enumerate(made):
        if call not in CHANGING or (len(made) > 120 and k % 2):
            continue
        written.write(1)
        child = os.fork()
        if child == 0:
            try:
                with Failing(k, lambda: os.kill(os.getpid(), signal.SIGKILL)):
                    written.write(2)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"{call} (call {k} of {len(made)})"
        seen.add(written.found())
    written.write(1)
    assert seen == {1, 2}
    assert not temporary(written.folder)


def test_more_files_than_may_be_open(tmp_path: pathlib.Path) -> None:
    written = Shards(tmp_path)
    written.write(1)
    made = calls_of(written.found)
    last = len(made) - 1 - made[::-1].index("open")
    too_many = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    with pytest.raises(FileLimitError, match="more files than"), Failing(last, raising(lambda: too_many)):
        written.found()


@pytest.mark.parametrize("written", [Graphviz, Unpacked, Download, Shards], indirect=True)
def test_a_full_disk_is_told(written: Writer) -> None:
    calls_of(lambda: written.write(1))  # the first time, modules are imported
    first = calls_of(lambda: written.write(1)).index("write")
    with pytest.raises(OSError, match="No space left on device") as caught, Failing(first, raising(FAILURES[0])):
        written.write(2)
    assert caught.value.errno == errno.ENOSPC and "bytes free" in str(caught.value)
    assert written.found() == 1

"""Hostile files are refused, each with an error that says why, and nothing else happens.

They are made here and loaded in a child process in which nothing but reading them is allowed, see hostile/child.py.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import pathlib
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import hostile
import keras_fn
from keras_fn import saving
from keras_fn.core.backend import active
from keras_fn.models import op_table
from keras_fn.saving import builtin, functions

# the corpus runs where a process is small and starts at once; what refuses files is the same code everywhere
_WHOLE = not active.backend.differentiable
_FEW = (
    "zip-comment",
    "zip-foreign up",
    "json-deep lists",
    "json-units nan",
    "size-Dense units huge",
    "graph-circle",
    "class-subprocess Popen",
    "class-keras.utils get_file",
    "function-activation os system",
    "lambda-as a layer",
    "lambda-legacy as a layer",
    "hdf5-link to a file",
    "hdf5-nothing of 4 TB",
    "legacy-get_file",
    "safetensors-offsets beyond",
    "special model pipe",
    "special safetensors pipe",
    "door data a lambda",
    "weights-a million",
)
# what the library imports when it first meets such a file
_WARM = (
    "legacy-class",
    "function-activation os system",
    "door data a class",
    "zip-bomb of assets",
    "safetensors-gap",
    "hdf5-packed zeros",
    "function-activation called eval",
    "direct-shards of no index",
)
# of computing, and above what was in use; a busy machine takes two or three times as long for the largest files, of
# which most are refused in less than half a second
_SECONDS, _SECONDS_OF_THE_LARGEST, _BYTES = 1.0, 3.0, 200 * 2**20


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A folder with all files, and the rows."""
    place = tmp_path_factory.mktemp("hostile")
    for name in ("files", "work", "scratch"):
        (place / name).mkdir()
    yield place, hostile.rows(place / "files", largest=_WHOLE)
    shutil.rmtree(place / "files")


@pytest.fixture(scope="module")
def results(corpus: Any) -> Any:
    """What became of each row, and the memory in use before the first."""
    place, rows = corpus
    warm = [{"door": "load_model", "what": str(place / "files" / "good.keras")}]
    warm += [dataclasses.asdict(row) for row in rows if row.name in _WARM]
    tried = [row for row in rows if _WHOLE or row.name in _FEW]
    given = {"folder": str(place / "files"), "warm": warm, "rows": [dataclasses.asdict(row) for row in tried]}
    (place / "rows.json").write_text(json.dumps(given), encoding="utf-8")
    env = {
        **os.environ,
        "TMPDIR": str(place / "scratch"),
        "PYTHONPATH": str(pathlib.Path(__file__).parent),
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-m", "hostile.child", str(place / "rows.json"), str(place / "results.json")]
    done = subprocess.run(
        command, cwd=place / "work", env=env, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads((place / "results.json").read_text(encoding="utf-8"))
    doors = {row.name: row for row in tried}
    assert {r["name"] for r in told["results"]} == set(doors)
    return told, doors


def _names(wrong: list[Any]) -> str:
    return "\n".join(str(w)[:500] for w in wrong[:20])


def test_every_file_is_refused(results: Any) -> None:
    told, rows = results
    wrong = []
    for r in told["results"]:
        row = rows[r["name"]]
        expected = {"FileError", "FileMissingError"} if row.door.startswith("load") else {"ValueError"}
        expected |= {"FileMissingError"} if row.category == "direct" else set()
        if r["refused"] is None or not expected & set(r["refused"]):
            wrong.append((r["name"], r["refused"], r.get("text") or r.get("made")))
    assert not wrong, _names(wrong)


def test_nothing_else_is_done(results: Any) -> None:
    told, _ = results
    wrong = [(r["name"], r["forbidden"], r["changed"]) for r in told["results"] if r["forbidden"] or r["changed"]]
    assert not wrong, _names(wrong)


def test_time_and_memory_are_bounded(results: Any) -> None:
    told, rows = results
    wrong = []
    for r in told["results"]:
        most = _SECONDS_OF_THE_LARGEST if rows[r["name"]].category in ("work", "worst") else _SECONDS
        if r["seconds"] > most or r["grown"] > _BYTES:
            wrong.append((r["name"], r["seconds"], r["grown"]))
    assert not wrong, _names(wrong)


def test_no_file_is_larger_than_what_the_promise_is_about(corpus: Any) -> None:
    files = {row.name: pathlib.Path(row.what) for row in corpus[1] if row.category == "worst" and row.door != "text"}
    sizes = {name: path.stat().st_size for name, path in files.items()}
    assert not {name: size for name, size in sizes.items() if size > 5 * 10**6}
    assert not _WHOLE or sum(size > 4 * 10**6 for size in sizes.values()) > 50


def test_messages_name_the_file_and_are_short(results: Any) -> None:
    told, rows = results
    wrong = []
    for r in told["results"]:
        row, text = rows[r["name"]], r["text"]
        if not row.door.startswith("load") or "FileError" not in r["refused"]:
            continue
        plain = all(c.isprintable() or c == "\n" for c in text)
        named = pathlib.Path(row.what).name in text
        if len(text.encode()) > 2000 or not plain or not named:
            wrong.append((r["name"], len(text.encode()), plain, named, text))
    assert not wrong, _names(wrong)


def test_the_corpus_is_wide(corpus: Any) -> None:
    count = Counter(row.category for row in corpus[1])
    assert count.total() > 1100
    least = {
        "zip": 100,
        "json": 70,
        "size": 70,
        "config": 40,
        "graph": 60,
        "class": 100,
        "function": 60,
        "lambda": 30,
        "hdf5": 70,
        "legacy": 20,
        "safetensors": 50,
        "special": 50,
        "door": 80,
        "compile": 8,
        "direct": 50,
        "work": 14 * _WHOLE,
        "worst": 90 * _WHOLE,
    }
    assert {k: count[k] >= n for k, n in least.items()} == dict.fromkeys(least, True)


# --- the lists of what files may name
def test_no_class_that_reads_files_may_be_named() -> None:
    """Constructors with arguments that could be paths are looked at one by one, and listed here with the reason."""
    looked_at: dict[str, set[str]] = {
        # takes words or the path of a file; from a config only words, see its from_config
    }
    words = ("path", "file", "url", "module", "callable", "directory", "filename")
    found = {}
    for package in builtin.packages():
        for name, cls in builtin.table(package).items():
            params = list(inspect.signature(cls).parameters)
            hits = {p for p in params if any(w in p.lower() for w in words)}
            if hits - looked_at.get(name, set()):
                found[name] = hits
    assert not found


@pytest.mark.parametrize(
    "name",
    [
        "map",
        "scan",
        "cond",
        "while_loop",
        "fori_loop",
        "switch",
        "vectorized_map",
        "custom_gradient",
        "jvp",
        "convert_to_numpy",
        "_scan",
        "_cond",
        "_while_loop",
        "_vectorized_map",
        "get_file",
    ],
)
def test_no_op_that_runs_functions_may_be_named(name: str) -> None:
    assert name not in op_table.public()
    assert name not in op_table.declared()


@pytest.mark.parametrize(
    "name", ["get", "deserialize", "serialize", "closest", "get_file", "load_model", "Lookup", "os"]
)
def test_no_helper_may_be_named_as_a_function(name: str) -> None:
    assert functions.by_name(name) is None


def test_what_files_need_may_be_named() -> None:
    assert builtin.builtin_class("keras.layers", "Dense") is keras_fn.layers.Dense
    assert builtin.builtin_class("keras", "Sequential") is keras_fn.Sequential
    assert functions.by_name("relu") is keras_fn.activations.relu
    assert op_table.public()["add"] is keras_fn.ops.add


# --- errors
def test_an_unknown_class_shows_the_line_to_add() -> None:
    data = {"module": "mine", "class_name": "Attend", "config": {}, "registered_name": "team>Attend"}
    with pytest.raises(
        saving.UnsafeFileError, match=r"register_keras_serializable(.|\n)*custom_objects=\{'Attend': Attend\}"
    ):
        saving.deserialize_keras_object(data)


def test_lambdas_follow_the_call_before_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    from keras_fn.core.switches import switches

    data = saving.serialize_keras_object(lambda x: x * 2)
    monkeypatch.setattr(switches, "unsafe_deserialization", True, raising=False)
    assert saving.deserialize_keras_object(data)(3) == 6
    with pytest.raises(saving.UnsafeFileError):
        saving.deserialize_keras_object(data, safe_mode=True)
    monkeypatch.setattr(switches, "unsafe_deserialization", False)
    with pytest.raises(saving.UnsafeFileError):
        saving.deserialize_keras_object(data)
    assert saving.deserialize_keras_object(data, safe_mode=False)(3) == 6

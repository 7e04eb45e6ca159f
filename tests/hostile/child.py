"""Loads hostile files where nothing but reading them is allowed, and tells what came of each.

    python -m hostile.child ROWS.json RESULTS.json

A hook sees what the interpreter is about to do: opening for writing, importing, compiling and running code, sockets,
processes, foreign functions. Memory is bounded by the system, time by a clock for each row that counts what the process
computes. After each row everything that a load could have changed is compared with what was there before.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import pathlib
import random
import signal
import sys
import tempfile
import threading
import time
import warnings
import zlib
from typing import Any

import numpy as np

import keras_fn
from hostile import memory
from keras_fn.callbacks import state_file
from keras_fn.core import errors, naming
from keras_fn.core.context import context
from keras_fn.core.switches import switches
from keras_fn.random import host
from keras_fn.saving import archive, hdf5, lambdas, registry, safetensors_reader
from keras_fn.saving import config as saving_config

# events by their beginnings, see https://docs.python.org/3/library/audit_events.html
_FORBIDDEN = (
    "compile",
    "exec",
    "import",
    "marshal.",
    "pickle.",
    "code.__new__",
    "function.__new__",
    "ctypes.",
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.kill",
    "os.putenv",
    "os.unsetenv",
    "os.chmod",
    "os.chown",
    "os.chdir",
    "os.link",
    "os.symlink",
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.truncate",
    "os.utime",
    "os.setxattr",
    "shutil.",
    "urllib.",
    "http.",
    "ftplib.",
    "smtplib.",
    "webbrowser.",
    "sys.settrace",
    "sys.setprofile",
    "sys.addaudithook",
    "mmap.",
    "fcntl.",
    "cpython.",
    "signal.",
    "sqlite3.",
    "winreg.",
    "_winapi.",
)
_MOST_SECONDS = 5.0


class _Guard:
    """The hook; it can never be taken off, so it is switched."""

    def __init__(self, allowed: str) -> None:
        self.on = False
        self.allowed = allowed
        self.seen: list[str] = []

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            path, _, flags = args
            writes = isinstance(flags, int) and flags & (
                os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
            )
            if isinstance(path, int):  # a file that is open already
                return
            path = os.path.abspath(os.fsdecode(path))
            scratch = os.path.join(path, "").startswith(
                os.path.join(tempfile.gettempdir(), "")
            )  # must be empty again in the end
            if not scratch and (writes or not path.startswith(self.allowed)):
                self.stop(f"open {path!r} {flags}")
        elif event == "os.remove" and os.path.abspath(args[0]).startswith(tempfile.gettempdir()):
            return
        elif event.startswith(_FORBIDDEN):
            self.stop(f"{event} {args!r}"[:300])

    def stop(self, what: str) -> None:
        self.seen.append(what)
        raise RuntimeError(f"forbidden here: {what}")


def _model() -> Any:
    from keras_fn import layers

    x = keras_fn.Input((4,), name="x")
    h = layers.Dense(3, name="h")(x)
    return keras_fn.Model(x, layers.Dense(2, name="y")(h + 1.0), name="m")


def _enter(door: str, what: Any, target: Any) -> Any:
    """Goes through a door."""
    from keras_fn import models, saving

    kind, _, name = door.partition(":")
    if kind == "load_model":
        return saving.load_model(what)
    if kind == "load_weights":
        return target.load_weights(what)
    if kind == "text":
        return models.model_from_json(what)
    if kind == "data":
        return saving.deserialize_keras_object(what)
    if kind == "from_config":
        cls = getattr(models, name, None) or getattr(keras_fn.layers, name)
        return cls.from_config(what)
    if kind in ("deserialize", "get"):
        module = sys.modules[f"keras_fn.{name}"]
        return getattr(module, kind)(what)
    if kind in _BELOW:
        return _BELOW[kind](target, what)
    return _SPECIAL[kind](what)


def _deep(_: Any) -> Any:
    data: Any = 1
    for _i in range(5000):
        data = [data]
    return keras_fn.saving.deserialize_keras_object(
        {"class_name": "Dense", "config": {"units": data}, "module": "keras.layers"}
    )


def _circular(_: Any) -> Any:
    data: dict[str, Any] = {"class_name": "Dense", "module": "keras.layers"}
    data["config"] = {"units": data}
    return keras_fn.saving.deserialize_keras_object(data)


def _nested_unsafe(code: Any) -> Any:
    """A class of the user's that asks for an unsafe mode inside a safe load."""

    class Asks(keras_fn.layers.Layer):
        @classmethod
        def from_config(cls, config: Any) -> Any:
            return keras_fn.saving.deserialize_keras_object(config["inner"], safe_mode=False)

    data = {"class_name": "Asks", "module": "", "config": {"inner": code}, "registered_name": "Asks"}
    return keras_fn.saving.deserialize_keras_object(data, {"Asks": Asks})


def _switched(code: Any) -> Any:
    switches.unsafe_deserialization = True
    try:
        return keras_fn.saving.deserialize_keras_object(code, safe_mode=True)
    finally:
        del switches.unsafe_deserialization


def _safe_inside(code: Any) -> Any:
    class Asks(keras_fn.layers.Layer):
        @classmethod
        def from_config(cls, config: Any) -> Any:
            return keras_fn.saving.deserialize_keras_object(config["inner"], safe_mode=True)

    data = {"class_name": "Asks", "module": "", "config": {"inner": code}, "registered_name": "Asks"}
    return keras_fn.saving.deserialize_keras_object(data, {"Asks": Asks}, safe_mode=False)


_SPECIAL = {
    "deep data": _deep,
    "circular data": _circular,
    "nested unsafe": _nested_unsafe,
    "switch": _switched,
    "safe inside unsafe": _safe_inside,
}


def _clone(_: Any, data: Any) -> Any:
    """A layer of the user's that says something evil when it is asked for its config."""

    class Says(keras_fn.layers.Layer):
        def call(self, x: Any) -> Any:
            return x

        def get_config(self) -> Any:
            return {"inner": data}

        @classmethod
        def from_config(cls, config: Any) -> Any:
            return keras_fn.saving.deserialize_keras_object(config["inner"])

    x = keras_fn.Input((4,), name="x")
    names, seeds = naming.state(), host.stream_state()
    try:
        return keras_fn.models.clone_model(keras_fn.Model(x, Says(name="says")(x), name="m"))
    finally:  # the program made a model here
        naming.set_state(names)
        host.set_stream_state(seeds)


def _archive(_: Any, path: str) -> Any:
    with archive.open_archive(pathlib.Path(path)) as source:
        return source.json("config.json")


def _safetensors(_: Any, path: str) -> Any:
    with safetensors_reader.open_safetensors(pathlib.Path(path)) as arrays:
        return [array.read() for array in arrays.values()]


def _hdf5(_: Any, path: str) -> Any:
    with hdf5.open_h5(path, path) as root:
        return dict(root.walk())


def _scaled(_: Any, data: Any) -> Any:
    return keras_fn.optimizers.LossScaleOptimizer.from_config({"inner_optimizer": data})


# functions below the public ones, and options
_BELOW: dict[str, Any] = {
    "weights": lambda target, path: target.load_weights(path),
    "skipping": lambda target, path: target.load_weights(path, skip_mismatch=True),
    "by name": lambda target, path: target.load_weights(path, by_name=True),
    "mapped": lambda target, path: target.load_weights(path, name_map=lambda name: name),
    "hdf5": _hdf5,
    "archive": _archive,
    "safetensors": _safetensors,
    "state file": lambda _, path: state_file.read_state_file(pathlib.Path(path)),
    "layer of": lambda _, data: saving_config.layer_of(data),
    "clone": _clone,
    "compile from config": lambda target, data: target.compile_from_config({"optimizer": "sgd", "loss": data}),
    "policy": lambda _, data: keras_fn.dtype_policies.get(data),
    "scaled optimizer": _scaled,
}


def state(folder: str, target: Any) -> dict[str, Any]:
    """What a load may not change."""
    from keras_fn import config

    rng: Any = np.random.get_state()
    return {
        "weights": [zlib.crc32(v.numpy().tobytes()) for v in target.weights],
        "compiled": [target.compiled, repr(target.optimizer)],
        "context": str({k: v for k, v in vars(context).items() if k != "call"}),  # which only marks the last one
        "python": [hash(random.getstate()), gc.isenabled(), sys.getswitchinterval(), str(np.geterr())],
        "files": sorted(os.listdir(".")) + sorted(os.listdir(folder)),
        "temporary": sorted(os.listdir(tempfile.gettempdir())),
        "threads": sorted(t.name for t in threading.enumerate()),
        "modules": sorted(sys.modules),
        "settings": [
            config.floatx(),
            config.epsilon(),
            config.image_data_format(),
            config.backend(),
            str(config.dtype_policy()),
        ],
        "registry": sorted(registry.get_custom_objects()),
        "switches": str(vars(switches)),
        "mode": lambdas.mode.safe,
        "names": naming.state(),
        "seeds": host.stream_state(),
        "numpy": [str(rng[0]), rng[1].tolist()[:4], rng[2]],
        "environment": dict(os.environ),
        "path": list(sys.path),
        "recursion": sys.getrecursionlimit(),
        "handles": sorted(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else [],
        "place": os.getcwd(),
    }


def _try(
    row: dict[str, Any], guard: _Guard, target: Any, folder: str, before: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What came of a row, and the state after it."""
    guard.seen.clear()
    found: dict[str, Any] = {"name": row["name"], "refused": None}
    held = memory.begin()
    began = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, _MOST_SECONDS)
    faulthandler.dump_traceback_later(60, exit=True)  # where foreign code waits, no exception gets through
    guard.on = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = _enter(row["door"], row["what"], target)
        guard.on = False
        found["made"] = repr(made)[:200]
    except Exception as e:
        guard.on = False
        text = str(e)
        found["refused"] = [c.__name__ for c in type(e).__mro__]
        found["text"] = text
        e.__traceback__ = None
        del e
    finally:
        guard.on = False
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_PROF, 0)
    found["seconds"] = time.process_time() - began
    found["grown"] = memory.most() - held
    found["forbidden"] = list(guard.seen)
    after = state(folder, target)
    changed = [k for k in before if before[k] != after[k]]
    if row["door"].startswith("from_config"):  # the caller makes an object, which takes a name; no file is read
        changed = [k for k in changed if k not in ("names", "seeds")]
    found["changed"] = [f"{k}: {_difference(before[k], after[k])}" for k in changed]
    return found, after


def _difference(a: Any, b: Any) -> str:
    if isinstance(a, list):
        return f"-{[x for x in a if x not in b][:5]} +{[x for x in b if x not in a][:5]}"
    return f"{a!r} -> {b!r}"[:300]


def _alarm(*_: Any) -> None:
    raise TimeoutError(f"took more than {_MOST_SECONDS} seconds of computing")


def main(rows_file: str, results_file: str) -> None:
    """Tries all rows."""
    with open(rows_file, encoding="utf-8") as file:
        given = json.load(file)
    folder, target = given["folder"], _model()
    guard = _Guard(os.path.abspath(folder))
    signal.signal(signal.SIGPROF, _alarm)
    for row in given["warm"]:  # what the library imports when it is first used is its own choice
        try:
            _enter(row["door"], row["what"], target)
        except errors.KerasFnError as e:
            str(e)
    memory.limit(2**29)
    sys.addaudithook(guard)
    results, now = [], state(folder, target)
    for row in given["rows"]:
        found, now = _try(row, guard, target, folder, now)
        results.append(found)
    with open(results_file, "w", encoding="utf-8") as out:
        json.dump({"results": results}, out)


if __name__ == "__main__":
    main(*sys.argv[1:])

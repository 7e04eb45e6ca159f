"""Time and memory of files: `python -m benchmarks.files [--backend NAME ...] [--megabytes N] [--write DOCUMENT]`.

Two models, in each format: a chain of 2,000 small layers, saved and loaded, beside one of 1,000 (twice the layers
should take twice the time); and one of 400 MB, of which the most memory is told that the process held at once, as a
multiple of the weights. Where weights are loaded into a model, the model counts. Each row is a process of its own.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

BACKENDS = ("numpy", "torch", "jax", "tensorflow")
FORMATS = (".keras", ".weights.h5", ".h5", ".safetensors")
LAYERS = (1000, 2000)
_WIDTH = 3000  # of the large model: a kernel has 36 MB, which allocators give back to the system at once


def chain(count: int, width: int) -> Any:
    """Dense layers, one after the other."""
    import keras_fn

    layers = [keras_fn.layers.Dense(width, use_bias=False, kernel_initializer="ones") for _ in range(count)]
    return keras_fn.Sequential([keras_fn.Input((width,)), *layers])


def save(model: Any, path: pathlib.Path) -> None:
    """Saves the model, or its weights."""
    if path.name.endswith(".keras"):
        model.save(path)
    elif path.name.endswith((".weights.h5", ".safetensors")):
        model.save_weights(path)
    else:
        _save_legacy(model, path)


def _save_legacy(model: Any, path: pathlib.Path) -> None:
    """The older format, which keras_fn reads and does not write."""
    h5py = importlib.import_module("h5py")
    with h5py.File(path, "w") as root:
        root.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = root.create_group(layer.name)
            group.attrs["weight_names"] = [f"{v.name}:0".encode() for v in layer.weights]
            for v in layer.weights:
                group[f"{v.name}:0"] = v.numpy()


def status(key: str) -> int:
    """Bytes of memory: `VmRSS` now, `VmHWM` at most (Linux)."""
    found = re.search(rf"{key}:\s+(\d+) kB", pathlib.Path("/proc/self/status").read_text())
    if found is None:
        raise SystemExit("Memory is read from /proc/self/status, which this system does not have.")
    return int(found[1]) * 1024


def growth(work: Callable[[], Any]) -> int:
    """Bytes that the process grew by at most while it worked."""
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the most begins anew at what is used now
    before = status("VmRSS")
    work()
    return status("VmHWM") - before


def one_row(ending: str, megabytes: int) -> dict[str, Any]:
    """The figures of a format."""
    import keras_fn

    found: dict[str, Any] = {}
    whole = ending == ".keras"
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"m{ending}"

        def load(model: Any) -> Any:
            return keras_fn.saving.load_model(path) if whole else model.load_weights(path)

        save(warm := chain(2, 4), path)  # what is imported the first time is there now
        load(warm)
        model: Any = None
        for count in LAYERS:
            model = chain(count, 4)
            began = time.perf_counter()
            save(model, path)
            saved = time.perf_counter()
            load(model)
            found[str(count)] = (saved - began, time.perf_counter() - saved)
        model = chain(max(1, megabytes * 10**6 // (4 * _WIDTH**2)), _WIDTH)
        size = sum(4 * v.size for v in model.weights)
        found["save"] = 1 + growth(lambda: save(model, path)) / size
        if whole:
            model = None
        there = 0 if whole else 1
        kept: list[Any] = []
        found["load"] = there + growth(lambda: kept.append(load(None if whole else model))) / size
    return found


def table(backend: str, megabytes: int) -> list[str]:
    """A table of the formats on a backend."""
    lines = [
        f"**{backend}**",
        "",
        "| format | 2,000 layers: save | load | load, beside 1,000 | most memory: save | load |",
        "|---|---|---|---|---|---|",
    ]
    for ending in FORMATS:
        command = [sys.executable, "-m", "benchmarks.files", "--row", ending, "--megabytes", str(megabytes)]
        done = subprocess.run(command, env={**os.environ, "KERAS_BACKEND": backend}, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        row = json.loads(done.stdout.splitlines()[-1])
        half, full = (row[str(n)] for n in LAYERS)
        written = "(by h5py)" if ending == ".h5" else f"{full[0]:.2f} s"
        memory = "" if ending == ".h5" else f"{row['save']:.2f}"
        load = f"{full[1]:.2f} s | {full[1] / half[1]:.1f} times"
        lines.append(f"| `{ending}` | {written} | {load} | {memory} | {row['load']:.2f} |")
        print(lines[-1], flush=True)
    return [*lines, ""]


def main() -> None:
    """Prints the tables, and puts them into a document between two marks."""
    parser = argparse.ArgumentParser("python -m benchmarks.files", description=__doc__)
    parser.add_argument("--backend", nargs="+", choices=BACKENDS, default=["numpy", "torch"])
    parser.add_argument("--megabytes", type=int, default=400, help="of the large model (default 400)")
    parser.add_argument("--write", type=pathlib.Path, help="a document with <!-- files --> and <!-- /files -->")
    parser.add_argument("--row", choices=FORMATS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.row:
        print(json.dumps(one_row(asked.row, asked.megabytes)))
        return
    lines = [line for backend in asked.backend for line in table(backend, asked.megabytes)]
    if asked.write is None:
        print("\n".join(lines))
        return
    text = asked.write.read_text()
    parts = re.split(r"(?<=<!-- files -->\n).*(?=<!-- /files -->)", text, flags=re.DOTALL)
    if len(parts) != 2:
        raise SystemExit(f"{asked.write} has no lines <!-- files --> and <!-- /files -->.")
    asked.write.write_text("\n".join([parts[0] + "", *lines]) + parts[1])


if __name__ == "__main__":
    main()

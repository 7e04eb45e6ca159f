"""What memory a process keeps: `python -m benchmarks.growth [--backend NAME ...] [--write DOCUMENT]`.

Three figures, for keras_fn and for Keras, each in a process of its own: how much a process grows over 10,000 calls of
`predict` on one sample, how much over 180 models that are built, trained and dropped, and what is left of a model of
40 MB right after `del`, with Python's collector switched off.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import pathlib
import re
import subprocess
import sys
from typing import Any

# seconds; 10,000 calls of Keras's `predict` on TensorFlow take a quarter of an hour
_PATIENCE = 300
BACKENDS = ("jax", "torch", "tensorflow", "numpy")
TITLES = {
    "calls": "growth over 10,000 calls of `predict` on one sample",
    "models": "growth over 180 models built, trained for an epoch and dropped",
    "left": "left of a model of 40 MB after one call and `del`, no collector",
}


def used() -> float:
    """Megabytes of memory that the process holds now (Linux)."""
    status = pathlib.Path("/proc/self/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    if found is None:
        raise SystemExit("Memory is read from /proc/self/status, which this system does not have.")
    return int(found[1]) / 1024


def _mlp(keras: Any, width: int = 16) -> Any:
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(width, "relu"), keras.layers.Dense(1)])
    model.compile("adam", "mse", jit_compile=False)
    return model


def calls(keras: Any, np: Any) -> float:
    model, x = _mlp(keras), np.ones((1, 8), "float32")
    for _ in range(500):
        model.predict(x, verbose=0)
    before = used()
    for _ in range(10_000):
        model.predict(x, verbose=0)
    gc.collect()
    return used() - before


def models(keras: Any, np: Any) -> float:
    x, y = np.ones((64, 8), "float32"), np.ones((64, 1), "float32")

    def one() -> None:
        model = _mlp(keras)
        if keras.backend.backend() == "numpy":
            model.evaluate(x, y, verbose=0)
        else:
            model.fit(x, y, epochs=1, batch_size=16, verbose=0)

    for _ in range(20):
        one()
    gc.collect()
    before = used()
    for _ in range(180):
        one()
    gc.collect()
    return used() - before


def left(keras: Any, np: Any) -> float:
    def big() -> Any:
        model = keras.Sequential([keras.Input((1000,)), keras.layers.Dense(10_000)])
        model(np.ones((1, 1000), "float32"))
        return model

    big()
    gc.collect()
    gc.disable()
    before = used()
    for _ in range(5):  # what an allocator keeps for the next one is no loss
        model = big()
        del model
    return used() - before


def _measured(backend: str, package: str, name: str) -> float | None:
    environment = dict(os.environ, KERAS_BACKEND=backend, TF_CPP_MIN_LOG_LEVEL="3")
    command = [sys.executable, "-m", "benchmarks.growth", "--measure", package, name]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        print(f"{package} on {backend}, {name}: not done after {_PATIENCE} s", file=sys.stderr)
        return None
    if done.returncode:
        print(f"{package} on {backend}, {name}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def _table(backends: list[str]) -> str:
    lines = ["| backend | what | Keras | keras_fn |", "|---|---|---|---|"]
    for backend in backends:
        for name, title in TITLES.items():
            figures = [_measured(backend, package, name) for package in ("keras", "keras_fn")]
            cells = ["" if f is None else f"{f:.1f} MB" for f in figures]
            lines.append(f"| {backend} | {title} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.growth", description=__doc__)
    parser.add_argument("--backend", nargs="+", choices=BACKENDS, default=list(BACKENDS))
    parser.add_argument("--write", type=pathlib.Path, help="the document whose block `<!-- growth -->` is written anew")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        package, name = given.measure
        figure = {"calls": calls, "models": models, "left": left}[name]
        print(json.dumps(figure(importlib.import_module(package), importlib.import_module("numpy"))))
        return
    table = _table(given.backend)
    if given.write:
        text = given.write.read_text()
        block = re.compile(r"(<!-- growth -->\n).*?(<!-- end: growth -->)", re.DOTALL)
        given.write.write_text(block.sub(lambda m: f"{m[1]}\n{table}\n\n{m[2]}", text))


if __name__ == "__main__":
    main()

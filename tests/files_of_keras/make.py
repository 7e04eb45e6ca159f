"""Makes the corpus: files written by one version of real Keras, packed into `<version>.zip` beside this script.

    KERAS_BACKEND=torch python tests/files_of_keras/make.py [FOLDER]

with `keras==<version>` installed (versions that were used: 3.0.5, 3.3.3, 3.6.0, 3.9.2, 3.12.0, 3.15.1). With `--add`,
the zip keeps what it holds, and gets the cases that it lacks; also those that the version could not make on another
backend: 3.0.5 made the resizing layers and Conv2DTranspose on JAX. With `--ours`, keras_fn writes the few files of
`ours-<backend>.zip`, which every other backend must open.

A zip holds the files; `manifest.json`, which says of each what it is about, the seed of its inputs, and what this
version could not make; and `expected.npz` with what the model in the file gives.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import pathlib
import sys
import tempfile
import zipfile
import zlib
from typing import Any

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from files_of_keras import cases

SEED = 3
# every case of the oldest and the newest version; of those between, structures, settings, and a share of the rest
WHOLE = ("3.0.5", "3.15.1")
SHARE = 4
OURS = ("structure-nested", "structure-masked", "structure-half", "structure-frozen", "structure-branches",
        "optimizer-Adam", "schedule-CosineDecay", "settings-settings_in_dicts", "layer-BatchNormalization",
        "layer-Conv2D", "layer-GRU", "layer-Dropout")  # fmt: skip
# structures that are written in every format that there is
EVERY_FORMAT = ("structure-shared", "structure-nested", "structure-named_outputs", "structure-sequential",
                "structure-branches", "structure-masked", "structure-half", "optimizer-Adam", "optimizer-SGD",
                "settings-settings_in_dicts", "settings-settings_in_lists", "layer-BatchNormalization",
                "layer-Bidirectional", "layer-MultiHeadAttention", "schedule-ExponentialDecay")  # fmt: skip
# 3.0.5 counted the calls of other graphs, so that its files name calls that they do not hold
DAMAGED = {("3.0.5", "structure-deeper"): "its files name calls that they do not hold"}
# what an older version says where it cannot make or save a case
REFUSALS = (AttributeError, ImportError, LookupError, NotImplementedError, RuntimeError, TypeError, ValueError)


def wanted(version: str) -> list[str]:
    """The cases of a version."""

    def is_in(case: str) -> bool:
        always = version in WHOLE or case.startswith(("structure", "settings")) or case in EVERY_FORMAT
        return always or zlib.crc32(f"{version} {case}".encode()) % SHARE == 0

    return [case for case in cases.NAMES if is_in(case)]


def formats(K: Any, case: str, ours: bool) -> dict[str, Any]:
    """Format -> how a model is written in it under a path without extension."""
    found: dict[str, Any] = {"keras": lambda m, p: m.save(f"{p}.keras")}
    if case in EVERY_FORMAT and not ours:
        found |= {
            "folder": lambda m, p: m.save(f"{p}-folder", zipped=False),
            "weights": lambda m, p: m.save_weights(f"{p}.weights.h5"),
            "shards": lambda m, p: m.save_weights(f"{p}.weights.json", max_shard_size=3e-7),
            "legacy": lambda m, p: m.save(f"{p}.h5"),
            "config": lambda m, p: pathlib.Path(f"{p}.json").write_text(m.to_json()),
        }
    return found


def write_case(K: Any, case: str, folder: pathlib.Path, expected: dict[str, Any], ours: bool) -> dict[str, Any]:
    """Writes the files of a case, and notes what its model gives. Returns its entry in the manifest."""
    K.utils.clear_session()
    if case.startswith("layer-RNN") or "Lookup" in case:
        K.utils.set_random_seed(0)
    model = cases.make(K, case)
    if not case.startswith("part"):
        cases.fill(model, SEED)
    goes_on = case.startswith(("optimizer", "schedule"))
    if goes_on:
        cases.steps(K, model, 0)
    entry: dict[str, Any] = {"seed": SEED, "files": {}, "left_out": {}}
    for name, write in formats(K, case, ours).items():
        try:
            write(model, folder / case)
            entry["files"][name] = case
        except REFUSALS as e:
            entry["left_out"][name] = f"{type(e).__name__}: {str(e)[:200]}"
    if "keras" in entry["files"]:  # what the file gives where Keras opens it: it forgets some options itself
        try:
            model = K.saving.load_model(folder / f"{case}.keras")
        except REFUSALS as e:  # then it is what the model gave before
            entry["not_opened_by_keras"] = f"{type(e).__name__}: {str(e)[:200]}"
    x = cases.inputs_of(model, SEED)
    for i, y in enumerate(cases.outputs_of(K, model, x)):
        expected[f"{case}/out/{i}"] = y
    if getattr(model, "compiled", False) and not goes_on:
        entry["logs"] = cases.logs_of(case, model, x, cases.targets_of(case, SEED))
    if goes_on:
        rate = model.optimizer.learning_rate
        entry["learning_rate"] = float(K.ops.convert_to_numpy(rate))
        cases.steps(K, model, 1)
        for i, y in enumerate(cases.outputs_of(K, model, x)):
            expected[f"{case}/after/{i}"] = y
    return entry


def main() -> None:
    """Writes one zip."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    parser.add_argument("--ours", action="store_true")
    parser.add_argument("--add", action="store_true")
    asked = parser.parse_args()
    K = importlib.import_module("keras_fn" if asked.ours else "keras")
    name = f"ours-{K.config.backend()}" if asked.ours else K.__version__
    manifest: dict[str, Any] = {"keras": K.__version__, "backend": K.config.backend(), "cases": {}, "left_out": {}}
    expected: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as where:
        folder = pathlib.Path(where)
        if asked.add:
            manifest = _unpack(asked.folder / f"{name}.zip", folder, expected)
        for case in OURS if asked.ours else wanted(name):
            if case in manifest["cases"]:
                continue
            manifest["left_out"].pop(case, None)
            if (name, case) in DAMAGED:
                manifest["left_out"][case] = DAMAGED[name, case]
                continue
            if not cases.known(K, case):
                manifest["left_out"][case] = "no such class"
                continue
            try:
                manifest["cases"][case] = write_case(K, case, folder, expected, asked.ours)
            except REFUSALS as e:
                manifest["left_out"][case] = f"{type(e).__name__}: {str(e)[:200]}"
        _pack(asked.folder / f"{name}.zip", folder, manifest, expected)
    print(f"{name}: {len(manifest['cases'])} cases; left out:")
    for case, why in manifest["left_out"].items():
        print(f"  {case}: {why[:150]}")


def _unpack(source: pathlib.Path, folder: pathlib.Path, expected: dict[str, Any]) -> dict[str, Any]:
    """Puts the files and arrays of a zip where those of more cases come; returns its manifest."""
    with zipfile.ZipFile(source) as packed:
        packed.extractall(folder, [n for n in packed.namelist() if n not in ("manifest.json", "expected.npz")])
        expected.update(np.load(io.BytesIO(packed.read("expected.npz"))))
        return json.loads(packed.read("manifest.json"))


def _pack(target: pathlib.Path, folder: pathlib.Path, manifest: dict[str, Any], expected: dict[str, Any]) -> None:
    arrays = io.BytesIO()
    np.savez(arrays, **expected)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        packed.writestr("manifest.json", json.dumps(manifest, indent=1))
        packed.writestr("expected.npz", arrays.getvalue())
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(folder).as_posix())


if __name__ == "__main__":
    main()

"""Files that real Keras wrote, in six versions from 3.0.5 to 3.15.1, and that keras_fn wrote on each backend.

`files_of_keras/make.py` made them, with what the models in them gave. On the backend that starts fastest all are
opened; on the others a share, another one on each.
"""

from __future__ import annotations

import functools
import io
import json
import pathlib
import zipfile
import zlib
from typing import Any

import numpy as np
import pytest

import keras_fn
from files_of_keras import cases
from keras_fn.core.backend import active

CORPUS = pathlib.Path(cases.__file__).parent
SHARES = ("jax", "torch", "tensorflow")


# what an older version computed otherwise than 3.15.1 does from the same file: here it is as in 3.15.1
CHANGED = {
    "layer-AveragePooling1D": "out",  # zeros around the sequence were counted
    "optimizer-Nadam": "after",
    "part-L1L2": "logs",  # penalties of outputs were not divided by the number of samples
    "loss-CTC": "logs",  # 3.0.5 and 3.3.3 took the zeros behind a row of labels for labels: see below
    "settings-settings_in_lists": "logs",  # losses of single outputs were shown with their weights
    "settings-settings_in_dicts": "logs",
}


class Pack:
    """The zip of one version."""

    def __init__(self, path: pathlib.Path) -> None:
        self.zip = zipfile.ZipFile(path)
        self.manifest = json.loads(self.zip.read("manifest.json"))

    @functools.cached_property
    def expected(self) -> Any:
        return np.load(io.BytesIO(self.zip.read("expected.npz")))

    def arrays(self, case: str, what: str) -> list[np.ndarray]:
        """What the model of a case gave."""
        names = sorted(n for n in self.expected.files if n.startswith(f"{case}/{what}/"))
        return [self.expected[n] for n in names]

    def take(self, start: str, folder: pathlib.Path) -> None:
        """Unpacks what belongs to a case."""
        for name in self.zip.namelist():
            if name.startswith((f"{start}.", f"{start}-folder/", f"{start}_")):
                self.zip.extract(name, folder)


PACKS = {p.stem: Pack(p) for p in sorted(CORPUS.glob("*.zip"))}


def mine(version: str, case: str) -> bool:
    """Whether this backend opens a file."""
    if active.backend.name not in SHARES:
        return True
    return zlib.crc32(f"{version} {case}".encode()) % (2 * len(SHARES)) == SHARES.index(active.backend.name)


FILES = [
    pytest.param(version, case, form, id=f"{version}-{case}-{form}")
    for version, pack in PACKS.items()
    for case, entry in pack.manifest["cases"].items()
    for form in entry["files"]
    if cases.known(keras_fn, case) and mine(version, f"{case} {form}")
]


def opened(version: str, case: str, form: str, folder: pathlib.Path) -> Any:
    """The model of a file; weights alone are loaded into the model that the case makes."""
    PACKS[version].take(case, folder)
    path = folder / case
    if form == "keras":
        return keras_fn.saving.load_model(f"{path}.keras")
    if form == "folder":
        return keras_fn.saving.load_model(f"{path}-folder")
    if form == "legacy":
        return keras_fn.saving.load_model(f"{path}.h5")
    if form == "config":
        model = keras_fn.models.model_from_json(pathlib.Path(f"{path}.json").read_text())
        model.load_weights(f"{path}.weights.h5")
        return model
    model = cases.make(keras_fn, case)
    model.load_weights(f"{path}.weights.{'json' if form == 'shards' else 'h5'}")
    return model


@pytest.mark.parametrize(("version", "case", "form"), FILES)
def test_open(version: str, case: str, form: str, tmp_path: pathlib.Path) -> None:
    pack = PACKS[version]
    entry = pack.manifest["cases"][case]
    model = opened(version, case, form, tmp_path)
    x = cases.inputs_of(model, entry["seed"])
    changed = CHANGED.get(case) if pack.manifest["keras"] != "3.15.1" and version[0] != "o" else None
    if changed != "out":
        close(cases.outputs_of(keras_fn, model, x), pack.arrays(case, "out"), case)
    if "logs" in entry and changed != "logs" and form in ("keras", "folder", "legacy", "config"):
        same_logs(cases.logs_of(case, model, x, cases.targets_of(case, entry["seed"])), entry["logs"], case)
    if "learning_rate" in entry and model.compiled and form != "config":
        rate = keras_fn.ops.convert_to_numpy(model.optimizer.learning_rate)
        assert float(rate) == pytest.approx(entry["learning_rate"], rel=1e-5)
        cases.steps(keras_fn, model, 1)
        if changed != "after":
            close(cases.outputs_of(keras_fn, model, x), pack.arrays(case, "after"), case)
    if form == "keras":
        again = keras_fn.models.model_from_json(model.to_json())
        assert again.get_config() == model.get_config()


def close(ours: list[np.ndarray], theirs: list[np.ndarray], case: str) -> None:
    """Outputs agree, as far as their dtype goes."""
    tolerance = 2e-2 if case in cases.ROUGH else 1e-5
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def same_logs(ours: dict[str, Any], theirs: dict[str, Any], case: str) -> None:
    """Losses and metrics agree, under the same names."""
    tolerance = 1e-3 if case in cases.ROUGH else 1e-5
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=tolerance, atol=tolerance, err_msg=name)


def ctc(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The loss of one row of labels, all of which count, zeros too (Graves et al. 2006, the forward recursion)."""
    states = np.zeros(2 * len(labels) + 1, int)
    states[1::2] = labels
    reached = np.zeros(len(states))
    reached[:2] = probabilities[0, states[:2]]
    skips = np.array([i % 2 == 1 and i > 1 and states[i] != states[i - 2] for i in range(len(states))])
    for frame in probabilities[1:]:
        one, two = np.pad(reached, (1, 0))[:-1], np.pad(reached, (2, 0))[:-2]
        reached = (reached + one + skips * two) * frame[states]
    return -float(np.log(reached[-2:].sum()))


@pytest.mark.parametrize("version", ["3.0.5", "3.3.3"])
def test_padded_labels_in_older_versions(version: str, tmp_path: pathlib.Path) -> None:
    """These versions took the width of the labels for the length of each row, and padding for labels."""
    model = opened(version, "loss-CTC", "keras", tmp_path)
    entry = PACKS[version].manifest["cases"]["loss-CTC"]
    labels = cases.targets_of("loss-CTC", entry["seed"])
    scores = cases.outputs_of(keras_fn, model, cases.inputs_of(model, entry["seed"]))[0].astype("float64")
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    weights = np.linspace(0.5, 1.5, cases.BATCH)
    theirs = np.mean([w * ctc(p, row) for w, p, row in zip(weights, probabilities, labels, strict=True)])
    ours = np.mean([w * ctc(p, row[row > 0]) for w, p, row in zip(weights, probabilities, labels, strict=True)])
    assert theirs == pytest.approx(entry["logs"]["loss"][0], rel=1e-5)
    found = cases.logs_of("loss-CTC", model, cases.inputs_of(model, entry["seed"]), labels)["loss"][0]
    assert found == pytest.approx(ours, rel=1e-5) and found != pytest.approx(theirs, rel=1e-2)

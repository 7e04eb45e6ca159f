"""The examples run, with fewer epochs and samples, and do what they say."""

from __future__ import annotations

import importlib.util
import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from keras_fn.core.backend import active
from keras_fn.core.errors import KerasFnError

FOLDER = pathlib.Path(__file__).parent.parent / "examples"


def fell(result: dict[str, Any]) -> bool:
    """Whether the loss is lower at the end than after the first epoch."""
    losses = result["history"]["loss"]
    return losses[-1] < 0.7 * losses[0]


# example -> (arguments of main, whether it writes files, what must be true of what main returns)
EXAMPLES: dict[str, tuple[dict[str, Any], bool, Callable[[dict[str, Any]], list[bool]]]] = {
    "autoencoder": (
        {"epochs": 6},
        False,
        lambda r: [fell(r), r["error"] < 0.5 * r["mean_error"], r["difference"] < 1e-5],
    ),
    "residual_network": ({"epochs": 2, "samples": 600}, False, lambda r: [fell(r), r["accuracy"] > 0.6]),
    "ticket_ranking": (
        {"epochs": 5, "samples": 600},
        False,
        lambda r: [fell(r), r["scores"]["department_accuracy"] > 0.9],
    ),
    "shared_embeddings": ({"epochs": 5}, False, lambda r: [fell(r), r["accuracy"] > 0.8, r["tables"] == 1]),
    "feature_extraction": (
        {"epochs": 4},
        False,
        lambda r: [fell(r), r["accuracy"] > 0.6, r["frozen"], len(r["layers"]) == 6],
    ),
    "custom_layer": (
        {"epochs": 10},
        True,
        lambda r: [fell(r), r["error"] < 0.6 * r["variance"], r["difference"] < 1e-6],
    ),
    "custom_rnn": ({"epochs": 6, "samples": 800}, False, lambda r: [fell(r), r["errors"][10] < 0.3 * r["variance"]]),
    "gan": ({"epochs": 60}, False, lambda r: [r["after"] < 0.7 * r["before"], bool((r["spread"] > 0.2).all())]),
}


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"examples_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    return module


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name: str, tmp_path: pathlib.Path) -> None:
    arguments, writes, outcomes = EXAMPLES[name]
    arguments = {**arguments, "verbose": 0} | ({"folder": str(tmp_path)} if writes else {})
    example = load(name)
    if not active.backend.differentiable:  # training is refused, and it says what to do
        with pytest.raises(KerasFnError, match="KERAS_BACKEND"):
            example.main(**arguments)
        return
    result = example.main(**arguments)
    assert all(outcomes(result)), {k: v for k, v in result.items() if k != "history"}
    if writes:
        assert list(tmp_path.glob("*.keras"))


def test_quickstart(tmp_path: pathlib.Path) -> None:
    """It trains in few epochs already, and its model predicts the same in a new process."""
    example = load("quickstart")
    if not active.backend.differentiable:
        with pytest.raises(KerasFnError, match="KERAS_BACKEND"):
            example.main(epochs=1, folder=tmp_path, verbose=0)
        return
    result = example.main(epochs=5, folder=tmp_path, verbose=0)
    assert result["accuracy"] > 0.9
    assert result["same_predictions"]
    assert {p.suffix for p in tmp_path.iterdir()} >= {".keras", ".png"}


def test_every_example_is_listed_and_tested() -> None:
    names = {p.stem for p in FOLDER.glob("*.py")}
    assert names == {*EXAMPLES, "quickstart"}
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"[{name}.py]({name}.py)" in listed for name in names)

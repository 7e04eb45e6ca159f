"""Every example runs, and what it reports is so: losses fell, and answers are better than guessing."""

from __future__ import annotations

import importlib.util
import math
import pathlib
from typing import Any

import pytest

from keras_fn.core.backend import active
from keras_fn.core.errors import BackendError

FOLDER = pathlib.Path(__file__).parent.parent / "examples"


def fell(outcome: dict[str, Any], name: str = "loss") -> bool:
    losses = outcome["history"][name]
    return losses[-1] < 0.8 * losses[0]


def check_autoencoder(outcome: dict[str, Any]) -> None:
    assert fell(outcome)
    assert outcome["error"] < outcome["mean_error"]
    assert outcome["difference"] < 1e-5  # decoder(encoder(x)) is the whole


def check_ticket_ranking(outcome: dict[str, Any]) -> None:
    assert fell(outcome)
    assert outcome["scores"] and all(math.isfinite(s) for s in outcome["scores"].values())


def check_residual_network(outcome: dict[str, Any]) -> None:
    assert fell(outcome)
    assert outcome["accuracy"] > 0.3  # of ten digits


def check_shared_embeddings(outcome: dict[str, Any]) -> None:
    assert fell(outcome)
    assert outcome["accuracy"] > 0.7  # of two answers
    assert outcome["tables"] == 1


def check_feature_extraction(outcome: dict[str, Any]) -> None:
    assert fell(outcome)
    assert outcome["accuracy"] > 0.3  # of ten digits
    assert outcome["frozen"]
    assert len(outcome["layers"]) > 1


def check_custom_layer(outcome: dict[str, Any]) -> None:
    assert fell(outcome)
    assert outcome["error"] < outcome["variance"]
    assert outcome["difference"] < 1e-5  # loaded from its file


def check_custom_rnn(outcome: dict[str, Any]) -> None:
    assert fell(outcome)
    assert outcome["errors"][10] < 0.8 * outcome["variance"]


def check_gan(outcome: dict[str, Any]) -> None:
    assert outcome["after"] < 0.8 * outcome["before"]
    assert all(math.isfinite(loss) for losses in outcome["history"].values() for loss in losses)


def check_quickstart(outcome: dict[str, Any]) -> None:
    assert outcome["accuracy"] > 0.7  # of ten digits
    assert outcome["same_predictions"]


# example -> epochs, and what must be true of the outcome
EXAMPLES = {
    "autoencoder": (3, check_autoencoder),
    "custom_layer": (6, check_custom_layer),
    "custom_rnn": (5, check_custom_rnn),
    "feature_extraction": (3, check_feature_extraction),
    "gan": (12, check_gan),
    "quickstart": (3, check_quickstart),
    "residual_network": (3, check_residual_network),
    "shared_embeddings": (3, check_shared_embeddings),
    "ticket_ranking": (3, check_ticket_ranking),
}


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_tested_and_listed() -> None:
    names = {path.stem for path in FOLDER.glob("*.py")}
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert names == set(EXAMPLES)
    assert all(f"({name}.py)" in listed for name in names)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    epochs, check = EXAMPLES[name]
    main = load(name).main
    if active.backend.differentiable:
        check(main(epochs=epochs))
    else:
        with pytest.raises(BackendError, match="gradients"):
            main(epochs=epochs)

"""Losses against those of real Keras, on one backend."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from keras_fn import losses, ops  # noqa: E402

RNG = np.random.default_rng(0)
Y = RNG.uniform(0.05, 0.95, (4, 3)).astype("float32")
P = RNG.uniform(0.05, 0.95, (4, 3)).astype("float32")
BITS = (RNG.uniform(size=(4, 3)) > 0.5).astype("float32")
HOT = np.eye(3, dtype="float32")[[0, 2, 1, 1]]
IDS = np.array([0, 2, 1, 1])
LOGITS = RNG.normal(size=(4, 3)).astype("float32") * 2
SIGNED = RNG.normal(size=(4, 3)).astype("float32")
SEQUENCES = RNG.normal(size=(4, 7, 5)).astype("float32")
LABELS = np.array([[1, 2, 0], [2, 2, 4], [3, 0, 0], [0, 0, 0]])

CASES = [
    ("MeanSquaredError", {}, Y, P),
    ("MeanAbsoluteError", {}, Y, P),
    ("MeanAbsolutePercentageError", {}, Y, P),
    ("MeanSquaredLogarithmicError", {}, Y, SIGNED),
    ("Huber", {}, Y * 4, P),
    ("Huber", {"delta": 0.2}, Y, P),
    ("LogCosh", {}, Y * 30, SIGNED),
    ("CosineSimilarity", {}, Y, SIGNED),
    ("Hinge", {}, BITS, SIGNED),
    ("Hinge", {}, BITS * 2 - 1, SIGNED),
    ("SquaredHinge", {}, BITS, SIGNED),
    ("CategoricalHinge", {}, HOT, SIGNED),
    ("KLDivergence", {}, Y, P),
    ("Poisson", {}, Y * 5, P),
    ("Dice", {}, BITS, P),
    ("Dice", {"axis": (1,)}, BITS, P),
    ("Tversky", {"alpha": 0.2, "beta": 0.7}, BITS, P),
    ("Tversky", {"alpha": 0.2, "beta": 0.7, "axis": (1,)}, BITS, P),
    ("BinaryCrossentropy", {}, BITS, P),
    ("BinaryCrossentropy", {"label_smoothing": 0.2, "from_logits": True}, BITS, LOGITS),
    ("BinaryFocalCrossentropy", {}, BITS, P),
    ("BinaryFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, BITS, LOGITS),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "gamma": 1.5}, BITS, P),
    ("CategoricalCrossentropy", {}, HOT, P),
    ("CategoricalCrossentropy", {"label_smoothing": 0.2, "from_logits": True}, HOT, LOGITS),
    ("CategoricalFocalCrossentropy", {}, HOT, P),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, HOT, LOGITS),
    ("SparseCategoricalCrossentropy", {}, IDS, P),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, IDS[:, None], LOGITS),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, IDS, P),
    ("SparseCategoricalCrossentropy", {"ignore_class": -1, "from_logits": True}, np.array([0, -1, 2, -1]), LOGITS),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.7}, IDS, P),
    ("CTC", {}, LABELS, SEQUENCES),
    ("Circle", {"gamma": 8.0}, np.array([0, 1, 0, 2]), P / np.linalg.norm(P, axis=1, keepdims=True)),
]
WHOLE = {"Dice", "Tversky"}  # one value for the batch unless there is an axis


def values(x: object) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(x))


def oracle(x: object) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(x))


@pytest.mark.parametrize(("name", "kwargs", "y_true", "y_pred"), CASES, ids=lambda x: x if isinstance(x, str) else "")
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "none", "mean_with_sample_weight"])
@pytest.mark.parametrize("weighted", [False, True])
def test_same_value(name, kwargs, y_true, y_pred, reduction, weighted):
    ours = getattr(losses, name)(reduction=reduction, **kwargs)
    theirs = getattr(keras.losses, name)(reduction=reduction, **kwargs)
    size = 1 if name in WHOLE and "axis" not in kwargs else 4
    weight = np.array([0.5, 2.0, 0.0, 1.0], "float32")[:size] if weighted and size > 1 else None
    got = values(ours(y_true, y_pred, sample_weight=weight))
    wanted = oracle(theirs(y_true, y_pred, sample_weight=weight))
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=3e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "kwargs", "y_true", "y_pred"), CASES, ids=lambda x: x if isinstance(x, str) else "")
def test_config_holds_what_keras_says(name, kwargs, y_true, y_pred):
    ours, theirs = getattr(losses, name)(**kwargs).get_config(), getattr(keras.losses, name)(**kwargs).get_config()
    assert {k: ours[k] for k in theirs} == theirs
    # and Keras takes ours
    getattr(keras.losses, name).from_config(ours)


@pytest.mark.parametrize("alias", ["mse", "MAE", "mape", "msle", "bce", "kld", "hinge", "huber", "log_cosh", "ctc"])
def test_names_mean_the_same_function(alias):
    assert losses.get(alias).__name__ == keras.losses.get(alias).__name__


@pytest.mark.parametrize("alias", ["Huber", "MeanSquaredError", "KLDivergence", "Dice"])
def test_names_of_classes(alias):
    assert losses.get(alias).get_config()["name"] == keras.losses.get(alias).get_config()["name"]


def test_columns_and_vectors_meet_as_in_keras():
    a, b = np.array([1.0, 2.0, 4.0], "float32"), np.array([[0.0], [1.0], [1.0]], "float32")
    for y_true, y_pred in ((a, b), (b, a)):
        got = values(losses.MeanSquaredError(reduction=None)(y_true, y_pred))
        np.testing.assert_allclose(got, oracle(keras.losses.MeanSquaredError(reduction=None)(y_true, y_pred)))

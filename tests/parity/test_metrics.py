"""Metrics against those of real Keras, on one backend: two batches, with and without weights."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import keras_fn.graph  # noqa: E402, F401
from keras_fn import metrics, ops  # noqa: E402

RNG = np.random.default_rng(1)
BITS = (RNG.uniform(size=(8, 3)) > 0.5).astype("float32")
P = RNG.uniform(0.02, 0.98, (8, 3)).astype("float32")
Y = RNG.uniform(0.05, 0.95, (8, 3)).astype("float32")
IDS = RNG.integers(0, 3, 8)
HOT = np.eye(3, dtype="float32")[IDS]
GUESSES = RNG.integers(0, 3, 8)
LOGITS = RNG.normal(size=(8, 3)).astype("float32") * 2

CASES = [
    ("MeanSquaredError", {}, Y, P),
    ("RootMeanSquaredError", {}, Y, P),
    ("MeanAbsoluteError", {}, Y, P),
    ("MeanAbsolutePercentageError", {}, Y, P),
    ("MeanSquaredLogarithmicError", {}, Y, P),
    ("LogCoshError", {}, Y, P),
    ("CosineSimilarity", {}, Y, P),
    ("KLDivergence", {}, Y, P),
    ("Poisson", {}, Y, P),
    ("Hinge", {}, BITS, LOGITS),
    ("SquaredHinge", {}, BITS, LOGITS),
    ("CategoricalHinge", {}, HOT, LOGITS),
    ("PearsonCorrelation", {}, Y, P),
    ("ConcordanceCorrelation", {}, Y, P),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, BITS, P),
    ("BinaryCrossentropy", {"from_logits": True}, BITS, LOGITS),
    ("CategoricalCrossentropy", {}, HOT, P),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, IDS, LOGITS),
    ("Accuracy", {}, IDS, GUESSES),
    ("BinaryAccuracy", {"threshold": 0.4}, BITS, P),
    ("CategoricalAccuracy", {}, HOT, P),
    ("SparseCategoricalAccuracy", {}, IDS, P),
    ("SparseCategoricalAccuracy", {}, IDS[:, None], P),
    ("TopKCategoricalAccuracy", {"k": 2}, HOT, P),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, IDS, P),
    ("TruePositives", {}, BITS, P),
    ("FalsePositives", {"thresholds": [0.2, 0.7]}, BITS, P),
    ("TrueNegatives", {"thresholds": 0.3}, BITS, P),
    ("FalseNegatives", {}, BITS[:, 0], P[:, :1]),
    ("Precision", {}, BITS, P),
    ("Precision", {"thresholds": [0.7, 0.2]}, BITS, P),
    ("Precision", {"top_k": 2}, BITS, P),
    ("Precision", {"class_id": 1}, BITS, P),
    ("Recall", {"thresholds": 0.3}, BITS, P),
    ("Recall", {"top_k": 1, "class_id": 2}, BITS, P),
    ("SensitivityAtSpecificity", {"specificity": 0.4}, BITS, P),
    ("SpecificityAtSensitivity", {"sensitivity": 0.4, "num_thresholds": 20}, BITS, P),
    ("PrecisionAtRecall", {"recall": 0.6, "class_id": 1}, BITS, P),
    ("RecallAtPrecision", {"precision": 0.6}, BITS, P),
    ("AUC", {}, BITS, P),
    ("AUC", {"num_thresholds": 11, "summation_method": "minoring"}, BITS, P),
    ("AUC", {"num_thresholds": 11, "summation_method": "majoring"}, BITS, P),
    ("AUC", {"curve": "PR", "num_thresholds": 21}, BITS, P),
    ("AUC", {"curve": "PR", "num_thresholds": 21, "summation_method": "majoring"}, BITS, P),
    ("AUC", {"thresholds": [0.2, 0.5, 0.6]}, BITS, P),
    ("AUC", {"multi_label": True, "num_labels": 3}, BITS, P),
    ("AUC", {"multi_label": True, "curve": "PR", "label_weights": [0.2, 0.3, 1.0]}, BITS, P),
    ("AUC", {"multi_label": True, "thresholds": [0.2, 0.5]}, BITS, P),
    ("AUC", {"from_logits": True}, BITS, LOGITS),
    ("AUC", {"label_weights": [0.2, 0.3, 1.0]}, BITS, P),
    ("F1Score", {}, HOT, P),
    ("F1Score", {"average": "macro", "threshold": 0.4}, BITS, P),
    ("FBetaScore", {"average": "micro", "beta": 2.0, "threshold": 0.4}, BITS, P),
    ("FBetaScore", {"average": "weighted", "beta": 0.5}, HOT, P),
    ("R2Score", {}, Y, P),
    ("R2Score", {"class_aggregation": None}, Y, P),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, Y, P),
    ("R2Score", {"num_regressors": 2}, Y[:, :1], P[:, :1]),
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, IDS, GUESSES),
    ("MeanIoU", {"num_classes": 3}, IDS, GUESSES),
    ("MeanIoU", {"num_classes": 4, "ignore_class": 1, "dtype": "float32"}, IDS, GUESSES),
    ("BinaryIoU", {"threshold": 0.3, "dtype": "float32"}, BITS[:, 0], P[:, 0]),
    ("OneHotIoU", {"num_classes": 3, "target_class_ids": [1]}, HOT, P),
    ("OneHotMeanIoU", {"num_classes": 3}, HOT, P),
]


def values(x: object) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(x))


def oracle(x: object) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(x))


@pytest.mark.parametrize(("name", "kwargs", "y_true", "y_pred"), CASES, ids=lambda x: x if isinstance(x, str) else "")
@pytest.mark.parametrize("weighted", [False, True])
def test_same_result(name, kwargs, y_true, y_pred, weighted):
    ours, theirs = getattr(metrics, name)(**kwargs), getattr(keras.metrics, name)(**kwargs)
    weight = np.array([0.5, 2.0, 0.0, 1.0, 1.0, 3.0, 1.0, 0.5], "float32")
    if ours.dtype == "int32":
        weight = np.ceil(weight)
    for batch in (slice(0, 5), slice(5, 8)):
        w = weight[batch] if weighted else None
        ours.update_state(y_true[batch], y_pred[batch], sample_weight=w)
        theirs.update_state(y_true[batch], y_pred[batch], sample_weight=w)
    got, wanted = values(ours.result()), oracle(theirs.result())
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=2e-6)
    assert [tuple(v.shape) for v in ours.variables] == [tuple(v.shape) for v in theirs.variables]
    assert [v.name for v in ours.variables] == [v.name for v in theirs.variables]


def test_adjusted_r2_counts_samples_where_keras_counts_elements():
    plain, ours, theirs = metrics.R2Score(), metrics.R2Score(num_regressors=2), keras.metrics.R2Score(num_regressors=2)

    def adjusted(n: int) -> float:
        return 1 - (1 - float(values(plain(Y, P)))) * (n - 1) / (n - 3)

    np.testing.assert_allclose(values(ours(Y, P)), adjusted(len(Y)), rtol=1e-5)
    np.testing.assert_allclose(oracle(theirs(Y, P)), adjusted(Y.size), rtol=1e-5)


@pytest.mark.parametrize(("name", "kwargs", "y_true", "y_pred"), CASES, ids=lambda x: x if isinstance(x, str) else "")
def test_config_holds_what_keras_says(name, kwargs, y_true, y_pred):
    ours, theirs = getattr(metrics, name)(name="m", **kwargs), getattr(keras.metrics, name)(name="m", **kwargs)
    config, wanted = ours.get_config(), theirs.get_config()
    if wanted["dtype"] == "int64":  # Keras's "int" is int64 on one backend; here int32 on all
        wanted["dtype"] = "int32"
    for key, value in wanted.items():
        if value is None or isinstance(value, (str, bool)):
            assert config[key] == value, key
        else:
            np.testing.assert_allclose(config[key], value, rtol=1e-6)
    again = type(ours).from_config(config)
    assert again.get_config() == config
    type(theirs).from_config(config)


@pytest.mark.parametrize("shape", [(4,), (4, 3), (4, 2, 3)])
@pytest.mark.parametrize("weight", [None, (4,), "full"])
@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_means_and_sums(name, shape, weight):
    x = RNG.normal(size=shape).astype("float32")
    w = None if weight is None else RNG.uniform(size=shape if weight == "full" else weight).astype("float32")
    got, wanted = getattr(metrics, name)()(x, sample_weight=w), getattr(keras.metrics, name)()(x, sample_weight=w)
    np.testing.assert_allclose(values(got), oracle(wanted), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("alias", [
    "mse", "MAE", "mape", "msle", "bce", "accuracy", "AUC", "auc", "precision", "Precision", "hinge", "f1_score",
    "r2_score", "binary_accuracy", "top_k_categorical_accuracy", "sparse_categorical_crossentropy", "mean", "poisson",
])  # fmt: skip
def test_names_mean_the_same_class(alias):
    assert type(metrics.get(alias)).__name__ == type(keras.metrics.get(alias)).__name__


@pytest.mark.parametrize("cls", ["AUC", "Precision", "IoU", "MeanIoU", "BinaryIoU", "OneHotMeanIoU"])
def test_made_up_names(cls):
    kwargs = {"IoU": {"num_classes": 2, "target_class_ids": [0]}, "MeanIoU": {"num_classes": 2}}
    kwargs["OneHotMeanIoU"] = kwargs["MeanIoU"]
    keras.backend.clear_session()
    ours = getattr(metrics, cls)(**kwargs.get(cls, {}))
    assert ours.name == getattr(keras.metrics, cls)(**kwargs.get(cls, {})).name

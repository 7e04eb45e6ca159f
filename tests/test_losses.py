"""Losses: values by hand, weights, masks, shapes and what is checked on the host."""

from __future__ import annotations

import doctest
import importlib

import numpy as np
import pytest

import keras_fn.graph  # noqa: F401  (makes ops know symbols)
from keras_fn import losses, ops
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.masks import set_mask
from keras_fn.core.spec import Spec

Y = np.zeros((2, 3), "float32")
P = np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]], "float32")

SAME_SHAPE = [
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_logarithmic_error",
    "huber", "log_cosh", "cosine_similarity", "hinge", "squared_hinge", "categorical_hinge", "kl_divergence", "poisson",
    "binary_crossentropy", "categorical_crossentropy", "binary_focal_crossentropy", "categorical_focal_crossentropy",
    "dice", "tversky",
]  # fmt: skip


def number(x: object) -> float:
    return float(ops.convert_to_numpy(x))


@pytest.mark.parametrize(
    ("reduction", "weight", "wanted"),
    [
        ("sum_over_batch_size", None, 2.5),
        ("mean", None, 2.5),
        ("sum", None, 5.0),
        ("mean_with_sample_weight", None, 2.5),
        ("sum_over_batch_size", [3.0, 1.0], 3.5),
        ("sum", [3.0, 1.0], 7.0),
        ("mean_with_sample_weight", [3.0, 1.0], 1.75),
        ("mean_with_sample_weight", [0.0, 0.0], 0.0),
        ("mean_with_sample_weight", 2.0, 2.5),
        ("sum", [[3.0], [1.0]], 7.0),
    ],
)
def test_reductions(reduction, weight, wanted):
    weight = None if weight is None else np.asarray(weight, "float32")
    assert number(losses.MeanSquaredError(reduction=reduction)(Y, P, sample_weight=weight)) == pytest.approx(wanted)


def test_weights_of_samples_belong_to_the_first_axis():
    values = np.ones((2, 2, 3), "float32")
    loss = losses.MeanSquaredError(reduction="none")(values * 0, values, sample_weight=np.array([1.0, 5.0], "float32"))
    assert ops.convert_to_numpy(loss).tolist() == [[1.0, 1.0], [5.0, 5.0]]


@pytest.mark.parametrize("weight", [np.ones(3), np.ones((2, 3)), np.ones((2, 1, 1))])
def test_weights_that_do_not_fit(weight):
    with pytest.raises(ShapeError, match="sample_weight"):
        losses.MeanSquaredError()(Y, P, sample_weight=weight.astype("float32"))


def test_mask_of_predictions_leaves_values_out():
    y_pred = ops.convert_to_tensor(np.array([[[1.0], [9.0]], [[2.0], [3.0]]], "float32"))
    mask = ops.convert_to_tensor(np.array([[True, False], [True, True]]))
    from keras_fn.core.context import context

    before, context.masks = context.masks, {}
    try:
        y_pred = set_mask(y_pred, mask)
        y_true = np.zeros((2, 2, 1), "float32")
        assert number(losses.MeanSquaredError()(y_true, y_pred)) == pytest.approx((1 + 4 + 9) / 3)
        assert number(losses.MeanSquaredError(reduction="sum")(y_true, y_pred)) == pytest.approx(14)
        weight = np.array([[1.0, 1.0], [2.0, 0.0]], "float32")
        assert number(losses.MeanSquaredError()(y_true, y_pred, weight)) == pytest.approx((1 + 8) / 3)
    finally:
        context.masks = before


@pytest.mark.parametrize("name", SAME_SHAPE)
@pytest.mark.parametrize("shapes", [((8, 3), (8, 1)), ((8, 1), (8, 3)), ((8,), (8, 3)), ((3,), (8, 3))])
def test_shapes_never_broadcast(name, shapes):
    fn = getattr(losses, name)
    with pytest.raises(ShapeError, match="y_true has the shape"):
        fn(*(np.ones(s, "float32") for s in shapes))
    with pytest.raises(ShapeError, match="y_true has the shape"):
        fn(*(Spec(s) for s in shapes))
    with pytest.raises(ShapeError, match="y_true has the shape"):
        fn(*(Spec((None, *s[1:])) for s in shapes if len(s) > 1) if len(shapes[0]) > 1 else (Spec(s) for s in shapes))


@pytest.mark.parametrize("name", SAME_SHAPE)
def test_unknown_batch_size(name):
    out = getattr(losses, name)(Spec((None, 3)), Spec((None, 3)))
    assert out.shape == (() if name in ("dice", "tversky") else (None,))


@pytest.mark.parametrize("y_true", [Spec((None,), "int32"), Spec((None, 1), "int32")])
def test_unknown_batch_size_of_ids(y_true):
    assert losses.sparse_categorical_crossentropy(y_true, Spec((None, 3))).shape == (None,)
    assert losses.SparseCategoricalCrossentropy(ignore_class=0)(y_true, Spec((None, 3))).shape == ()


def test_vector_meets_column():
    a, b = np.arange(4, dtype="float32"), np.ones((4, 1), "float32")
    assert number(losses.MeanSquaredError()(a, b)) == pytest.approx(((a - 1) ** 2).mean())
    assert number(losses.MeanSquaredError()(b, a)) == pytest.approx(((a - 1) ** 2).mean())


def test_scalar_target_stands_for_every_element():
    assert number(losses.MeanSquaredError()(1.0, P)) == pytest.approx(0.5)
    assert number(losses.BinaryCrossentropy()(1.0, np.full((2, 1), 0.5, "float32"))) == pytest.approx(np.log(2))


def test_ignored_class_counts_neither_above_nor_below():
    p = np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]], "float32")
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    assert number(loss(np.array([1, -1, 0]), p)) == pytest.approx(-(np.log(0.8) + np.log(0.9)) / 2, rel=1e-5)
    assert number(loss(np.array([-1, -1, -1]), p)) == 0.0


def test_ids_stay_whole_in_low_precision():
    p = np.full((1, 300), 0.1, "float32")
    p[0, 257] = 10.0
    loss = losses.SparseCategoricalCrossentropy(dtype="bfloat16", from_logits=True)
    assert number(ops.cast(loss(np.array([257]), p), "float32")) < 0.1


def test_label_out_of_range_is_named():
    labels = np.array([[0, 1], [2, 7], [9, 0]])
    with pytest.raises(ArgumentError, match=r"label 7 at position \(1, 1\).*1 more.*from 0 to 4"):
        losses.SparseCategoricalCrossentropy().check_targets(labels, (3, 2, 5))
    with pytest.raises(ArgumentError, match="label -1 at position 2"):
        losses.SparseCategoricalCrossentropy().check_targets(np.array([0, 1, -1]), (None, 5))
    with pytest.raises(ArgumentError, match="label 1.5 at position 0"):
        losses.SparseCategoricalCrossentropy().check_targets(np.array([1.5]), (None, 5))
    losses.SparseCategoricalCrossentropy(ignore_class=-1).check_targets(np.array([0, 1, -1]), (None, 5))
    losses.SparseCategoricalCrossentropy().check_targets(np.array([0, 4]), (None, 5))


@pytest.mark.parametrize("loss", [losses.CategoricalCrossentropy(), losses.BinaryCrossentropy(), losses.Huber()])
def test_target_shapes_are_checked_on_the_host(loss):
    loss.check_targets(np.zeros((4, 3)), (None, 3))
    with pytest.raises(ShapeError, match=r"\(4, 3\).*\(None, 5\)"):
        loss.check_targets(np.zeros((4, 3)), (None, 5))
    with pytest.raises(ShapeError):
        loss.check_targets(np.zeros((4,)), (None, 5))
    loss.check_targets(np.zeros((4,)), (None, 1))


def test_names_and_configs():
    class Mine(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.mean(y_pred - y_true, axis=-1)

    assert (Mine().name, Mine().name) == ("mine", "mine_1")
    assert number(Mine()(Y, P)) == 1.5
    again = losses.Huber.from_config(losses.Huber(delta=2.0, reduction="sum", name="h").get_config())
    assert (again.name, again.reduction, again.get_config()["delta"]) == ("h", "sum", 2.0)
    assert losses.get(None) is None
    assert losses.get(losses.mean_squared_error) is losses.mean_squared_error
    assert isinstance(losses.get(losses.Huber), losses.Huber)
    config = {"module": "builtins", "class_name": "function", "config": "huber", "registered_name": "function"}
    assert losses.get(config) is losses.huber


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: losses.MeanSquaredError(reduction="foo"),
        lambda: losses.Huber(delta=-1.0),
        lambda: losses.BinaryCrossentropy(label_smoothing=2.0),
        lambda: losses.CategoricalGeneralizedCrossEntropy(q=1.5),
        lambda: losses.get(3),
    ],
)
def test_bad_arguments(wrong):
    with pytest.raises(ArgumentError):
        wrong()


def test_loss_without_call():
    with pytest.raises(NotImplementedError, match="call"):
        losses.Loss()(Y, P)


def test_large_logits_stay_finite():
    logits = np.array([[1e4, -1e4]], "float32")
    for loss in (losses.BinaryCrossentropy, losses.CategoricalCrossentropy, losses.BinaryFocalCrossentropy):
        assert np.isfinite(number(loss(from_logits=True)(np.array([[0.0, 1.0]], "float32"), logits)))
    assert number(losses.LogCosh()(np.array([[0.0]]), np.array([[1e4]]))) == pytest.approx(1e4 - np.log(2), rel=1e-5)


@pytest.mark.parametrize("part", ["loss", "regression", "crossentropy"])
def test_examples(part, monkeypatch):
    module = importlib.import_module(f"keras_fn.losses.{part}")
    import keras_fn

    monkeypatch.setattr(keras_fn, "losses", losses, raising=False)
    result = doctest.testmod(module)
    assert result.attempted and not result.failed

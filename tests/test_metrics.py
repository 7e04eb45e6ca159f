"""Metrics: results by hand, state, pure functions, masks, shapes."""

from __future__ import annotations

import doctest
import importlib

import numpy as np
import pytest

import keras_fn.graph  # noqa: F401  (makes ops know symbols)
from keras_fn import losses, metrics, ops
from keras_fn.core.context import context
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.masks import set_mask
from keras_fn.core.variable import Variable

BITS = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], "float32")
P = np.array([[0.1, 0.9], [0.8, 0.6], [0.3, 0.7]], "float32")


def number(x: object) -> float:
    return float(ops.convert_to_numpy(x))


def test_state_gathers_and_resets():
    m = metrics.Mean(name="m")
    m.update_state([1.0, 2.0])
    m.update_state([6.0], sample_weight=[2.0])
    assert number(m.result()) == pytest.approx(15 / 4)
    assert [(v.name, v.path, v.trainable) for v in m.variables] == [
        ("total", "m/total", False),
        ("count", "m/count", False),
    ]
    m.reset_state()
    assert number(m.result()) == 0.0


def test_first_values_come_back():
    class Counter(metrics.Metric):
        def __init__(self):
            super().__init__()
            self.a = self.add_weight()
            self.b = self.add_variable((2,), "ones", name="b")
            self.c = self.add_variable((2,), lambda shape, dtype: np.full(shape, 3.0), dtype="int32")
            self.inner = metrics.Sum()
            self.more = [metrics.Mean()]

        def update_state(self, x):
            for v in (self.a, self.b, self.c):
                v.assign_add(ops.ones_like(v))
            self.inner.update_state(x)

        def result(self):
            return self.inner.result()

    m = Counter()
    assert number(m([5.0])) == 5.0
    assert len(m.variables) == 6 and all(isinstance(v, Variable) for v in m.variables)
    assert [v.numpy().tolist() for v in m.variables[:4]] == [1.0, [2.0, 2.0], [4, 4], 5.0]
    m.reset_state()
    assert [v.numpy().tolist() for v in m.variables] == [0.0, [1.0, 1.0], [3, 3], 0.0, 0.0, 0.0]
    assert m.variables[2].dtype == "int32"


@pytest.mark.parametrize(
    "make",
    [
        lambda: metrics.BinaryAccuracy(),
        lambda: metrics.AUC(num_thresholds=7),
        lambda: metrics.Precision(thresholds=[0.2, 0.7]),
        lambda: metrics.RootMeanSquaredError(),
        lambda: metrics.PrecisionAtRecall(0.5),
        lambda: metrics.F1Score(average="macro", threshold=0.5),
        lambda: metrics.R2Score(),
    ],
)
def test_pure_functions_write_nothing(make):
    pure, usual = make(), make()
    for m in (pure, usual):
        m.build(BITS.shape, P.shape)
    before = [v.numpy().tolist() for v in pure.variables]
    state = pure.stateless_reset_state()
    for _ in range(2):
        state = pure.stateless_update_state(state, BITS, P)
        usual.update_state(BITS, P)
    got, wanted = (ops.convert_to_numpy(x) for x in (pure.stateless_result(state), usual.result()))
    np.testing.assert_allclose(got, wanted, rtol=1e-6)
    assert [v.numpy().tolist() for v in pure.variables] == before
    with pytest.raises(ArgumentError, match="variables"):
        pure.stateless_result(state[:-1])


def test_updates_and_results_run_in_a_compiled_step(backend):
    gathered = [metrics.Mean(), metrics.BinaryAccuracy(), metrics.AUC(num_thresholds=9), metrics.Precision(top_k=1)]
    gathered += [metrics.F1Score(), metrics.R2Score(), metrics.MeanIoU(2, sparse_y_true=False, sparse_y_pred=False)]
    for m in gathered:
        m.build(BITS.shape, P.shape)

    def step(y_true, y_pred):
        for m in gathered:
            m.update_state(*((y_pred,) if type(m) is metrics.Mean else (y_true, y_pred)))
        return [m.result() for m in gathered]

    step = backend.compile_step(step, lambda: [v for m in gathered for v in m.variables], True)
    step(ops.convert_to_tensor(BITS), ops.convert_to_tensor(P))
    step(ops.convert_to_tensor(BITS), ops.convert_to_tensor(P))
    compiled = [ops.convert_to_numpy(m.result()) for m in gathered]
    for m, got in zip(gathered, compiled, strict=True):
        m.reset_state()
        for _ in range(2):
            m.update_state(*((P,) if type(m) is metrics.Mean else (BITS, P)))
        np.testing.assert_allclose(got, ops.convert_to_numpy(m.result()), rtol=1e-5, atol=1e-6)


def test_mask_of_predictions_leaves_values_out():
    before, context.masks = context.masks, {}
    try:
        y_true = np.array([[[1.0], [1.0]], [[0.0], [1.0]]], "float32")
        y_pred = ops.convert_to_tensor(np.array([[[0.9], [0.1]], [[0.2], [0.3]]], "float32"))
        y_pred = set_mask(y_pred, ops.convert_to_tensor(np.array([[True, False], [True, True]])))
        assert number(metrics.BinaryAccuracy()(y_true, y_pred)) == pytest.approx(2 / 3)
        assert number(metrics.TruePositives(0.05)(y_true, y_pred)) == 2.0
        weight = np.array([[1.0, 1.0], [1.0, 2.0]], "float32")
        assert number(metrics.BinaryAccuracy()(y_true, y_pred, weight)) == pytest.approx(2 / 4)
    finally:
        context.masks = before


def test_ignored_class_gives_the_mean_that_the_loss_gives():
    p = np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]], "float32")
    ids = np.array([1, -1, 0])
    wanted = number(losses.SparseCategoricalCrossentropy(ignore_class=-1)(ids, p))
    assert number(metrics.SparseCategoricalCrossentropy(ignore_class=-1)(ids, p)) == pytest.approx(wanted)


@pytest.mark.parametrize("name", ["MeanSquaredError", "BinaryAccuracy", "CategoricalAccuracy", "AUC", "Precision",
                                  "RootMeanSquaredError", "R2Score", "F1Score"])  # fmt: skip
def test_shapes_never_broadcast(name):
    with pytest.raises(ShapeError, match=r"\(8, 3\).*\(8, 1\)"):
        getattr(metrics, name)()(np.ones((8, 3), "float32"), np.ones((8, 1), "float32"))


def test_one_hot_labels_for_a_sparse_metric():
    with pytest.raises(ShapeError, match="class ids"):
        metrics.SparseCategoricalAccuracy()(np.ones((4, 3)), np.ones((4, 3), "float32"))


@pytest.mark.parametrize(
    ("y_true", "y_pred", "wanted"),
    [
        ((8,), (8, 1), "BinaryAccuracy"),
        ((8, 1), (8, 1), "BinaryAccuracy"),
        ((8,), (8, 3), "SparseCategoricalAccuracy"),
        ((8, 1), (8, 3), "SparseCategoricalAccuracy"),
        ((8, 5), (8, 5, 3), "SparseCategoricalAccuracy"),
        ((None, 3), (None, 3), "CategoricalAccuracy"),
    ],
)
def test_accuracy_by_shape(y_true, y_pred, wanted):
    assert metrics.resolve_accuracy(y_true, y_pred).__name__ == wanted


def test_fine_thresholds_count_as_comparisons_do():
    p = np.concatenate([np.linspace(0, 1, 11), [0.333, 0.049, 1.0, 0.0]]).astype("float32")
    y = (np.arange(len(p)) % 2).astype("float32")
    m = metrics.AUC(num_thresholds=11)
    m.update_state(y, p)
    above = p[None] > np.asarray(m.thresholds, "float32")[:, None]
    assert m.true_positives.numpy().tolist() == (above * y).sum(1).tolist()
    assert m.false_positives.numpy().tolist() == (above * (1 - y)).sum(1).tolist()


def test_perfect_and_constant_targets():
    ones = np.ones((3, 1), "float32")
    assert number(metrics.R2Score()(ones, ones)) == 1.0
    assert number(metrics.R2Score()(ones, ones * 0)) == 0.0
    assert number(metrics.PearsonCorrelation()(ones.T, ones.T)) == 0.0


def test_ids_that_are_no_class_count_nowhere():
    m = metrics.MeanIoU(2)
    m.update_state([0, 1, 7, -1], [0, 1, 1, 0])
    assert m.total_cm.numpy().tolist() == [[1, 0], [0, 1]]


def test_top_k_from_sorted_ids():
    got = metrics.sparse_top_k_categorical_accuracy([2, 0], [[1, 2, 0], [1, 2, 0]], k=2, from_sorted_ids=True)
    assert ops.convert_to_numpy(got).tolist() == [1.0, 0.0]


def test_wrapped_functions():
    m = metrics.MeanMetricWrapper(lambda a, b, k: (b - a) * k, k=3.0)
    assert number(m(np.zeros(2), np.ones(2, "float32"))) == 3.0
    config = {"name": "x", "dtype": "float32", "fn": {"class_name": "function", "config": "mean_squared_error"}}
    assert number(metrics.MeanMetricWrapper.from_config(config)([[0.0]], [[2.0]])) == 4.0
    assert metrics.get(losses.huber) is losses.huber
    assert metrics.get(None) is None


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: metrics.AUC(curve="x"),
        lambda: metrics.AUC(num_thresholds=1),
        lambda: metrics.AUC(num_labels=2),
        lambda: metrics.Precision(thresholds=2.0),
        lambda: metrics.Precision(class_id=5)(BITS, P),
        lambda: metrics.RecallAtPrecision(1.5),
        lambda: metrics.FBetaScore(average="all"),
        lambda: metrics.FBetaScore(beta=-1.0),
        lambda: metrics.R2Score(class_aggregation="x"),
        lambda: metrics.IoU(2, [2]),
        lambda: metrics.get("nothing_of_the_kind"),
        lambda: metrics.get(3),
    ],
)
def test_bad_arguments(wrong):
    with pytest.raises(ArgumentError):
        wrong()


@pytest.mark.parametrize("part", ["metric", "reduction", "accuracy", "auc", "confusion", "correlation", "fscore", "iou",
                                  "regression"])  # fmt: skip
def test_examples(part, monkeypatch):
    import keras_fn

    module = importlib.import_module(f"keras_fn.metrics.{part}")
    monkeypatch.setattr(keras_fn, "metrics", metrics, raising=False)
    result = doctest.testmod(module)
    assert result.attempted and not result.failed

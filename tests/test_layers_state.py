"""What layers keep and draw: running statistics, seeds, masks, losses, ids, functions."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import keras_fn
from keras_fn import layers, ops
from keras_fn.core.errors import ArgumentError
from keras_fn.core.masks import get_mask


def array(x):
    return ops.convert_to_numpy(x)


X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


# --- normalisation
def test_batch_normalization_moves_its_averages_in_training_only():
    layer = layers.BatchNormalization(momentum=0.9)
    layer(X)
    before = layer.get_weights()
    layer(X, training=False)
    np.testing.assert_array_equal(layer.get_weights(), before)
    layer(X, training=True)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * X.mean(0), atol=1e-6)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * X.var(0), atol=1e-6)


def test_a_frozen_batch_normalization_stays_as_it_is_in_training():
    layer = layers.BatchNormalization()
    layer(X)
    layer.trainable = False
    before = layer.get_weights()
    y = array(layer(X, training=True))
    np.testing.assert_array_equal(layer.get_weights(), before)
    np.testing.assert_allclose(y, X / np.sqrt(1.001), rtol=1e-5)


def test_batch_normalization_of_masked_steps_ignores_them():
    x = np.random.default_rng(1).normal(size=(2, 3, 2)).astype("float32")
    mask = np.array([[True, True, False], [True, False, False]])
    other = x.copy()
    other[~mask] = 100.0
    ys = [array(layers.BatchNormalization()(v, training=True, mask=mask))[mask] for v in (x, other)]
    np.testing.assert_allclose(*ys, rtol=1e-5)
    np.testing.assert_allclose(ys[0].mean(0), 0.0, atol=1e-5)


@pytest.mark.parametrize("name", ["BatchNormalization", "LayerNormalization", "RMSNormalization"])
def test_half_floats_are_normalised_in_single_precision(name):
    layer = getattr(layers, name)(dtype="mixed_float16")
    y = layer(1000.0 * X, training=True) if name == "BatchNormalization" else layer(1000.0 * X)
    assert "float16" in str(y.dtype)
    assert np.isfinite(array(y)).all()


def test_layer_normalization_of_an_axis_in_the_middle():
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    layer = layers.LayerNormalization(axis=1, epsilon=0.1)
    layer(x)
    layer.set_weights([np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.0, -0.5])])
    expected = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 0.1)
    expected = expected * np.array([1.0, 2.0, 3.0])[:, None] + np.array([0.5, 0.0, -0.5])[:, None]
    np.testing.assert_allclose(array(layer(x)), expected, rtol=1e-5, atol=1e-5)


# --- what is random
RANDOM = [
    ("Dropout", {"rate": 0.4}, (50, 40), 1.0),
    ("GaussianDropout", {"rate": 0.4}, (50, 40), 1.0),
    ("GaussianNoise", {"stddev": 0.5}, (50, 40), 1.0),
    ("SpatialDropout1D", {"rate": 0.4}, (40, 5, 50), 1.0),
    ("SpatialDropout2D", {"rate": 0.4}, (40, 2, 3, 50), 1.0),
]


@pytest.mark.parametrize(("name", "arguments", "shape", "mean"), RANDOM, ids=lambda v: str(v))
def test_noise_keeps_the_mean_changes_from_call_to_call_and_follows_its_seed(name, arguments, shape, mean):
    make = lambda seed: getattr(layers, name)(**arguments, seed=seed)  # noqa: E731
    x = np.ones(shape, "float32")
    layer = make(3)
    first, second = array(layer(x, training=True)), array(layer(x, training=True))
    assert abs(first.mean() - mean) < 0.1
    assert first.std() > 0.3
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(array(make(3)(x, training=True)), first)
    np.testing.assert_array_equal(array(layer(x)), x)
    assert layer.weights == [] and [v.shape for v in layer.variables] == [(2,)]


def test_spatial_dropout_drops_whole_channels():
    layer = layers.SpatialDropout2D(0.5, data_format="channels_first")
    y = array(layer(np.ones((3, 8, 4, 4), "float32"), training=True))
    assert {len(np.unique(c)) for c in y.reshape(24, 16)} == {1}
    assert set(np.unique(y)) == {0.0, 2.0}


def test_alpha_dropout_keeps_mean_and_variance():
    x = np.random.default_rng(0).normal(size=(200, 200)).astype("float32")
    y = array(layers.AlphaDropout(0.3, seed=1)(x, training=True))
    assert abs(y.mean()) < 0.05 and abs(y.std() - 1.0) < 0.05


def test_noise_shape_shares_draws():
    y = array(layers.Dropout(0.5, noise_shape=(None, 1, None))(np.ones((4, 6, 5), "float32"), training=True))
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))


def test_activity_regularization_adds_a_loss_for_each_sample():
    layer = layers.ActivityRegularization(l1=1.0, l2=0.5)
    layer(X)
    expected = (np.abs(X).sum() + 0.5 * (X**2).sum()) / 4
    np.testing.assert_allclose(float(layer.losses[0]), expected, rtol=1e-5)


# --- embedding
def test_embedding_checks_ids_on_the_host():
    layer = layers.Embedding(10, 4, name="words")
    layer.check_ids(np.array([[0, 9]]))
    for wrong, place in ((np.array([[0, 10]]), r"\(0, 1\)"), (np.array([-1]), r"\(0,\)"), ([[np.nan]], r"\(0, 0\)")):
        with pytest.raises(ArgumentError, match=rf"'words'.*input_dim=10.*position {place}"):
            layer.check_ids(wrong)


def test_embedding_takes_given_weights_and_leaves_them_out_of_its_config():
    table = np.arange(6.0, dtype="float32").reshape(3, 2)
    layer = layers.Embedding(3, 2, weights=[table])
    np.testing.assert_array_equal(array(layer(np.array([2, 0]))), table[[2, 0]])
    assert "weights" not in layer.get_config()


def test_embedding_looks_up_large_float_ids_under_a_half_policy():
    layer = layers.Embedding(5000, 2, dtype="mixed_float16")
    y = layer(np.array([4097.0], "float32"))
    np.testing.assert_allclose(array(y)[0], layer.embeddings.numpy()[4097], rtol=1e-2, atol=1e-4)
    assert "float16" in str(y.dtype)


# --- masks
def mask_of(layer, x):
    y = layer(x)
    mask = get_mask(y)
    return None if mask is None else array(mask).tolist()


def test_masks_begin_and_combine():
    ids = np.array([[1, 0, 2]])
    assert mask_of(layers.Embedding(3, 2, mask_zero=True), ids) == [[True, False, True]]
    assert mask_of(layers.Embedding(3, 2), ids) is None
    assert mask_of(layers.Masking(), np.array([[[0.0, 0.0], [0.0, 1.0]]])) == [[False, True]]


A, B = np.array([[True, False, False]]), np.array([[True, True, False]])
T = np.ones((1, 3, 2), "float32")
COMBINED = [
    (layers.Add(), [A, B], [[True, True, False]]),
    (layers.Multiply(), [A, None], None),
    (layers.Concatenate(axis=1), [A, B], [[True, False, False, True, True, False]]),
    (layers.Concatenate(axis=1), [A, None], [[True, False, False, True, True, True]]),
    (layers.Concatenate(axis=-1), [A, B], [[True, True, False]]),
    (layers.Dot(2), [A, B], None),
    (layers.Attention(), [A, B], A.tolist()),
]


@pytest.mark.parametrize("case", range(len(COMBINED)))
def test_masks_of_several_inputs(case):
    layer, masks, expected = COMBINED[case]
    found = layer.compute_mask([T, T], masks)
    assert (None if found is None else array(found).tolist()) == expected


def test_a_mask_travels_through_a_model_to_the_pooling():
    ids = keras_fn.Input((3,), dtype="int32")
    embedding = layers.Embedding(4, 2, mask_zero=True)
    out = layers.GlobalAveragePooling1D()(layers.Dropout(0.5)(embedding(ids)))
    model = keras_fn.Model(ids, out)
    table = embedding.embeddings.numpy()
    np.testing.assert_allclose(array(model(np.array([[1, 3, 0]])))[0], table[[1, 3]].mean(0), rtol=1e-5)


def test_multi_head_attention_finds_the_mask_of_its_value():
    x = np.random.default_rng(0).normal(size=(1, 3, 2)).astype("float32")
    x[0, 1] = 0.0
    layer = layers.MultiHeadAttention(1, 2)
    masked = layers.Masking()(x)
    _, weights = layer(masked, masked, return_attention_scores=True)
    assert np.abs(array(weights)[..., 1]).max() == 0.0
    np.testing.assert_allclose(array(weights).sum(-1), 1.0, rtol=1e-5)


def test_attention_over_a_mask_that_hides_all_gives_no_nan():
    y = layers.MultiHeadAttention(2, 2)(T, T, attention_mask=np.zeros((1, 3, 3), bool))
    assert np.isfinite(array(y)).all()


# --- softmax over several axes; upsampling of unknown sizes; lambdas
def test_softmax_over_several_axes():
    y = array(layers.Softmax(axis=(1, 2))(np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")))
    np.testing.assert_allclose(y.sum((1, 2)), 1.0, rtol=1e-5)


SHAPES = [
    (layers.UpSampling2D(2, interpolation="bilinear"), (None, None, None, 3)),
    (layers.GroupNormalization(1), (None, None, None, 3)),
    (layers.Flatten(), (None, None)),
    (layers.MultiHeadAttention(2, 3), (None, None, 3)),
    (layers.Cropping2D(1), (None, None, None, 3)),
    (layers.Concatenate(1), (None, None, 3)),
]


@pytest.mark.parametrize("case", range(len(SHAPES)))
def test_unknown_dimensions_stay_unknown(case):
    layer, expected = SHAPES[case]
    image = keras_fn.Input((None, None, 3))
    text = keras_fn.Input((None, 3))
    kind = type(layer).__name__
    if kind == "MultiHeadAttention":
        out = layer(text, text, use_causal_mask=True)
    elif kind == "Concatenate":
        out = layer([text, text])
    else:
        out = layer(image)
    assert out.shape == expected


def double(x):
    return x * 2.0


def test_lambda_in_configs():
    named = layers.Lambda(double)
    config = named.get_config()
    with pytest.raises(ArgumentError, match="double"):
        layers.Lambda.from_config(config)
    again = layers.Lambda.from_config(config, custom_objects={"double": double})
    np.testing.assert_allclose(array(again(X)), 2 * X)
    unnamed = layers.Lambda(lambda x: x + 1.0, output_shape=(3,)).get_config()
    with pytest.raises(ArgumentError, match="safe_mode=False"):
        layers.Lambda.from_config(unnamed)
    again = layers.Lambda.from_config(unnamed, safe_mode=False)
    np.testing.assert_allclose(array(again(X)), X + 1, rtol=1e-6)
    assert again(keras_fn.Input((3,))).shape == (None, 3)


def test_function_forms_of_merging():
    pair = [X, 2 * X]
    for name, expected in {
        "add": 3 * X, "subtract": -X, "multiply": 2 * X * X, "average": 1.5 * X, "maximum": np.maximum(X, 2 * X),
        "minimum": np.minimum(X, 2 * X), "concatenate": np.concatenate(pair, -1),
    }.items():  # fmt: skip
        np.testing.assert_allclose(array(getattr(layers, name)(pair)), expected, rtol=1e-6)
    np.testing.assert_allclose(array(layers.dot(pair, axes=1)), 2 * (X * X).sum(-1, keepdims=True), rtol=1e-5)


def test_old_arguments_still_work():
    with pytest.warns(DeprecationWarning, match="negative_slope"):
        assert layers.LeakyReLU(alpha=0.1).negative_slope == 0.1
    with pytest.warns(DeprecationWarning, match="input_shape"):
        layers.Conv2D(2, 3, input_shape=(4, 4, 1))


@pytest.mark.parametrize("kind", ["sequential", "functional", "nested"])
def test_a_model_can_be_pickled(kind):
    inputs = keras_fn.Input((4,))
    if kind == "sequential":
        model = keras_fn.Sequential([inputs, layers.Dense(3), layers.Dropout(0.5)])
    else:
        x = layers.Dense(3, activation="relu")(inputs)
        x = keras_fn.Model(inputs, x, name="inner")(inputs) if kind == "nested" else x
        model = keras_fn.Model(inputs, layers.Dense(2)(x))
    model.compile("adam", "mse", metrics=["mae"])
    x = np.ones((3, 4), "float32")
    expected = model.predict(x, verbose=0)
    copy = pickle.loads(pickle.dumps(model))
    assert np.array_equal(copy.predict(x, verbose=0), expected)
    assert copy.get_config() == model.get_config()
    assert copy.evaluate(x, expected, verbose=0) == [0.0, 0.0]

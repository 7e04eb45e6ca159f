"""VGG: structure, errors and weights from a file."""

import numpy as np
import pytest

import keras_fn
from keras_fn import applications
from keras_fn.core.errors import ArgumentError


@pytest.mark.parametrize(("build", "convs"), [(applications.VGG16, 13), (applications.VGG19, 16)])
def test_structure(build, convs):
    model = build(include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg")
    names = [layer.name for layer in model.layers]
    assert sum("conv" in n for n in names) == convs
    assert {"block1_conv1", "block5_pool"} <= set(names)
    assert model.predict(np.zeros((1, 32, 32, 3), "float32"), verbose=0).shape == (1, 512)


def test_weights_from_a_file(tmp_path):
    model = applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    model.save_weights(tmp_path / "vgg.weights.h5")
    twin = applications.VGG16(include_top=False, weights=tmp_path / "vgg.weights.h5", input_shape=(32, 32, 3))
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"weights": "nowhere.h5"}, "no file 'nowhere.h5'"),
        ({"weights": None, "input_shape": (8, 8, 3), "include_top": False}, "32 pixels"),
        ({"classes": 5}, "1000 classes"),
        ({"weights": None, "pooling": "sum"}, "`pooling` must be"),
    ],
)
def test_misuse_is_told(arguments, text):
    with pytest.raises(ArgumentError, match=text):
        applications.VGG19(**arguments)


def test_preprocessing_turns_channels_round():
    x = np.zeros((1, 2, 2, 3), "float32")
    x[..., 0] = 123.68
    out = applications.vgg16.preprocess_input(x)
    np.testing.assert_allclose(out[..., 2], 0, atol=1e-4)
    np.testing.assert_allclose(keras_fn.ops.convert_to_numpy(applications.vgg16.preprocess_input(
        keras_fn.ops.convert_to_tensor(x))), out, rtol=1e-6)

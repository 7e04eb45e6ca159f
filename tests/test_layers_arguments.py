"""Wrong arguments and inputs of layers get an error that names the argument and the value."""

from __future__ import annotations

import numpy as np
import pytest

from keras_fn import Input, layers
from keras_fn.core.errors import KerasFnError

WRONG = [
    ("Conv2D", {"filters": 0, "kernel_size": 3}, r"`filters` of Conv2D .* not 0"),
    ("Conv2D", {"filters": 4, "kernel_size": (3, 0)}, r"`kernel_size`.*\(3, 0\)"),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "causal"}, r"`padding` of Conv2D.*'causal'"),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "groups": 3}, r"multiple of `groups`: 4"),
    ("Conv1D", {"filters": 4, "kernel_size": 3, "strides": 2, "dilation_rate": 2}, r"`strides` and `dilation_rate`"),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "data_format": "last"}, r"`data_format`.*'last'"),
    ("Conv2DTranspose", {"filters": 4, "kernel_size": 3, "output_padding": 1}, r"`output_padding`.*less than"),
    ("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 0}, r"`depth_multiplier`.*not 0"),
    ("MaxPooling2D", {"pool_size": 0}, r"`pool_size`"),
    ("MaxPooling1D", {"padding": "causal"}, r"`padding` of MaxPooling1D"),
    ("UpSampling2D", {"interpolation": "billinear"}, r"Did you mean 'bilinear'"),
    ("ZeroPadding2D", {"padding": (1, 2, 3)}, r"`padding` of ZeroPadding2D.*\(1, 2, 3\)"),
    ("ZeroPadding1D", {"padding": -1}, r"at least 0, not -1"),
    ("Cropping3D", {"cropping": "a"}, r"`cropping` of Cropping3D"),
    ("Reshape", {"target_shape": (-1, -1)}, r"Only one dimension"),
    ("Reshape", {"target_shape": (2.5,)}, r"tuple of ints"),
    ("Permute", {"dims": (1, 3)}, r"`dims` of Permute"),
    ("RepeatVector", {"n": 2.0}, r"`n` of RepeatVector"),
    ("Embedding", {"input_dim": 0, "output_dim": 3}, r"`input_dim` of Embedding"),
    ("Embedding", {"input_dim": 2, "output_dim": 3, "lora_rank": 1}, r"`lora_rank` of Embedding is not supported"),
    ("EinsumDense", {"equation": "abc", "output_shape": 3}, r"`equation` of EinsumDense"),
    ("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 3, "bias_axes": "z"}, r"`bias_axes` 'z'"),
    ("Lambda", {"function": 3}, r"`function` of Lambda"),
    ("Dropout", {"rate": 1.5}, r"`rate` of Dropout.*1\.5"),
    ("AlphaDropout", {"rate": 1}, r"1 not included"),
    ("GaussianNoise", {"stddev": -1}, r"`stddev` of GaussianNoise"),
    ("BatchNormalization", {"renorm": True}, r"`renorm=True`.*not supported"),
    ("BatchNormalization", {"momentum": 2}, r"`momentum` of BatchNormalization"),
    ("LayerNormalization", {"axis": "a"}, r"`axis` of LayerNormalization"),
    ("LayerNormalization", {"rms_scaling": True}, r"use `RMSNormalization`"),
    ("GroupNormalization", {"groups": 0}, r"`groups` of GroupNormalization"),
    ("ReLU", {"max_value": -1.0}, r"`max_value` of ReLU"),
    ("LeakyReLU", {"negative_slope": None}, r"`negative_slope` of LeakyReLU"),
    ("PReLU", {"shared_axes": [0]}, r"cannot hold 0"),
    ("Attention", {"score_mode": "sum"}, r"`score_mode` of Attention"),
    ("MultiHeadAttention", {"num_heads": 0, "key_dim": 2}, r"`num_heads` of MultiHeadAttention"),
    ("MultiHeadAttention", {"num_heads": 1, "key_dim": 2, "output_shape": "a"}, r"`output_shape`"),
    ("MultiHeadAttention", {"num_heads": 1, "key_dim": 2, "flash_attention": True, "dropout": 0.1}, r"flash_attention"),
    ("GroupQueryAttention", {"head_dim": 1, "num_query_heads": 3, "num_key_value_heads": 2}, r"multiple of"),
    ("Dot", {"axes": "a"}, r"`axes` of Dot"),
    ("Concatenate", {"axis": None}, r"`axis` of Concatenate"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), WRONG, ids=lambda v: str(v)[:60])
def test_constructors_refuse(name, arguments, message):
    with pytest.raises((KerasFnError), match=message):
        getattr(layers, name)(**arguments)


UNFIT = [
    (lambda: layers.Conv2D(4, 3, groups=2)(Input((6, 6, 3))), r"3 channels .* 2 groups"),
    (lambda: layers.Conv2D(4, 3)(Input((6, 6, None))), r"known number of channels"),
    (lambda: layers.Conv2D(4, 3)(Input((6, 3))), r"4 dimensions are needed, and 3 came"),
    (lambda: layers.Conv2D(4, 7)(Input((6, 6, 3))), r"too small"),
    (lambda: layers.GroupNormalization(3)(Input((6, 4))), r"4 channels .* 3 groups"),
    (lambda: layers.Cropping1D(3)(Input((6, 4))), r"leaves nothing"),
    (lambda: layers.Add()(Input((3,))), r"takes a list of tensors"),
    (lambda: layers.Add()([Input((3,)), Input((4,))]), r"do not broadcast"),
    (lambda: layers.Add()([np.ones((2, 3)), np.ones((1, 3))]), r"different batch sizes"),
    (lambda: layers.Subtract()([Input((3,))] * 3), r"exactly 2 inputs, and 3 came"),
    (lambda: layers.Concatenate()([Input((2, 3)), Input((3, 3))]), r"cannot be joined"),
    (lambda: layers.Dot(1)([Input((3,)), Input((4,))]), r"lengths differ: 3 and 4"),
    (lambda: layers.Dot(0)([Input((3,)), Input((3,))]), r"cannot sum over axis 0"),
    (lambda: layers.EinsumDense("abc,cd->abd", (None, 2))(Input((3,))), r"axes abc"),
    (lambda: layers.EinsumDense("abc,cd->abd", (7, 2))(Input((3, 4))), r"'b' has the length 3 .* 7"),
    (lambda: layers.Reshape((5,))(np.ones((2, 3, 4))), r"eshape"),
    (lambda: layers.Reshape((7,))(Input((3,))), r"\(3 elements\) to \(7,\)"),
    (lambda: layers.Reshape((2, -1))(Input((3,))), r"3 is no multiple of 2"),
    (lambda: layers.Attention()(Input((3, 4))), r"takes a list \[query, value\]"),
]


@pytest.mark.parametrize(("build", "message"), UNFIT, ids=lambda v: v if isinstance(v, str) else "")
def test_inputs_are_refused(build, message):
    with pytest.raises((KerasFnError, ValueError, RuntimeError), match=message):
        build()


def test_every_public_name_is_there():
    for name in layers.__all__:
        assert getattr(layers, name) is not None
    assert layers.Convolution2D is layers.Conv2D
    assert layers.MaxPool2D is layers.MaxPooling2D
    assert layers.AvgPool1D is layers.AveragePooling1D
    assert layers.GlobalAvgPool3D is layers.GlobalAveragePooling3D

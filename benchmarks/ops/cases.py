"""What is timed: calls of the ops in the Keras API, which run with keras_fn and with Keras, and their arguments."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Call = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes:
        name: under which the framework's own call is found, in `own_jax.py` and so on.
        inputs: what makes the arguments, from a generator of random numbers.
        make: from a package, keras_fn or keras, the call.
        unique: whether there is one right result, so that all must give the same.
        compiles: whether a compiler may trace the call: its shapes do not depend on values.
    """

    name: str
    inputs: tuple[Callable[[np.random.Generator], Any], ...]
    make: Callable[[Any], Call]
    unique: bool = True
    compiles: bool = True

    def arrays(self) -> list[Any]:
        """The arguments: the same for every implementation."""
        random = np.random.default_rng(zlib.crc32(self.name.encode()))
        return [make(random) for make in self.inputs]


# --- arguments
def normal(*shape: int) -> Any:
    return lambda random: random.standard_normal(shape, "float32")


def uniform(*shape: int) -> Any:
    return lambda random: random.random(shape, "float32")


def whole(below: int, *shape: int, least: int = 0) -> Any:
    return lambda random: random.integers(least, below, shape).astype("int32")


def ordered(n: int) -> Any:
    return lambda random: np.sort(random.random(n, "float32"))


def weights(*shape: int) -> Any:
    """Small numbers: what goes through them stays about as large as it was."""
    scale = np.float32(1 / np.sqrt(np.prod(shape[:-1])))
    return lambda random: random.standard_normal(shape, "float32") * scale


def positive_definite(n: int) -> Any:
    def make(random: np.random.Generator) -> Any:
        a = random.standard_normal((n, n), "float32")
        return a @ a.T / n + np.eye(n, dtype="float32")

    return make


def filled(value: int, n: int) -> Any:
    return lambda random: np.full(n, value, "int32")


def matrices(n: int) -> Any:
    """Affine transformations of images, by a few degrees and pixels."""

    def make(random: np.random.Generator) -> Any:
        near = np.array([1, 0, 0, 0, 1, 0, 0, 0], "float32")
        return near + random.standard_normal((n, 8), "float32") * np.array([0.1, 0.1, 4, 0.1, 0.1, 4, 0, 0], "float32")

    return make


# --- calls
def op(name: str, *options: Any, **named: Any) -> Callable[[Any], Call]:
    """`ops.name(*tensors, *options)`."""

    def make(k: Any) -> Call:
        fn: Any = k.ops
        for part in name.split("."):
            fn = getattr(fn, part)
        if not options and not named:
            return fn
        return lambda *tensors: fn(*tensors, *options, **named)

    return make


def einsum(subscripts: str) -> Callable[[Any], Call]:
    return lambda k: lambda *tensors: k.ops.einsum(subscripts, *tensors)


def normalized(name: str, axes: Any, *order: int) -> Callable[[Any], Call]:
    """A normalization whose weights come behind the axis among its arguments."""
    return lambda k: lambda x, *rest: getattr(k.ops, name)(x, *rest[: order[0]], axes, *rest[order[0] :])


def layer(name: str, *options: Any, **named: Any) -> Callable[[Any], Call]:
    return lambda k: getattr(k.layers, name)(*options, **named)


IMAGES = uniform(8, 128, 128, 3)
SAME = {"padding": "same"}

HEAVY = [
    # products
    Case("matmul", (normal(512, 512), normal(512, 512)), op("matmul")),
    Case("matmul, 64 matrices", (normal(64, 128, 64), normal(64, 64, 128)), op("matmul")),
    Case("einsum abc,cd->abd", (normal(32, 64, 256), normal(256, 256)), einsum("abc,cd->abd")),
    Case("einsum btnh,bsnh->bnts", (normal(8, 128, 8, 64), normal(8, 128, 8, 64)), einsum("btnh,bsnh->bnts")),
    # convolutions and pooling
    Case("conv 1d", (normal(8, 256, 64), weights(5, 64, 64)), op("conv", **SAME)),
    Case("conv 2d", (normal(8, 32, 32, 32), weights(3, 3, 32, 64)), op("conv", **SAME)),
    Case("conv 2d, strides 2", (normal(8, 64, 64, 32), weights(3, 3, 32, 64)), op("conv", 2, **SAME)),
    Case("conv 3d", (normal(2, 16, 16, 16, 16), weights(3, 3, 3, 16, 32)), op("conv", **SAME)),
    Case("depthwise_conv 2d", (normal(8, 64, 64, 32), weights(3, 3, 32, 1)), op("depthwise_conv", **SAME)),
    Case(
        "separable_conv 2d",
        (normal(8, 32, 32, 32), weights(3, 3, 32, 1), weights(1, 1, 32, 64)),
        op("separable_conv", **SAME),
    ),
    Case("conv_transpose 2d", (normal(8, 16, 16, 64), weights(4, 4, 32, 64)), op("conv_transpose", 2, **SAME)),
    Case("max_pool 2d", (normal(8, 64, 64, 32),), op("max_pool", 2)),
    Case("max_pool 2d, 3 by 3, same", (normal(8, 64, 64, 32),), op("max_pool", 3, 2, **SAME)),
    Case("average_pool 2d", (normal(8, 64, 64, 32),), op("average_pool", 2)),
    # activations and losses
    Case("softmax", (normal(2048, 512),), op("softmax")),
    Case("log_softmax", (normal(2048, 512),), op("log_softmax")),
    Case("logsumexp", (normal(2048, 512),), op("logsumexp", -1)),
    Case("gelu", (normal(1024, 1024),), op("gelu", False)),
    Case("silu", (normal(1024, 1024),), op("silu")),
    Case("sigmoid", (normal(1024, 1024),), op("sigmoid")),
    Case("tanh", (normal(1024, 1024),), op("tanh")),
    Case(
        "sparse_categorical_crossentropy",
        (whole(512, 2048), normal(2048, 512)),
        op("sparse_categorical_crossentropy", True),
    ),
    Case("binary_crossentropy", (uniform(1024, 512), normal(1024, 512)), op("binary_crossentropy", True)),
    # normalization and attention
    Case("layer_normalization", (normal(2048, 512), normal(512), normal(512)), op("layer_normalization")),
    Case("rms_normalization", (normal(2048, 512), normal(512)), op("rms_normalization")),
    Case(
        "batch_normalization",
        (normal(8, 64, 64, 32), normal(32), uniform(32), normal(32), normal(32)),
        normalized("batch_normalization", -1, 2),
    ),
    Case("moments", (normal(8, 64, 64, 32),), op("moments", (0, 1, 2))),
    Case("layers.GroupNormalization", (normal(8, 64, 64, 32),), layer("GroupNormalization", 8, epsilon=1e-3)),
    Case("dot_product_attention", (normal(8, 128, 8, 64),) * 3, op("dot_product_attention")),
    Case(
        "dot_product_attention, causal", (normal(8, 128, 8, 64),) * 3, op("dot_product_attention", is_causal=True)
    ),
    # reductions and order
    Case("sum, axis 0", (normal(2048, 1024),), op("sum", 0)),
    Case("mean, axis -1", (normal(2048, 1024),), op("mean", -1)),
    Case("var", (normal(1024, 1024),), op("var", -1)),
    Case("std", (normal(1024, 1024),), op("std", -1)),
    Case("argmax", (normal(2048, 1024),), op("argmax", -1)),
    Case("cumsum", (normal(1024, 512),), op("cumsum", -1)),
    Case("sort", (normal(64, 2048),), op("sort")),
    Case("argsort", (normal(64, 2048),), op("argsort")),
    Case("top_k", (normal(64, 4096),), op("top_k", 10)),
    Case("median", (normal(64, 2048),), op("median", -1)),
    Case("quantile", (normal(64, 2048),), op("quantile", [0.1, 0.5, 0.9], -1)),
    Case("histogram", (normal(100_000),), op("histogram", 100)),
    Case("bincount", (whole(1000, 200_000),), op("bincount"), compiles=False),
    Case("searchsorted", (ordered(1000), uniform(100_000)), op("searchsorted")),
    Case("unique", (whole(1000, 100_000),), op("unique"), compiles=False),
    # looking up and writing
    Case("take (rows of a table)", (normal(10_000, 64), whole(10_000, 64, 256)), op("take", 0)),
    Case("take_along_axis", (normal(1024, 512), whole(1024, 1024, 512)), op("take_along_axis", 0)),
    Case("one_hot", (whole(64, 32_768),), op("one_hot", 64)),
    Case("segment_sum", (normal(50_000, 16), whole(1000, 50_000)), op("segment_sum", 1000)),
    Case("scatter_update", (normal(20_000, 64), whole(20_000, 5_000, 1), normal(5_000, 64)), op("scatter_update"),
         unique=False),
    Case("scatter", (whole(5_000, 20_000, 1), normal(20_000, 32)), op("scatter", (5_000, 32))),
    Case("where", (whole(2, 1024, 1024), normal(1024, 1024), normal(1024, 1024)), op("where")),
    Case("concatenate", (normal(1024, 512), normal(1024, 512)), lambda k: lambda a, b: k.ops.concatenate([a, b], -1)),
    Case("transpose", (normal(64, 128, 128),), lambda k: lambda x: k.ops.add(k.ops.transpose(x, (0, 2, 1)), 1.0)),
    Case("pad", (normal(8, 128, 128, 8),), op("pad", ((0, 0), (2, 2), (2, 2), (0, 0)))),
    Case("repeat", (normal(1024, 512),), op("repeat", 2, 0)),
    # images
    Case("image.resize, bilinear", (IMAGES,), op("image.resize", (192, 192))),
    Case("image.resize, bicubic", (IMAGES,), op("image.resize", (192, 192), "bicubic")),
    Case("image.resize, antialias", (IMAGES,), op("image.resize", (64, 64), antialias=True)),
    Case("image.affine_transform", (IMAGES, matrices(8)), op("image.affine_transform")),
    Case(
        "image.map_coordinates",
        (normal(256, 256), lambda random: random.random((2, 256, 256), "float32") * np.float32(255)),
        op("image.map_coordinates", 1),
    ),
    Case("image.gaussian_blur", (IMAGES,), op("image.gaussian_blur", (5, 5))),
    Case("image.rgb_to_hsv", (IMAGES,), op("image.rgb_to_hsv")),
    Case("image.hsv_to_rgb", (IMAGES,), op("image.hsv_to_rgb")),
    Case("image.rgb_to_grayscale", (uniform(8, 256, 256, 3),), op("image.rgb_to_grayscale")),
    Case("image.ssim", (uniform(4, 64, 64, 3), uniform(4, 64, 64, 3)), op("image.ssim")),
    Case("image.extract_patches", (IMAGES,), op("image.extract_patches", (16, 16))),
    # signals
    Case("fft", (normal(256, 1024), normal(256, 1024)), lambda k: lambda a, b: k.ops.fft((a, b))),
    Case("fft2", (normal(8, 128, 128), normal(8, 128, 128)), lambda k: lambda a, b: k.ops.fft2((a, b))),
    Case("rfft", (normal(256, 2048),), op("rfft")),
    Case("stft", (normal(8, 32_000),), op("stft", 256, 128, 256)),
    Case(
        "istft", (normal(8, 251, 129), normal(8, 251, 129)),
        lambda k: lambda a, b: k.ops.istft((a, b), 256, 128, 256),
    ),
    # linear algebra
    Case("svd", (normal(96, 96),), op("svd"), unique=False),
    Case("qr", (normal(256, 256),), op("qr"), unique=False),
    Case("cholesky", (positive_definite(512),), op("cholesky")),
    Case("solve", (positive_definite(384), normal(384, 64)), op("solve")),
    Case("solve_triangular", (positive_definite(512), normal(512, 64)), op("solve_triangular", True), unique=False),
    Case("inv", (positive_definite(256),), op("inv")),
    Case("eigh", (positive_definite(128),), op("eigh"), unique=False),
    Case("lstsq", (normal(256, 96), normal(256, 16)), op("lstsq")),
    Case("det", (positive_definite(256),), op("det")),
    # sequences
    Case("layers.LSTM", (normal(16, 64, 64),), layer("LSTM", 128), unique=False),
    Case("layers.GRU", (normal(16, 64, 64),), layer("GRU", 128), unique=False),
    Case(
        "ctc_loss",
        (whole(40, 16, 20, least=1), normal(16, 100, 40), filled(20, 16), filled(100, 16)),
        op("ctc_loss"),
    ),
    Case("ctc_decode, greedy", (normal(32, 200, 40), filled(200, 32)), op("ctc_decode"), unique=False),
    Case(
        "ctc_decode, beam search",
        (normal(4, 50, 20), filled(50, 4)),
        op("ctc_decode", "beam_search", 10),
        unique=False,
    ),
]  # fmt: skip

ONE = (normal(1),)
TWO = (normal(1), normal(1))
SQUARE = (normal(1, 1),)

SMALL = [
    Case("add", TWO, op("add")),
    Case("multiply", TWO, op("multiply")),
    Case("exp", ONE, op("exp")),
    Case("relu", ONE, op("relu")),
    Case("matmul", SQUARE * 2, op("matmul")),
    Case("add a number", ONE, op("add", 1.0)),
    Case("sum", ONE, op("sum")),
    Case("mean, axis -1", SQUARE, op("mean", -1)),
    Case("reshape", ONE, op("reshape", (1, 1))),
    Case("transpose", SQUARE, op("transpose")),
    Case("expand_dims", ONE, op("expand_dims", 0)),
    Case("concatenate", TWO, lambda k: lambda a, b: k.ops.concatenate([a, b], 0)),
    Case("where", (lambda random: np.ones(1, bool), *TWO), op("where")),
    Case("cast", ONE, op("cast", "float16")),
    Case("softmax", SQUARE, op("softmax")),
    Case("take", (normal(1), whole(1, 1)), op("take", 0)),
]

"""What is timed: names, what one unit is, and the random data of the real shapes."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

IMPLEMENTATIONS = ("keras_fn", "keras", "hand")
TRAINING_BACKENDS = ("jax", "torch", "tensorflow")
BACKENDS = (*TRAINING_BACKENDS, "numpy")


@dataclass(frozen=True)
class Workload:
    """One row of the table.

    Attributes:
        title: what the row says.
        unit: what the time is for.
        backends: where it exists.
        fresh: whether every round starts a new interpreter.
        needs: a package beside the backend's own.
    """

    title: str
    unit: str
    backends: tuple[str, ...] = BACKENDS
    fresh: bool = False
    needs: str = ""

    def runs_on(self, backend: str) -> bool:
        """Whether the backend can do it, with what is installed here."""
        return backend in self.backends and (not self.needs or importlib.util.find_spec(self.needs) is not None)


@dataclass(frozen=True)
class Job:
    """Work that is ready to be timed.

    Attributes:
        run: does it once, and returns when the results are there.
        units: how many units (steps, calls, samples) that are.
        weigh: whether the peak of memory belongs into the table.
    """

    run: Callable[[], Any]
    units: int = 1
    weigh: bool = False


def _training(title: str, needs: str = "") -> Workload:
    return Workload(title, "step", TRAINING_BACKENDS, needs=needs)


WORKLOADS = {
    "import": Workload("`import` in a fresh interpreter", "import", fresh=True),
    "first": Workload("… and a first Dense layer called", "process", fresh=True),
    "build": Workload("build a chain of 500 Dense (by hand: allocate its weights)", "chain"),
    "build-resnet50": Workload("build ResNet50 (by hand: allocate its weights)", "model"),
    "add": Workload("`ops.add` of two one-element tensors", "call"),
    "matmul": Workload("`ops.matmul` of two 32 x 32 tensors", "call"),
    "sum": Workload("`ops.sum` of a 32 x 32 tensor", "call"),
    "concatenate": Workload("`ops.concatenate` of two 32 x 32 tensors", "call"),
    "softmax": Workload("`ops.softmax` of a 32 x 32 tensor", "call"),
    "dense": Workload("call of one Dense", "call"),
    "chain": Workload("call of a functional model of 10 Dense", "call"),
    "predict1": Workload("`predict` of 1 sample (W1's model)", "call"),
    "predict-on-batch1": Workload("`predict_on_batch` of 1 sample (W1's model)", "call"),
    "train-on-batch1": Workload("`train_on_batch` of 1 sample (W1's model)", "call", TRAINING_BACKENDS),
    "mlp": _training("W1 MLP: `fit`"),
    "mlp-verbose1": _training("W1 MLP: `fit`, a progress bar (by hand: no output)"),
    "mlp-verbose2": _training("W1 MLP: `fit`, a line an epoch (by hand: no output)"),
    "mlp-callback": _training("W1 MLP: `fit`, an own callback after each batch"),
    "mlp-batch1": _training("W1 MLP: `fit` in batches of 1"),
    "mlp-generator": _training("W1 MLP: `fit` on a generator"),
    "mlp-tfdata": _training("W1 MLP: `fit` on a tf.data.Dataset", needs="tensorflow"),
    "mlp-dataloader": _training("W1 MLP: `fit` on a torch DataLoader", needs="torch"),
    "mlp-evaluate": Workload("W1 MLP: `evaluate`", "batch", TRAINING_BACKENDS),
    "mlp-predict": Workload("W1 MLP: `predict`", "batch", TRAINING_BACKENDS),
    "autoencoder": _training("W2 convolutional autoencoder: `fit`"),
    "tickets": _training("W3 two-LSTM ticket model: `fit`"),
    "resnet": _training("W4 toy ResNet: `fit`"),
    "transformer": _training("W5 transformer: `fit`"),
    "gru": _training("W6g GRU of 200 steps: `fit`"),
    "bilstm": _training("W6l bidirectional LSTM of 200 steps: `fit`"),
    "vgg-call": Workload("W7 VGG19: call on one image", "call", TRAINING_BACKENDS),
    "vgg-predict": Workload("W7 VGG19: `predict` of one image", "call", TRAINING_BACKENDS),
    "unet": _training("U-Net with batch normalization: `fit`"),
    "recommender": _training("recommender with embeddings, dict of inputs: `fit`"),
    "gated": _training("own layer in raw framework code: `fit`"),
    "save": Workload("save 101 MB of weights", "file"),
    "load": Workload("load 101 MB of weights", "file"),
}

CALLS = 200
WIDTH = 32
CHAIN = 500
# the model that is saved: 6 Dense of 2048
SAVED_WIDTH, SAVED_LAYERS = 2048, 6

# the models of the functional API's guides, the reference page's, and three of our own
SOURCES = ("mlp-generator", "mlp-tfdata", "mlp-dataloader")
BATCH = {
    "mlp": 64, "autoencoder": 64, "tickets": 32, "resnet": 64, "transformer": 32, "gru": 32, "bilstm": 32, "unet": 16,
    "recommender": 256, "gated": 64, "mlp-batch1": 1,
}  # fmt: skip
SAMPLES = {
    "mlp": 24_000, "autoencoder": 640, "tickets": 960, "resnet": 384, "transformer": 96, "gru": 160, "bilstm": 96,
    "unet": 64, "recommender": 20_480, "gated": 12_800, "mlp-batch1": 300,
}  # fmt: skip
SOURCE_SAMPLES = 9_600
WORDS, TAGS, DEPARTMENTS = 10_000, 12, 4
TITLE_LENGTH, BODY_LENGTH = 10, 100
TOKENS, LENGTH, MODEL_WIDTH, HEADS, BLOCKS, HIDDEN = 1_000, 64, 128, 4, 4, 512
TIME, SIGNALS, UNITS = 200, 32, 128
UNET_SIDE, UNET_FILTERS, UNET_CLASSES = 64, (16, 32, 64), 3
USERS, FILMS, GENRES, TASTE = 5_000, 3_000, 20, 32
VGG_FILTERS, VGG_DEPTHS, VGG_SIDE, VGG_CLASSES = (64, 128, 256, 512, 512), (2, 2, 4, 4, 4), 224, 1_000
GATED_WIDTH, GATED_LAYERS = 64, 4
# of He et al. 2015, https://arxiv.org/abs/1512.03385: filters of the narrow convolutions of a block, blocks of a stage
RESNET_STAGES, RESNET_SIDE, RESNET_CLASSES = ((64, 3), (128, 4), (256, 6), (512, 3)), 224, 1_000

# variants of W1's `fit` that differ in how it is called, not in the model -> the data that they take
VARIANTS = {"mlp-verbose1": "mlp", "mlp-verbose2": "mlp", "mlp-callback": "mlp", "mlp-batch1": "mlp-batch1"}


def model_of(workload: str) -> str:
    """The model that a `fit` trains: its own, or W1's."""
    return "mlp" if workload in VARIANTS or workload in SOURCES else workload


def data_of(workload: str) -> str:
    """The name under which `BATCH`, `SAMPLES` and `data` know the workload."""
    return VARIANTS.get(workload, "mlp" if workload in SOURCES else workload)


def steps(name: str) -> int:
    """Batches in the data."""
    return SAMPLES[name] // BATCH[name]


def data(name: str) -> tuple[Any, Any]:
    """Inputs and targets: the same random arrays for every implementation."""
    random = np.random.default_rng(0)
    n = SAMPLES[name]

    def floats(*shape: int) -> Any:
        return random.random((n, *shape), dtype="float32")

    def whole(below: int, *shape: int) -> Any:
        return random.integers(below, size=(n, *shape)).astype("int32")

    def one_hot(classes: int) -> Any:
        return np.eye(classes, dtype="float32")[random.integers(classes, size=n)]

    def tickets() -> Any:
        inputs = {
            "title": whole(WORDS, TITLE_LENGTH),
            "body": whole(WORDS, BODY_LENGTH),
            "tags": whole(2, TAGS).astype("float32"),
        }
        return inputs, {"priority": floats(1), "department": one_hot(DEPARTMENTS)}

    def recommender() -> Any:
        inputs = {
            "user": whole(USERS),
            "film": whole(FILMS),
            "genres": whole(2, GENRES).astype("float32"),
            "age": floats(1),
        }
        return inputs, floats(1)

    def autoencoder() -> Any:
        images = floats(28, 28, 1)
        return images, images

    def mlp() -> Any:
        return floats(784), whole(10)

    made: dict[str, Callable[[], Any]] = {
        "mlp": mlp,
        "mlp-batch1": mlp,
        "autoencoder": autoencoder,
        "tickets": tickets,
        "resnet": lambda: (floats(32, 32, 3), one_hot(10)),
        "transformer": lambda: (whole(TOKENS, LENGTH), whole(10)),
        "gru": lambda: (floats(TIME, SIGNALS), whole(10)),
        "bilstm": lambda: (floats(TIME, SIGNALS), whole(10)),
        "unet": lambda: (floats(UNET_SIDE, UNET_SIDE, 3), whole(UNET_CLASSES, UNET_SIDE, UNET_SIDE)),
        "recommender": recommender,
        "gated": lambda: (floats(GATED_WIDTH), whole(10)),
    }
    return made[name]()


def image() -> Any:
    """One image for VGG19."""
    return np.random.default_rng(0).random((1, VGG_SIDE, VGG_SIDE, 3), dtype="float32")


def vgg_channels() -> list[list[tuple[int, int]]]:
    """Blocks of convolutions: channels in and out of each."""
    blocks, before = [], 3
    for filters, depth in zip(VGG_FILTERS, VGG_DEPTHS, strict=True):
        blocks.append([(before, filters), *[(filters, filters)] * (depth - 1)])
        before = filters
    return blocks


def resnet50_weights() -> list[tuple[tuple[int, ...], float | None]]:
    """Shape of each weight of ResNet50, and the number that it is filled with; None for one that is drawn."""
    found: list[tuple[tuple[int, ...], float | None]] = []

    def convolution(window: int, before: int, after: int) -> None:
        bias, scale, shift, mean, variance = 0.0, 1.0, 0.0, 0.0, 1.0
        found.append(((window, window, before, after), None))
        found.extend(((after,), value) for value in (bias, scale, shift, mean, variance))

    convolution(7, 3, 64)
    before = 64
    for filters, blocks in RESNET_STAGES:
        convolution(1, before, 4 * filters)  # the way past the first block
        for _ in range(blocks):
            convolution(1, before, filters)
            convolution(3, filters, filters)
            convolution(1, filters, 4 * filters)
            before = 4 * filters
    return [*found, ((before, RESNET_CLASSES), None), ((RESNET_CLASSES,), 0.0)]

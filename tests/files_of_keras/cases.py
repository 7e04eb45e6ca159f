"""Small models, one for each thing that a file can hold: layers, structures, losses, metrics, optimizers, settings.

Each is written once, for `K`, which is real Keras (of any 3.x version, when the corpus is made and in the parity tests)
or keras_fn. Nothing here imports either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Make = Callable[[Any], Any]

BATCH, UNKNOWN = 3, 5
VECTOR, SEQUENCE, IMAGE, VOLUME, TOKENS = (4,), (5, 4), (6, 6, 3), (4, 4, 4, 2), (5,)

# --- layers: class -> shape of the input (or shapes of several), and options, which may be made from K
Options = dict[str, Any] | Callable[[Any], dict[str, Any]]
LAYERS: dict[str, tuple[Any, Options]] = {
    "Dense": (VECTOR, {"units": 3, "activation": "tanh"}),
    "Activation": (VECTOR, {"activation": "gelu"}),
    "ActivityRegularization": (VECTOR, {"l1": 0.1, "l2": 0.2}),
    "AdaptiveAveragePooling1D": (SEQUENCE, {"output_size": 2}),
    "AdaptiveAveragePooling2D": (IMAGE, {"output_size": 2}),
    "AdaptiveAveragePooling3D": (VOLUME, {"output_size": 2}),
    "AdaptiveMaxPooling1D": (SEQUENCE, {"output_size": 2}),
    "AdaptiveMaxPooling2D": (IMAGE, {"output_size": (2, 3)}),
    "AdaptiveMaxPooling3D": (VOLUME, {"output_size": 2}),
    "Add": ([VECTOR, VECTOR], {}),
    "AdditiveAttention": ([SEQUENCE, SEQUENCE], {}),
    "AlphaDropout": (VECTOR, {"rate": 0.3, "seed": 3}),
    "Attention": ([SEQUENCE, SEQUENCE], {"use_scale": True, "score_mode": "concat"}),
    "Average": ([VECTOR, VECTOR], {}),
    "AveragePooling1D": (SEQUENCE, {"pool_size": 2, "strides": 1, "padding": "same"}),
    "AveragePooling2D": (IMAGE, {"pool_size": 2}),
    "AveragePooling3D": (VOLUME, {"pool_size": 2}),
    "BatchNormalization": (VECTOR, {"momentum": 0.9, "epsilon": 0.01, "scale": False}),
    "Bidirectional": (SEQUENCE, lambda K: {"layer": K.layers.GRU(2, return_sequences=True), "merge_mode": "sum"}),
    "CategoryEncoding": (TOKENS, {"num_tokens": 4, "output_mode": "multi_hot"}),
    "CenterCrop": (IMAGE, {"height": 2, "width": 3}),
    "Concatenate": ([VECTOR, VECTOR], {"axis": -1}),
    "Conv1D": (SEQUENCE, {"filters": 3, "kernel_size": 2, "padding": "causal", "dilation_rate": 2}),
    "Conv1DTranspose": (SEQUENCE, {"filters": 3, "kernel_size": 2, "strides": 2}),
    "Conv2D": (IMAGE, {"filters": 3, "kernel_size": 3, "strides": 2, "activation": "relu", "padding": "same"}),
    "Conv2DTranspose": (IMAGE, {"filters": 2, "kernel_size": 2, "padding": "same"}),
    "Conv3D": (VOLUME, {"filters": 2, "kernel_size": 2, "use_bias": False}),
    "Conv3DTranspose": (VOLUME, {"filters": 2, "kernel_size": 2}),
    "ConvLSTM1D": ((3, 4, 2), {"filters": 2, "kernel_size": 2}),
    "ConvLSTM2D": ((2, 4, 4, 2), {"filters": 2, "kernel_size": 2, "return_sequences": True}),
    "ConvLSTM3D": ((2, 3, 3, 3, 1), {"filters": 1, "kernel_size": 2}),
    "Cropping1D": (SEQUENCE, {"cropping": (1, 0)}),
    "Cropping2D": (IMAGE, {"cropping": ((1, 0), (0, 2))}),
    "Cropping3D": (VOLUME, {"cropping": 1}),
    "DepthwiseConv1D": (SEQUENCE, {"kernel_size": 2, "depth_multiplier": 2}),
    "DepthwiseConv2D": (IMAGE, {"kernel_size": 3, "padding": "same"}),
    "Discretization": (VECTOR, {"bin_boundaries": [-0.5, 0.0, 0.5]}),
    "Dot": ([SEQUENCE, SEQUENCE], {"axes": 2, "normalize": True}),
    "Dropout": (VECTOR, {"rate": 0.5, "seed": 7}),
    "EinsumDense": (SEQUENCE, {"equation": "abc,cd->abd", "output_shape": (None, 6), "bias_axes": "d"}),
    "ELU": (VECTOR, {"alpha": 0.5}),
    "Embedding": (TOKENS, {"input_dim": 4, "output_dim": 2, "mask_zero": True}),
    "Flatten": (IMAGE, {}),
    "GaussianDropout": (VECTOR, {"rate": 0.2}),
    "GaussianNoise": (VECTOR, {"stddev": 0.1}),
    "GlobalAveragePooling1D": (SEQUENCE, {}),
    "GlobalAveragePooling2D": (IMAGE, {"keepdims": True}),
    "GlobalAveragePooling3D": (VOLUME, {}),
    "GlobalMaxPooling1D": (SEQUENCE, {}),
    "GlobalMaxPooling2D": (IMAGE, {}),
    "GlobalMaxPooling3D": (VOLUME, {}),
    "GroupNormalization": (IMAGE, {"groups": 3}),
    "GroupQueryAttention": ([SEQUENCE, SEQUENCE], {"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 1}),
    "GRU": (SEQUENCE, {"units": 3, "reset_after": False, "go_backwards": True}),
    "HashedCrossing": ([(1,), (1,)], {"num_bins": 5}),
    "Hashing": (TOKENS, {"num_bins": 3}),
    "Identity": (VECTOR, {}),
    "IntegerLookup": (TOKENS, {"vocabulary": [1, 2, 3], "output_mode": "int"}),
    "LayerNormalization": (VECTOR, {"epsilon": 0.01}),
    "LeakyReLU": (VECTOR, {"negative_slope": 0.2}),
    "LSTM": (SEQUENCE, {"units": 3, "return_sequences": True, "dropout": 0.2}),
    "Masking": (SEQUENCE, {"mask_value": 0.5}),
    "Maximum": ([VECTOR, VECTOR], {}),
    "MaxPooling1D": (SEQUENCE, {"pool_size": 2}),
    "MaxPooling2D": (IMAGE, {"pool_size": (2, 3), "strides": (1, 2)}),
    "MaxPooling3D": (VOLUME, {"pool_size": 2}),
    "MelSpectrogram": ((64,), {"fft_length": 16, "sequence_stride": 8, "num_mel_bins": 4, "sampling_rate": 64}),
    "Minimum": ([VECTOR, VECTOR], {}),
    "MultiHeadAttention": ([SEQUENCE, SEQUENCE], {"num_heads": 2, "key_dim": 2}),
    "Multiply": ([VECTOR, VECTOR], {}),
    "Normalization": (VECTOR, {"mean": 0.5, "variance": 2.0}),
    "Permute": (SEQUENCE, {"dims": (2, 1)}),
    "PReLU": (SEQUENCE, {"shared_axes": [1]}),
    "ReLU": (VECTOR, {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}),
    "RepeatVector": (VECTOR, {"n": 3}),
    "Rescaling": (VECTOR, {"scale": 0.5, "offset": 1.0}),
    "Reshape": (VECTOR, {"target_shape": (2, 2)}),
    "Resizing": (IMAGE, {"height": 3, "width": 4}),
    "ReversibleEmbedding": (TOKENS, {"input_dim": 4, "output_dim": 2}),
    "RMSNormalization": (VECTOR, {}),
    "RNN": (SEQUENCE, lambda K: {"cell": [K.layers.LSTMCell(2), K.layers.GRUCell(3)], "return_sequences": True}),
    "SeparableConv1D": (SEQUENCE, {"filters": 3, "kernel_size": 2}),
    "SeparableConv2D": (IMAGE, {"filters": 3, "kernel_size": 3}),
    "SimpleRNN": (SEQUENCE, {"units": 3, "stateful": False, "unroll": True}),
    "Softmax": (VECTOR, {"axis": -1}),
    "SpatialDropout1D": (SEQUENCE, {"rate": 0.2}),
    "SpatialDropout2D": (IMAGE, {"rate": 0.2}),
    "SpatialDropout3D": (VOLUME, {"rate": 0.2}),
    "SpectralNormalization": (VECTOR, lambda K: {"layer": K.layers.Dense(3), "power_iterations": 2}),
    "STFTSpectrogram": ((64, 1), {"frame_length": 16, "frame_step": 8, "fft_length": 16}),
    "Subtract": ([VECTOR, VECTOR], {}),
    "TimeDistributed": (SEQUENCE, lambda K: {"layer": K.layers.Dense(3, activation="relu")}),
    "UnitNormalization": (VECTOR, {}),
    "UpSampling1D": (SEQUENCE, {"size": 2}),
    "UpSampling2D": (IMAGE, {"size": 2, "interpolation": "bilinear"}),
    "UpSampling3D": (VOLUME, {"size": 2}),
    "ZeroPadding1D": (SEQUENCE, {"padding": (1, 0)}),
    "ZeroPadding2D": (IMAGE, {"padding": (1, 2)}),
    "ZeroPadding3D": (VOLUME, {"padding": 1}),
    # what draws numbers while it trains does nothing outside of training
    "RandomBrightness": (IMAGE, {"factor": 0.2}),
    "RandomContrast": (IMAGE, {"factor": 0.2}),
    "RandomCrop": (IMAGE, {"height": 4, "width": 4}),
    "RandomFlip": (IMAGE, {"mode": "horizontal", "seed": 1}),
    "RandomRotation": (IMAGE, {"factor": 0.1}),
    "RandomTranslation": (IMAGE, {"height_factor": 0.1, "width_factor": 0.1}),
    "RandomZoom": (IMAGE, {"height_factor": 0.1}),
}
_ON_TOKENS = {"CategoryEncoding", "Embedding", "Hashing", "HashedCrossing", "IntegerLookup", "ReversibleEmbedding"}
_BY_POSITION = {"MultiHeadAttention", "GroupQueryAttention"}


def one_layer(K: Any, name: str) -> Any:
    """A model of one layer."""
    shapes, options = LAYERS[name]
    dtype = "int32" if name in _ON_TOKENS else "float32"
    options = options(K) if callable(options) else options
    layer = getattr(K.layers, name)(**options)
    if not isinstance(shapes, list):
        x = K.Input(shapes, dtype=dtype)
        return K.Model(x, layer(x))
    symbols = [K.Input(s, dtype=dtype) for s in shapes]
    return K.Model(symbols, layer(*symbols) if name in _BY_POSITION else layer(symbols))


# --- structures
def shared(K: Any) -> Any:
    x = K.Input((4,), name="a")
    once = K.layers.Dense(4, activation="tanh", name="both")
    return K.Model(x, K.layers.Dense(3)(once(once(x))))


def branches(K: Any) -> Any:
    """Several layers of one class in each branch: the files count them in the order of `model.layers`."""
    D = K.layers.Dense
    x, z = K.Input((4,), name="x"), K.Input((3,), name="z")
    a, b = D(2, name="p")(x), D(2, name="q")(z)
    c, e = D(2, name="r")(a), D(2, name="s")(z)
    total = K.ops.add(K.ops.multiply(b, c), e)
    return K.Model([x, z], [D(1, name="h")(b), K.ops.concatenate([total, a], axis=-1)])


def named_outputs(K: Any) -> Any:
    x = K.Input((4,))
    return K.Model({"left": x}, {"two": K.layers.Dense(2)(x), "one": K.layers.Dense(1)(x)})


def nested(K: Any) -> Any:
    D = K.layers.Dense
    i = K.Input((3,))
    inner = K.Model(i, D(3)(D(5)(i)), name="inner")
    chain = K.Sequential([K.Input((4,)), D(3), D(3)], name="chain")
    x = K.Input((4,))
    return K.Model(x, D(2)(inner(inner(chain(x)))))


def deeper(K: Any) -> Any:
    """A model of several outputs that is part of another one, and is called beside it as well."""
    D = K.layers.Dense
    i = K.Input((3,))
    inner = K.Model(i, [D(3, name="one")(i), D(2, name="two")(i)], name="inner")
    j = K.Input((3,))
    first, second = inner(j)
    outer = K.Model(j, K.layers.Concatenate(name="joined")([first, second]), name="outer")
    x = K.Input((3,))
    y, z = inner(x)
    return K.Model(x, D(2, name="end")(K.layers.Concatenate(name="all")([outer(y), z])))


def sequential(K: Any) -> Any:
    return K.Sequential([K.Input((4,)), K.layers.Dense(3, activation="relu"), K.layers.Dense(2, use_bias=False)])


def sequential_without_input(K: Any) -> Any:
    model = K.Sequential([K.layers.Dense(3, activation="softmax"), K.layers.Dense(2)])
    model.build((None, 4))
    return model


def op_nodes(K: Any) -> Any:
    x = K.Input((4,))
    y = K.layers.Dense(4)(x)
    y = K.ops.relu(y) * 2.0 - x
    y = K.ops.where(y > 0, y, K.ops.exp(y))
    y = K.ops.sum(K.ops.reshape(y, (-1, 2, 2)), axis=-1, keepdims=True)
    return K.Model(x, K.ops.mean(y[:, 0], axis=1))


def regularized(K: Any) -> Any:
    options = {"kernel_regularizer": K.regularizers.L2(0.1), "bias_constraint": K.constraints.NonNeg()}
    return K.Sequential([K.Input((4,)), K.layers.Dense(3, kernel_initializer="he_normal", trainable=False, **options)])


def half(K: Any) -> Any:
    return K.Sequential([K.Input((4,)), K.layers.Dense(3, dtype="bfloat16"), K.layers.Dense(2, dtype="mixed_bfloat16")])


def policies(K: Any) -> Any:
    x = K.Input((4,))
    y = K.layers.Dense(3, dtype="float16")(x)
    y = K.layers.Dense(3, dtype=K.dtype_policies.DTypePolicy("mixed_float16"))(y)
    return K.Model(x, K.layers.Dense(2, dtype="float64")(y))


def frozen(K: Any) -> Any:
    """Layers that were told whether they train."""
    x = K.Input((4,))
    y = K.layers.BatchNormalization()(x, training=False)
    y = K.layers.Dropout(0.5)(K.layers.Dense(3)(y), training=False)
    return K.Model(x, K.layers.Dropout(0.5)(y))


def masked(K: Any) -> Any:
    x = K.Input((5,), dtype="int32")
    y = K.layers.Embedding(4, 3, mask_zero=True)(x)
    y = K.layers.Bidirectional(K.layers.LSTM(2, return_sequences=True))(y)
    y = K.layers.TimeDistributed(K.layers.Dense(2))(y)
    return K.Model(x, K.layers.GlobalAveragePooling1D()(y))


def states(K: Any) -> Any:
    """A layer of several outputs, whose states start another."""
    x = K.Input((5, 4))
    y, h, c = K.layers.LSTM(3, return_sequences=True, return_state=True)(x)
    return K.Model(x, K.layers.LSTM(3)(y, initial_state=[h, c]))


def keyword_calls(K: Any) -> Any:
    x, z = K.Input((5, 4), name="q"), K.Input((None, 4), name="v")
    y = K.layers.MultiHeadAttention(2, 2)(query=x, value=z, use_causal_mask=True)
    return K.Model({"q": x, "v": z}, K.layers.LayerNormalization()(y + x))


def fixed_batch(K: Any) -> Any:
    x = K.Input(batch_shape=(BATCH, 5, 4), name="fixed")
    return K.Model(x, K.layers.GRU(2, stateful=True)(x))


def policy_map(K: Any) -> Any:
    """Layers that take their policies from one map, by name, by pattern, and by default."""
    P, D = K.dtype_policies.DTypePolicy, K.layers.Dense
    found = K.dtype_policies.DTypePolicyMap(P("mixed_bfloat16"), {"head": P("float32"), "body.*": P("bfloat16")})
    x = K.Input((4,))
    y = D(3, name="neck", dtype=found)(D(3, name="body_1", dtype=found)(x))
    return K.Model(x, D(2, name="head", dtype=found)(y))


def cells(K: Any) -> Any:
    x = K.Input((5, 4))
    y = K.layers.RNN(K.layers.SimpleRNNCell(3, recurrent_dropout=0.1), return_sequences=True)(x)
    return K.Model(x, K.layers.RNN([K.layers.SimpleRNNCell(2, activation="relu"), K.layers.GRUCell(2)])(y))


def seeds(K: Any) -> Any:
    """A generator of seeds as an argument."""
    drawn = K.initializers.GlorotUniform(seed=K.random.SeedGenerator(5))
    return K.Sequential([K.Input((4,)), K.layers.Dense(3, kernel_initializer=drawn)])


def spectrum(K: Any) -> Any:
    x = K.Input((16, 1))
    return K.Model(x, K.layers.Conv1D(5, 8, kernel_initializer=K.initializers.STFT("real", "hann"))(x))


def function_as_layer(K: Any) -> Any:
    x = K.Input((4,))
    y = K.layers.Lambda(K.activations.leaky_relu, arguments={"negative_slope": 0.4})(x)
    return K.Model(x, K.layers.Lambda(K.activations.tanh)(y))


STRUCTURES: list[Make] = [
    shared, branches, named_outputs, nested, deeper, sequential, sequential_without_input, op_nodes, regularized, half,
    policies, frozen, masked, states, keyword_calls, fixed_batch, policy_map, cells, seeds, spectrum, function_as_layer,
]  # fmt: skip


# --- compile settings: what the model gives, and which targets fit
def _head(K: Any, activation: str | None = None) -> Any:
    return K.Sequential([K.Input((4,)), K.layers.Dense(3, activation=activation)])


LOSSES: dict[str, tuple[str, dict[str, Any]]] = {
    "CTC": ("labels", {"name": "spoken"}),
    "BinaryCrossentropy": ("bits", {"label_smoothing": 0.1, "from_logits": True}),
    "BinaryFocalCrossentropy": ("bits", {"gamma": 1.5, "from_logits": True, "apply_class_balancing": True}),
    "CategoricalCrossentropy": ("one_hot", {"label_smoothing": 0.1}),
    "CategoricalFocalCrossentropy": ("one_hot", {"gamma": 1.5}),
    "CategoricalGeneralizedCrossEntropy": ("classes", {"q": 0.4}),
    "CategoricalHinge": ("one_hot", {}),
    "Circle": ("classes", {"gamma": 4.0}),
    "CosineSimilarity": ("real", {}),
    "Dice": ("bits", {"axis": (0, 1)}),
    "Hinge": ("signs", {}),
    "Huber": ("real", {"delta": 0.5}),
    "KLDivergence": ("one_hot", {}),
    "LogCosh": ("real", {}),
    "MeanAbsoluteError": ("real", {"reduction": "sum"}),
    "MeanAbsolutePercentageError": ("one_hot", {}),
    "MeanSquaredError": ("real", {"name": "squares"}),
    "MeanSquaredLogarithmicError": ("bits", {}),
    "Poisson": ("bits", {}),
    "SparseCategoricalCrossentropy": ("classes", {"ignore_class": 1}),
    "SquaredHinge": ("signs", {}),
    "Tversky": ("bits", {"alpha": 0.3}),
}
METRICS: dict[str, tuple[str, Options]] = {
    "Accuracy": ("real", {}),
    "AUC": ("bits", {"num_thresholds": 11, "curve": "PR"}),
    "BinaryAccuracy": ("bits", {"threshold": 0.3}),
    "BinaryCrossentropy": ("bits", {"label_smoothing": 0.1}),
    "BinaryIoU": ("bits", {"target_class_ids": [1], "threshold": 0.3}),
    "CategoricalAccuracy": ("one_hot", {}),
    "CategoricalCrossentropy": ("one_hot", {"label_smoothing": 0.2}),
    "CategoricalHinge": ("one_hot", {}),
    "ConcordanceCorrelation": ("real", {}),
    "CosineSimilarity": ("real", {"axis": 1}),
    "F1Score": ("one_hot", {"average": "macro"}),
    "FBetaScore": ("one_hot", {"beta": 2.0, "threshold": 0.3, "average": "micro"}),
    "FalseNegatives": ("bits", {"thresholds": [0.3, 0.6]}),
    "FalsePositives": ("bits", {"thresholds": 0.3}),
    "Hinge": ("signs", {}),
    "IoU": ("classes", {"num_classes": 3, "target_class_ids": [0, 2], "sparse_y_pred": False}),
    "KLDivergence": ("one_hot", {}),
    "LogCoshError": ("real", {}),
    "MeanAbsoluteError": ("real", {"name": "distance"}),
    "MeanAbsolutePercentageError": ("one_hot", {}),
    "MeanMetricWrapper": ("real", lambda K: {"fn": K.losses.huber, "name": "rough", "delta": 0.3}),
    "MeanIoU": ("classes", {"num_classes": 3, "sparse_y_pred": False}),
    "MeanSquaredError": ("real", {}),
    "MeanSquaredLogarithmicError": ("bits", {}),
    "OneHotIoU": ("one_hot", {"num_classes": 3, "target_class_ids": [1]}),
    "OneHotMeanIoU": ("one_hot", {"num_classes": 3}),
    "PearsonCorrelation": ("real", {}),
    "Poisson": ("bits", {}),
    "Precision": ("bits", {"top_k": 2, "class_id": 1}),
    "PrecisionAtRecall": ("bits", {"recall": 0.5, "num_thresholds": 11}),
    "R2Score": ("real", {"class_aggregation": "uniform_average"}),
    "Recall": ("bits", {"thresholds": 0.4}),
    "RecallAtPrecision": ("bits", {"precision": 0.5, "num_thresholds": 11}),
    "RootMeanSquaredError": ("real", {}),
    "SensitivityAtSpecificity": ("bits", {"specificity": 0.5, "num_thresholds": 11}),
    "SparseCategoricalAccuracy": ("classes", {}),
    "SparseCategoricalCrossentropy": ("classes", {}),
    "SparseTopKCategoricalAccuracy": ("classes", {"k": 2}),
    "SpecificityAtSensitivity": ("bits", {"sensitivity": 0.5, "num_thresholds": 11}),
    "SquaredHinge": ("signs", {}),
    "TopKCategoricalAccuracy": ("one_hot", {"k": 2}),
    "TrueNegatives": ("bits", {}),
    "TruePositives": ("bits", {}),
}
OPTIMIZERS: dict[str, Options] = {
    "Adadelta": {"learning_rate": 0.5, "rho": 0.9},
    "Adafactor": {"learning_rate": 0.05},
    "Adagrad": {"initial_accumulator_value": 0.2},
    "Adam": {"learning_rate": 0.01, "amsgrad": True, "clipnorm": 1.0},
    "AdamW": {"weight_decay": 0.01, "beta_1": 0.8},
    "Adamax": {"epsilon": 1e-4},
    "Ftrl": {"l1_regularization_strength": 0.01},
    "Lamb": {"learning_rate": 0.01},
    "Lion": {"learning_rate": 0.01},
    "LossScaleOptimizer": lambda K: {"inner_optimizer": K.optimizers.Adam(0.01), "dynamic_growth_steps": 3},
    "Muon": {"learning_rate": 0.01},
    "Nadam": {"learning_rate": 0.01},
    "RMSprop": {"centered": True, "momentum": 0.9},
    "SGD": {"momentum": 0.9, "nesterov": True, "use_ema": True, "ema_overwrite_frequency": 3},
    "ScheduleFreeAdamW": {"learning_rate": 0.01},
}
SCHEDULES: dict[str, dict[str, Any]] = {
    "CosineDecay": {"initial_learning_rate": 0.0, "decay_steps": 4, "warmup_target": 0.1, "warmup_steps": 2},
    "CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 2, "alpha": 0.01},
    "ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 2, "decay_rate": 0.5, "staircase": True},
    "InverseTimeDecay": {"initial_learning_rate": 0.1, "decay_steps": 2, "decay_rate": 0.5},
    "PiecewiseConstantDecay": {"boundaries": [1, 3], "values": [0.1, 0.05, 0.01]},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 4, "power": 2.0, "cycle": True},
}
# losses of one number for a batch, which weights of samples do not fit
_OVER_THE_BATCH = ("Dice", "Tversky")
_ACTIVATIONS = {"one_hot": "softmax", "classes": "softmax"}


def with_loss(K: Any, name: str) -> Any:
    """A model compiled with one loss."""
    targets, options = LOSSES[name]
    if targets == "labels":
        model = K.Sequential([K.Input(SEQUENCE), K.layers.Dense(3)])
    else:
        model = _head(K, None if options.get("from_logits") else _ACTIVATIONS.get(targets, "sigmoid"))
    model.compile("sgd", loss=getattr(K.losses, name)(**options))
    return model


def with_metric(K: Any, name: str) -> Any:
    """A model compiled with one metric."""
    targets, options = METRICS[name]
    options = options(K) if callable(options) else options
    model = _head(K, _ACTIVATIONS.get(targets, "sigmoid"))
    model.compile("sgd", loss="sparse_categorical_crossentropy" if targets == "classes" else "mse",
                  metrics=[getattr(K.metrics, name)(**options)])  # fmt: skip
    return model


def with_optimizer(K: Any, name: str) -> Any:
    """A model whose optimizer has made two steps."""
    model = _head(K, "tanh")
    options = OPTIMIZERS[name]
    model.compile(getattr(K.optimizers, name)(**(options(K) if callable(options) else options)), loss="mse")
    return model


def with_schedule(K: Any, name: str) -> Any:
    """A model whose optimizer follows a schedule, and has made two steps."""
    model = _head(K, "tanh")
    rate = getattr(K.optimizers.schedules, name)(**SCHEDULES[name])
    model.compile(K.optimizers.SGD(rate, momentum=0.5), loss="mse")
    return model


def _two_outputs(K: Any) -> Any:
    x = K.Input((4,), name="x")
    a, b = K.layers.Dense(3, name="a")(x), K.layers.Dense(3, name="b", activation="sigmoid")(x)
    return K.Model(x, [a, b])


def settings_in_lists(K: Any) -> Any:
    model = _two_outputs(K)
    model.compile("rmsprop", loss=["mse", K.losses.Huber(0.3)], loss_weights=[1.0, 0.25],
                  metrics=[["mae"], [K.metrics.MeanSquaredError(name="q"), "mae"]])  # fmt: skip
    return model


def settings_in_dicts(K: Any) -> Any:
    x = K.Input((4,), name="x")
    model = K.Model(x, {"a": K.layers.Dense(3, name="a")(x), "b": K.layers.Dense(3, name="b")(x)})
    model.compile("adam", loss={"a": "mse", "b": "mae"}, loss_weights={"a": 2.0, "b": 0.5},
                  metrics={"a": ["mae"], "b": [K.metrics.RootMeanSquaredError(name="root")]},
                  weighted_metrics={"a": ["mse"]})  # fmt: skip
    return model


def settings_by_name(K: Any) -> Any:
    model = _head(K, "sigmoid")
    model.compile("adagrad", "binary_crossentropy", metrics=["accuracy", "mse"], weighted_metrics=["mae"])
    return model


def settings_of_functions(K: Any) -> Any:
    model = _head(K, "sigmoid")
    model.compile("sgd", K.losses.mean_squared_error, metrics=[K.metrics.binary_accuracy])
    return model


def settings_of_float16(K: Any) -> Any:
    """`compile` puts a LossScaleOptimizer around the one that is named."""
    before = K.config.dtype_policy()
    K.config.set_dtype_policy("mixed_float16")
    try:
        model = _head(K)
        model.compile("adam", "mse", metrics=["mae"])
    finally:
        K.config.set_dtype_policy(before)
    return model


SETTINGS: list[Make] = [
    settings_in_lists, settings_in_dicts, settings_by_name, settings_of_functions, settings_of_float16,
]  # fmt: skip
# cases that compute in half precision
ROUGH = ("structure-half", "structure-policies", "structure-policy_map", "settings-settings_of_float16")

# --- initializers, regularizers, constraints: options of a Dense layer
PARTS: dict[str, Make] = {
    "Constant": lambda K: {"kernel_initializer": K.initializers.Constant(0.3)},
    "GlorotNormal": lambda K: {"kernel_initializer": K.initializers.GlorotNormal(seed=1)},
    "GlorotUniform": lambda K: {"kernel_initializer": K.initializers.GlorotUniform(seed=1)},
    "HeNormal": lambda K: {"kernel_initializer": K.initializers.HeNormal(seed=1)},
    "HeUniform": lambda K: {"kernel_initializer": K.initializers.HeUniform(seed=1)},
    "Identity": lambda K: {"kernel_initializer": K.initializers.Identity(gain=2.0)},
    "LecunNormal": lambda K: {"kernel_initializer": K.initializers.LecunNormal(seed=1)},
    "LecunUniform": lambda K: {"kernel_initializer": K.initializers.LecunUniform(seed=1)},
    "Ones": lambda K: {"kernel_initializer": K.initializers.Ones()},
    "Orthogonal": lambda K: {"kernel_initializer": K.initializers.Orthogonal(gain=0.5, seed=1)},
    "RandomNormal": lambda K: {"kernel_initializer": K.initializers.RandomNormal(0.1, 0.2, seed=1)},
    "RandomUniform": lambda K: {"kernel_initializer": K.initializers.RandomUniform(-1.0, 0.0, seed=1)},
    "TruncatedNormal": lambda K: {"kernel_initializer": K.initializers.TruncatedNormal(seed=1)},
    "VarianceScaling": lambda K: {"kernel_initializer": K.initializers.VarianceScaling(2.0, "fan_avg", seed=1)},
    "Zeros": lambda K: {"kernel_initializer": K.initializers.Zeros()},
    "L1": lambda K: {"kernel_regularizer": K.regularizers.L1(0.1)},
    "L2": lambda K: {"bias_regularizer": K.regularizers.L2(0.1)},
    "L1L2": lambda K: {"activity_regularizer": K.regularizers.L1L2(0.1, 0.2)},
    "OrthogonalRegularizer": lambda K: {"kernel_regularizer": K.regularizers.OrthogonalRegularizer(0.1, "columns")},
    "MaxNorm": lambda K: {"kernel_constraint": K.constraints.MaxNorm(2.0)},
    "MinMaxNorm": lambda K: {"kernel_constraint": K.constraints.MinMaxNorm(0.5, 2.0, rate=0.5)},
    "NonNeg": lambda K: {"bias_constraint": K.constraints.NonNeg()},
    "UnitNorm": lambda K: {"kernel_constraint": K.constraints.UnitNorm(axis=1)},
}


def with_part(K: Any, name: str) -> Any:
    """A Dense layer with an initializer, regularizer or constraint that has options; compiled, so that losses count."""
    model = K.Sequential([K.Input((4,)), K.layers.Dense(3, **PARTS[name](K))])
    model.compile("sgd", "mse")
    return model


# --- all of them
_TABLES: dict[str, tuple[Any, Any]] = {
    "layer": (LAYERS, one_layer),
    "loss": (LOSSES, with_loss),
    "metric": (METRICS, with_metric),
    "optimizer": (OPTIMIZERS, with_optimizer),
    "schedule": (SCHEDULES, with_schedule),
    "part": (PARTS, with_part),
}
_MODULES = {
    "layer": "layers", "loss": "losses", "metric": "metrics", "optimizer": "optimizers", "schedule": "optimizers",
}  # fmt: skip
NAMES: list[str] = [
    *(f"{kind}-{name}" for kind, (table, _) in _TABLES.items() for name in table),
    *(f"structure-{make.__name__}" for make in STRUCTURES),
    *(f"settings-{make.__name__}" for make in SETTINGS),
]


def make(K: Any, case: str) -> Any:
    """The model of a case, with the weights that its initializers drew."""
    kind, name = case.split("-")
    if kind in _TABLES:
        return _TABLES[kind][1](K, name)
    return next(f for f in (*STRUCTURES, *SETTINGS) if f.__name__ == name)(K)


def known(K: Any, case: str) -> bool:
    """Whether a version of Keras, or keras_fn, has the class that a case is about."""
    kind, name = case.split("-")
    module = _MODULES.get(kind)
    return module is None or kind == "schedule" or hasattr(getattr(K, module), name)


# --- data
def inputs_of(model: Any, seed: int) -> Any:
    """Arrays that fit the inputs of a model, in its structure."""
    rng = np.random.default_rng(seed)

    def draw(x: Any) -> np.ndarray:
        shape = (BATCH, *(UNKNOWN if d is None else d for d in x.shape[1:]))
        if "int" in str(x.dtype):
            return rng.integers(0, 4, size=shape).astype("int32")
        return rng.normal(size=shape).astype("float32")

    struct = None if hasattr(model, "add") else model.input  # a Sequential of real Keras has none
    if isinstance(struct, dict):
        return {name: draw(x) for name, x in struct.items()}
    arrays = [draw(x) for x in model.inputs]
    return arrays[0] if len(arrays) == 1 else arrays


def targets_of(case: str, seed: int) -> Any:
    """Targets that fit the loss and the metrics of a case."""
    kind, name = case.split("-")
    rng = np.random.default_rng(seed + 1)
    wanted = {"loss": LOSSES, "metric": METRICS}[kind][name][0] if kind in ("loss", "metric") else "real"
    classes = np.arange(BATCH) % 3
    if wanted == "classes":
        return classes.astype("int32")
    if wanted == "labels":
        return np.array([[1, 2], [2, 0], [1, 1]], "int32")
    if wanted == "one_hot":
        return np.eye(3, dtype="float32")[classes]
    signs = rng.permutation(np.tile([1.0, -1.0, 1.0], (BATCH, 1)), axis=1).astype("float32")
    if wanted == "signs":
        return signs
    real = rng.normal(size=(BATCH, 3)).astype("float32")
    if name == "settings_in_lists":
        return [real, signs]
    if name == "settings_in_dicts":
        return {"a": real, "b": signs}
    return (signs + 1) / 2 if wanted == "bits" or name in ("settings_by_name", "settings_of_functions") else real


def fill(model: Any, seed: int) -> None:
    """Gives every weight values that tell it from the others."""
    rng = np.random.default_rng(seed)
    for w in model.weights:
        if "float" in str(w.dtype):
            w.assign(rng.uniform(0.1, 1.0, size=tuple(w.shape)).astype("float32"))


def steps(K: Any, model: Any, seed: int) -> None:
    """Two steps of the optimizer, with given gradients."""
    rng = np.random.default_rng(seed)
    for _ in range(2):
        drawn = [rng.normal(size=tuple(v.shape)).astype("float32") for v in model.trainable_variables]
        model.optimizer.apply([K.ops.convert_to_tensor(g) for g in drawn], model.trainable_variables)


def outputs_of(K: Any, model: Any, x: Any) -> list[np.ndarray]:
    """What a model gives for `x` outside of training, flat: dicts by sorted key."""
    y = model(x, training=False)
    flat = [y[k] for k in sorted(y)] if isinstance(y, dict) else y if isinstance(y, (list, tuple)) else [y]
    return [np.asarray(K.ops.convert_to_numpy(v)).astype("float32") for v in flat]


def logs_of(case: str, model: Any, x: Any, y: Any) -> dict[str, list[float]]:
    """Loss and metrics of a compiled model on one batch, with weights for the samples."""
    one = np.linspace(0.5, 1.5, BATCH).astype("float32")
    weights = dict.fromkeys(y, one) if isinstance(y, dict) else [one for _ in y] if isinstance(y, list) else one
    if case.split("-")[1] in _OVER_THE_BATCH:
        weights = None
    logs = model.evaluate(x, y, batch_size=BATCH, sample_weight=weights, verbose=0, return_dict=True)
    return {k: np.asarray(v, "float64").ravel().tolist() for k, v in logs.items()}

"""Plans (keras_fn/core/tape.py) give the bits of the calls that they were made from, and the user's code still runs."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import keras_fn
from keras_fn import constraints, layers, losses, metrics, ops, optimizers, regularizers
from keras_fn.core import tape
from keras_fn.core.backend import active
from keras_fn.core.tape import Plan, Planned

RNG = np.random.default_rng(0)
BATCH, ROWS = 4, 14  # a smaller last batch has a signature of its own


class Scale(layers.Layer):
    """A layer of the user's, with Python that must run in every step of an eager framework."""

    calls = 0

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones")

    def call(self, inputs: Any) -> Any:
        Scale.calls += 1
        self.add_loss(ops.mean(ops.square(inputs)) * 0.1)
        return inputs * self.scale


class Distance(losses.Loss):
    """A loss of the user's."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.abs(y_true - y_pred), axis=-1)


class Largest(metrics.Metric):
    """A metric of the user's."""

    def __init__(self, name: str = "largest") -> None:
        super().__init__(name=name)
        self.value = self.add_variable((), "zeros", name="value")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.value.assign(ops.maximum(self.value, ops.max(y_pred)))

    def result(self) -> Any:
        return self.value.value


def chain(shape: tuple[int, ...], *parts: Any, dtype: str = "float32") -> Any:
    inputs = keras_fn.Input(shape, dtype=dtype)
    x = inputs
    for part in parts:
        x = part(x)
    return keras_fn.Model(inputs, x)


def dense_model() -> Any:
    model = chain((5,), layers.Dense(8, "relu"), layers.Dropout(0.3), layers.BatchNormalization(), layers.Dense(3))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model, RNG.standard_normal((ROWS, 5), "float32"), RNG.integers(0, 3, ROWS)


def penalties() -> Any:
    kernel = {"kernel_regularizer": regularizers.L2(0.01), "kernel_constraint": constraints.MaxNorm(1.0)}
    model = chain((5,), layers.Dense(8, "tanh", activity_regularizer="l2", **kernel), layers.Dense(2))
    rate = optimizers.schedules.ExponentialDecay(0.1, 2, 0.9)
    optimizer = optimizers.SGD(rate, momentum=0.9, nesterov=True, global_clipnorm=0.5, use_ema=True)
    model.compile(optimizer, "mse", metrics=["mae"])
    return model, RNG.standard_normal((ROWS, 5), "float32"), RNG.standard_normal((ROWS, 2), "float32")


def accumulation() -> Any:
    model = chain((5,), layers.Dense(8, "gelu"), layers.LayerNormalization(), layers.Dense(2))
    model.compile(optimizers.AdamW(0.01, gradient_accumulation_steps=2, clipvalue=0.1), "mse")
    return model, RNG.standard_normal((ROWS, 5), "float32"), RNG.standard_normal((ROWS, 2), "float32")


def convolutions() -> Any:
    model = chain(
        (8, 8, 3), layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.SpatialDropout2D(0.2),
        layers.Conv2DTranspose(2, 2, strides=2), layers.GlobalAveragePooling2D(), layers.Dense(1, "sigmoid"),
    )  # fmt: skip
    model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy", metrics.AUC(num_thresholds=10, name="auc")])
    return model, RNG.standard_normal((ROWS, 8, 8, 3), "float32"), RNG.integers(0, 2, (ROWS, 1))


def masked_sequences() -> Any:
    model = chain(
        (6,), layers.Embedding(9, 4, mask_zero=True), layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        layers.GRU(3, dropout=0.2), layers.Dense(1), dtype="int32",
    )  # fmt: skip
    model.compile("adam", "mse")
    lengths = RNG.integers(1, 7, ROWS)
    tokens = RNG.integers(1, 9, (ROWS, 6)) * (np.arange(6) < lengths[:, None])
    return model, tokens.astype("int32"), RNG.standard_normal((ROWS, 1), "float32")


class Leaky(layers.Layer):
    """A cell of the user's, which counts its steps in Python and in a variable."""

    calls = 0

    def __init__(self) -> None:
        super().__init__()
        self.state_size = self.output_size = 3

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], 3), name="kernel")
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False, name="steps")

    def call(self, inputs: Any, states: Any) -> Any:
        Leaky.calls += 1
        self.steps.assign_add(1.0)
        out = 0.5 * states[0] + ops.tanh(ops.matmul(inputs, self.kernel))
        return out, [out]


def loops() -> Any:
    tokens = keras_fn.Input((6,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(tokens)  # a masked loop runs a step ahead, and drops what that writes
    masked = layers.RNN([layers.GRUCell(3, dropout=0.2), layers.LSTMCell(4, dropout=0.2)])(x)
    users_masked = layers.RNN([layers.SimpleRNNCell(3), Leaky()], name="masked")(x)
    users = layers.RNN([Leaky()], name="plain")(layers.Dense(4)(layers.Embedding(9, 4)(tokens)))
    model = keras_fn.Model(tokens, layers.Dense(1)(layers.Concatenate()([masked, users_masked, users])))
    model.compile("adam", "mse")
    return model, RNG.integers(0, 9, (ROWS, 6), "int32"), RNG.standard_normal((ROWS, 1), "float32")


def attention() -> Any:
    tokens = keras_fn.Input((6,), dtype="int32", name="tokens")
    x = layers.Embedding(9, 8)(tokens)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 4, dropout=0.1)(x, x, use_causal_mask=True))
    outputs = {"next": layers.Dense(9)(x), "mean": layers.Dense(1, name="mean_out")(ops.mean(x, axis=1))}
    model = keras_fn.Model({"tokens": tokens}, outputs)
    loss = {"next": losses.SparseCategoricalCrossentropy(from_logits=True), "mean": "huber"}
    scores = {"next": ["accuracy"], "mean": ["mae"]}
    model.compile("adam", loss, metrics=scores, loss_weights={"next": 2.0, "mean": 0.5})
    x, y = RNG.integers(0, 9, (ROWS, 6)), RNG.standard_normal((ROWS, 1), "float32")
    return model, {"tokens": x.astype("int32")}, {"mean": y, "next": x}


def users_code() -> Any:
    model = chain((5,), layers.Dense(4, lambda x: x * 2.0), Scale(), layers.Lambda(lambda x: x + 1.0), layers.Dense(2))
    model.compile(optimizers.SGD(0.05), Distance(), metrics=[Largest()])
    return model, RNG.standard_normal((ROWS, 5), "float32"), RNG.standard_normal((ROWS, 2), "float32")


def half_precision() -> Any:
    policy = {"dtype": "mixed_bfloat16"}
    model = chain((5,), layers.Dense(8, "relu", **policy), layers.BatchNormalization(**policy), layers.Dense(1))
    model.compile("adam", "mse")
    return model, RNG.standard_normal((ROWS, 5), "float32"), RNG.standard_normal((ROWS, 1), "float32")


MAKES = [
    dense_model, penalties, accumulation, convolutions, masked_sequences, loops, attention, users_code, half_precision
]  # fmt: skip
# where steps are compiled instead, two are enough to see that they do what the eager ones do
PLANNED = isinstance(active.backend.compile_step(lambda: None, list, "auto"), Planned)


def train(make: Any, run_eagerly: bool) -> tuple[Any, dict[str, Any]]:
    global RNG
    RNG = np.random.default_rng(0)
    keras_fn.utils.set_random_seed(3)
    model, x, y = make()
    model.run_eagerly = run_eagerly
    weights = RNG.random(ROWS).astype("float32") if make in (dense_model, penalties) else None
    history = model.fit(x, y, batch_size=BATCH, epochs=3, sample_weight=weights, verbose=0).history
    scores = model.evaluate(x, y, batch_size=BATCH, verbose=0, return_dict=True)
    return model, {**history, **{f"test_{k}": v for k, v in scores.items()}}


def programs(model: Any, kind: str) -> list[Any]:
    return [p for (k, _), p in model._kf_programs.made.items() if k == kind and isinstance(p, Planned)]


if active.backend.differentiable:

    @pytest.mark.parametrize("make", MAKES if PLANNED else [penalties, users_code], ids=lambda m: m.__name__)
    def test_training_by_plan_gives_the_same_bits(make: Any) -> None:
        slow, expected = train(make, run_eagerly=True)
        fast, history = train(make, run_eagerly=False)
        planned = programs(fast, "train")
        assert all(any(isinstance(p, Plan) for p in program.plans.plans.values()) for program in planned), [
            program.plans.reasons for program in planned
        ]
        exact = {"rtol": 0, "atol": 0} if planned else {"rtol": 1e-3, "atol": 1e-4}
        for a, b in zip(fast.variables, slow.variables, strict=True):
            np.testing.assert_allclose(a.numpy().astype("float32"), b.numpy().astype("float32"), **exact)
        assert history.keys() == expected.keys()
        for name, values in expected.items():
            np.testing.assert_allclose(history[name], values, **exact)

    def test_python_of_the_users_runs_in_every_step() -> None:
        model, x, y = users_code()
        model.fit(x, y, batch_size=BATCH, epochs=2, verbose=0)
        before = Scale.calls
        model.fit(x, y, batch_size=BATCH, epochs=2, verbose=0)
        if programs(model, "train"):
            assert Scale.calls - before == 2 * -(-ROWS // BATCH)

    def test_a_cell_of_the_users_runs_in_every_round_of_a_loop() -> None:
        model, x, y = loops()
        model.fit(x, y, batch_size=BATCH, epochs=2, verbose=0)
        before = Leaky.calls
        model.fit(x, y, batch_size=BATCH, epochs=2, verbose=0)
        if programs(model, "train"):
            assert Leaky.calls - before == 2 * -(-ROWS // BATCH) * (7 + 6)  # a step ahead in the masked loop
        counts = [v.numpy() for v in model.variables if v.path.endswith("steps")]
        assert counts == [4 * -(-ROWS // BATCH) * 6] * 2

    def test_a_loop_too_long_to_be_written_out_is_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tape, "MAX_STEPS", 200)
        model, x, y = loops()
        model.fit(x, y, batch_size=BATCH, epochs=4, verbose=0)
        plans = [p for program in programs(model, "train") for p in program.plans.plans.values()]
        assert all(isinstance(p, Plan) and len(p) < 200 for p in plans)

    def test_a_change_of_an_argument_takes_effect() -> None:
        """What a callback changes between epochs (a rate of dropout, a clipping norm) is not frozen in a plan."""
        keras_fn.utils.set_random_seed(0)
        model = chain((5,), layers.Dropout(0.9, name="drop"), layers.Dense(1))
        model.compile(optimizers.SGD(0.0), "mse")
        x, y = np.ones((8, 5), "float32"), np.zeros((8, 1), "float32")
        model.fit(x, y, batch_size=8, epochs=4, verbose=0, shuffle=False)
        model.get_layer("drop").rate = 0.0
        quiet = model.evaluate(x, y, verbose=0)
        np.testing.assert_allclose(model.fit(x, y, batch_size=8, verbose=0).history["loss"], [quiet], rtol=1e-5)
        weights = model.get_weights()
        model.optimizer.learning_rate = 0.5
        model.optimizer.clipvalue = 1e-3
        model.fit(x, y, batch_size=8, verbose=0)
        for a, b in zip(model.get_weights(), weights, strict=True):
            assert 0 < np.abs(a - b).max() < 6e-4


def test_a_plan_runs_in_many_threads() -> None:
    model, x, _ = dense_model()
    inputs = [ops.convert_to_tensor(x[:n]) for n in (3, 4)]
    expected = [active.backend.to_numpy(model(i, training=False)) for i in inputs]
    problems: list[Any] = []

    def work(number: int) -> None:
        try:
            for _ in range(30):
                got = active.backend.to_numpy(model(inputs[number % 2], training=False))
                np.testing.assert_array_equal(got, expected[number % 2])
        except BaseException as e:
            problems.append(e)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not problems


def test_the_backend_is_itself_again_after_an_error() -> None:
    class Fails(layers.Layer):
        on = False

        def call(self, inputs: Any) -> Any:
            if Fails.on:
                raise RuntimeError("on purpose")
            return inputs

    model = chain((5,), layers.Dense(2), Fails())
    x = ops.ones((2, 5))
    model(x)
    before = dict(active.backend.__dict__)
    Fails.on = True
    with pytest.raises(RuntimeError, match="on purpose"):
        model(x)
    assert active.backend.__dict__ == before
    Fails.on = False
    for _ in range(3):
        assert tuple(model(x).shape) == (2, 2)

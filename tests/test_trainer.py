"""Training, evaluation and prediction: results, overrides, errors, and what they cost."""

from __future__ import annotations

import gc
import re
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import keras_fn
from keras_fn import callbacks, layers, losses, ops
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, BackendError, NotBuiltError, ShapeError, StructureError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4)).astype("float32")
Y = (X.sum(1) > 0).astype("int32")
Y2 = X[:, :1] * 2
TRAINS = active.backend.differentiable


def mlp(**arguments: Any) -> Any:
    x = keras_fn.Input((4,), name="in")
    h = layers.Dense(6, activation="relu")(x)
    model = keras_fn.Model(x, layers.Dense(3, activation="softmax", name="out")(h))
    model.compile(
        **{"optimizer": "sgd", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **arguments}
    )
    return model


def two_outputs(**arguments: Any) -> Any:
    x = keras_fn.Input((4,), name="in")
    h = layers.Dense(6, activation="tanh")(x)
    outputs = {"cls": layers.Dense(2, activation="softmax", name="cls")(h), "reg": layers.Dense(1, name="reg")(h)}
    model = keras_fn.Model(x, outputs)
    given = {"cls": "sparse_categorical_crossentropy", "reg": "mse"}
    model.compile(**{"optimizer": "sgd", "loss": given, **arguments})
    return model


def same_weights(a: Any, b: Any) -> None:
    for v, w in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(v, w)


# --- evaluate and predict: on every backend
def test_evaluate_gives_loss_and_metrics() -> None:
    model = mlp()
    probabilities = model.predict(X, verbose=0)
    assert probabilities.shape == (40, 3)
    loss, accuracy = model.evaluate(X, Y, verbose=0, batch_size=7)
    np.testing.assert_allclose(loss, -np.log(probabilities[np.arange(40), Y]).mean(), rtol=1e-5)
    np.testing.assert_allclose(accuracy, (probabilities.argmax(1) == Y).mean(), rtol=1e-6)
    logs = model.evaluate(X, Y, verbose=0, batch_size=7, return_dict=True)
    assert logs == {"accuracy": accuracy, "loss": loss}


def test_predict_forms_agree() -> None:
    model = mlp()
    whole = model.predict(X, verbose=0, batch_size=40)
    np.testing.assert_allclose(model.predict(X, verbose=0, batch_size=7), whole, rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(X), whole, rtol=1e-5)
    np.testing.assert_allclose(model.predict((X[i : i + 10] for i in range(0, 40, 10)), verbose=0), whole, rtol=1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(model(X)), whole, rtol=1e-5)
    assert isinstance(whole, np.ndarray)


def test_predict_keeps_the_structure_of_the_outputs() -> None:
    out = two_outputs().predict(X, verbose=0, batch_size=16)
    assert {k: v.shape for k, v in out.items()} == {"cls": (40, 2), "reg": (40, 1)}


def test_test_on_batch_is_evaluate_of_one_batch() -> None:
    model = mlp()
    logs = model.evaluate(X, Y, verbose=0, batch_size=40, return_dict=True)
    model.reset_metrics()
    again = model.test_on_batch(X, Y, return_dict=True)
    assert again == pytest.approx(logs, rel=1e-6)


def test_sample_weight_counts_in_loss_and_weighted_metrics() -> None:
    model = mlp(weighted_metrics=[keras_fn.metrics.SparseCategoricalAccuracy(name="weighted")])
    weight = (np.arange(40) < 10).astype("float32")
    logs = model.evaluate(X, Y, sample_weight=weight, verbose=0, batch_size=40, return_dict=True)
    first = model.evaluate(X[:10], Y[:10], verbose=0, return_dict=True)
    assert logs["weighted"] == pytest.approx(first["accuracy"])
    assert logs["loss"] == pytest.approx(first["loss"] / 4, rel=1e-5)
    assert logs["accuracy"] == pytest.approx(model.evaluate(X, Y, verbose=0)[1])


def test_masked_steps_count_neither_in_loss_nor_in_metrics() -> None:
    x = keras_fn.Input((5,), dtype="int32")
    h = layers.Embedding(8, 3, mask_zero=True)(x)
    model = keras_fn.Model(x, layers.Dense(2, activation="softmax")(h))
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    ids = np.array([[1, 2, 0, 0, 0], [3, 4, 5, 6, 0]], "int32")
    labels = np.array([[0, 1, 0, 0, 0], [1, 1, 0, 0, 0]], "int32")
    p = model.predict(ids, verbose=0)
    keep = ids != 0
    picked = np.take_along_axis(p, labels[..., None], -1)[..., 0][keep]
    # the mean is over what the mask keeps
    loss, accuracy = model.evaluate(ids, labels, verbose=0)
    np.testing.assert_allclose(loss, -np.log(picked).mean(), rtol=1e-5)
    np.testing.assert_allclose(accuracy, (p.argmax(-1) == labels)[keep].mean(), rtol=1e-5)


def test_added_losses_and_penalties_count() -> None:
    x = keras_fn.Input((4,))
    h = layers.Dense(3, kernel_regularizer=keras_fn.regularizers.L2(0.1), use_bias=False)(x)
    h = layers.ActivityRegularization(l2=0.01)(h)
    model = keras_fn.Model(x, layers.Dense(1)(h))
    model.compile("sgd", "mse")
    hidden = X @ model.weights[0].numpy()
    mse = np.mean((model.predict(X, verbose=0) - Y2) ** 2)
    penalty = 0.1 * (model.weights[0].numpy() ** 2).sum() + 0.01 * (hidden**2).sum() / len(X)
    assert model.evaluate(X, Y2, verbose=0, batch_size=40) == pytest.approx(mse + penalty, rel=1e-4)


def test_losses_metrics_and_weights_by_name_or_place() -> None:
    y = {"cls": Y, "reg": Y2}
    by_name = two_outputs(loss_weights={"reg": 0.5, "cls": 2.0}, metrics={"cls": ["accuracy"], "reg": ["mae"]})
    logs = by_name.evaluate(X, y, verbose=0, return_dict=True)
    assert sorted(logs) == ["cls_accuracy", "cls_loss", "loss", "reg_loss", "reg_mae"]
    assert logs["loss"] == pytest.approx(2 * logs["cls_loss"] + 0.5 * logs["reg_loss"], rel=1e-5)
    by_place = two_outputs(
        loss=["sparse_categorical_crossentropy", "mse"], loss_weights=[2.0, 0.5], metrics=[["accuracy"], ["mae"]]
    )
    by_place.set_weights(by_name.get_weights())
    assert by_place.evaluate(X, [Y, Y2], verbose=0, return_dict=True) == pytest.approx(logs, rel=1e-6)


NAMES = [
    ({"loss": {"clss": "mse", "reg": "mse"}}, {}, r"`loss` names the output 'clss'.*Did you mean 'cls'"),
    ({"metrics": {"regg": ["mae"]}}, {}, r"`metrics` names the output 'regg'.*Did you mean 'reg'"),
    ({"loss_weights": {"rag": 1.0}}, {}, r"`loss_weights` names the output 'rag'.*Did you mean 'reg'"),
    ({"loss": "mse"}, {}, "The model has 2 outputs .*, and one loss is given"),
    ({"loss": ["mse"]}, {}, "1 loss entries are given"),
    ({}, {"cls": Y, "rge": Y2}, r"names the output 'rge'.*Did you mean 'reg'"),
]


@pytest.mark.parametrize(("arguments", "y", "message"), NAMES)
def test_unknown_names(arguments: dict[str, Any], y: Any, message: str) -> None:
    with pytest.raises(StructureError, match=message):
        two_outputs(**arguments).evaluate(X, y or {"cls": Y, "reg": Y2}, verbose=0)


def test_a_target_that_is_missing() -> None:
    with pytest.raises(ArgumentError, match="The output 'reg' has a loss and no target"):
        two_outputs().evaluate(X, {"cls": Y}, verbose=0)


ERRORS = [
    (X, np.full(40, 3), ArgumentError, "3"),
    (X, np.full(40, -1), ArgumentError, "-1"),
    (X, Y[:30], ArgumentError, "All arrays must have the same number of samples .* x: 40, y: 30"),
    (X[:0], Y[:0], ArgumentError, "There are no samples"),
    (X, np.zeros((40, 2), "int32"), ShapeError, r", 2\)"),
]


@pytest.mark.parametrize(("x", "y", "kind", "message"), ERRORS)
def test_data_that_does_not_fit(x: Any, y: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        mlp().evaluate(x, y, verbose=0)


def test_shapes_that_would_broadcast_by_accident() -> None:
    x = keras_fn.Input((4,))
    model = keras_fn.Model(x, layers.Dense(3)(x))
    model.compile("sgd", "mse")
    with pytest.raises(ShapeError, match=r"40, 1|40,"):
        model.evaluate(X, Y2, verbose=0)


def test_ids_outside_an_embedding() -> None:
    x = keras_fn.Input((2,), dtype="int32")
    model = keras_fn.Model(x, layers.Dense(1)(layers.Flatten()(layers.Embedding(5, 2)(x))))
    model.compile("sgd", "mse")
    for bad in (5, -1):
        with pytest.raises(ArgumentError, match=str(bad)):
            model.predict(np.array([[0, bad]]), verbose=0)


def test_uncompiled() -> None:
    x = keras_fn.Input((4,))
    with pytest.raises(NotBuiltError, match="call `model.compile"):
        keras_fn.Model(x, layers.Dense(1)(x)).evaluate(X, Y2)


@pytest.mark.parametrize("verbose", [3, "loud"])
def test_verbose_is_checked(verbose: Any) -> None:
    with pytest.raises(ArgumentError, match="`verbose` must be"):
        mlp().evaluate(X, Y, verbose=verbose)


# --- what is printed
DURATION = r"\d+(us|ms|s)/step"


def test_output_of_evaluate_and_predict(capsys: Any) -> None:
    model = mlp()
    model.evaluate(X, Y, verbose=0)
    assert capsys.readouterr().out == ""
    model.evaluate(X, Y, verbose=2, batch_size=10)
    values = r"accuracy: \d\.\d{4} - loss: \d\.\d{4}"
    assert re.fullmatch(rf"4/4 - \d+s - {DURATION} - {values}\n", capsys.readouterr().out)
    model.evaluate(X, Y, verbose=1, batch_size=10)
    bar = "━" * 20
    assert re.fullmatch(rf"4/4 {bar} \d+s {DURATION} - {values}\n", capsys.readouterr().out)
    model.predict(X, verbose=1, batch_size=10)
    assert re.fullmatch(rf"4/4 {bar} \d+s {DURATION}\n", capsys.readouterr().out)


# --- what it costs
class Reads:
    """Counts reads from the device."""

    def __init__(self, monkeypatch: Any) -> None:
        self.count = 0
        read = active.backend.to_numpy

        def counted(x: Any) -> Any:
            self.count += 1
            return read(x)

        monkeypatch.setattr(active.backend, "to_numpy", counted)


class Watches(callbacks.Callback):
    """Sees every batch, and looks at nothing."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        pass

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        pass


def test_no_read_a_step_unless_somebody_looks(monkeypatch: Any) -> None:
    model = mlp(steps_per_execution=1)
    method = model.fit if TRAINS else model.evaluate

    def reads(batch_size: int) -> int:
        counter.count = 0
        method(X, Y, batch_size=batch_size, verbose=0, callbacks=[Watches()])
        return counter.count

    counter = Reads(monkeypatch)
    reads(20)
    assert reads(2) == reads(20)


def test_repeated_predict_leaves_nothing_behind() -> None:
    model = mlp()

    def objects() -> int:
        gc.collect()
        return len(gc.get_objects())

    for _ in range(3):
        model.predict(X, verbose=0)
    before = objects()
    for _ in range(20):
        model.predict(X, verbose=0)
    assert objects() - before < 20


@pytest.mark.parametrize("what", ["made", "evaluated", "predicted", *(["fitted"] if TRAINS else [])])
def test_a_model_that_is_dropped_is_gone(what: str) -> None:
    model = mlp()
    if what == "evaluated":
        model.evaluate(X, Y, verbose=0)
    elif what == "predicted":
        model.predict(X, verbose=0)
    elif what == "fitted":
        history = model.fit(X, Y, verbose=0)
        assert history.epoch == [0]
    ref = weakref.ref(model)
    gc.disable()
    try:
        del model
        assert ref() is None
    finally:
        gc.enable()


# --- overrides that need no gradients
def test_overridden_test_step_and_metrics() -> None:
    class Model(keras_fn.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(1)
            self.distance = keras_fn.metrics.Mean(name="distance")

        def call(self, x: Any) -> Any:
            return self.dense(x)

        @property
        def metrics(self) -> list[Any]:
            return [self.distance]

        def test_step(self, data: Any) -> dict[str, Any]:
            x, y = data
            self.distance.update_state(ops.abs(self(x) - y))
            return {"distance": self.distance.result()}

        def predict_step(self, data: Any) -> Any:
            return self(data[0] if isinstance(data, tuple) else data) * 2

    model = Model()
    model.compile()
    doubled = model.predict(X, verbose=0)
    expected = float(np.abs(doubled / 2 - Y2).mean())
    assert model.evaluate(X, Y2, verbose=0, return_dict=True) == pytest.approx({"distance": expected}, rel=1e-5)
    assert model.evaluate(X, Y2, verbose=0, batch_size=8) == pytest.approx(expected, rel=1e-5)


def test_overridden_compute_loss() -> None:
    class Model(keras_fn.Model):
        def compute_loss(
            self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
        ) -> Any:
            return ops.mean(ops.abs(y - y_pred)) + 10.0

    x = keras_fn.Input((4,))
    model = Model(x, layers.Dense(1)(x))
    model.compile("sgd")
    expected = np.abs(model.predict(X, verbose=0) - Y2).mean() + 10
    assert model.evaluate(X, Y2, verbose=0, batch_size=10) == pytest.approx(float(expected), rel=1e-5)


if not TRAINS:

    def test_fit_says_that_there_are_no_gradients() -> None:
        for train in (mlp().fit, mlp().train_on_batch):
            with pytest.raises(BackendError, match="has no gradients: it is for inference and evaluation"):
                train(X, Y)

else:

    def test_fit_lowers_the_loss() -> None:
        history = mlp(optimizer=keras_fn.optimizers.Adam(0.05)).fit(X, Y, epochs=15, verbose=0).history
        assert history["loss"][-1] < 0.6 * history["loss"][0]
        assert history["accuracy"][-1] > 0.8

    def test_evaluate_gives_the_last_validation() -> None:
        model = mlp(optimizer=keras_fn.optimizers.Adam(0.05))
        held_out = X[:13], Y[:13]
        history = model.fit(X, Y, epochs=3, verbose=0, validation_data=held_out, validation_batch_size=5).history
        logs = model.evaluate(*held_out, verbose=0, batch_size=5, return_dict=True)
        assert logs == {k.removeprefix("val_"): v[-1] for k, v in history.items() if k.startswith("val_")}

    def test_output_of_fit(capsys: Any) -> None:
        model = mlp()
        values = r"accuracy: \d\.\d{4} - loss: \d\.\d{4} - val_accuracy: \d\.\d{4} - val_loss: \d\.\d{4}"
        for verbose, head in ((1, rf"4/4 {'━' * 20} \d+s {DURATION}"), (2, rf"4/4 - \d+s - {DURATION}")):
            model.fit(X, Y, batch_size=8, epochs=2, verbose=verbose, validation_split=0.2)
            line = rf"{head} - {values}\n"
            assert re.fullmatch(rf"Epoch 1/2\n{line}Epoch 2/2\n{line}", capsys.readouterr().out)
        model.fit(X, Y, epochs=2, verbose=0, validation_split=0.2)
        assert capsys.readouterr().out == ""

    STEPS = [1, 7, "auto"]

    def test_several_steps_in_a_dispatch_change_nothing() -> None:
        results = []
        for steps in STEPS:
            keras_fn.utils.set_random_seed(1)
            model = mlp(optimizer="adam", steps_per_execution=steps)
            # 20 batches and a short one: groups of 7 leave a rest
            x, y = np.concatenate([X, X, X])[:101], np.concatenate([Y, Y, Y])[:101]
            history = model.fit(x, y, batch_size=5, epochs=3, verbose=0, validation_data=(X, Y)).history
            assert int(model.optimizer.iterations.numpy()) == 63
            results.append((model, history))
        for model, history in results[1:]:
            for name, values in history.items():
                np.testing.assert_allclose(values, results[0][1][name], rtol=1e-5, err_msg=name)
            for a, b in zip(model.get_weights(), results[0][0].get_weights(), strict=True):
                np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)

    @pytest.mark.parametrize("arguments", [{"run_eagerly": True}, {"jit_compile": False}])
    def test_eager_steps_equal_compiled_ones(arguments: dict[str, Any]) -> None:
        models = []
        for given in ({}, arguments):
            keras_fn.utils.set_random_seed(1)
            model = mlp(**given)
            model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
            models.append(model)
        for a, b in zip(*(m.get_weights() for m in models), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)

    def test_compile_arguments_are_checked() -> None:
        with pytest.raises(ArgumentError, match="exclude each other"):
            mlp(run_eagerly=True, jit_compile=True)
        with pytest.raises(ArgumentError, match="`steps_per_execution` must be"):
            mlp(steps_per_execution=0)

    def test_train_on_batch_is_a_step_of_fit() -> None:
        models = []
        for _ in range(2):
            keras_fn.utils.set_random_seed(1)
            models.append(mlp(optimizer="adam"))
        history = models[0].fit(X, Y, batch_size=40, shuffle=False, verbose=0).history
        logs = models[1].train_on_batch(X, Y, return_dict=True)
        assert logs == pytest.approx({k: v[0] for k, v in history.items()}, rel=1e-6)
        for a, b in zip(*(m.get_weights() for m in models), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)

    def test_class_weight_is_a_sample_weight() -> None:
        weights = []
        for given in ({"class_weight": {0: 3.0, 1: 0.5}}, {"sample_weight": np.where(Y == 0, 3.0, 0.5)}):
            keras_fn.utils.set_random_seed(1)
            model = mlp()
            model.fit(X, Y, verbose=0, **given)
            weights.append(model.get_weights())
        for a, b in zip(*weights, strict=True):
            np.testing.assert_array_equal(a, b)

    def test_class_weight_of_several_outputs() -> None:
        y = {"cls": Y, "reg": Y2}
        two_outputs().fit(X, y, verbose=0, class_weight={"cls": {0: 2.0, 1: 1.0}})
        with pytest.raises(ArgumentError, match=r"names the output 'clss'.*Did you mean 'cls'"):
            two_outputs().fit(X, y, verbose=0, class_weight={"clss": {0: 2.0}})
        with pytest.raises(ArgumentError, match="must say which output"):
            two_outputs().fit(X, y, verbose=0, class_weight={0: 2.0})

    def test_trainable_takes_effect_at_the_next_step() -> None:
        model = mlp()
        model.fit(X, Y, verbose=0)
        frozen, free = model.layers[1], model.layers[2]
        frozen.trainable = False
        before = [frozen.get_weights()[0], free.get_weights()[0]]
        model.fit(X, Y, verbose=0)
        assert (frozen.get_weights()[0] == before[0]).all()
        assert (free.get_weights()[0] != before[1]).any()
        frozen.trainable = True
        model.fit(X, Y, verbose=0)
        assert (frozen.get_weights()[0] != before[0]).any()

    def test_initial_epoch_and_stop_training() -> None:
        model = mlp()
        assert model.fit(X, Y, initial_epoch=2, epochs=5, verbose=0).epoch == [2, 3, 4]

        class Stop(callbacks.Callback):
            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                self.model.stop_training = batch == 1

        before = int(model.optimizer.iterations.numpy())
        assert model.fit(X, Y, batch_size=10, epochs=5, verbose=0, callbacks=[Stop()]).epoch == [0]
        assert int(model.optimizer.iterations.numpy()) - before == 2

    def test_logs_that_are_kept_stay_as_they_were() -> None:
        kept: list[Any] = []
        seen: list[float] = []

        class Keep(callbacks.Callback):
            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                kept.append(logs)

        class Look(callbacks.Callback):
            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                seen.append(logs["loss"])

        for callback in (Keep(), Look()):
            keras_fn.utils.set_random_seed(1)
            mlp().fit(X, Y, batch_size=8, verbose=0, callbacks=[callback])
        assert [logs["loss"] for logs in kept] == seen
        assert len(set(seen)) == 5

    def test_a_regularizer_moves_the_weights() -> None:
        x = keras_fn.Input((4,))
        model = keras_fn.Model(x, layers.Dense(1, use_bias=False, kernel_regularizer=keras_fn.regularizers.L2(1.0))(x))
        model.compile(keras_fn.optimizers.SGD(0.1))
        before = model.get_weights()[0]
        model.fit(X, batch_size=40, verbose=0)
        np.testing.assert_allclose(model.get_weights()[0], 0.8 * before, rtol=1e-5)

    def test_a_step_of_training_counts_as_one_of_evaluation_does() -> None:
        x = keras_fn.Input((5,), dtype="int32")
        h = layers.Embedding(8, 3, mask_zero=True)(x)
        model = keras_fn.Model(x, layers.Dense(2, activation="softmax")(h))
        model.compile(keras_fn.optimizers.SGD(0.0), "sparse_categorical_crossentropy", metrics=["accuracy"])
        ids = RNG.integers(0, 3, (6, 5))
        labels = RNG.integers(0, 2, (6, 5))
        history = model.fit(ids, labels, verbose=0, shuffle=False).history
        logs = model.evaluate(ids, labels, verbose=0, return_dict=True)
        assert {k: v[0] for k, v in history.items()} == pytest.approx(logs, rel=1e-5)

    def test_several_threads_predict_while_another_trains() -> None:
        model, other = mlp(), mlp()
        expected = model.predict(X, verbose=0)
        problems: list[BaseException] = []

        def work() -> None:
            try:
                for _ in range(10):
                    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5)
            except BaseException as error:
                problems.append(error)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for t in threads:
            t.start()
        other.fit(X, Y, epochs=3, verbose=0)
        for t in threads:
            t.join()
        assert not problems

    class Gan(keras_fn.Model):
        """Two networks and two optimizers in one step, written once for all backends."""

        def __init__(self) -> None:
            super().__init__()
            self.generator = keras_fn.Sequential([keras_fn.Input((3,)), layers.Dense(2)])
            self.critic = keras_fn.Sequential([keras_fn.Input((2,)), layers.Dense(1)])
            self.noise = keras_fn.random.SeedGenerator(1)
            self.loss_fn = losses.BinaryCrossentropy(from_logits=True)

        def compile(self, critic: Any, generator: Any) -> None:
            super().compile()
            self.optimizer, self.other_optimizer = critic, generator
            critic.build(self.critic.trainable_variables)
            generator.build(self.generator.trainable_variables)

        def call(self, z: Any) -> Any:
            return self.generator(z)

        def train_step(self, data: Any) -> dict[str, Any]:
            real = data[0] if isinstance(data, tuple) else data
            n = ops.shape(real)[0]
            z = keras_fn.random.normal((n, 3), seed=self.noise)
            fake = self.generator(z)

            def critic_loss() -> Any:
                return self.loss_fn(ops.ones((n, 1)), self.critic(real)) + self.loss_fn(
                    ops.zeros((n, 1)), self.critic(fake)
                )

            def generator_loss() -> Any:
                return self.loss_fn(ops.ones((n, 1)), self.critic(self.generator(z)))

            c = self.critic.trainable_variables
            critic, grads = keras_fn.value_and_grad(critic_loss, c)()
            self.optimizer.apply(grads, c)
            g = self.generator.trainable_variables
            generator, grads = keras_fn.value_and_grad(generator_loss, g)()
            self.other_optimizer.apply(grads, g)
            return {"critic": critic, "generator": generator}

    def test_a_gan_in_the_neutral_form() -> None:
        model = Gan()
        model.compile(keras_fn.optimizers.SGD(0.1), keras_fn.optimizers.SGD(0.1))
        before = model.generator.get_weights()[0], model.critic.get_weights()[0]
        history = model.fit(X[:, :2] + 3, batch_size=8, epochs=3, verbose=0).history
        assert history["critic"][-1] < history["critic"][0]
        assert (model.generator.get_weights()[0] != before[0]).any()
        assert (model.critic.get_weights()[0] != before[1]).any()
        assert int(model.other_optimizer.iterations.numpy()) == 15


def test_a_fixed_batch_size_holds_while_targets_are_checked(backend):
    if not backend.differentiable:
        return

    class Steps(layers.Layer):
        """Needs the length of the batch."""

        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1], 3))

        def call(self, x):
            state = ops.zeros((x.shape[0], 3))
            for t in range(x.shape[1]):
                state = ops.tanh(ops.add(state, ops.matmul(x[:, t], self.w)))
            return state

    inputs = keras_fn.Input(batch_shape=(4, 5, 2))
    model = keras_fn.Model(inputs, Steps()(inputs))
    model.compile("sgd", keras_fn.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = np.ones((12, 5, 2), "float32"), np.zeros(12, "int32")
    history = model.fit(x, y, batch_size=4, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert model.predict(x, batch_size=4, verbose=0).shape == (12, 3)

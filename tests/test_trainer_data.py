"""Where batches come from: arrays, lists, structures, generators, data sets; orders and splits."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import keras_fn
from keras_fn import layers, losses, ops
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, ShapeError, StructureError
from keras_fn.trainer.data import ArraySource, IterableSource, class_weights_to_sample_weights, make_source
from keras_fn.trainer.data.make import numbers_to_arrays, split_validation

X = np.arange(24, dtype="float32").reshape(12, 2) / 10
Y = X.sum(1, keepdims=True)


def linear() -> Any:
    x = keras_fn.Input((2,), name="in")
    model = keras_fn.Model(x, layers.Dense(1, name="out")(x))
    model.compile("sgd", "mse")
    model.set_weights([np.array([[1.0], [2.0]], "float32"), np.array([0.5], "float32")])
    return model


LOSS = float(np.mean((X @ [[1.0], [2.0]] + 0.5 - Y) ** 2))


class Indexed:
    """Batches by number, as PyDataset has them."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, i: int) -> Any:
        return X[4 * i : 4 * i + 4], Y[4 * i : 4 * i + 4]


class Again:
    """An iterable of batches."""

    def __iter__(self) -> Any:
        return pairs()


def pairs(times: int = 1) -> Any:
    return ((X[i : i + 4], Y[i : i + 4]) for _ in range(times) for i in (0, 4, 8))


SOURCES = {
    "arrays": lambda: (X, Y),
    "lists of numbers": lambda: (X.tolist(), Y.tolist()),
    "64-bit arrays": lambda: (X.astype("float64"), Y.astype("float64")),
    "dicts by name": lambda: ({"in": X}, {"out": Y}),
    "lists of arrays": lambda: ([X], [Y]),
    "tensors": lambda: (active.backend.convert(X, None), active.backend.convert(Y, None)),
    "a generator": lambda: (pairs(),),
    "an iterable that begins anew": lambda: (Again(),),
    "an indexed data set": lambda: (Indexed(),),
    "batches with weights": lambda: ((x, y, np.ones(4)) for x, y in pairs()),
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_form_of_data_gives_the_same(name: str) -> None:
    data = SOURCES[name]()
    data = data if isinstance(data, tuple) else (data,)
    assert linear().evaluate(*data, verbose=0) == pytest.approx(LOSS, rel=1e-5)
    if active.backend.differentiable:
        data = SOURCES[name]()
        data = data if isinstance(data, tuple) else (data,)
        made = linear()
        made.fit(*data, batch_size=4, shuffle=False, verbose=0)
        plain = linear()
        plain.fit(X, Y, batch_size=4, shuffle=False, verbose=0)
        for a, b in zip(made.get_weights(), plain.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5)


def test_an_extra_key_is_not_used_and_a_wrong_one_is_named() -> None:
    with pytest.raises(ValueError, match=r"needs the input 'in', which is not among \['inn'\]"):
        linear().predict({"inn": X}, verbose=0)


# --- order
def test_each_epoch_has_its_own_order_and_seeds_repeat_it() -> None:
    source = ArraySource((X,), 5, True, None, seed=3)
    orders = [np.concatenate(list(source.epoch(e))) for e in (0, 1)]
    assert [sorted(o) for o in orders] == [list(range(12))] * 2
    assert (orders[0] != orders[1]).any()
    again = ArraySource((X,), 5, True, None, seed=3)
    assert (np.concatenate(list(again.epoch(1))) == orders[1]).all()
    assert [len(b) for b in source.epoch(0)] == [5, 5, 2]
    assert [b.tolist() for b in source.epoch(0, 1)] == [b.tolist() for b in source.epoch(0)][1:]


def test_more_steps_than_batches_begin_anew() -> None:
    source = ArraySource((X,), 5, False, 7, seed=0, repeats=True)
    batches = [b.tolist() for b in source.epoch(0)]
    assert source.steps == len(batches) == 7
    assert batches[3] == batches[0]


def test_fewer_steps() -> None:
    assert len(list(ArraySource((X,), 5, False, 2, seed=0).epoch(0))) == 2


# --- iterables
def test_a_generator_goes_on_where_it_was() -> None:
    source = make_source(pairs(2), steps=2)
    source.first()
    firsts = [[float(b[0][0, 0]) for b in source.epoch(e)] for e in range(3)]
    assert firsts == [[X[0, 0], X[4, 0]], [X[8, 0], X[0, 0]], [X[4, 0], X[8, 0]]]


def test_data_that_can_begin_anew_does() -> None:
    source = IterableSource(list(pairs()), None)
    assert source.steps == 3
    assert [len(list(source.epoch(e))) for e in range(3)] == [3, 3, 3]


@pytest.mark.parametrize(("rows", "seen"), [(None, "012 345 678"), (5, "012 340 123"), (3, "012 012 012")])
def test_epochs_are_parts_of_data_of_unknown_length(rows: int | None, seen: str) -> None:
    """As with `tf.data.Dataset.repeat()`: an epoch goes on where the last one ended."""

    class Numbers:
        def __iter__(self) -> Any:
            return ((np.full((1, 1), i),) for i in (itertools.count() if rows is None else range(rows)))

    source = IterableSource(Numbers(), 3)
    found = ["".join(str(int(x[0, 0])) for (x,) in source.epoch(epoch)) for epoch in range(3)]
    assert " ".join(found) == seen


def test_data_without_batches() -> None:
    with pytest.raises(ArgumentError, match="The data gave no batch"):
        linear().evaluate(iter([]), verbose=0)


def test_batches_of_wrong_form() -> None:
    with pytest.raises(ArgumentTypeError, match="a tuple of 4 came"):
        linear().evaluate(iter([(X, Y, Y, Y)]), verbose=0)
    with pytest.raises(ArgumentError, match="A data set or generator must yield it itself"):
        linear().evaluate(pairs(), Y, verbose=0)
    with pytest.raises(ArgumentTypeError, match="Data must be arrays"):
        linear().evaluate(object(), verbose=0)
    with pytest.raises(ArgumentError, match="must have the same number of samples"):
        linear().evaluate(iter([(X, Y[:5])]), verbose=0)


def test_rows_of_unequal_length() -> None:
    with pytest.raises((ArgumentTypeError, ValueError), match=r"unequal length|inhomogeneous"):
        linear().predict([[1.0, 2.0], [1.0]], verbose=0)


# --- splits and weights
def test_the_last_rows_validate() -> None:
    (x, y), (vx, vy) = split_validation((X, Y), 0.25)
    assert (x == X[:9]).all() and (vx == X[9:]).all() and (vy == Y[9:]).all() and len(y) == 9


@pytest.mark.parametrize("fraction", [1.0, -0.5, 0.99])
def test_splits_that_leave_nothing(fraction: float) -> None:
    with pytest.raises(ArgumentError, match="validation_split"):
        split_validation((X, Y), fraction)


def test_splits_need_arrays() -> None:
    with pytest.raises(ArgumentError, match="needs arrays"):
        split_validation((pairs(),), 0.5)


CLASSES = [
    (np.array([0, 1, 2]), [2.0, 1.0, 5.0]),
    (np.array([[0], [1], [2]]), [2.0, 1.0, 5.0]),
    (np.eye(3), [2.0, 1.0, 5.0]),
]


@pytest.mark.parametrize(("y", "expected"), CLASSES)
def test_class_weights(y: Any, expected: list[float]) -> None:
    assert class_weights_to_sample_weights(y, {0: 2.0, 2: 5.0}, None).tolist() == expected


def test_numbers_to_arrays() -> None:
    assert numbers_to_arrays([1, 2]).shape == (2,)
    assert numbers_to_arrays([[1, 2], [3, 4]]).shape == (2, 2)
    assert isinstance(numbers_to_arrays([X, X]), list)
    assert numbers_to_arrays({"a": [1.0]})["a"].shape == (1,)


@pytest.mark.parametrize("batch_size", [0, -1, 1.5])
def test_batch_size_is_checked(batch_size: Any) -> None:
    with pytest.raises(ArgumentError, match="`batch_size` must be a positive int"):
        linear().evaluate(X, Y, batch_size=batch_size, verbose=0)


if active.backend.differentiable:

    def test_validation_split_equals_validation_data() -> None:
        histories = []
        for given in (
            {"x": X, "y": Y, "validation_split": 0.25},
            {"x": X[:9], "y": Y[:9], "validation_data": (X[9:], Y[9:])},
        ):
            keras_fn.utils.set_random_seed(0)
            histories.append(linear().fit(epochs=2, verbose=0, **given).history)
        assert histories[0] == histories[1]
        assert len(histories[0]["val_loss"]) == 2

    def test_validation_freq() -> None:
        for freq, times in ((2, 2), ([1, 3, 4], 3)):
            history = linear().fit(X, Y, epochs=4, verbose=0, validation_data=(X, Y), validation_freq=freq).history
            assert len(history["val_loss"]) == times

    def test_shuffling_repeats_with_the_seed() -> None:
        weights = []
        for seed in (1, 1, 2):
            keras_fn.utils.set_random_seed(seed)
            model = linear()
            model.fit(X, Y, batch_size=3, epochs=2, verbose=0)
            weights.append(model.get_weights()[0])
        assert (weights[0] == weights[1]).all()
        assert (weights[0] != weights[2]).any()

    def test_a_generator_that_ends_too_early_is_warned_of() -> None:
        model = linear()
        with pytest.warns(UserWarning, match="The data ended after 1 batches of the 2"):
            model.fit(itertools.islice(pairs(9), 5), steps_per_epoch=2, epochs=3, verbose=0)
        with pytest.raises(ArgumentError, match="gave no batch"):
            model.fit(iter([]), steps_per_epoch=2, verbose=0)

    def test_class_weight_of_batches() -> None:
        labels = (np.arange(12) % 2).astype("float32")[:, None]
        weighted, plain = linear(), linear()
        weighted.fit(((X[i : i + 4], labels[i : i + 4]) for i in (0, 4, 8)), verbose=0, class_weight={0: 3.0, 1: 1.0})
        weight = np.where(labels[:, 0] == 0, 3.0, 1.0)
        plain.fit(X, labels, sample_weight=weight, batch_size=4, shuffle=False, verbose=0)
        np.testing.assert_allclose(weighted.get_weights()[0], plain.get_weights()[0], rtol=1e-5)


def test_labels_that_come_as_tensors_are_checked_too(backend):
    if not backend.differentiable:
        return
    inputs = keras_fn.Input((3,))
    model = keras_fn.Model(inputs, layers.Dense(4)(inputs))
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))

    def batches():
        while True:
            yield ops.ones((2, 3)), ops.convert_to_tensor(np.array([0, 9], "int32"))

    with pytest.raises(ArgumentError, match="the label 9 at position 1 is no class"):
        model.fit(batches(), steps_per_epoch=2, verbose=0)


def test_predict_into_arrays_and_batch_by_batch(tmp_path):
    inputs = keras_fn.Input((3,))
    model = keras_fn.Model(inputs, {"a": layers.Dense(2)(inputs), "b": layers.Dense(1)(inputs)})
    x = np.arange(21, dtype="float32").reshape(7, 3)
    expected = model.predict(x, batch_size=3, verbose=0)
    parts = list(model.predict_iter(x, batch_size=3))
    assert [len(p["a"]) for p in parts] == [3, 3, 1]
    mapped = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", "float32", (7, 2))
    out = {"a": mapped, "b": np.zeros((9, 1), "float32")}
    assert model.predict(x, batch_size=3, verbose=0, out=out)["a"] is mapped
    for name, values in expected.items():
        np.testing.assert_array_equal(np.concatenate([p[name] for p in parts]), values)
        np.testing.assert_array_equal(out[name][:7], values)
    np.testing.assert_array_equal(model.predict((x[i : i + 3] for i in (0, 3, 6)), verbose=0)["a"], expected["a"])
    with pytest.raises(ShapeError, match="`out`"):
        model.predict(x, verbose=0, out={"a": np.zeros((7, 3)), "b": np.zeros((7, 1))})
    with pytest.raises(StructureError, match="`out`"):
        model.predict(x, verbose=0, out=np.zeros((7, 2)))


class Batches:
    """Data that begins anew each epoch, with a short batch amid the others and weights for samples.

    Args:
        again: whether all batches come in the same memory.
        convert: makes of an array what a batch holds.
    """

    def __init__(self, again: bool = False, convert: Any = np.asarray) -> None:
        self.again, self.convert = again, convert

    def __iter__(self) -> Any:
        random = np.random.default_rng(0)
        kept = {n: self._empty(n) for n in (4, 6)}
        for number in range(23):
            size = 4 if number == 9 else 6
            batch = kept[size] if self.again else self._empty(size)
            batch[0][...], batch[1][...], batch[2][...] = random.random((size, 4)), number % 3, random.random(size)
            x, y, weight = map(self.convert, batch)
            yield {"in": x}, y, weight

    @staticmethod
    def _empty(size: int) -> Any:
        return np.empty((size, 4), "float32"), np.empty(size, "int32"), np.empty(size, "float32")


def _trained(data: Any, steps: Any, **arguments: Any) -> Any:
    keras_fn.utils.set_random_seed(1)
    inputs = keras_fn.Input((4,), name="in")
    model = keras_fn.Model({"in": inputs}, keras_fn.layers.Dense(3, activation="softmax")(inputs))
    model.compile(
        "adam", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"], steps_per_execution=steps, **arguments
    )
    seen: list[int] = []
    watch = [keras_fn.callbacks.LambdaCallback(on_train_batch_end=lambda number, logs: seen.append(number))]
    history = model.fit(data, epochs=2, verbose=0, callbacks=watch if steps != "auto" else None).history
    return model, [*history["loss"], *history["accuracy"], *model.evaluate(data, verbose=0)], seen


def _tensor(a: Any) -> Any:
    return active.backend.convert(a, None)


@pytest.mark.parametrize(
    ("again", "convert", "steps", "arguments"),
    [(False, np.asarray, 3, {}), (True, np.asarray, 5, {}), (True, _tensor, 3, {}),
     (False, np.asarray, 3, {"run_eagerly": True}), (True, np.asarray, "auto", {})],
)  # fmt: skip
def test_several_batches_of_an_iterable_in_a_dispatch_change_nothing(backend, again, convert, steps, arguments):
    if not backend.differentiable:
        return
    single, expected, _ = _trained(Batches(), 1)
    model, found, seen = _trained(Batches(again, convert), steps, **arguments)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    for a, b in zip(model.get_weights(), single.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)
    assert (("train", "stack") in model._kf_programs.made) == (steps != "auto")
    if steps == 3:  # the short batch goes alone, and so does what is left at the end
        assert seen == [2, 5, 8, 9, 12, 15, 18, 21, 22] * 2


def test_data_is_not_read_ahead_where_the_place_in_it_is_noted(backend, tmp_path):
    if not backend.differentiable:
        return
    model, given, places = linear(), [], []
    model.compile("sgd", "mse", steps_per_execution=3)

    def batches() -> Any:
        for number in range(7):
            given.append(number)
            yield X[:4], Y[:4]

    class Watch(keras_fn.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            places.append((batch, len(given)))

    backup = keras_fn.callbacks.BackupAndRestore(str(tmp_path / "backup"), save_freq=1)
    model.fit(batches(), steps_per_epoch=7, verbose=0, callbacks=[backup, Watch()])
    assert places == [(i, i + 1) for i in range(7)]


def test_a_generator_is_not_read_ahead_of_the_steps(backend):
    if not backend.differentiable:
        return
    model = keras_fn.Sequential([keras_fn.Input((2,)), keras_fn.layers.Dense(1)])
    model.compile("sgd", "mse")
    steps = []

    def batches() -> Any:
        for _ in range(40):
            steps.append(int(model.optimizer.iterations.numpy()))
            yield np.ones((3, 2), "float32"), np.ones((3, 1), "float32")

    model.fit(batches(), verbose=0)
    assert steps == [0, *range(39)] or steps == list(range(40))

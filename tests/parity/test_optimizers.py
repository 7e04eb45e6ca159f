"""Optimizers, schedules, regularizers, constraints and activations beside those of real Keras: same values, configs."""

from __future__ import annotations

import warnings

import keras
import numpy as np
import pytest

import keras_fn.optimizers as O
from keras_fn import activations, constraints, ops, regularizers
from keras_fn.core.variable import Variable

SHAPES = {"kernel": (3, 4), "bias": (4,), "filter": (2, 2, 3)}

# name, hyperparameters; each row is five steps with the same gradients
RULES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"centered": True, "rho": 0.8}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "epsilon": 1e-3}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "beta_2": 0.6}),
    ("Adam", {"beta_1": 0.5, "epsilon": 1e-2}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.3, "amsgrad": True}),
    ("Adamax", {}),
    ("Adamax", {"beta_1": 0.5, "beta_2": 0.7}),
    ("Nadam", {}),
    ("Nadam", {"beta_1": 0.5}),
    ("Adagrad", {}),
    ("Adagrad", {"initial_accumulator_value": 0.7, "epsilon": 1e-2}),
    ("Adadelta", {}),
    ("Adadelta", {"rho": 0.5, "epsilon": 1e-3}),
    ("Lion", {}),
    ("Lion", {"beta_1": 0.5}),
    ("Ftrl", {}),
    ("Ftrl", {"beta": 0.1, "learning_rate_power": -0.7, "initial_accumulator_value": 0.3}),
    (
        "Ftrl",
        {
            "l1_regularization_strength": 0.1,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.3,
        },
    ),
    ("Adafactor", {}),
    ("Adafactor", {"relative_step": False, "clip_threshold": 0.5, "beta_2_decay": -0.5}),
    ("Lamb", {}),
    ("Lamb", {"beta_1": 0.5, "epsilon": 1e-3}),
]
# what all optimizers share
COMMON = [
    {"weight_decay": 0.2},
    {"clipnorm": 0.5},
    {"clipvalue": 0.3},
    {"global_clipnorm": 0.7},
    {"loss_scale_factor": 8.0},
    {"use_ema": True, "ema_momentum": 0.6},
    {"use_ema": True, "ema_momentum": 0.6, "ema_overwrite_frequency": 2},
    {"gradient_accumulation_steps": 2},
    {"gradient_accumulation_steps": 2, "clipnorm": 0.5, "weight_decay": 0.1},
    {"gradient_accumulation_steps": 2, "use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2},
]
SCHEDULES = [
    ("CosineDecay", {"initial_learning_rate": 0.5, "decay_steps": 7}),
    ("CosineDecay", {"initial_learning_rate": 0.5, "decay_steps": 7, "alpha": 0.2}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 5, "warmup_target": 0.9, "warmup_steps": 4}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.5, "first_decay_steps": 3}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.5, "first_decay_steps": 3, "t_mul": 1.0, "m_mul": 0.8}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.5, "first_decay_steps": 3, "t_mul": 1.7, "alpha": 0.1}),
    ("ExponentialDecay", {"initial_learning_rate": 0.5, "decay_steps": 3, "decay_rate": 0.7}),
    ("ExponentialDecay", {"initial_learning_rate": 0.5, "decay_steps": 3, "decay_rate": 0.7, "staircase": True}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.5, "decay_steps": 3, "decay_rate": 0.7}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.5, "decay_steps": 3, "decay_rate": 0.7, "staircase": True}),
    ("PiecewiseConstantDecay", {"boundaries": [2, 5], "values": [0.5, 0.3, 0.1]}),
    ("PolynomialDecay", {"initial_learning_rate": 0.5, "decay_steps": 4}),
    ("PolynomialDecay", {"initial_learning_rate": 0.5, "decay_steps": 4, "power": 2.0, "end_learning_rate": 0.1}),
    ("PolynomialDecay", {"initial_learning_rate": 0.5, "decay_steps": 4, "cycle": True}),
]


def named(rows):
    return [pytest.param(n, k, id=f"{n}-{'-'.join(map(str, k.values()))}") for n, k in rows]


def numbers(seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=s).astype("float32") for s in SHAPES.values()]


def five_steps(theirs, ours, steps=5):
    """Both optimizers on the same weights and gradients, compared after each step: weights and all state."""
    start = numbers()
    tw = [keras.Variable(v, name=n) for n, v in zip(SHAPES, start, strict=True)]
    ow = [Variable(v, name=n) for n, v in zip(SHAPES, start, strict=True)]
    for step in range(steps):
        grads = numbers(step + 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs.apply([keras.ops.convert_to_tensor(g) for g in grads], tw)
        ours.apply([ops.convert_to_tensor(g) for g in grads], ow)
        for t, o in zip([*tw, *theirs.variables], [*ow, *ours.variables], strict=True):
            want = keras.ops.convert_to_numpy(t)
            np.testing.assert_allclose(o.numpy(), want, rtol=2e-4, atol=1e-5, err_msg=f"{o.path} after step {step + 1}")
            assert o.dtype == t.dtype or o.dtype == "int32", o.path  # Keras counts in int64 on TensorFlow
    theirs.finalize_variable_values(tw)
    ours.finalize_variable_values(ow)
    for t, o in zip(tw, ow, strict=True):
        np.testing.assert_allclose(o.numpy(), keras.ops.convert_to_numpy(t), rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("name,hyper", named(RULES))
def test_rule(name, hyper):
    kwargs = {"learning_rate": 0.1, "name": "o", **hyper}
    theirs, ours = getattr(keras.optimizers, name)(**kwargs), getattr(O, name)(**kwargs)
    assert ours.get_config() == theirs.get_config()
    five_steps(theirs, ours)


@pytest.mark.parametrize("name", ["SGD", "Nadam"])
@pytest.mark.parametrize("shared", COMMON, ids=lambda k: "-".join(k))
def test_shared_options(name, shared):
    kwargs = {"learning_rate": 0.1, "name": "o", **shared}
    theirs, ours = getattr(keras.optimizers, name)(**kwargs), getattr(O, name)(**kwargs)
    assert ours.get_config() == theirs.get_config()
    five_steps(theirs, ours, steps=4)


@pytest.mark.parametrize("name,kwargs", named(SCHEDULES))
def test_schedule(name, kwargs):
    theirs, ours = getattr(keras.optimizers.schedules, name)(**kwargs), getattr(O.schedules, name)(**kwargs)
    assert ours.get_config() == theirs.get_config()
    for step in range(12):
        want = keras.ops.convert_to_numpy(theirs(step))
        np.testing.assert_allclose(ops.convert_to_numpy(ours(step)), want, rtol=1e-5, atol=1e-6, err_msg=str(step))


@pytest.mark.parametrize("accumulation", [None, 2])
def test_schedule_in_an_optimizer(accumulation):
    kwargs = {"initial_learning_rate": 0.5, "decay_steps": 4}
    five_steps(
        keras.optimizers.SGD(
            keras.optimizers.schedules.CosineDecay(**kwargs), gradient_accumulation_steps=accumulation
        ),
        O.SGD(O.schedules.CosineDecay(**kwargs), gradient_accumulation_steps=accumulation),
    )


@pytest.mark.parametrize("name,hyper", named([(n, {}) for n in dict(RULES)]))
def test_files_are_interchangeable(name, hyper):
    theirs = getattr(keras.optimizers, name)(keras.optimizers.schedules.CosineDecay(0.1, 5), name="o")
    ours = O.deserialize(keras.optimizers.serialize(theirs))
    assert type(ours) is getattr(O, name) and ours.get_config() == theirs.get_config()
    # on torch, real Keras writes the names of classes of its own for that backend: these are its public ones
    assert {k: v for k, v in O.serialize(ours).items() if k != "config"} == {
        "module": "keras.optimizers", "class_name": name, "registered_name": None,
    }  # fmt: skip
    # (`keras.optimizers.deserialize` does not know its own Lamb)
    back = keras.saving.deserialize_keras_object(O.serialize(ours))
    assert isinstance(back, getattr(keras.optimizers, name)) and back.get_config() == theirs.get_config()
    assert type(O.get(name.lower())) is getattr(O, name)


def test_file_of_a_loss_scale_optimizer():
    theirs = keras.optimizers.LossScaleOptimizer(keras.optimizers.Lamb(0.1), initial_scale=4.0, name="o")
    ours = O.deserialize(keras.optimizers.serialize(theirs))
    assert ours.get_config() == theirs.get_config()
    assert keras.optimizers.deserialize(O.serialize(ours)).get_config() == theirs.get_config()


def test_names_of_variables():
    weights = numbers()
    for name, hyper in RULES:
        if name in ("Adafactor", "Nadam"):  # real Keras gives their extra state no names of its own
            continue
        both = []
        for library, variable in ((keras.optimizers, keras.Variable), (O, Variable)):
            optimizer = getattr(library, name)(name="o", use_ema=True, gradient_accumulation_steps=2, **hyper)
            optimizer.build([variable(v, name=n) for n, v in zip(SHAPES, weights, strict=True)])
            both.append([(v.path, v.name) for v in optimizer.variables])
        assert both[0] == both[1], name


@pytest.mark.parametrize("bad", [None, 1, 2])
def test_loss_scale(bad):
    """A step whose gradients are not finite is left out, and the scale is halved; growth after two good steps."""
    start = numbers()
    tw = [keras.Variable(v) for v in start]
    ow = [Variable(v) for v in start]
    theirs = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.1, name="i"), initial_scale=8.0, dynamic_growth_steps=2, name="o"
    )
    ours = O.LossScaleOptimizer(O.Adam(0.1, name="i"), initial_scale=8.0, dynamic_growth_steps=2, name="o")
    theirs.build(tw)
    ours.build(ow)
    for step in range(5):
        grads = [8 * g for g in numbers(step + 1)]
        if step == bad:
            grads[1][2] = np.inf
        given = [keras.ops.convert_to_tensor(g) for g in grads]
        if keras.backend.backend() == "jax":  # real Keras cannot do this one on variables with JAX
            new = theirs.stateless_apply([v.value for v in theirs.variables], given, [v.value for v in tw])
            for variable, value in zip([*tw, *theirs.variables], [*new[0], *new[1]], strict=True):
                variable.assign(value)
        else:
            theirs.apply(given)
        ours.apply([ops.convert_to_tensor(g) for g in grads])
        for t, o in zip([*tw, *theirs.variables], [*ow, *ours.variables], strict=True):
            if o.path != "o/iteration":
                want = keras.ops.convert_to_numpy(t)
                np.testing.assert_allclose(o.numpy(), want, rtol=1e-4, atol=1e-5, err_msg=f"{o.path}, step {step}")


REGULARIZERS = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L2", {"l2": 0.3}),
    ("L1L2", {"l1": 0.1, "l2": 0.2}),
    ("OrthogonalRegularizer", {"factor": 0.5}),
    ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
]
CONSTRAINTS = [
    ("MaxNorm", {"max_value": 1.0}),
    ("MaxNorm", {"max_value": 1.0, "axis": [0, 1]}),
    ("NonNeg", {}),
    ("UnitNorm", {"axis": 1}),
    ("MinMaxNorm", {"min_value": 1.0, "max_value": 1.5, "rate": 0.5}),
]


@pytest.mark.parametrize("name,kwargs", named(REGULARIZERS))
def test_regularizer(name, kwargs):
    if keras.backend.backend() == "numpy" and "mode" in kwargs:
        x = np.eye(3, dtype="float32")  # real Keras divides by norms of the wrong axis for NumPy arrays
    else:
        x = numbers()[0]
    theirs, ours = getattr(keras.regularizers, name)(**kwargs), getattr(regularizers, name)(**kwargs)
    want = keras.ops.convert_to_numpy(theirs(keras.ops.convert_to_tensor(x)))
    np.testing.assert_allclose(ops.convert_to_numpy(ours(ops.convert_to_tensor(x))), want, rtol=1e-5, atol=1e-7)
    assert regularizers.serialize(regularizers.deserialize(keras.regularizers.serialize(theirs))) == (
        keras.regularizers.serialize(theirs)
    )


@pytest.mark.parametrize("name,kwargs", named(CONSTRAINTS))
def test_constraint(name, kwargs):
    x = numbers()[0]
    theirs, ours = getattr(keras.constraints, name)(**kwargs), getattr(constraints, name)(**kwargs)
    want = keras.ops.convert_to_numpy(theirs(keras.ops.convert_to_tensor(x)))
    np.testing.assert_allclose(ops.convert_to_numpy(ours(ops.convert_to_tensor(x))), want, rtol=1e-5, atol=1e-6)
    assert constraints.serialize(constraints.deserialize(keras.constraints.serialize(theirs))) == (
        keras.constraints.serialize(theirs)
    )


ACTIVATIONS = [
    # sparsemax of real Keras gives rows that do not sum to 1 where two entries are in the support
    *((name, {}) for name in activations.FUNCTIONS if name not in ("threshold", "sparsemax")),
    ("threshold", {"threshold": 0.5, "default_value": 0.1}),
    ("celu", {"alpha": 0.5}),
    ("elu", {"alpha": 0.5}),
    ("gelu", {"approximate": True}),
    ("glu", {"axis": 1}),
    ("softmax", {"axis": 0}),
    ("softmax", {"axis": (0, 1)}),
    ("log_softmax", {"axis": 0}),
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"max_value": 1.0}),
    ("relu", {"max_value": 6}),
    ("relu", {"threshold": 0.5}),
    ("relu", {"negative_slope": 0.1, "max_value": 1.0, "threshold": 0.5}),
]


@pytest.mark.parametrize("name,kwargs", named(ACTIVATIONS))
def test_activation(name, kwargs):
    x = 2 * numbers()[0]
    want = getattr(keras.activations, name)(keras.ops.convert_to_tensor(x), **kwargs)
    got = activations.get(name)(ops.convert_to_tensor(x), **kwargs)
    np.testing.assert_allclose(ops.convert_to_numpy(got), keras.ops.convert_to_numpy(want), rtol=1e-4, atol=1e-5)
    assert activations.serialize(activations.get(name)) == keras.activations.serialize(getattr(keras.activations, name))

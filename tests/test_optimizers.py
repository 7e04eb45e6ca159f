"""Optimizers: state, compiled steps, options, errors; kernels of a backend equal the rules."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from keras_fn import ops
from keras_fn import optimizers as O
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, NotBuiltError, StructureError
from keras_fn.core.variable import Variable

ALL = [O.SGD, O.RMSprop, O.Adam, O.AdamW, O.Adamax, O.Nadam, O.Adagrad, O.Adadelta, O.Lion, O.Ftrl, O.Adafactor, O.Lamb]
SHAPES = [(2, 3), (3,)]
OPTIONS = [
    {},
    {"gradient_accumulation_steps": 2},
    {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2},
    {"global_clipnorm": 0.5, "weight_decay": 0.1},
]


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=s).astype("float32") for s in SHAPES]


def weights():
    return [Variable(v, name=f"w{i}") for i, v in enumerate(arrays())]


def values(variables):
    return [v.numpy().copy() for v in variables]


def run(optimizer, steps=3, apply=None):
    ws = weights()
    optimizer.build(ws)
    for step in range(steps):
        (apply or optimizer.apply)([ops.convert_to_tensor(g) for g in arrays(step + 1)])
    return values([*ws, *optimizer.variables])


@pytest.mark.parametrize("cls", ALL)
def test_finds_a_minimum(cls):
    """Every optimizer walks down a bowl: the loss after 60 steps is lower than before."""
    w = Variable([1.5, -2.0])
    optimizer = cls(learning_rate=0.5 if cls in (O.Adagrad, O.Adadelta) else 0.05)
    before = float(np.sum(w.numpy() ** 2))
    for _ in range(60):
        optimizer.apply([ops.multiply(w.value, 2.0)], [w])
    assert float(np.sum(w.numpy() ** 2)) < 0.999 * before
    assert int(optimizer.iterations) == 60


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(o) or "plain")
@pytest.mark.parametrize("cls", [O.SGD, O.Adam, O.Nadam, O.Adafactor])
def test_compiled_equals_eager(cls, options, backend):
    """The whole step runs under the backend's compiler, with all state in variables."""
    schedule = O.schedules.CosineDecay(0.1, 4)
    eager = run(cls(schedule, **options), steps=4)
    optimizer = cls(schedule, **options)
    ws = weights()
    optimizer.build(ws)
    state = [*ws, *optimizer.variables]
    step = backend.compile_step(lambda *grads: optimizer.apply(list(grads), ws), lambda: state, None)
    for i in range(4):
        step(*(ops.convert_to_tensor(g) for g in arrays(i + 1)))
    for got, want in zip(values([*ws, *optimizer.variables]), eager, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cls", ALL)
def test_stateless_equals_stateful(cls):
    stateful = run(cls(learning_rate=0.1))
    optimizer, ws = cls(learning_rate=0.1), weights()
    optimizer.build(ws)
    untouched = values([*ws, *optimizer.variables])
    params = [ops.convert_to_tensor(v) for v in values(ws)]
    state = [ops.convert_to_tensor(v) for v in values(optimizer.variables)]
    for step in range(3):
        grads = [ops.convert_to_tensor(g) for g in arrays(step + 1)]
        params, state = optimizer.stateless_apply(state, grads, params)
    for got, want in zip([*params, *state], stateful, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(got), want, rtol=1e-5, atol=1e-6)
    for got, want in zip(values([*ws, *optimizer.variables]), untouched, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    "cls,hyper",
    [
        (O.SGD, {}), (O.SGD, {"momentum": 0.9}), (O.SGD, {"momentum": 0.9, "nesterov": True}), (O.RMSprop, {}),
        (O.RMSprop, {"centered": True, "momentum": 0.5}), (O.Adam, {}), (O.Adam, {"amsgrad": True, "beta_2": 0.5}),
        (O.Nadam, {}), (O.Lamb, {}),
    ],
)  # fmt: skip
def test_kernel_equals_rule(cls, hyper, backend, monkeypatch):
    """With a backend's own kernel for the list, and with the rule written in ops."""
    fused = run(cls(learning_rate=0.1, **hyper))
    kernels = {k: v for k, v in backend.kernels.items() if not k.startswith("update_")}
    monkeypatch.setattr(backend, "kernels", kernels, raising=False)
    for got, want in zip(fused, run(cls(learning_rate=0.1, **hyper)), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_own_update_step():
    """A subclass in Keras's manner: `build` and `update_step`, also with accumulation."""

    class Plain(O.Optimizer):
        def build(self, variables):
            if not self.built:
                super().build(variables)
                self.counts = self.add_optimizer_variables(variables, "count")

        def update_step(self, gradient, variable, learning_rate):
            count = self.counts[self._index[id(variable)]]
            count.assign_add(ops.ones(count.shape))
            variable.assign_sub(ops.multiply(gradient, learning_rate))

    for options in ({}, {"gradient_accumulation_steps": 2}):
        mine, sgd = Plain(0.1, **options), O.SGD(0.1, **options)
        got, want = run(mine, steps=4), run(sgd, steps=4)
        for a, b in zip(got[:2], want[:2], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)
        assert mine.counts[0].numpy().max() == (2 if options else 4)


def test_dtypes_do_not_mix():
    ws = [Variable(np.ones(2), dtype=d, name=d) for d in ("float16", "float32")]
    optimizer = O.Nadam(0.1)
    for _ in range(2):
        optimizer.apply([np.ones(2, "float32"), np.ones(2, "float32")], ws)
    np.testing.assert_allclose(ws[0].numpy(), ws[1].numpy(), atol=3e-3)
    assert [v.dtype for v in optimizer.variables if "float16" in v.name] == ["float16", "float16"]


def test_constraint_and_overwriting_gradient():
    held, scale = Variable([1.0]), Variable([1.0])
    held.constraint = lambda w: ops.maximum(w, 0.0)
    scale.overwrite_with_gradient = True
    O.SGD(10.0).apply([[1.0], [7.0]], [held, scale])
    assert held.numpy().tolist() == [0.0] and scale.numpy().tolist() == [7.0]


def test_weight_decay_can_be_left_out():
    ws = [Variable([1.0], name="kernel"), Variable([1.0], name="bias"), Variable([1.0], name="gain")]
    optimizer = O.SGD(0.5, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[ws[2]], var_names=["bias"])
    optimizer.apply([[0.0], [0.0], [0.0]], ws)
    assert [float(w.numpy()[0]) for w in ws] == [0.75, 1.0, 1.0]
    with pytest.raises(ArgumentError, match="before"):
        optimizer.exclude_from_weight_decay(var_names=["bias"])


def test_averages():
    w = Variable([0.0])
    optimizer = O.SGD(1.0, use_ema=True, ema_momentum=0.5)
    for _ in range(2):
        optimizer.apply([[1.0]], [w])
    with optimizer.averaged([w]):
        assert w.numpy().tolist() == [-1.5]
    assert w.numpy().tolist() == [-2.0]
    optimizer.finalize_variable_values([w])
    assert w.numpy().tolist() == [-1.5]


def test_learning_rate():
    optimizer = O.SGD(0.5)
    optimizer.learning_rate = 0.25
    assert float(optimizer.learning_rate) == 0.25 and len(optimizer.variables) == 2
    optimizer.learning_rate = O.schedules.ExponentialDecay(1.0, 1, 0.5)
    assert len(optimizer.variables) == 1
    w = Variable([0.0])
    for _ in range(2):
        optimizer.apply([[1.0]], [w])
    assert w.numpy().tolist() == [-1.5] and float(optimizer.learning_rate) == 0.25
    with pytest.raises(ArgumentTypeError, match="schedule"):
        optimizer.learning_rate = 0.1
    assert float(O.SGD(lambda: 0.125).learning_rate) == 0.125


def test_old_arguments():
    with pytest.warns(DeprecationWarning, match="learning_rate="):
        assert float(O.Adam(lr=0.5).learning_rate) == 0.5
    with pytest.warns(DeprecationWarning, match="InverseTimeDecay"):
        O.Adam(decay=0.5)


def test_missing_gradients_warn():
    a, b = Variable([1.0], name="a"), Variable([1.0], name="b")
    with pytest.warns(UserWarning, match="No gradient for: b"):
        O.SGD(1.0).apply([[1.0], None], [a, b])
    assert a.numpy().tolist() == [0.0] and b.numpy().tolist() == [1.0]


def test_loss_scale():
    w = Variable([1.0])
    optimizer = O.LossScaleOptimizer(O.SGD(1.0), initial_scale=4.0, dynamic_growth_steps=2)
    assert float(optimizer.scale_loss(2.0)) == 8.0
    for grad, scale, left in [(4.0, 4.0, 0.0), (np.inf, 2.0, 0.0), (2.0, 2.0, -1.0), (2.0, 4.0, -2.0)]:
        optimizer.apply([[grad]], [w])
        assert (float(optimizer.dynamic_scale), w.numpy().tolist()) == (scale, [left])
    optimizer.learning_rate = 0.5
    assert float(optimizer.inner_optimizer.learning_rate) == 0.5 and int(optimizer.iterations) == 3


def test_state_can_be_saved():
    first = O.Adam(0.1)
    run(first)
    store = {}
    first.save_own_variables(store)
    second = O.Adam(0.9)
    with pytest.raises(StructureError, match="has 6 variables"):
        second.load_own_variables(store)
    second.build(weights())
    second.load_own_variables(store)
    for a, b in zip(first.variables, second.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("cls", ALL)
def test_config(cls):
    optimizer = cls(learning_rate=0.25, clipnorm=1.0, name="o")
    assert cls.from_config(optimizer.get_config()).get_config() == optimizer.get_config()
    restored = O.deserialize(O.serialize(optimizer))
    assert type(restored) is cls and restored.get_config() == optimizer.get_config()
    assert type(O.get(cls.__name__.lower())) is cls and type(O.get(cls)) is cls and O.get(optimizer) is optimizer


def test_names_count_up():
    assert [O.RMSprop().name, O.RMSprop().name, O.AdamW().name] == ["rm_sprop", "rm_sprop_1", "adam_w"]


def test_no_host_reads(monkeypatch):
    """A step looks at no value: it must not, to be compiled."""
    optimizer = O.Adam(0.1, gradient_accumulation_steps=2, use_ema=True, ema_overwrite_frequency=2, global_clipnorm=1.0)
    ws = weights()
    optimizer.build(ws)
    grads = [ops.convert_to_tensor(g) for g in arrays(1)]
    for name in ("numpy", "__float__", "__int__", "__bool__", "__array__"):
        monkeypatch.setattr(Variable, name, lambda *a, **k: pytest.fail("a value was read on the host"))
    optimizer.apply(grads)


def ready():
    optimizer = O.SGD()
    optimizer.build(weights())
    return optimizer


@pytest.mark.parametrize(
    "act,error,hint",
    [
        (lambda: O.SGD(clipnorm=1, clipvalue=2), ArgumentError, "one of clipnorm"),
        (lambda: O.SGD(clipnorm=-1), ArgumentError, "above 0"),
        (lambda: O.SGD(use_ema=True, ema_momentum=2), ArgumentError, "from 0 to 1"),
        (lambda: O.SGD(use_ema=True, ema_overwrite_frequency=0), ArgumentError, "above 0"),
        (lambda: O.SGD(gradient_accumulation_steps=1), ArgumentError, "2 or more"),
        (lambda: O.SGD(momentum=2.0), ArgumentError, "from 0 to 1"),
        (lambda: O.SGD("a"), ArgumentError, "learning_rate"),
        (lambda: O.SGD(foo=1), ArgumentError, "foo"),
        (lambda: O.AdamW(weight_decay=None), ArgumentError, "Adam"),
        (lambda: O.Ftrl(beta=0.1, l1_regularization_strength=-1), ArgumentError, "at least 0"),
        (lambda: O.Lion(beta_1=0.0), ArgumentError, "above 0"),
        (lambda: O.LossScaleOptimizer("adam"), ArgumentTypeError, "Optimizer"),
        (lambda: O.SGD().apply([1.0]), NotBuiltError, "build"),
        (lambda: ready().apply([np.ones(3)]), StructureError, "1 gradients came for 2"),
        (lambda: ready().apply([None, None]), ArgumentError, "No variable has a gradient"),
        (lambda: ready().apply([np.ones((2, 2)), np.ones(3)]), StructureError, r"\(2, 2\) instead of \(2, 3\)"),
        (lambda: ready().apply([[1.0]], [Variable([1.0])]), StructureError, "new optimizer"),
        (lambda: ready().set_weights([1]), StructureError, "2 variables"),
        (lambda: O.get("adm"), ArgumentError, "Did you mean 'adam'"),
        (lambda: O.get(3), ArgumentError, "name"),
        (lambda: O.schedules.CosineDecay(0.1, 0), ArgumentError, "above 0"),
        (lambda: O.schedules.PiecewiseConstantDecay([1], [1.0]), ArgumentError, "one longer"),
        (lambda: O.schedules.PiecewiseConstantDecay([2, 1], [1.0, 2.0, 3.0]), ArgumentError, "rise"),
    ],
)
def test_errors(act, error, hint):
    with warnings.catch_warnings(), pytest.raises(error, match=hint):
        act()


def test_sparsemax_lies_on_the_simplex():
    from keras_fn import activations

    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    out = ops.convert_to_numpy(activations.get("sparsemax")(x))
    np.testing.assert_allclose(out.sum(-1), np.ones(5), rtol=1e-5)
    assert (out >= 0).all() and (out == 0).any()

"""Ways that kernels take on a CPU: the same results as the plain rules and bodies, whatever lies how in memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import keras_fn
from keras_fn import ops
from keras_fn.core.backend import active
from keras_fn.core.spec import REGISTRY
from keras_fn.optimizers import rules
from keras_fn.trainer.data import ArraySource
from keras_fn_torch.kernels import KERNELS, optimizers

RATE, STEP = torch.tensor(0.01), torch.tensor(3.0)
RULES = {
    "sgd": ({"momentum": 0.9, "nesterov": True}, ("momentum",)),
    "plain sgd": ({"momentum": 0.0, "nesterov": False}, ()),
    "rmsprop": ({"rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False}, ("velocity",)),
    "centered rmsprop": (
        {"rho": 0.9, "momentum": 0.5, "epsilon": 1e-3, "centered": True}, ("velocity", "momentum", "average_gradient"),
    ),
    "adam": ({"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-7, "amsgrad": False}, ("momentum", "velocity")),
    "amsgrad adam": (
        {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-7, "amsgrad": True}, ("momentum", "velocity", "velocity_hat"),
    ),
}  # fmt: skip


def tensors(seed: int, turned: bool) -> list[torch.Tensor]:
    """A small one, a large one, and one whose axes lie in another order in memory."""
    random = np.random.default_rng(seed)
    found = [torch.from_numpy(random.random(shape, dtype="float32") + 0.1) for shape in ((3,), (40, 30), (6, 5, 4))]
    if turned:
        found[2] = found[2].permute(2, 1, 0).contiguous().permute(2, 1, 0)
    return found


@pytest.mark.parametrize("alike", [True, False], ids=["alike in memory", "gradients lie otherwise"])
@pytest.mark.parametrize("name", RULES)
def test_updates_are_those_of_the_rule(name, alike, monkeypatch):
    monkeypatch.setattr(optimizers, "_LARGE", 100)
    monkeypatch.setattr(optimizers, "_PIECE", 64)
    options, slots = RULES[name]
    rule = name.split()[-1]
    params, grads = tensors(0, turned=True), tensors(1, turned=alike)
    kept = {slot: tensors(2 + i, turned=True) for i, slot in enumerate(slots)}
    for t in kept.get("velocity", []):
        t += 2  # the mean of squares is above the square of the mean
    wanted, wanted_slots = getattr(rules, rule)(
        [p.clone() for p in params], grads, {k: [t.clone() for t in v] for k, v in kept.items()}, RATE, STEP, **options
    )
    found, found_slots = KERNELS[f"update_{rule}"](params, grads, kept, RATE, STEP, **options)
    assert all(a is b for a, b in zip(found, params, strict=True)), "written in place"
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b)
    for slot, column in wanted_slots.items():
        torch.testing.assert_close(found_slots[slot], column)


def test_a_target_that_is_no_class_costs_nothing():
    log_p = torch.log_softmax(torch.arange(12.0).reshape(3, 4), -1).requires_grad_()
    for ids in ([0, 3, 1], [-1, 3, 1], [0, 4, -7]):
        target = torch.tensor(ids, dtype=torch.int32)
        wanted = REGISTRY["_class_loss"].fn(target, log_p, 1)
        torch.testing.assert_close(KERNELS["_class_loss"](target, log_p, 1), wanted)


@pytest.mark.parametrize("equation", ["ab,ab->a", "abc,abc->ac", "ab,ab->ab", "ab,ab->ba", "ab,ba->a", "aab,aab->b"])
def test_sums_over_shared_axes(equation):
    sizes = {"a": 2, "b": 2 if "ba" in equation else 3, "c": 4}
    terms = equation.partition("->")[0].split(",")
    x, y = (np.random.default_rng(i).random([sizes[c] for c in term]) for i, term in enumerate(terms))
    found = ops.einsum(equation, ops.convert_to_tensor(x), ops.convert_to_tensor(y))
    np.testing.assert_allclose(found.numpy(), np.einsum(equation, x, y), rtol=1e-6)


def test_data_is_converted_whole_where_a_tensor_lies_over_its_memory():
    x = np.arange(10, dtype="float32").reshape(5, 2)
    still = x.copy()
    still.flags.writeable = False
    for array, shared in ((x, True), (still, False), (x[::-1], False), (x[:, ::2], True), (x.astype("float16"), True)):
        assert active.backend.takes_in_place(array) is shared
        calls = []

        def convert(a, calls=calls):
            calls.append(len(a))
            return active.backend.convert(a, None)

        batches = list(ArraySource(({"x": array}, None), 2, False, None, 0).slices(convert))
        assert calls == ([5] if shared else [2, 2, 1])
        assert [b[1] for b in batches] == [None] * 3
        np.testing.assert_array_equal(np.concatenate([b[0]["x"].numpy() for b in batches]), array)


def test_what_is_written_into_data_is_seen_by_the_next_evaluation():
    model = keras_fn.Sequential([keras_fn.Input((2,)), keras_fn.layers.Dense(1, kernel_initializer="ones")])
    model.compile(loss="mse")
    x, y = np.zeros((4, 2), "float32"), np.zeros((4, 1), "float32")
    for value in (0.0, 1.0, 2.0, 3.0):
        x[:] = value
        assert model.evaluate(x, y, batch_size=2, verbose=0) == pytest.approx(4 * value**2)


def test_last_output_of_a_recurrent_layer_is_its_last_state():
    for layer in (keras_fn.layers.LSTM, keras_fn.layers.GRU, keras_fn.layers.SimpleRNN):
        for backwards in (False, True):
            made = layer(4, return_state=True, go_backwards=backwards)
            last, state, *_ = made(np.random.default_rng(0).random((2, 5, 3), dtype="float32"))
            assert torch.equal(last, state)

"""A layer is a torch.nn.Module, and a module holds layers."""

import copy

import numpy as np
import torch

import keras_fn
from keras_fn import layers, ops


def small():
    return keras_fn.Sequential([keras_fn.Input((3,)), layers.Dense(4, activation="relu"), layers.Dense(1)])


def test_module_facts():
    model = small()
    assert isinstance(model, torch.nn.Module)
    assert isinstance(layers.Dense(1), torch.nn.Module)
    assert [tuple(p.shape) for p in model.parameters()] == [(3, 4), (4,), (4, 1), (1,)]
    names = [n for n, _ in model.named_parameters()]
    assert all(n.endswith((".kernel", ".bias")) for n in names)
    state = {k: torch.zeros_like(v) for k, v in model.state_dict().items()}
    model.load_state_dict(state)
    assert all((w == 0).all() for w in model.get_weights())


def test_to_changes_the_dtype_in_place():
    model = small()
    model.to(torch.float64)
    assert {p.dtype for p in model.parameters()} == {torch.float64}


def test_statistics_are_buffers():
    layer = layers.BatchNormalization()
    layer(ops.ones((2, 3)))
    assert len(list(layer.parameters())) == 2
    assert len(list(layer.buffers())) == 2


def test_hooks_run():
    model, seen = small(), []
    model.layers[0].register_forward_hook(lambda m, i, o: seen.append(tuple(o.shape)))
    model(torch.ones(5, 3))
    assert seen == [(5, 4)]


def test_a_torch_optimizer_trains_it_inside_a_plain_sequential():
    inner = small()
    net = torch.nn.Sequential(torch.nn.Linear(3, 3), inner, torch.nn.Tanh())
    optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
    x, y = torch.randn(32, 3, generator=torch.Generator().manual_seed(0)), torch.full((32, 1), 0.5)
    losses = []
    before = inner.get_weights()
    for _ in range(30):
        optimizer.zero_grad()
        loss = ((net(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    assert any((a != b).any() for a, b in zip(before, inner.get_weights(), strict=True))


class WithTorch(layers.Layer):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)
        self.own = [layers.Dense(2)]

    def call(self, x):
        return self.own[0](self.linear(x))


def test_a_plain_module_inside_a_layer_is_seen():
    layer = WithTorch()
    layer(torch.ones(1, 3))
    names = {n for n, _ in layer.named_parameters()}
    assert {"linear.weight", "linear.bias"} <= names
    assert len(names) == 4


class Raw(layers.Layer):
    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], 4))

    def call(self, x):
        return torch.tanh(torch.matmul(x, self.w))


def test_raw_code_in_a_layer_on_symbols_tensors_and_in_training():
    inputs = keras_fn.Input((3,))
    outputs = Raw()(inputs)
    assert outputs.shape == (None, 4)
    model = keras_fn.Model(inputs, outputs)
    model.compile(optimizer="sgd", loss="mse")
    history = model.fit(np.ones((8, 3)), np.zeros((8, 4)), epochs=3, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_torch_compile_has_no_graph_break_in_ops():
    def f(x, y):
        z = ops.add(ops.matmul(ops.gelu(x), y), 1.0)
        return ops.mean(ops.softmax(ops.where(ops.greater(z, 0.0), z, 0.0)), axis=-1)

    x, y = torch.ones(2, 3), torch.ones(3, 3)
    compiled = torch.compile(f, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x, y), f(x, y))


def test_deepcopy():
    model = small()
    twin = copy.deepcopy(model)
    assert all((a == b).all() for a, b in zip(model.get_weights(), twin.get_weights(), strict=True))
    twin.weights[0].assign(np.zeros((3, 4)))
    assert model.get_weights()[0].any()


def test_distributed_data_parallel(tmp_path):
    def step() -> None:  # the wrapped model is gone before the group is: torch may wait for ever the other way round
        model = small()
        wrapped = torch.nn.parallel.DistributedDataParallel(model)
        wrapped(torch.ones(4, 3)).sum().backward()
        assert all(p.grad is not None for p in model.parameters())

    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        step()
    finally:
        torch.distributed.destroy_process_group()

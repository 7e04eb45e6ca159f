"""What only JAX users do."""

import jax
import jax.numpy as jnp
import numpy as np

import keras_fn
from keras_fn import layers, ops


def test_variables_are_arguments_of_jax_functions():
    v = keras_fn.Variable(np.ones((3, 3), "float32"))
    x = jnp.ones((2, 3))
    assert jnp.matmul(x, v).shape == (2, 3)
    assert jnp.add(x, v[:2]).shape == (2, 3)
    assert jnp.einsum("ij,jk->ik", x, v).shape == (2, 3)
    assert jax.nn.relu(v).shape == (3, 3)
    assert jax.jit(lambda w: w * 2)(v).shape == (3, 3)
    assert jax.eval_shape(lambda a: jnp.matmul(a, v), jax.ShapeDtypeStruct((2, 3), "float32")).shape == (2, 3)


class Raw(layers.Layer):
    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], 4))

    def call(self, x):
        return jnp.tanh(jnp.matmul(x, self.w))


def test_raw_code_in_a_layer_on_symbols_tensors_and_in_training():
    inputs = keras_fn.Input((3,))
    outputs = Raw()(inputs)
    assert outputs.shape == (None, 4)
    model = keras_fn.Model(inputs, outputs)
    model.compile(optimizer="sgd", loss="mse")
    history = model.fit(np.ones((8, 3)), np.zeros((8, 4)), epochs=3, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_jit_and_grad_over_a_stateless_call():
    model = keras_fn.Sequential([keras_fn.Input((3,)), layers.Dense(2), layers.Dense(1)])
    x = jnp.ones((4, 3))

    @jax.jit
    def loss(trainable, rest):
        out, _ = model.stateless_call(trainable, rest, x)
        return jnp.mean(out**2)

    trainable = [v.value for v in model.trainable_variables]
    grads = jax.grad(loss)(trainable, [v.value for v in model.non_trainable_variables])
    assert [g.shape for g in grads] == [v.shape for v in model.trainable_variables]
    assert all(isinstance(v.value, jax.Array) and not isinstance(v.value, jax.core.Tracer) for v in model.weights)


def test_ops_in_jit_are_traced_once():
    count = []

    @jax.jit
    def f(x):
        count.append(1)
        return ops.softmax(ops.add(x, 1.0))

    for _ in range(3):
        f(jnp.ones((2, 2)))
    assert len(count) == 1

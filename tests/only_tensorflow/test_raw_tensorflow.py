"""What only TensorFlow users do."""

import numpy as np
import tensorflow as tf

import keras_fn
from keras_fn import layers, ops


class Raw(layers.Layer):
    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], 4))

    def call(self, x):
        return tf.tanh(tf.matmul(x, self.w))


def test_raw_code_in_a_layer_on_symbols_tensors_and_in_training():
    inputs = keras_fn.Input((3,))
    outputs = Raw()(inputs)
    assert outputs.shape == (None, 4)
    model = keras_fn.Model(inputs, outputs)
    model.compile(optimizer="sgd", loss="mse")
    history = model.fit(np.ones((8, 3)), np.zeros((8, 4)), epochs=3, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_a_gradient_tape_watches_variables():
    model = keras_fn.Sequential([keras_fn.Input((3,)), layers.Dense(2)])
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(tf.ones((4, 3))) ** 2)
    grads = tape.gradient(loss, model.trainable_weights)
    assert [tuple(g.shape) for g in grads] == [(3, 2), (2,)]
    assert isinstance(model, tf.Module)


def test_tf_function_and_xla_retrace_nothing():
    count = []

    def f(x):
        count.append(1)
        return ops.softmax(ops.add(x, 1.0))

    for jit in (False, True):
        count.clear()
        compiled = tf.function(f, jit_compile=jit)
        for _ in range(3):
            compiled(tf.ones((2, 2)))
        assert len(count) == 1


def test_attributes_stay_what_they_were():
    layer = layers.Dense(2)
    layer.sizes = [1, 2]
    assert type(layer.sizes) is list

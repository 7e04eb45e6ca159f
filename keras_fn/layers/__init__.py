"""Layers."""

from keras_fn.graph.symbol import KerasTensor
from keras_fn.layers.base import Layer
from keras_fn.layers.core.dense import Dense
from keras_fn.layers.input_layer import Input, InputLayer
from keras_fn.layers.input_spec import InputSpec

__all__ = ["Dense", "Input", "InputLayer", "InputSpec", "KerasTensor", "Layer"]

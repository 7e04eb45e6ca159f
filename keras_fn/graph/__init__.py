"""The graph of layers: symbols, nodes and functions."""

from keras_fn.graph.function import Function
from keras_fn.graph.node import Node, OpCall
from keras_fn.graph.symbol import KerasTensor, is_keras_tensor

__all__ = ["Function", "KerasTensor", "Node", "OpCall", "is_keras_tensor"]

"""Pictures of models: PNG and SVG files, DOT for Graphviz, Mermaid text."""

from __future__ import annotations

from keras_fn.utils.plotting.dot import model_to_dot
from keras_fn.utils.plotting.mermaid import model_to_mermaid
from keras_fn.utils.plotting.plot import plot_model

__all__ = ["model_to_dot", "model_to_mermaid", "plot_model"]

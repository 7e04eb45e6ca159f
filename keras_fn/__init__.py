"""keras_fn: the Keras functional API on a small core, over JAX, PyTorch, TensorFlow and NumPy.

Every public name loads when it is first used, so that `import keras_fn` stays fast.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# public name -> module that defines it
_NAMES = {
    "DTypePolicy": "dtype_policies",
    "FloatDTypePolicy": "dtype_policies",
    "Function": "graph",
    "Initializer": "initializers",
    "Input": "layers",
    "InputSpec": "layers",
    "KerasTensor": "graph",
    "Layer": "layers",
    "Loss": "losses",
    "Metric": "metrics",
    "Model": "models",
    "Optimizer": "optimizers",
    "Regularizer": "regularizers",
    "Sequential": "models",
    "StatelessScope": "core.variable",
    "Variable": "core.variable",
    "grad": "core.gradients",
    "value_and_grad": "core.gradients",
}
_MODULES = (
    "activations applications backend callbacks config constraints core datasets dtype_policies graph initializers "
    "layers losses metrics models ops optimizers random regularizers saving testing trainer tree utils"
).split()

__all__ = ["__version__", "version", *sorted(_NAMES), *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        value = getattr(importlib.import_module(f"keras_fn.{_NAMES[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"keras_fn.{name}")
    else:
        raise AttributeError(f"module 'keras_fn' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def version() -> str:
    """The version of keras_fn."""
    return __version__

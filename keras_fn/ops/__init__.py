"""Operations: `ops.*`, and views on them under other names of Keras (`ops.numpy`, `ops.nn`, `ops.linalg` …)."""

from __future__ import annotations

import importlib as _importlib

from keras_fn.core.spec import FUNCTIONS as _FUNCTIONS

# first, as it takes the module `shape`, whose place in the package an op of that name takes below
from keras_fn.ops import image as image
from keras_fn.ops.activation import *  # noqa: F403
from keras_fn.ops.control import *  # noqa: F403
from keras_fn.ops.conv import *  # noqa: F403
from keras_fn.ops.elementwise import *  # noqa: F403
from keras_fn.ops.linalg import *  # noqa: F403
from keras_fn.ops.nn import *  # noqa: F403
from keras_fn.ops.reduction import *  # noqa: F403
from keras_fn.ops.shape import *  # noqa: F403

# the modules that declare public ops; some share their name with an op (`shape`, `conv`), which the package shows
_DECLARED = ("activation", "control", "conv", "elementwise", "linalg", "nn", "reduction", "shape")
_FUNCTIONS_HERE = {
    name: value
    for part in _DECLARED
    for module in [_importlib.import_module(f"keras_fn.ops.{part}")]
    for name, value in ((n, getattr(module, n)) for n in module.__all__)
}
# what stands for a tensor (specs, symbols, variables) finds its operators here
_FUNCTIONS.update(_FUNCTIONS_HERE)

# imported when all ops are there, as they are views on these
from keras_fn.ops import linalg as linalg  # noqa: E402
from keras_fn.ops import nn as nn  # noqa: E402
from keras_fn.ops import numpy as numpy  # noqa: E402

__all__ = [*sorted(_FUNCTIONS_HERE), "image", "linalg", "nn", "numpy"]

"""Operations: `ops.*`, and views on them under other names of Keras (`ops.numpy`, `ops.nn`, `ops.linalg` …)."""

from __future__ import annotations

import importlib as _importlib

from keras_fn.core.spec import FUNCTIONS as _FUNCTIONS

# first, as it takes the module `shape`, whose place in the package an op of that name takes below
from keras_fn.ops import image as image
from keras_fn.ops.activation import *  # noqa: F403
from keras_fn.ops.adaptive_pool import *  # noqa: F403
from keras_fn.ops.bits import *  # noqa: F403
from keras_fn.ops.casting import *  # noqa: F403
from keras_fn.ops.complexes import *  # noqa: F403
from keras_fn.ops.control import *  # noqa: F403
from keras_fn.ops.conv import *  # noqa: F403
from keras_fn.ops.counting import *  # noqa: F403
from keras_fn.ops.creation import *  # noqa: F403
from keras_fn.ops.ctc import *  # noqa: F403
from keras_fn.ops.diagonals import *  # noqa: F403
from keras_fn.ops.differentiation import *  # noqa: F403
from keras_fn.ops.elementwise import *  # noqa: F403
from keras_fn.ops.error_functions import *  # noqa: F403
from keras_fn.ops.fourier import *  # noqa: F403
from keras_fn.ops.functions import *  # noqa: F403
from keras_fn.ops.joining import *  # noqa: F403
from keras_fn.ops.linalg import *  # noqa: F403
from keras_fn.ops.lookup import *  # noqa: F403
from keras_fn.ops.measures import *  # noqa: F403
from keras_fn.ops.nan import *  # noqa: F403
from keras_fn.ops.nn import *  # noqa: F403
from keras_fn.ops.noise_ratio import *  # noqa: F403
from keras_fn.ops.parallel_scan import *  # noqa: F403
from keras_fn.ops.patches import *  # noqa: F403
from keras_fn.ops.polar_form import *  # noqa: F403
from keras_fn.ops.products import *  # noqa: F403
from keras_fn.ops.quantiles import *  # noqa: F403
from keras_fn.ops.rearranging import *  # noqa: F403
from keras_fn.ops.reduction import *  # noqa: F403
from keras_fn.ops.segments import *  # noqa: F403
from keras_fn.ops.shape import *  # noqa: F403
from keras_fn.ops.vectorized import *  # noqa: F403
from keras_fn.ops.window_functions import *  # noqa: F403

# the modules that declare public ops; some share their name with an op (`shape`, `conv`), which the package shows
_DECLARED = (
    "activation", "adaptive_pool", "bits", "casting", "complexes", "control", "conv", "counting", "creation", "ctc",
    "diagonals", "differentiation", "elementwise", "error_functions", "fourier", "functions", "joining", "linalg",
    "lookup", "measures", "nan", "nn", "noise_ratio", "parallel_scan", "patches", "polar_form", "products",
    "quantiles", "rearranging", "reduction", "segments", "shape", "vectorized", "window_functions",
)  # fmt: skip
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

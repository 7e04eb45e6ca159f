"""Operations: `ops.*`, and views on them under Keras's other names (`ops.numpy`, `ops.nn`, `ops.linalg`, …)."""

from __future__ import annotations

from keras_fn.ops import image as image
from keras_fn.ops.activation import *  # noqa: F403
from keras_fn.ops.control import *  # noqa: F403
from keras_fn.ops.conv import *  # noqa: F403
from keras_fn.ops.elementwise import *  # noqa: F403
from keras_fn.ops.linalg import *  # noqa: F403
from keras_fn.ops.nn import *  # noqa: F403
from keras_fn.ops.reduction import *  # noqa: F403
from keras_fn.ops.shape import *  # noqa: F403

from keras_fn.core.spec import FUNCTIONS as _FUNCTIONS

# what stands for a tensor (specs, symbols, variables) finds its operators here
_FUNCTIONS.update({name: value for name, value in globals().items() if not name.startswith("_") and callable(value)})

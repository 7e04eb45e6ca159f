"""Operations: `ops.*`, and views on them under Keras's other names (`ops.numpy`, `ops.nn`, `ops.linalg`, …)."""

from __future__ import annotations

from keras_fn.ops.activation import *  # noqa: F403
from keras_fn.ops.elementwise import *  # noqa: F403
from keras_fn.ops.linalg import *  # noqa: F403
from keras_fn.ops.reduction import *  # noqa: F403
from keras_fn.ops.shape import *  # noqa: F403

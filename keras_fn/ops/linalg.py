"""The view `ops.linalg`: all ops on vectors and matrices."""

from __future__ import annotations

from keras_fn.ops import contractions, decompositions, equations, norms
from keras_fn.ops.contractions import *  # noqa: F403
from keras_fn.ops.decompositions import *  # noqa: F403
from keras_fn.ops.differentiation import jvp as jvp
from keras_fn.ops.equations import *  # noqa: F403
from keras_fn.ops.norms import *  # noqa: F403

__all__ = [*contractions.__all__, *decompositions.__all__, *equations.__all__, *norms.__all__]

"""The view `ops.image`: all ops on images."""

from __future__ import annotations

from keras_fn.ops import (
    image_color,
    image_filters,
    image_layout,
    image_patches,
    image_resize,
    image_sampling,
    image_scale,
)
from keras_fn.ops.image_color import *  # noqa: F403
from keras_fn.ops.image_filters import *  # noqa: F403
from keras_fn.ops.image_layout import *  # noqa: F403
from keras_fn.ops.image_patches import *  # noqa: F403
from keras_fn.ops.image_resize import *  # noqa: F403
from keras_fn.ops.image_sampling import *  # noqa: F403
from keras_fn.ops.image_scale import *  # noqa: F403

__all__ = [
    *image_color.__all__, *image_filters.__all__, *image_layout.__all__, *image_patches.__all__, *image_resize.__all__,
    *image_sampling.__all__, *image_scale.__all__,
]  # fmt: skip

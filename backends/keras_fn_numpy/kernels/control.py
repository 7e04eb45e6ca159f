"""Control flow."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.core import loops

KERNELS: dict[str, Any] = {
    "_cond": loops.choose,
    "_switch": loops.pick,
    "_while_loop": loops.repeat_while,
    "_scan": loops.scanner(lambda x: x, np.stack),
    "_vectorized_map": loops.mapper(list, np.stack),
}

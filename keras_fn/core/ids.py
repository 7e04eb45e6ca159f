"""Whether ids lie inside a table: each batch of data is asked this before its step."""

from __future__ import annotations

import numpy as np

_UNSIGNED = {size: np.dtype(f"u{size}") for size in (1, 2, 4, 8)}


def all_below(ids: np.ndarray, count: int) -> bool:
    """Whether all ids are whole numbers in `[0, count)`, by one pass over integers.

    Read without their sign, negative numbers are larger than all that have one. Of other dtypes than integers of this
    machine nothing is known, and the answer is False.

    Args:
        ids: array of any shape.
        count: the number of rows or classes.

    Example:
        >>> import numpy as np
        >>> all_below(np.array([0, 9]), 10), all_below(np.array([0, 10]), 10), all_below(np.array([-1, 0]), 10)
        (True, False, False)
    """
    dtype = ids.dtype
    if dtype.kind not in "iu" or not dtype.isnative:
        return False
    if dtype.kind == "i":
        count = min(count, 1 << (8 * dtype.itemsize - 1))
    return not ids.size or bool(ids.view(_UNSIGNED[dtype.itemsize]).max() < count)

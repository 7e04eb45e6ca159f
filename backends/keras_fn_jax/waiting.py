"""First values of variables wait on the host, and go to the device together, when somebody reads the first of them.

To bring one array to the device takes 25 microseconds of JAX's own Python, and twice that where other code runs between
one array and the next, more than all else that making a small weight takes. In one call for many it is 18 an array.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

import jax
import numpy as np

# bytes; larger values go at once, so that a model never lies in memory twice, and copying them is most of the work
SMALL = 1 << 16
# dtypes that JAX holds as NumPy does, whatever it is set to
_ALIKE = {np.dtype(n): n for n in ("float32", "float16", "int32", "bool", "uint8", "uint32")}


class Waiting:
    """Variables whose first values are on the host, and those values. A variable that nobody holds is forgotten."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # reading the one may free others, whose ends may read further ones
        self._values: weakref.WeakKeyDictionary[Any, np.ndarray] = weakref.WeakKeyDictionary()

    def takes(self, values: np.ndarray, dtype: str) -> bool:
        """Whether values may wait: they are few, need no other form, and will go where they would go now."""
        config: Any = jax.config
        return values.nbytes <= SMALL and _ALIKE.get(values.dtype) == dtype and config.jax_default_device is None

    def add(self, variable: Any, values: np.ndarray) -> None:
        """Notes a new variable. Nobody else may hold its values, who could write to them meanwhile."""
        with self._lock:
            self._values[variable] = values

    def settle(self) -> None:
        """Gives all of them their cells."""
        with self._lock:
            found = dict(self._values.items())
            # also where one is first read inside a trace, or while another device is chosen than when it was made
            with jax.ensure_compile_time_eval(), jax.default_device(None):
                tensors = jax.device_put(list(found.values()))
            for variable, tensor in zip(found, tensors, strict=True):
                variable.__dict__.setdefault("_cell", tensor)  # one that was set meanwhile stays
            self._values.clear()


WAITING = Waiting()


class LateCell:
    """The `_cell` of a variable of which nobody has read or written it yet: later ones find the attribute itself."""

    def __get__(self, variable: Any, owner: Any = None) -> Any:
        if variable is None:
            return self
        WAITING.settle()
        try:
            return variable.__dict__["_cell"]
        except KeyError:
            raise AttributeError("The variable has no values: its constructor did not end.") from None

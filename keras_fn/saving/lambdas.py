"""Lambdas in files: Keras's format, a marshalled code object. Reading one needs `safe_mode=False`.

The mode of a load is what its caller said. Where nobody said anything it is safe, unless the program called
`config.enable_unsafe_deserialization()`. Inside a safe load nothing makes it unsafe, neither the file nor a nested
call.
"""

from __future__ import annotations

import base64
import marshal
import types
from typing import Any

from keras_fn.core.context import CallContext
from keras_fn.core.errors import StructureError
from keras_fn.core.switches import switches


class _Mode(CallContext):
    """What the load that runs in this thread was told: None where none runs."""

    def __init__(self) -> None:
        super().__init__()
        self.safe: bool | None = None


mode = _Mode()


def resolve_mode(safe_mode: bool | None) -> bool:
    """Whether a load with this argument is safe, where it is made now."""
    if safe_mode is None:
        return not switches.unsafe_deserialization if mode.safe is None else mode.safe
    return bool(safe_mode) or mode.safe is True


def dump_lambda(fn: types.FunctionType) -> dict[str, Any]:
    """The code, defaults and closure of a lambda."""
    code = base64.b64encode(marshal.dumps(fn.__code__)).decode("ascii")
    closure = tuple(c.cell_contents for c in fn.__closure__) if fn.__closure__ else None
    return {"code": code, "defaults": fn.__defaults__, "closure": closure}


def load_lambda(config: dict[str, Any]) -> types.FunctionType:
    """The lambda of a config. Its code was written by the file's author."""
    from keras_fn import ops

    try:
        code = marshal.loads(base64.b64decode(config["code"]))
    except (ValueError, EOFError, TypeError, KeyError) as e:
        raise StructureError(
            "A lambda in the data cannot be read: it was saved by another version of Python, or is damaged. Save the "
            "model again with a named function that is registered."
        ) from e
    closure = config.get("closure")
    cells = None if closure is None else tuple(types.CellType(c) for c in closure)
    defaults = config.get("defaults")
    import keras_fn

    space = {"keras": keras_fn, "keras_fn": keras_fn, "ops": ops, "__builtins__": __builtins__}
    return types.FunctionType(code, space, None, None if defaults is None else tuple(defaults), cells)

"""Lambdas in files: Keras's format, a marshalled code object. Reading one needs `safe_mode=False`."""

from __future__ import annotations

import base64
import marshal
import types
from typing import Any

from keras_fn.core.errors import StructureError


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

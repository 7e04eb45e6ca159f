"""What a file that is being loaded may make the library do: layers, variables, tensors on the way, calls of ops.

A file says sizes and counts freely. Describing its model costs next to nothing, as shapes are only inferred; what is
made of the file's numbers all the same is paid from here, and refused before it is made.
"""

from __future__ import annotations

from typing import Any

from keras_fn.core import shapes, trees
from keras_fn.core.context import context
from keras_fn.core.errors import FileLimitError
from keras_fn.core.spec import Spec

# bytes that one tensor may take that is computed while a file is read
_TENSOR = 2**25
# bytes that any variable takes, however small: its name, its cell, and what looks after it
PER_VARIABLE = 2**13


def count_call(name: str) -> None:
    """One more call of an op."""
    assert context.calls is not None
    context.calls -= 1
    if context.calls < 0:
        raise FileLimitError(
            f"The model in the file takes more calls of ops than its size gives reason for; the last was ops.{name}. "
            "A number in its configuration is too large: the file is damaged or malicious."
        )


def count_layer() -> None:
    """One more layer."""
    if context.layers is None:
        return
    context.layers -= 1
    if context.layers < 0:
        raise FileLimitError(
            "The file describes more layers than its size gives reason for: written by a program, a layer takes "
            "hundreds of bytes. The file is damaged or malicious."
        )


def check_results(name: str, results: Any) -> None:
    """Refuses a result, given as specs, that is large."""
    for spec in trees.flatten(results):
        if isinstance(spec, Spec) and 8 * (shapes.size(spec.shape) or 0) > _TENSOR:
            raise FileLimitError(
                f"The model in the file needs a tensor of the shape {spec.shape}, from ops.{name}, to be described. A "
                "number in its configuration is too large: the file is damaged or malicious."
            )


def take_room(path: str, shape: tuple[Any, ...], dtype: str) -> None:
    """Room for a new variable: a file whose weights are small must not make its reader allocate much."""
    assert context.room is not None
    values = (8 if dtype.endswith("64") else 16 if dtype == "complex128" else 4) * (shapes.size(shape) or 0)
    context.room -= values + len(path) + PER_VARIABLE
    if context.room < 0:
        raise FileLimitError(
            f"With the weight {path!r} of the shape {shape}, the model is larger than all that the file holds: its "
            "configuration and its weights do not belong together. The file is damaged or malicious."
        )

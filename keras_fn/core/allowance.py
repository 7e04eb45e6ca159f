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
# work in units of some three microseconds: to call an op, make a layer, call one, make a variable, or another object
OP, LAYER, CALL, VARIABLE, OBJECT = 6, 12, 8, 8, 12


def work_in(size: int) -> int:
    """How much work it may be to make the model in a file, or text, of so many bytes.

    A Dense layer is some 100, and takes a thousand bytes to write down, four thousand with its place among the weights.
    Up to 5 MB the allowance hardly grows, so that no such file takes long; larger ones get what programs write.
    """
    return _BASE + min(size, _SMALL) // 250 + max(0, size - _SMALL) // 3


def work_of_parts(parts: int) -> int:
    """The same for data of so many parts: a Dense layer has some sixty."""
    return _BASE + 8 * parts


_BASE, _SMALL = 180_000, 5 * 10**6


def count_work(what: str, work: int) -> None:
    """Takes work from what is left of the allowance."""
    assert context.calls is not None
    context.calls -= max(1, work)  # a number from a file may be below 0
    if context.calls < 0:
        raise FileLimitError(
            "What the file describes takes more calls of layers and ops than its size gives reason for; the last was "
            f"{what}. A number in its configuration is too large: the file is damaged or malicious."
        )


def count_call(name: str) -> None:
    """One more call of an op."""
    count_work(f"ops.{name}", OP)


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

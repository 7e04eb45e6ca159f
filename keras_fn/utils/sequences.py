"""Sequences of different lengths as one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn.core.errors import ArgumentError, ShapeError


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences made equally long: short ones are filled up with `value`, long ones are cut.

    Args:
        sequences: n sequences; the items of all of them must have one shape.
        maxlen: length of the result. None: that of the longest sequence.
        dtype: NumPy dtype of the result; `object` for text of any length.
        padding: "pre" fills in front, "post" at the end.
        truncating: "pre" cuts in front, "post" at the end.
        value: what to fill with.

    Returns:
        Array of shape `(n, maxlen, ...)`.

    Raises:
        ArgumentError: for an unknown `padding` or `truncating`, or an entry that is no sequence.
        ShapeError: where items have different shapes.

    Example:
        >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2).tolist()
        [[0, 1], [2, 3], [5, 6]]
    """
    for name, choice in (("padding", padding), ("truncating", truncating)):
        if choice not in ("pre", "post"):
            raise ArgumentError(f"`{name}` must be 'pre' or 'post', not {choice!r}.")
    lengths = _lengths(sequences)
    if maxlen is None:
        maxlen = max(lengths, default=0)
    if maxlen < 0:
        raise ArgumentError(f"`maxlen` must be 0 or more, not {maxlen}.")
    item = next((np.shape(s)[1:] for s, n in zip(sequences, lengths, strict=True) if n), ())
    dtype = _roomy(dtype, sequences, value)
    out = np.full((len(lengths), maxlen, *item), value, dtype=dtype)
    for row, (sequence, n) in enumerate(zip(sequences, lengths, strict=True)):
        kept = min(n, maxlen)
        if not kept:
            continue
        part = np.asarray(sequence[n - kept :] if truncating == "pre" else sequence[:kept], dtype=dtype)
        if part.shape[1:] != item:
            raise ShapeError(
                f"pad_sequences: items of the shape {part.shape[1:]} came in sequence {row}, and {item} was expected, "
                "as in the sequences before it."
            )
        if padding == "pre":
            out[row, maxlen - kept :] = part
        else:
            out[row, :kept] = part
    return out


def _lengths(sequences: Sequence[Any]) -> list[int]:
    try:
        found = [len(s) for s in sequences]
    except TypeError:
        wrong = next((s for s in sequences if not hasattr(s, "__len__")), None) if _iterable(sequences) else sequences
        raise ArgumentError(
            f"pad_sequences takes a list of sequences, and found {wrong!r} in the place of one."
        ) from None
    return found


def _iterable(x: Any) -> bool:
    return hasattr(x, "__iter__")


def _roomy(dtype: Any, sequences: Sequence[Any], value: Any) -> np.dtype:
    """The dtype; a text dtype without a length gets one that every item fits into."""
    asked = np.dtype(dtype)
    if asked.kind not in "SU" or asked.itemsize:
        return asked
    if not isinstance(value, (str, bytes)):
        raise ArgumentError(f"`value` must be text to fill up text, and {value!r} came. Try value=''.")
    longest = max(
        (np.asarray(s, dtype=asked).dtype for s in sequences if len(s)), default=asked, key=lambda d: d.itemsize
    )
    return np.promote_types(longest, np.asarray(value, dtype=asked).dtype)

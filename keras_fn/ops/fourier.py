"""Fourier transforms, and signals cut into overlapping pieces.

A complex tensor is a pair of real ones here: `(real part, imaginary part)`.
Sources: Oppenheim and Schafer, Discrete-Time Signal Processing; for the inverse of the short-time transform
https://doi.org/10.1109/TASSP.1984.1164317
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import keras_fn.ops.shape as s
from keras_fn.core import shapes
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.op import op, same
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops.decompositions import factors

__all__ = ["extract_sequences", "fft", "fft2", "ifft2", "irfft", "istft", "rfft", "stft"]


# --- the transforms that backends bring
def _pair_shapes(real: Spec, imag: Spec, *rest: Any) -> tuple[shapes.Shape, shapes.Shape]:
    dims = shapes.broadcast(real.shape, imag.shape)
    return dims, dims


@op(dtype=factors("real", "imag"), shape=_pair_shapes)
def _fourier(real, imag, rank, inverse):
    """The discrete Fourier transform (or its inverse) over the last `rank` axes."""


def _half(n: Any) -> Any:
    return None if n is None else n // 2 + 1


def _rfft_shapes(x: Spec, length: int | None) -> tuple[shapes.Shape, shapes.Shape]:
    dims = (*x.shape[:-1], _half(x.shape[-1] if length is None else length))
    return dims, dims


@op(dtype=factors("x"), shape=_rfft_shapes)
def _rfft(x, length):
    """`rfft` with all arguments given."""


def _irfft_shape(real: Spec, imag: Spec, length: int | None) -> shapes.Shape:
    half = shapes.broadcast(real.shape, imag.shape)
    whole = None if half[-1] is None else 2 * (half[-1] - 1)
    return (*half[:-1], whole if length is None else length)


@op(dtype=factors("real", "imag"), shape=_irfft_shape)
def _irfft(real, imag, length):
    """`irfft` with all arguments given."""


# --- what users call
def _parts(x: Any, rank: int) -> tuple[Any, Any]:
    """The real and the imaginary part, of one shape and of `rank` dimensions at least."""
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ArgumentError(f"x must be a pair of tensors (real and imaginary part), and {type(x).__name__} came.")
    real, imag = (p if hasattr(p, "shape") else s.convert_to_tensor(p) for p in x)
    a, b = tuple(real.shape), tuple(imag.shape)
    if len(a) != len(b) or any(m != n and None not in (m, n) for m, n in zip(a, b, strict=True)):
        raise ShapeError(f"The real and the imaginary part must have one shape, and have {a} and {b}.")
    _at_least(real, rank)
    return real, imag


def _at_least(x: Any, rank: int) -> None:
    if len(x.shape) < rank:
        raise ShapeError(f"A tensor of {rank} dimensions or more is needed, and the shape is {tuple(x.shape)}.")


def _fft_length(length: Any) -> int | None:
    if length is not None and (not isinstance(length, int) or length < 1):
        raise ArgumentError(f"`fft_length` must be a positive int or None, not {length!r}.")
    return length


def fft(x: Any) -> tuple[Any, Any]:
    """The discrete Fourier transform over the last axis, `X[k] = sum(x[n] * exp(-2j * pi * k * n / N))`.

    Args:
        x: a pair of tensors `(..., n)`: real and imaginary part.

    Returns:
        A pair of tensors in the same shape: real and imaginary part.

    Example:
        >>> from keras_fn import ops
        >>> real, imag = ops.fft(([1.0, 2.0], [0.0, 0.0]))
        >>> ops.convert_to_numpy(real).tolist()
        [3.0, -1.0]
    """
    return _fourier(*_parts(x, 1), 1, False)


def fft2(x: Any) -> tuple[Any, Any]:
    """The discrete Fourier transform over the last two axes.

    Args:
        x: a pair of tensors `(..., m, n)`: real and imaginary part.

    Returns:
        A pair of tensors in the same shape: real and imaginary part.

    Example:
        >>> from keras_fn import ops
        >>> real, imag = ops.fft2((ops.ones((2, 2)), ops.zeros((2, 2))))
        >>> ops.convert_to_numpy(real).tolist()
        [[4.0, 0.0], [0.0, 0.0]]
    """
    return _fourier(*_parts(x, 2), 2, False)


def ifft2(x: Any) -> tuple[Any, Any]:
    """The inverse of `fft2`: a pair of tensors `(..., m, n)` to another.

    Example:
        >>> from keras_fn import ops
        >>> real, imag = ops.ifft2(ops.fft2((ops.ones((1, 2)), ops.zeros((1, 2)))))
        >>> ops.convert_to_numpy(real).tolist()
        [[1.0, 1.0]]
    """
    return _fourier(*_parts(x, 2), 2, True)


def rfft(x: Any, fft_length: int | None = None) -> tuple[Any, Any]:
    """The Fourier transform of a real signal over the last axis: the half that the other half follows from.

    Args:
        x: tensor `(..., n)`.
        fft_length: the length to which the signal is cut, or filled up with zeros, first; None for its own.

    Returns:
        A pair of tensors `(..., fft_length // 2 + 1)`: real and imaginary part.

    Example:
        >>> from keras_fn import ops
        >>> real, imag = ops.rfft([1.0, 2.0, 3.0, 2.0])
        >>> ops.convert_to_numpy(real).tolist()
        [8.0, -2.0, 0.0]
    """
    x = x if hasattr(x, "shape") else s.convert_to_tensor(x)
    _at_least(x, 1)
    return _rfft(x, _fft_length(fft_length))


def irfft(x: Any, fft_length: int | None = None) -> Any:
    """The real signal whose `rfft` is x.

    Args:
        x: a pair of tensors `(..., k)`: real and imaginary part.
        fft_length: length of the signal; None for `2 * (k - 1)`.

    Returns:
        Tensor `(..., fft_length)`.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.irfft(ops.rfft([1.0, 2.0, 3.0, 2.0]))).tolist()
        [1.0, 2.0, 3.0, 2.0]
    """
    return _irfft(*_parts(x, 1), _fft_length(fft_length))


# --- overlapping pieces
def _framed(length: Any, size: int, step: int) -> Any:
    """How many pieces of `size` elements, `step` apart, a signal holds."""
    return None if length is None else (length - size) // step + 1


# up to so many blocks, slices are faster than a gather
_FEW = 8


def _side_by_side(x: Any, pieces: Any, whole: int, step: int) -> Any:
    """The pieces of a signal that are `whole` blocks of `step` elements each, and begin with every block."""
    batch = s.shape(x)[:-1]
    x = s.get_item(x, (..., slice(0, (pieces + whole - 1) * step)))
    blocks = s.reshape(x, (*batch, pieces + whole - 1, step))
    return s.concatenate([s.get_item(blocks, (..., slice(i, i + pieces), slice(None))) for i in range(whole)], -1)


@op(dtype=same("x"))
def extract_sequences(x, sequence_length, sequence_stride):
    """The pieces of a signal that begin every so many elements.

    Args:
        x: tensor `(..., n)`.
        sequence_length: elements in each piece.
        sequence_stride: distance from the start of one to that of the next.

    Returns:
        Tensor `(..., pieces, sequence_length)` with `(n - sequence_length) // sequence_stride + 1` pieces.

    Raises:
        ShapeError: where the signal is shorter than one piece.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.extract_sequences([1, 2, 3, 4, 5], 3, 2)).tolist()
        [[1, 2, 3], [3, 4, 5]]
    """
    for name, value in (("sequence_length", sequence_length), ("sequence_stride", sequence_stride)):
        if not isinstance(value, int) or value < 1:
            raise ArgumentError(f"`{name}` must be a positive int, not {value!r}.")
    _at_least(x, 1)
    length = s.shape(x)[-1]
    if isinstance(length, int) and length < sequence_length:
        raise ShapeError(f"A signal of {length} elements has no piece of {sequence_length}: {tuple(x.shape)}.")
    pieces = _framed(length, sequence_length, sequence_stride)
    if isinstance(x, Spec):
        return Spec((*x.shape[:-1], pieces, sequence_length), x.dtype)
    whole, rest = divmod(sequence_length, sequence_stride)
    if not rest and whole <= _FEW:  # a piece is some blocks side by side: copies of slices, where to gather is slow
        return _side_by_side(x, pieces, whole, sequence_stride)
    starts = e.multiply(s.arange(pieces, dtype="int32"), sequence_stride)
    places = e.add(s.expand_dims(starts, 1), s.arange(sequence_length, dtype="int32"))
    return s.take(x, places, axis=-1)


@op(dtype=same("pieces"))
def _overlapped(pieces, step):
    """The sum of pieces laid over each other, `step` apart: the transpose of `extract_sequences`."""
    *batch, count, size = s.shape(pieces)
    total = None if count is None else (count - 1) * step + size
    if isinstance(pieces, Spec):
        return Spec((*batch, total), pieces.dtype)
    layers = -(-size // step)
    rank = len(batch)
    pieces = s.pad(pieces, ((0, 0),) * (rank + 1) + ((0, layers * step - size),))
    pieces = s.reshape(pieces, (*batch, count, layers, step))
    out: Any = None
    for i in range(layers):
        layer = s.get_item(pieces, (..., slice(None), i, slice(None)))
        layer = s.pad(layer, ((0, 0),) * rank + ((i, layers - 1 - i), (0, 0)))
        out = layer if out is None else e.add(out, layer)
    return s.get_item(s.reshape(out, (*batch, (count + layers - 1) * step)), (..., slice(0, total)))


_WINDOWS = {"hann": (0.5, 0.5), "hamming": (0.54, 0.46)}


def _window(window: Any, length: int, fft_length: int) -> Any:
    """The window in the middle of `fft_length` elements, zeros around it; None where none is wanted."""
    if window is None:
        return None
    before = (fft_length - length) // 2
    around = (before, fft_length - length - before)
    if isinstance(window, str):
        if window not in _WINDOWS:
            raise ArgumentError(f"`window` must be 'hann', 'hamming', None or a tensor, not {window!r}.")
        mean, swing = _WINDOWS[window]
        return np.pad(mean - swing * np.cos(2 * math.pi * np.arange(length) / length), around)
    window = window if hasattr(window, "shape") else s.convert_to_tensor(window)
    if tuple(window.shape) != (length,):
        raise ShapeError(f"`window` must have the shape ({length},), and has {tuple(window.shape)}.")
    return s.pad(window, (around,))


def _check_lengths(sequence_length: Any, sequence_stride: Any, fft_length: Any) -> None:
    lengths = {"sequence_length": sequence_length, "sequence_stride": sequence_stride, "fft_length": fft_length}
    for name, value in lengths.items():
        if not isinstance(value, int) or value < 1:
            raise ArgumentError(f"`{name}` must be a positive int, not {value!r}.")
    if fft_length < sequence_length:
        raise ArgumentError(f"`fft_length` ({fft_length}) must not be less than `sequence_length` ({sequence_length}).")


@op(dtype=factors("x"))
def _framed_signal(x, window, fft_length, step, center):
    """The pieces of a signal, each times the window."""
    if center:
        x = s.pad(x, ((0, 0),) * (s.ndim(x) - 1) + ((fft_length // 2, fft_length // 2),), mode="reflect")
    pieces = extract_sequences(x, fft_length, step)
    return pieces if window is None else e.multiply(pieces, e.cast(window, s._dtype(pieces)))


def stft(
    x: Any, sequence_length: int, sequence_stride: int, fft_length: int, window: Any = "hann", center: bool = True
) -> tuple[Any, Any]:
    """The short-time Fourier transform: `rfft` of overlapping pieces of a signal, each times a window.

    Args:
        x: tensor `(..., n)`.
        sequence_length: elements of the window.
        sequence_stride: distance from one piece to the next.
        fft_length: elements of a piece, and of its transform; the window lies in its middle.
        window: 'hann', 'hamming' (periodic), a tensor `(sequence_length,)`, or None for none.
        center: whether the signal is mirrored at both ends, so that piece t has its middle at `t * sequence_stride`.

    Returns:
        A pair of tensors `(..., pieces, fft_length // 2 + 1)`: real and imaginary part.

    Raises:
        ArgumentError: where the lengths do not fit each other.

    Example:
        >>> from keras_fn import ops
        >>> real, imag = ops.stft(ops.ones((8,)), 4, 2, 4)
        >>> tuple(real.shape)
        (5, 3)
    """
    _check_lengths(sequence_length, sequence_stride, fft_length)
    x = x if hasattr(x, "shape") else s.convert_to_tensor(x)
    _at_least(x, 1)
    shaped = _window(window, sequence_length, fft_length)
    return rfft(_framed_signal(x, shaped, fft_length, sequence_stride, bool(center)), fft_length)


@op(dtype=factors("pieces"))
def _unframed_signal(pieces, window, step, start, length):
    """The signal that pieces were cut from, each times the window: their sum, divided by the sum of squared windows."""
    count, size = s.shape(pieces)[-2:]
    total = None if count is None else (count - 1) * step + size
    stop = length if length is None else start + length
    end = None if total is None else total - start
    if isinstance(pieces, Spec):
        found = end - start if length is None and end is not None else length
        return Spec((*pieces.shape[:-2], found), pieces.dtype)
    if window is not None:
        window = e.cast(window, s._dtype(pieces))
        pieces = e.multiply(pieces, window)
    out = _overlapped(pieces, step)
    weights = s.broadcast_to(1.0 if window is None else e.square(window), (count, size))
    covered = _overlapped(e.cast(weights, s._dtype(pieces)), step)
    out = e.where(e.greater(covered, 1e-11), e.true_divide(out, e.maximum(covered, 1e-11)), out)
    short = 0 if stop is None or not isinstance(total, int) else max(stop - total, 0)
    if short:
        out = s.pad(out, ((0, 0),) * (s.ndim(out) - 1) + ((0, short),))
    return s.get_item(out, (..., slice(start, end if stop is None else stop)))


def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """The signal whose `stft` is closest to x.

    Args:
        x: a pair of tensors `(..., pieces, fft_length // 2 + 1)`: real and imaginary part.
        sequence_length, sequence_stride, fft_length, window, center: as for `stft`.
        length: elements of the signal; None for all that the pieces cover (without the mirrored ends).

    Returns:
        Tensor `(..., length)`.

    Example:
        >>> from keras_fn import ops
        >>> signal = ops.istft(ops.stft([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 4, 2, 4), 4, 2, 4)
        >>> [round(float(v), 4) for v in signal]
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    """
    _check_lengths(sequence_length, sequence_stride, fft_length)
    pieces = irfft(x, fft_length)
    shaped = _window(window, sequence_length, fft_length)
    return _unframed_signal(pieces, shaped, sequence_stride, fft_length // 2 if center else 0, length)

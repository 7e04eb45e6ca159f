"""Fourier transforms by tf.signal; complex tensors are pairs of real ones."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_TRANSFORMS = {
    (1, False): tf.signal.fft,
    (1, True): tf.signal.ifft,
    (2, False): tf.signal.fft2d,
    (2, True): tf.signal.ifft2d,
}


def parts(x: Any) -> Any:
    return tf.math.real(x), tf.math.imag(x)


def sized(x: Any, length: int) -> Any:
    """The last axis cut, or filled up with zeros: tf.signal does it, too, but its gradients then have other shapes."""
    x = x[..., :length]
    short = tf.maximum(length - tf.shape(x)[-1], 0)
    out = tf.pad(x, [[0, 0]] * (x.shape.rank - 1) + [[0, short]])
    return tf.ensure_shape(out, (*x.shape[:-1], length))


def rfft(x: Any, length: int | None) -> Any:
    return parts(tf.signal.rfft(x if length is None else sized(x, length)))


def irfft(real: Any, imag: Any, length: int | None) -> Any:
    x = tf.complex(real, imag)
    return tf.signal.irfft(x) if length is None else tf.signal.irfft(sized(x, length // 2 + 1), [length])


KERNELS: dict[str, Any] = {
    "_fourier": lambda real, imag, rank, inverse: parts(_TRANSFORMS[rank, inverse](tf.complex(real, imag))),
    "_rfft": rfft,
    "_irfft": irfft,
}

"""Fourier transforms and pieces of signals: values, dtypes, shapes without values, gradients, errors."""

from __future__ import annotations

import numpy as np
import pytest

import keras_fn
from keras_fn import ops
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, KerasFnError, ShapeError
from keras_fn.core.spec import Spec


def host(x) -> np.ndarray:
    return ops.convert_to_numpy(x)


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed + sum(shape)).normal(size=shape).astype("float32")


REAL, IMAG, SIGNAL = draw(2, 3, 6), draw(2, 3, 6, seed=1), draw(2, 40)
WHOLE = REAL + 1j * IMAG


def parts(x: np.ndarray) -> list[np.ndarray]:
    return [x.real, x.imag]


def pieces(x: np.ndarray, size: int, step: int) -> np.ndarray:
    return np.stack([x[..., i : i + size] for i in range(0, x.shape[-1] - size + 1, step)], -2)


def short_time(x: np.ndarray) -> list[np.ndarray]:
    """The transform of 8 elements every 3, in a Hamming window, of a mirrored signal."""
    mirrored = np.pad(x, ((0, 0), (4, 4)), "reflect")
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(8) / 8)
    return parts(np.fft.rfft(pieces(mirrored, 8, 3) * window))


CASES = {
    "fft": (lambda a, b: ops.fft((a, b)), [REAL, IMAG], parts(np.fft.fft(WHOLE))),
    "fft2": (lambda a, b: ops.fft2((a, b)), [REAL, IMAG], parts(np.fft.fft2(WHOLE))),
    "ifft2": (lambda a, b: ops.ifft2((a, b)), [REAL, IMAG], parts(np.fft.ifft2(WHOLE))),
    "rfft": (ops.rfft, [SIGNAL], parts(np.fft.rfft(SIGNAL))),
    "rfft cut": (lambda x: ops.rfft(x, 15), [SIGNAL], parts(np.fft.rfft(SIGNAL, 15))),
    "rfft filled": (lambda x: ops.rfft(x, 50), [SIGNAL], parts(np.fft.rfft(SIGNAL, 50))),
    "irfft": (lambda a, b: ops.irfft((a, b)), [REAL, IMAG], [np.fft.irfft(WHOLE)]),
    "irfft odd": (lambda a, b: ops.irfft((a, b), 7), [REAL, IMAG], [np.fft.irfft(WHOLE, 7)]),
    "pieces": (lambda x: ops.extract_sequences(x, 8, 3), [SIGNAL], [pieces(SIGNAL, 8, 3)]),
    "stft": (lambda x: ops.stft(x, 8, 3, 8, "hamming"), [SIGNAL], short_time(SIGNAL)),
    "stft without a window": (
        lambda x: ops.stft(x, 8, 3, 8, None, False), [SIGNAL], parts(np.fft.rfft(pieces(SIGNAL, 8, 3))),
    ),
    "there and back": (lambda x: ops.istft(ops.stft(x, 8, 2, 12), 8, 2, 12), [SIGNAL], [SIGNAL]),
    "there and back, filled up": (
        lambda x: ops.istft(ops.stft(x, 8, 3, 8), 8, 3, 8, length=40), [SIGNAL], [SIGNAL],
    ),
}  # fmt: skip


def listed(x) -> list:
    return list(x) if isinstance(x, (tuple, list)) else [x]


@pytest.mark.parametrize("case", CASES)
def test_value(case):
    fn, args, expected = CASES[case]
    found = [host(x) for x in listed(fn(*args))]
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("hidden", [0, 1, 3])
@pytest.mark.parametrize("case", CASES)
def test_spec_is_what_comes_out(case, hidden):
    fn, args, expected = CASES[case]
    specs = [Spec((None,) * min(hidden, a.ndim) + a.shape[hidden:], "float32") for a in args]
    for spec, x in zip(listed(fn(*specs)), expected, strict=True):
        assert spec.dtype == "float32"
        assert len(spec.shape) == x.ndim
        assert all(s is None or s == d for s, d in zip(spec.shape, x.shape, strict=True))
        assert hidden or spec.shape == x.shape


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32"])
def test_dtypes(dtype):
    """Integers and halves are transformed in float32; float64 stays where the framework keeps it."""
    x = ops.convert_to_tensor(np.arange(4), dtype)
    real, imag = ops.rfft(x)
    kept = host(x).dtype
    assert host(real).dtype == host(imag).dtype == (kept if kept == "float64" else "float32")
    assert host(real).tolist() == [6.0, -2.0, -2.0]
    assert ops.rfft(Spec((4,), dtype))[0].dtype == host(real).dtype, "a spec says what comes out"


@pytest.mark.parametrize("case", CASES)
def test_gradient(case):
    """All of these are linear: the gradient of a weighted sum along a direction is that sum of the direction."""
    if not active.backend.differentiable:
        return
    fn, args, expected = CASES[case]
    weights = [draw(*x.shape, seed=3) for x in expected]

    def total(*values):
        return sum(ops.sum(ops.multiply(x, w)) for x, w in zip(listed(fn(*values)), weights, strict=True))

    variables = [keras_fn.Variable(a) for a in args]
    grads = keras_fn.grad(lambda: total(*(v.value for v in variables)), variables)()
    ways = [draw(*a.shape, seed=5) for a in args]
    along = sum((host(g) * way).sum() for g, way in zip(grads, ways, strict=True))
    np.testing.assert_allclose(along, host(total(*ways)), rtol=1e-3, atol=1e-3)


ERRORS = {
    "no pair": (lambda: ops.fft(REAL), ArgumentError, "a pair of tensors"),
    "shapes": (lambda: ops.fft((REAL, SIGNAL)), ShapeError, "one shape"),
    "rank": (lambda: ops.fft2((SIGNAL[0], SIGNAL[0])), ShapeError, "2 dimensions"),
    "length": (lambda: ops.rfft(SIGNAL, 0), ArgumentError, "positive int"),
    "short": (lambda: ops.extract_sequences(SIGNAL, 50, 3), ShapeError, "40 elements"),
    "stride": (lambda: ops.extract_sequences(SIGNAL, 5, 0), ArgumentError, "sequence_stride"),
    "fft_length": (lambda: ops.stft(SIGNAL, 8, 3, 4), ArgumentError, "must not be less"),
    "window": (lambda: ops.stft(SIGNAL, 8, 3, 8, "kaiser"), ArgumentError, "'hann', 'hamming'"),
    "window tensor": (lambda: ops.stft(SIGNAL, 8, 3, 8, np.ones(5)), ShapeError, r"\(8,\)"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_error(case):
    run, kind, message = ERRORS[case]
    with pytest.raises(kind, match=message) as found:
        run()
    assert isinstance(found.value, KerasFnError)

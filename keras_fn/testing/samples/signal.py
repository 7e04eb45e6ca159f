"""Samples of Fourier transforms, sequences, paths of classes, windows of images, and look-up."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.testing.samples.sample import Sample, array, bools, call, empty, floats, ints, row

LAST = "channels_last"
X = floats(2, 3, 4)
PICTURE = floats(2, 6, 8, 3, low=0, high=1)
# no point of the grid may fall on another one, where the result has a kink
NEARLY = array([[0.97, 0.11, 0.13, -0.06, 1.02, 0.23, 0.001, 0.002]] * 2)


def _fourier(real: Any, imag: Any, rank: int, inverse: bool) -> Any:
    out = (np.fft.ifftn if inverse else np.fft.fftn)(real + 1j * imag, axes=tuple(range(-rank, 0)))
    return out.real, out.imag


def _rfft(x: Any, length: Any) -> Any:
    out = np.fft.rfft(x, length)
    return out.real, out.imag


def _square(x: Any) -> Any:
    @ops.custom_gradient
    def fn(x: Any) -> Any:
        return ops.square(x), lambda upstream: ops.multiply(upstream, ops.multiply(x, 2.0))

    return fn(x)


def image(op: str, *rest: Any, **facts: Any) -> Sample:
    """An op on a batch of pictures, channels last."""
    return row(
        op,
        call(PICTURE, *rest),
        empty(PICTURE[:0], *rest),
        **{"grad": (0,), "grid": "none", "tolerance": 10.0, **facts},
    )


SAMPLES = [
    row(
        "_fourier",
        call(X, floats(2, 3, 4, seed=1), 1, False),
        call(X, floats(2, 3, 4, seed=1), 2, False),
        call(X, floats(2, 3, 4, seed=1), 1, True),
        empty(floats(0, 4), floats(0, 4), 1, False),
        oracle=_fourier,
        grad=(0, 1),
        grid="none",
        tolerance=5.0,
    ),
    row("_rfft", call(X, None), call(X, 6), call(X, 3), oracle=_rfft, grad=(0,), grid="none", tolerance=5.0),
    row(
        "_irfft",
        call(X, floats(2, 3, 4, seed=1), None),
        call(X, floats(2, 3, 4, seed=1), 5),
        grad=(0, 1),
        grid="none",
        tolerance=5.0,
        oracle=lambda re, im, n: np.fft.irfft(re + 1j * im, n),
    ),
    row(
        "extract_sequences",
        call(floats(2, 9), 4, 2),
        call(floats(9), 3, 3),
        empty(floats(0, 9), 4, 2),
        grad=(0,),
        oracle=lambda x, n, step: np.lib.stride_tricks.sliding_window_view(x, n, -1)[..., ::step, :],
    ),
    row(
        "_overlapped",
        call(floats(2, 4, 6), 2),
        call(floats(2, 4, 6), 6),
        empty(floats(0, 4, 6), 2),
        grad=(0,),
        grid="none",
    ),
    row(
        "_framed_signal",
        call(floats(2, 12), floats(8, low=0.1), 8, 4, False),
        call(floats(2, 12), None, 8, 4, True),
        grad=(0,),
        grid="none",
        batched=(0,),
    ),
    row(
        "_unframed_signal",
        call(floats(2, 4, 6), floats(6, low=0.3), 3, 0, None),
        call(floats(2, 4, 6), floats(6, low=0.3), 3, 3, 8),
        grad=(0,),
        grid="none",
        batched=(0,),
    ),
    row(
        "_nonzero",
        call(ints(3, 4, high=2)),
        call(bools(5)),
        empty(floats(0, 2)),
        oracle=np.nonzero,
        grid="none",
        dynamic=True,
    ),
    row(
        "nonzero",
        call(ints(3, 4, high=2)),
        call(floats(3)),
        empty(floats(0)),
        oracle=np.nonzero,
        grid="none",
        dynamic=True,
    ),
    row("_distinct", call(array([3, 1, 3, 2], "int32")), call(floats(5)), oracle=np.unique, grid="none", dynamic=True),
    row("_unique", call(array([3, 1, 3, 2], "int32"), None, None, None), grid="none", dynamic=True),
    row(
        "_scatter",
        *(
            call(floats(5), array([[0], [2], [0]], "int32"), floats(3, seed=3), how)
            for how in ("add", "max", "min", "mul")
        ),
        call(floats(3, 2), array([[0], [2], [0]], "int32"), array([[0, 2], [0.5, 0], [3, 0.25]]), "mul"),
        grad=(0, 2),
        at=(0, 1, 2, 3, 4),
        grid="none",
        batched=(),
    ),
    row(
        "scatter",
        call(array([[0], [2], [0]], "int32"), floats(3), (4,)),
        call(array([[0, 1], [1, 1]], "int32"), floats(2), (2, 3)),
        grad=(1,),
        grid="none",
    ),
    row(
        "_rearranged",
        call(X, "b h w -> b (w h)", {}),
        call(X, "b h (w c) -> b h w c", {"c": 2}),
        empty(floats(0, 3, 4), "b h w -> b w h", {}),
        grad=(0,),
    ),
    row(
        "_custom_gradient",
        call(floats(2, 3)),
        empty(floats(0)),
        run=_square,
        oracle=np.square,
        grad=(0,),
        grid="none",
        twice=True,
    ),
    row(
        "_jvp",
        call(floats(3), floats(3, seed=1)),
        run=lambda x, t: ops.jvp(ops.sin, [x], [t]),
        grid="none",
        differentiates=True,
        oracle=lambda x, t: (np.sin(x), np.cos(x) * t),
    ),
    row(
        "_ctc_loss",
        call(
            array([[1, 2, 1], [2, 2, 0]], "int32"), floats(2, 6, 4), array([3, 2], "int32"), array([6, 5], "int32"), 0
        ),
        grad=(1,),
        grid="none",
        tolerance=10.0,
    ),
    row(
        "_greedy",
        call(floats(2, 6, 4), array([6, 4], "int32"), True, 0),
        call(floats(2, 6, 4), array([6, 4], "int32"), False, 0),
        grid="none",
    ),
    row("beam_search", call(floats(2, 4, 3), array([4, 3], "int32"), 5, 2, 0), grid="none", tolerance=10.0),
    row(
        "psnr",
        call(PICTURE, PICTURE * np.float32(0.9), 1.0),
        oracle=lambda a, b, m: 10 * np.log10(m * m / np.mean((a - b) ** 2)),
        grad=(0,),
        grid="none",
        tolerance=10.0,
    ),
    image("_rgb_to_grayscale", -1),
    image("_rgb_to_hsv", -1),
    image("_hsv_to_rgb", -1),
    image("_sobel", LAST),
    image("_blur", (3, 3), (1.0, 1.5), LAST),
    image("_patches", (2, 3), (2, 2), (1, 1), "same"),
    image("_adaptive_average_pool", (3, 3), LAST),
    image("_adaptive_max_pool", (3, 3), LAST),
    row(
        "_ssim",
        call(
            floats(1, 12, 12, 1, low=0, high=1),
            floats(1, 12, 12, 1, low=0, high=1, seed=1),
            1.0,
            5,
            1.5,
            0.01,
            0.03,
            LAST,
        ),
        grad=(0, 1),
        grid="none",
        tolerance=50.0,
    ),
    row(
        "_depth_to_space",
        call(floats(2, 3, 4, 8), 2, LAST),
        call(floats(2, 8, 3, 4), 2, "channels_first"),
        empty(floats(0, 3, 4, 8), 2, LAST),
        grad=(0,),
        grid="none",
    ),
    row(
        "_space_to_depth",
        call(floats(2, 4, 6, 3), 2, LAST),
        call(floats(2, 3, 4, 6), 2, "channels_first"),
        empty(floats(0, 4, 6, 3), 2, LAST),
        grad=(0,),
        grid="none",
    ),
    row(
        "_unfold",
        call(floats(2, 3, 5, 6), (2, 3), (1, 1), (0, 1), (1, 2)),
        empty(floats(0, 3, 5, 6), (2, 3), (1, 1), (0, 0), (1, 1)),
        grad=(0,),
        grid="none",
    ),
    row(
        "_fold", call(floats(2, 12, 20), (5, 6), (2, 2), (1, 1), (0, 0), (1, 1)), grad=(0,), grid="none", tolerance=3.0
    ),
    row(
        "_map_coordinates",
        call(floats(5, 6), floats(2, 7, low=0, high=4), 1, "constant", 0.0),
        call(floats(5, 6), floats(2, 7, low=-2, high=7), 1, "reflect", 0.0),
        call(floats(5, 6), floats(2, 7, low=-2, high=7), 0, "nearest", 0.0),
        grad=(0, 1),
        at=(0, 1, 2),
        grid="none",
        batched=(),
        tolerance=5.0,
    ),
    row(
        "_sampled",
        call(PICTURE, floats(2, 4, 5, low=0, high=5), floats(2, 4, 5, low=0, high=7), 1, "constant", 0.0),
        call(PICTURE, floats(2, 4, 5, low=-3, high=9), floats(2, 4, 5, low=-3, high=9), 1, "nearest", 0.0),
        call(PICTURE, floats(1, 4, 5, low=-3, high=9), floats(1, 4, 5, low=-3, high=9), 0, "wrap", 0.0),
        grad=(0, 1, 2),
        grid="none",
        batched=(),
        tolerance=5.0,
    ),
    row("_affine", call(PICTURE, NEARLY, 1, "constant", 0.0, LAST), grad=(0, 1), grid="none", tolerance=5.0),
    row(
        "_displaced",
        call(PICTURE, floats(2, 6, 8, 2), 1, "reflect", 0.0, LAST),
        grad=(0, 1),
        grid="none",
        tolerance=10.0,
    ),
    row(
        "_projection",
        call(
            array([[[0.0, 0.0], [0.0, 5.0], [5.0, 0.0], [5.0, 5.0]]]),
            array([[[0.5, 0.2], [0.1, 5.0], [5.0, 0.3], [4.5, 5.2]]]),
        ),
        grad=(0, 1),
        grid="none",
        tolerance=50.0,
    ),
    row(
        "_scale_and_translate",
        call(PICTURE, array([1.47, 0.53]), array([0.41, 0.97]), (2, 9, 4, 3), (1, 2), "linear", True),
        grad=(0, 1, 2),
        grid="none",
        batched=(),
        tolerance=10.0,
    ),
    row(
        "counter_bits",
        call(array([1, 2], "uint32"), array(0, "int32"), (5,), 31),
        call(array([1, 2], "uint32"), array(3, "int32"), (2, 3), 24),
        grid="none",
        batched=(),
    ),
]

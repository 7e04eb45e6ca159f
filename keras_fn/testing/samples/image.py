"""Samples of ops on images."""

from __future__ import annotations

from keras_fn.testing.samples.sample import call, empty, floats, ints, row

LAST = "channels_last"

SAMPLES = [
    row(
        "_resize",
        call(floats(2, 3, 4, 2), (6, 7), "bilinear", False, LAST),
        call(floats(2, 3, 4, 2), (6, 8), "nearest", False, LAST),
        call(floats(1, 8, 9, 1), (3, 4), "bilinear", True, LAST),
        call(floats(2, 3, 4, 5), (5, 9), "bicubic", False, "channels_first"),
        call(floats(6, 7, 1), (4, 9), "lanczos3", False, LAST),
        call(ints(1, 4, 4, 1, high=200, dtype="uint8"), (3, 5), "bilinear", False, LAST),
        call(floats(4, 8, 1), (8, 4), "bicubic", False, LAST),
        empty(floats(0, 3, 4, 2), (2, 2), "bilinear", False, LAST),
        empty(floats(0, 3, 4, 2), (5, 2), "bicubic", False, LAST),
        grad=(0,),
        at=(0, 1, 2, 3, 4, 6),
        grid="floats",
        tolerance=10.0,
    ),
]

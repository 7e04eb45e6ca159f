"""Samples of random ops. Their numbers are the backend's own; what is promised of them is checked in `draws`."""

from __future__ import annotations

from typing import Any

from keras_fn.testing.samples.sample import Call, array, floats, row

SEED = array([7, 1234567], "uint32")


def drawn(*args: Any, **kwargs: Any) -> Call:
    """A call whose numbers nobody knows before."""
    return Call(args, kwargs, "drawn")


SAMPLES = [
    row(
        "next_seed",
        Call((SEED,), {}, "value", (SEED, array([7, 1234568], "uint32"))),
        Call(
            (array([7, 2**32 - 1], "uint32"),),
            {},
            "special",
            (array([7, 2**32 - 1], "uint32"), array([7, 0], "uint32")),
        ),
        grid="none",
    ),
    *(
        row(
            f"random_{kind}",
            drawn(SEED, (2, 3), "float32"),
            drawn(SEED, (), "float32"),
            drawn(SEED, (0, 2), "float32"),
            drawn(SEED, (4,), "float16"),
            drawn(SEED, (4,), "bfloat16"),
            grid="none",
        )
        for kind in ("uniform", "normal", "truncated_normal")
    ),
    row(
        "random_integers",
        drawn(SEED, -3, 9, (2, 3), "int32"),
        drawn(SEED, 0, 200, (4,), "uint8"),
        drawn(SEED, 0, 2, (0,), "int32"),
        grid="none",
    ),
    row("random_permutation", drawn(SEED, 6), drawn(SEED, 1), drawn(SEED, 0), grid="none"),
    row("random_gamma", drawn(SEED, floats(2, 3, low=0.5)), drawn(SEED, floats(0, low=0.5)), grid="none"),
    row("random_binomial", drawn(SEED, array([4.0, 9.0]), array([0.3, 0.9])), grid="none"),
    row("random_dropout", drawn(SEED, floats(4, 5), 0.3, (4, 5)), drawn(SEED, floats(4, 5), 0.3, (4, 1)), grid="none"),
    row("_categorical", drawn(floats(3, 4), 5, "int32", 3), grid="none"),
    row(
        "dropout",
        drawn(floats(4, 5), 0.3, seed=3),
        drawn(floats(4, 5), 0.3, noise_shape=(4, 1), seed=3),
        drawn(floats(4, 5), 0, seed=3),
        drawn(floats(4, 5), 1, seed=3),
        drawn(floats(0, 5), 0.5, seed=3),
        grid="none",
    ),
    row(
        "shuffle",
        drawn(floats(6, 2), seed=3),
        drawn(floats(2, 6), axis=1, seed=3),
        drawn(floats(0, 2), seed=3),
        grid="none",
    ),
]

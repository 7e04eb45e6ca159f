"""Random numbers: `keras_fn.random.*`, `SeedGenerator`, and the streams on the host."""

from keras_fn.random.functions import (
    beta,
    binomial,
    categorical,
    dropout,
    gamma,
    normal,
    randint,
    shuffle,
    truncated_normal,
    uniform,
)
from keras_fn.random.host import draw_seed, host_generator, set_random_seed
from keras_fn.random.seed_generator import SeedGenerator, global_seed_generator

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "draw_seed",
    "dropout",
    "gamma",
    "global_seed_generator",
    "host_generator",
    "normal",
    "randint",
    "set_random_seed",
    "shuffle",
    "truncated_normal",
    "uniform",
]

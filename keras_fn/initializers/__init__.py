"""Initializers: what gives a variable its first values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_fn.core.lookup import Lookup
from keras_fn.initializers.base import Initializer, host_dtype
from keras_fn.initializers.constant import STFT, Constant, Identity, Ones, Zeros
from keras_fn.initializers.random import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomInitializer,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)

zeros, ones, constant, identity, stft = Zeros, Ones, Constant, Identity, STFT
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling, orthogonal = VarianceScaling, Orthogonal
glorot_normal, glorot_uniform = GlorotNormal, GlorotUniform
he_normal, he_uniform = HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform
IdentityInitializer, OrthogonalInitializer, STFTInitializer = Identity, Orthogonal, STFT

LOOKUP = Lookup(
    "initializer",
    [
        Zeros, Ones, Constant, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, GlorotNormal,
        GlorotUniform, HeNormal, HeUniform, LecunNormal, LecunUniform, Orthogonal, Identity, STFT,
    ],
    aliases={
        "IdentityInitializer": Identity, "OrthogonalInitializer": Orthogonal, "STFTInitializer": STFT,
        "uniform": RandomUniform, "normal": RandomNormal, "one": Ones, "zero": Zeros,
    },
)  # fmt: skip


def get(identifier: Any) -> Any:
    """The initializer that `identifier` means; a new one for each call by name.

    Args:
        identifier: name ("glorot_uniform", "GlorotUniform"), config, class, initializer, function
            `(shape, dtype) -> values`, or None.

    Example:
        >>> type(get("he_normal")).__name__
        'HeNormal'
    """
    return LOOKUP.get(identifier)


def serialize(initializer: Any) -> Any:
    """The initializer as JSON-able config."""
    return LOOKUP.serialize(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """An initializer from what `serialize` gave, or from a name."""
    return LOOKUP.deserialize(config, custom_objects)


__all__ = [
    "LOOKUP", "STFT", "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity",
    "IdentityInitializer", "Initializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "OrthogonalInitializer",
    "RandomInitializer", "RandomNormal", "RandomUniform", "STFTInitializer", "TruncatedNormal", "VarianceScaling",
    "Zeros", "constant", "deserialize", "get", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform",
    "host_dtype", "identity", "lecun_normal", "lecun_uniform", "ones", "orthogonal", "random_normal", "random_uniform",
    "serialize", "stft", "truncated_normal", "variance_scaling", "zeros",
]  # fmt: skip

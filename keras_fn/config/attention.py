"""Fused attention kernels: allowed or not, where a call leaves it open."""

from __future__ import annotations

from keras_fn.core.switches import switches
from keras_fn.core.version import structure


def enable_flash_attention() -> None:
    """Lets attention use a fused kernel where the backend has one for the inputs at hand: the default.

    It decides for calls and layers whose `flash_attention` is None. Source: Dao et al. 2022,
    https://arxiv.org/abs/2205.14135
    """
    _switch(None)


def disable_flash_attention() -> None:
    """Keeps attention whose `flash_attention` is None from fused kernels: the scores are worked out and stored.

    Example:
        >>> import keras_fn
        >>> keras_fn.config.disable_flash_attention()
        >>> keras_fn.config.is_flash_attention_enabled()
        False
        >>> keras_fn.config.enable_flash_attention()
    """
    _switch(False)


def is_flash_attention_enabled() -> bool:
    """Whether attention may use a fused kernel."""
    return switches.flash_attention is not False


def _switch(value: bool | None) -> None:
    if switches.flash_attention is not value:
        switches.flash_attention = value
        structure.bump()  # compiled steps hold the kernels that they were traced with

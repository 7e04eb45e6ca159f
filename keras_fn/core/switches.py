"""Switches that a user sets once for the process, through `keras_fn.config`. Plain attributes of a plain object.

What they decide is decided where it is read: the core only keeps them.
"""

from __future__ import annotations


class Switches:
    """What `keras_fn.config` sets."""

    portable_random: bool = False
    flash_attention: bool | None = None  # None: where it pays
    interactive_logging: bool = True
    traceback_filtering: bool = True
    unsafe_deserialization: bool = False
    max_epochs: int | None = None
    max_steps_per_epoch: int | None = None


switches = Switches()

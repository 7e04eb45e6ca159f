"""Settings of the library."""

from __future__ import annotations

from keras_fn.backend import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    use,
)
from keras_fn.config.attention import disable_flash_attention, enable_flash_attention, is_flash_attention_enabled
from keras_fn.config.limits import max_epochs, max_steps_per_epoch, set_max_epochs, set_max_steps_per_epoch
from keras_fn.config.logging import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from keras_fn.config.portable_random import (
    disable_portable_random,
    enable_portable_random,
    is_portable_random_enabled,
)
from keras_fn.config.tracebacks import (
    disable_traceback_filtering,
    enable_traceback_filtering,
    is_traceback_filtering_enabled,
)
from keras_fn.core.switches import switches
from keras_fn.dtype_policies import dtype_policy, set_dtype_policy


def set_backend(backend: str) -> None:
    """Makes the backend of that name the active one, for what is created from now on: `keras_fn.backend.use`."""
    use(backend)


def enable_unsafe_deserialization() -> None:
    """Lets loads whose `safe_mode` was left out run lambdas from files, in this process.

    It cannot be reached from a file, and `safe_mode=True` still refuses them. A lambda in a file is code of the file's
    author: call this for files that you trust.
    """
    switches.unsafe_deserialization = True


def is_nnx_enabled() -> bool:
    """Whether layers are modules of Flax NNX: never. On JAX a model's state is a pytree (`stateless_call`).

    Example:
        >>> import keras_fn
        >>> keras_fn.config.is_nnx_enabled()
        False
    """
    return False


__all__ = [
    "backend",
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_portable_random",
    "disable_traceback_filtering",
    "dtype_policy",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_portable_random",
    "enable_traceback_filtering",
    "enable_unsafe_deserialization",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_flash_attention_enabled",
    "is_interactive_logging_enabled",
    "is_nnx_enabled",
    "is_portable_random_enabled",
    "is_traceback_filtering_enabled",
    "max_epochs",
    "max_steps_per_epoch",
    "set_backend",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_max_epochs",
    "set_max_steps_per_epoch",
]

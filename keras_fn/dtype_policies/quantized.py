"""The policies of quantized layers: their names are known, and the answer is always an error that says why."""

from __future__ import annotations

from typing import Any

from keras_fn.core.errors import DtypeError
from keras_fn.dtype_policies.policy import DTypePolicy

MODES = ("int8", "int4", "float8", "gptq", "awq")


def refusal(name: str) -> DtypeError:
    """The error for a quantized policy."""
    return DtypeError(
        f"The dtype policy {name!r} is one of a quantized layer, which keras_fn does not compute with. Take a float "
        "policy, like 'bfloat16' or 'mixed_bfloat16'; of a quantized model that is saved, load the one from before "
        "it was quantized."
    )


def is_quantized(name: str) -> bool:
    """Whether a policy name is one that Keras gives to quantized layers: `int8_from_float32` and the like."""
    return "_from_" in name and name.startswith(MODES)


class QuantizedDTypePolicy(DTypePolicy):
    """The policy of a quantized layer in Keras. keras_fn knows the name, and refuses it.

    Args:
        mode: how weights are quantized, like `"int8"`.
        source_name: the policy from before.

    Raises:
        DtypeError: always.

    Example:
        >>> import keras_fn
        >>> try:
        ...     keras_fn.dtype_policies.QuantizedDTypePolicy("int8", "float32")
        ... except keras_fn.core.errors.DtypeError as e:
        ...     print(str(e)[:53])
        The dtype policy 'int8_from_float32' is one of a quan
    """

    def __init__(self, mode: Any, source_name: str | None = None) -> None:
        raise refusal(f"{mode}_from_{source_name or 'float32'}")


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """Keras's policy of layers that compute in 8-bit floats: refused.

    Args:
        mode: `"float8"`.
        source_name: the policy from before.
        amax_history_length: steps over which largest values are kept.
    """

    def __init__(self, mode: Any, source_name: str | None = None, amax_history_length: int = 1024) -> None:
        super().__init__(mode, source_name)


class Int4DTypePolicy(QuantizedDTypePolicy):
    """Keras's policy of layers with 4-bit weights: refused."""


class GPTQDTypePolicy(QuantizedDTypePolicy):
    """Keras's policy of layers quantized by GPTQ: refused."""


class AWQDTypePolicy(QuantizedDTypePolicy):
    """Keras's policy of layers quantized by AWQ: refused."""

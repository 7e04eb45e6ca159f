"""Tensors of Python numbers that are made once, for frameworks whose tensors nobody can write to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# how many are kept before all are forgotten: a number may be another one in each call
_MOST = 1024


class Constants:
    """Tensors by number and dtype.

    Args:
        make: a tensor from a number and the name of a dtype.
        kind: the class of tensors that last: others belong to a function that is being traced.
    """

    __slots__ = ("kept", "kind", "make")

    def __init__(self, make: Callable[[Any, str], Any], kind: type) -> None:
        self.make, self.kind = make, kind
        self.kept: dict[Any, Any] = {}

    def get(self, number: Any, dtype: str) -> Any:
        """The tensor of a bool, int or float."""
        key = (dtype, number.__class__, number or str(number))  # 0.0 and -0.0 are equal
        tensor = self.kept.get(key)
        if tensor is None:
            tensor = self.make(number, dtype)
            if tensor.__class__ is self.kind:
                if len(self.kept) >= _MOST:
                    self.kept.clear()
                self.kept[key] = tensor
        return tensor

"""Where weights and layers that are made belong."""

from __future__ import annotations

from typing import Any

from keras_fn.core.context import context


class NamedScope:
    """For the length of a with block, paths of layers and weights begin with one, and weights are read as they are."""

    __slots__ = ("_autocast", "_before", "_path")

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._before, context.path = context.path, tuple(self._path.split("/"))
        self._autocast, context.autocast = context.autocast, None

    def __exit__(self, *exc: Any) -> None:
        context.path, context.autocast = self._before, self._autocast

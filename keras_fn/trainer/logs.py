"""Logs that are read from the device when somebody looks, and not before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from keras_fn.core.backend import active


class LazyLogs(dict[str, float]):
    """A dict of metric values whose numbers are fetched at the first look.

    Args:
        fetch: gives name -> scalar tensor (or number).
    """

    __slots__ = ("_fetch",)

    def __init__(self, fetch: Callable[[], dict[str, Any]]) -> None:
        self._fetch: Callable[[], dict[str, Any]] | None = fetch

    def materialize(self) -> None:
        """Reads the values now."""
        if self._fetch is not None:
            fetch, self._fetch = self._fetch, None
            super().update(to_host(fetch()))

    def __getitem__(self, key: str) -> float:
        self.materialize()
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.materialize()
        return super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        self.materialize()
        return super().__iter__()

    def __len__(self) -> int:
        self.materialize()
        return super().__len__()

    def get(self, key: str, default: Any = None) -> Any:
        """As of a dict."""
        self.materialize()
        return super().get(key, default)

    def keys(self) -> Any:
        """As of a dict."""
        self.materialize()
        return super().keys()

    def values(self) -> Any:
        """As of a dict."""
        self.materialize()
        return super().values()

    def items(self) -> Any:
        """As of a dict."""
        self.materialize()
        return super().items()

    def copy(self) -> dict[str, float]:
        """A plain dict of the values."""
        self.materialize()
        return dict(super().items())

    def __eq__(self, other: object) -> bool:
        self.materialize()
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        self.materialize()
        return super().__repr__()


def to_host(logs: dict[str, Any]) -> dict[str, Any]:
    """Numbers for scalar tensors; arrays for others. Sorted by name."""
    backend = active.backend
    out = {}
    for name in sorted(logs):
        value = logs[name]
        if isinstance(value, dict):
            out.update(to_host(value))
            continue
        if backend.is_tensor(value):
            value = backend.to_numpy(value)
        out[name] = float(value) if getattr(value, "ndim", 0) == 0 else value
    return out

"""`Config`: a dict whose keys are attributes too, and that can be frozen."""

from __future__ import annotations

import json
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

from keras_fn.core.errors import ArgumentError, closest


class Config:
    """Settings that are reached as attributes or by key.

    Args:
        kwargs: the settings: values that JSON knows.

    Example:
        >>> import keras_fn
        >>> config = keras_fn.utils.Config(units=3, rate=0.5)
        >>> config.units = 4
        >>> config.freeze().as_dict()
        {'units': 4, 'rate': 0.5}
        >>> config.to_json()
        '{"units": 4, "rate": 0.5}'
    """

    _values: dict[str, Any]
    _frozen: bool

    def __init__(self, **kwargs: Any) -> None:
        self.__dict__["_values"] = dict(kwargs)
        self.__dict__["_frozen"] = False

    @property
    def frozen(self) -> bool:
        """Whether settings can no longer change."""
        return self._frozen

    def freeze(self) -> Config:
        """Lets no setting change from now on; returns the config itself."""
        self.__dict__["_frozen"] = True
        return self

    def unfreeze(self) -> Config:
        """Lets settings change again; returns the config itself."""
        self.__dict__["_frozen"] = False
        return self

    def as_dict(self) -> dict[str, Any]:
        """The settings as a new dict."""
        return dict(self._values)

    def to_json(self) -> str:
        """The settings as JSON."""
        return json.dumps(self._values)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Sets several settings, as of a dict."""
        self._open()
        self._values.update(*args, **kwargs)

    def pop(self, key: str, *default: Any) -> Any:
        """Takes a setting out."""
        self._open()
        return self._values.pop(key, *default)

    def get(self, key: str, default: Any = None) -> Any:
        """A setting, or the default where there is none."""
        return self._values.get(key, default)

    def keys(self) -> KeysView[str]:
        """The names of the settings."""
        return self._values.keys()

    def values(self) -> ValuesView[Any]:
        """The values of the settings."""
        return self._values.values()

    def items(self) -> ItemsView[str, Any]:
        """Pairs of names and values."""
        return self._values.items()

    def _open(self) -> None:
        if self._frozen:
            raise ArgumentError("The config is frozen. Call its `unfreeze()` first, or make another one.")

    def __setattr__(self, name: str, value: Any) -> None:
        self._open()
        self._values[name] = value

    def __delattr__(self, name: str) -> None:
        self._open()
        if name not in self._values:
            raise AttributeError(self._unknown(name))
        del self._values[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self._values:
            raise AttributeError(self._unknown(name))
        return self._values[name]

    def _unknown(self, name: str) -> str:
        values = self.__dict__.get("_values", {})
        return f"The config has no setting {name!r}.{closest(name, values)} It has: {', '.join(values) or 'none'}."

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.__setattr__(key, value)

    def __delitem__(self, key: str) -> None:
        self._open()
        del self._values[key]

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Config) and self._values == other._values

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        return f"<Config {self._values}>"

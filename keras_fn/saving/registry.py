"""Classes and functions of users that files may name: registered for good, or for the length of a with block."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping
from typing import Any

from keras_fn.core.errors import ArgumentError

_custom: dict[str, Any] = {}
_names: dict[Any, str] = {}


class _Scoped(threading.local):
    def __init__(self) -> None:
        self.objects: list[Mapping[str, Any]] = []


_scoped = _Scoped()


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Registers a class or function under `package>name`, so that files that name it can be loaded.

    Args:
        package: name of the package that it belongs to.
        name: name; its own where None.

    Example:
        >>> import keras_fn
        >>> @keras_fn.saving.register_keras_serializable(package="docs")
        ... class Twice(keras_fn.layers.Layer):
        ...     def call(self, x):
        ...         return x * 2
        >>> keras_fn.saving.get_registered_name(Twice)
        'docs>Twice'
    """

    def register(obj: Any) -> Any:
        if inspect.isclass(obj) and not hasattr(obj, "get_config"):
            raise ArgumentError(
                f"The class {obj.__name__} has no `get_config`, so it cannot be saved. Define one that returns the "
                "arguments of its `__init__`."
            )
        registered = f"{package}>{name or obj.__name__}"
        _custom[registered] = obj
        _names[obj] = registered
        return obj

    return register


def get_custom_objects() -> dict[str, Any]:
    """The registered objects by name: a live dict."""
    return _custom


def get_registered_name(obj: Any) -> str:
    """The name under which an object was registered, else its own."""
    return _names.get(obj) or obj.__name__


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any:
    """The object of a name: from the running scopes, `custom_objects`, the registry, or `module_objects`; else None."""
    for objects in (*reversed(_scoped.objects), custom_objects or {}, _custom, module_objects or {}):
        if name in objects:
            return objects[name]
    return None


class CustomObjectScope:
    """For the length of a with block, files may name these objects.

    Args:
        custom_objects: name -> class or function.

    Example:
        >>> import keras_fn
        >>> class Twice(keras_fn.layers.Layer):
        ...     def call(self, x):
        ...         return x * 2
        >>> with keras_fn.saving.custom_object_scope({"Twice": Twice}):
        ...     print(keras_fn.saving.get_registered_object("Twice") is Twice)
        True
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        self.custom_objects = dict(custom_objects or {})

    def __enter__(self) -> CustomObjectScope:
        _scoped.objects.append(self.custom_objects)
        return self

    def __exit__(self, *exc: Any) -> None:
        _scoped.objects.pop()


custom_object_scope = CustomObjectScope

"""The objects of a model that have state of their own, each with its path in a weights file.

The paths are those of Keras 3: what a model's graph or chain holds is `layers/<class name>[_<number>]`, what is in an
attribute has the attribute's name, and what is in a list, tuple or dict is `<attribute>/<class name>[_<number>]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keras_fn.core.errors import KerasFnError
from keras_fn.core.naming import snake_case
from keras_fn.layers.base import Layer
from keras_fn.models.functional import Functional
from keras_fn.models.model import Model
from keras_fn.models.sequential import Sequential
from keras_fn.optimizers import Optimizer
from keras_fn.random import SeedGenerator

_STATEFUL = (Layer, Optimizer, SeedGenerator)
# attributes in which a framework's mix-in lists the same objects again
_FRAMEWORK = frozenset({"_modules", "_parameters", "_buffers", "_non_persistent_buffers_set", "_trackable_children"})
_BASES = (Layer, Model, Functional, Sequential, Optimizer, SeedGenerator, object)


def walk(root: Any) -> Iterator[tuple[str, Any]]:
    """Pairs `(path, object)`, outer before inner, each object once, under the path where it is met first."""
    seen = {id(root)}
    yield "", root
    todo = [_children("", root)]
    while todo:
        for path, value in todo[-1]:
            if isinstance(value, _STATEFUL):
                if id(value) in seen:
                    continue
                seen.add(id(value))
                yield path, value
                todo.append(_children(path, value))
            else:
                todo.append(_in_container(path, value))
            break
        else:
            todo.pop()


def _children(path: str, owner: Any) -> Iterator[tuple[str, Any]]:
    """What an object holds: attributes by name, public ones first, as they may be other names of private ones."""
    prefix = f"{path}/" if path else ""
    if isinstance(owner, (Functional, Sequential)):
        yield f"{prefix}layers", owner.layers
    names = _attributes(owner)
    for name in sorted(names, key=lambda n: (n.startswith("_"), n)):
        value = names[name]
        if isinstance(value, _STATEFUL) or (type(value) in _CONTAINERS and value):
            yield f"{prefix}{name}", value


_CONTAINERS = (list, tuple, dict)


def _attributes(owner: Any) -> dict[str, Any]:
    own = {
        name: value
        for name, value in vars(owner).items()
        if not name.startswith(("_kf_", "__")) and name not in _FRAMEWORK
    }
    if isinstance(owner, Model) and not isinstance(owner, (Functional, Sequential)):
        own["layers"] = owner.layers
    private = {id(v) for n, v in own.items() if n.startswith("_") and isinstance(v, _STATEFUL)}
    return {**own, **_other_names(owner, private)} if private else own


def _other_names(owner: Any, private: set[int]) -> dict[str, Any]:
    """Properties that give what a private attribute holds: files know it by the property's name."""
    found: dict[str, Any] = {}
    for cls in type(owner).__mro__:
        if cls in _BASES:
            continue
        for name, member in vars(cls).items():
            if not isinstance(member, property) or name.startswith("_") or name in found:
                continue
            try:
                value = getattr(owner, name)
            except (KerasFnError, AttributeError, ValueError, TypeError, LookupError, RuntimeError):
                continue  # a property that cannot be read now is no name of a layer
            if id(value) in private:
                found[name] = value
    return found


def _in_container(path: str, container: Any) -> Iterator[tuple[str, Any]]:
    """What a list, tuple or dict holds, named by class and counted; containers inside are `container[_<number>]`."""
    counts: dict[str, int] = {}
    for value in list(container.values()) if isinstance(container, dict) else list(container):
        if isinstance(value, _STATEFUL):
            if isinstance(value, SeedGenerator):
                continue
            name = class_name(value)
        elif type(value) in _CONTAINERS:
            name = "container"
        else:
            continue
        number = counts[name] = counts.get(name, -1) + 1
        yield f"{path}/{name}_{number}" if number else f"{path}/{name}", value


# classes that Keras has under another name than the public one
_NAMES = {"GroupQueryAttention": "GroupedQueryAttention"}


def class_name(value: Any) -> str:
    """The name of an object's class as files have it."""
    cls = getattr(type(value), "_plain_class", type(value))
    ours = cls.__module__.split(".")[0] == "keras_fn"
    return snake_case(_NAMES.get(cls.__name__, cls.__name__) if ours else cls.__name__)

"""`Lookup`: objects of one kind (initializers, optimizers, …) found by name, by config, by class or as they are."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from keras_fn.core.arguments import Checked
from keras_fn.core.errors import ArgumentError, closest, printable
from keras_fn.core.naming import snake_case


class Lookup:
    """The names of one kind of object, and the three functions that each such module offers.

    Args:
        kind: word for messages, like `"initializer"`.
        classes: the classes that are found by their own name and its snake_case form.
        aliases: other names -> class.
        lower: capitals make no difference (optimizers, losses, …).
        functions: whether a plain function may stand in the place of an object.
        others: classes of another kind whose objects may stand there too.
    """

    def __init__(
        self,
        kind: str,
        classes: list[type],
        aliases: Mapping[str, type] | None = None,
        lower: bool = False,
        functions: bool = True,
        others: tuple[type, ...] = (),
    ) -> None:
        self.kind = kind
        self.lower = lower
        self.functions = functions
        self.classes = tuple(classes)
        # what all of them are
        self.bases = (next(c for c in classes[0].__mro__ if all(issubclass(k, c) for k in classes)), *others)
        self.names: dict[str, type] = {}
        for cls in classes:
            self.names[cls.__name__] = cls
            self.names[snake_case(cls.__name__)] = cls
            if lower:
                self.names[cls.__name__.lower()] = cls
        self.names.update(aliases or {})

    def find(self, name: str) -> type | None:
        """The class of that name, or None."""
        found = self.names.get(name)
        return self.names.get(name.lower()) if found is None and self.lower else found

    def knows(self, name: str) -> bool:
        """Whether there is an object of that name, of the library or registered."""
        from keras_fn.saving.registry import get_registered_object

        return self.find(name) is not None or get_registered_object(name) is not None

    def get(self, identifier: Any, check: Callable[[Any], bool] = callable) -> Any:
        """The object that `identifier` means: a name, a config, a class, an object, or None.

        Raises:
            ArgumentError: where it means nothing of this kind.
        """
        if identifier is None:
            return None
        if isinstance(identifier, dict):
            return self.deserialize(identifier)
        if isinstance(identifier, str):
            return self.named(identifier)
        if isinstance(identifier, type):
            return identifier()
        if check(identifier) and self._fits(identifier):
            return identifier
        raise ArgumentError(
            f"Could not interpret the {self.kind} {identifier!r} (a {type(identifier).__name__}). Give a name, like "
            f"{self._some()!r}, a config (dict), a class or an object."
        )

    def _fits(self, thing: Any) -> bool:
        """Whether a thing can be of this kind: no function where none is taken, no class, no layer as an optimizer."""
        if isinstance(thing, Checked):
            return isinstance(thing, self.bases)
        return not inspect.isclass(thing) and (self.functions or not inspect.isfunction(thing))

    def named(self, name: str) -> Any:
        """A new object of the class with that name, or what was registered under it."""
        cls = self.find(name)
        if cls is None:
            from keras_fn.saving.registry import get_registered_object

            cls = get_registered_object(name)
        if cls is None:
            raise ArgumentError(
                f"Could not interpret the {self.kind} {name!r}.{closest(name, self.names)} "
                f"Known are: {', '.join(sorted(c.__name__ for c in self.classes))}."
            )
        return cls() if inspect.isclass(cls) else cls

    def deserialize(self, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """An object from what `serialize` gave."""
        if isinstance(config, dict) and not config.get("module") and not config.get("registered_name"):
            # the short form {"class_name": ..., "config": ...} of hand-written and old configs
            name = config.get("class_name")
            cls = self.find(name) if isinstance(name, str) and name not in (custom_objects or {}) else None
            if cls is not None:
                return cls.from_config(dict(config.get("config") or {}))
        if isinstance(config, str) and config not in (custom_objects or {}):
            return self.named(config)
        from keras_fn.saving.config import deserialize_keras_object

        found = deserialize_keras_object(config, custom_objects=custom_objects)
        if found is None or (self._fits(found) and (callable(found) or isinstance(found, self.bases))):
            return found
        raise ArgumentError(
            f"The config describes no {self.kind}, but {printable(repr(found), 200)} (a {type(found).__name__})."
        )

    def serialize(self, thing: Any) -> Any:
        """The object as JSON-able config."""
        from keras_fn.saving.config import serialize_keras_object

        return serialize_keras_object(thing)

    def _some(self) -> str:
        return snake_case(self.classes[0].__name__)

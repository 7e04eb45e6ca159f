"""What a Layer class looks like: read off its methods once a class, never once a call."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Mapping
from typing import Any

from keras_fn.core.tape import is_own

_cache: dict[type, CallFacts] = {}


class CallFacts:
    """Facts about `call` and `build` of a class.

    Attributes:
        params: the parameters of `call`, without self.
        first: the first of them, None where `call` takes no argument.
        training: whether `call` takes `training`.
        training_default: its default.
        masks: mask parameter -> the argument that it is the mask of.
        build_params: the parameters of `build`, without self.
        own: whether calling it runs the library's own code, which does nothing beside computing.
        arguments: the constructor's, where the class is the library's own: plans rest on them.
        own_mask: whether the class has a `compute_mask` of its own.
    """

    def __init__(self, cls: type, base: type) -> None:
        signature = inspect.signature(cls.call)  # type: ignore[attr-defined]
        params = list(signature.parameters.values())[1:]
        self.signature = signature.replace(parameters=params)
        named = [p for p in params if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        self.params = [p.name for p in named]
        self.takes_any = any(p.kind is p.VAR_KEYWORD for p in params)
        self.first = params[0].name if params else None
        self.training = "training" in self.params
        default = signature.parameters["training"].default if self.training else None
        self.training_default = None if default is inspect.Parameter.empty else default
        self.masks: dict[str, str] = {}
        for name in self.params:
            if name == "mask" and self.first != "mask":
                self.masks["mask"] = self.first or ""
            elif name.endswith("_mask") and name[:-5] in self.params:
                self.masks[name] = name[:-5]
        self.own = (
            not getattr(cls, "_kf_runs_code", False)
            and cls.__call__ is base.__call__
            and all(is_own(getattr(cls, name)) for name in ("call", "build", "compute_mask"))
        )
        build = cls.build  # type: ignore[attr-defined]
        self.builds = build is not base.build  # type: ignore[attr-defined]
        self.build_params = [
            p.name for p in list(inspect.signature(build).parameters.values())[1:] if p.kind is not p.VAR_KEYWORD
        ]
        self.arguments = frozenset(constructor_params(cls)) if self.own else frozenset()
        self.own_mask = cls.compute_mask is not base.compute_mask  # type: ignore[attr-defined]
        self.own_spec = cls.compute_output_spec is not base.compute_output_spec  # type: ignore[attr-defined]
        self.own_shape = cls.compute_output_shape is not base.compute_output_shape  # type: ignore[attr-defined]


def facts_of(cls: type, base: type) -> CallFacts:
    """The facts of a class, worked out at first use."""
    found = _cache.get(cls)
    if found is None:
        found = _cache[cls] = CallFacts(cls, base)
    return found


@functools.cache
def constructor_params(cls: type) -> Mapping[str, Any]:
    """The named parameters of a class's constructor, and their defaults; looked up once a class."""
    params = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    named = {p.name: p.default for p in params if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    return types.MappingProxyType(named)

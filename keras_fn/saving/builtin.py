"""Which classes of this library a file may name, and under which module Keras knows them.

The list is fixed before any file is read: the classes among the public names (`__all__`) of the packages below that are
of the package's own kind. A name in a file is looked up in that list, and never in a module. So helpers, errors,
functions and whatever else lies in a package cannot be reached, and no import follows from what a file says.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

# package here -> the module that Keras writes into files, and what its classes are a kind of
_PACKAGES = {
    "layers": ("keras.layers", "Layer"),
    "initializers": ("keras.initializers", "Initializer"),
    "regularizers": ("keras.regularizers", "Regularizer"),
    "constraints": ("keras.constraints", "Constraint"),
    "optimizers.schedules": ("keras.optimizers.schedules", "LearningRateSchedule"),
    "optimizers": ("keras.optimizers", "Optimizer"),
    "losses": ("keras.losses", "Loss"),
    "metrics": ("keras.metrics", "Metric"),
    "dtype_policies": ("keras", "DTypePolicy"),
    "random": ("keras.random", "SeedGenerator"),
}
_MODELS = {"Functional": "keras.src.models.functional", "Sequential": "keras", "Model": "keras"}
_ROOTS = ("keras", "keras_fn", "tf_keras", "tensorflow")
# public layers that open files, run foreign programs or unpickle: only for users who make them by hand
NEVER = frozenset({"TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"})


def module_of(obj: Any) -> str:
    """The module to write for a class or function."""
    module = getattr(obj, "__module__", "") or ""
    name = getattr(obj, "__name__", "")
    parts = module.split(".")
    if parts[0] != "keras_fn":
        return module
    if parts[1:2] == ["models"]:
        return _MODELS.get(name, "keras.models")
    if parts[1:2] == ["activations"]:
        return "keras.activations"
    if name == "DTypePolicyMap":  # the only policy that Keras keeps out of its top level
        return "keras.dtype_policies"
    for package, (written, _) in _PACKAGES.items():
        if module == f"keras_fn.{package}" or module.startswith(f"keras_fn.{package}."):
            return written
    return module


@cache
def table(package: str) -> dict[str, type]:
    """Name -> class, for what files may name of a package."""
    module = importlib.import_module(f"keras_fn.{package}")
    kind = getattr(module, _PACKAGES[package][1])
    listed = getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]
    found = {name: getattr(module, name) for name in listed if name not in NEVER}
    found |= {c.__name__: c for c in getattr(getattr(module, "LOOKUP", None), "classes", ())}
    return {n: v for n, v in found.items() if isinstance(v, type) and issubclass(v, kind) and not n.startswith("_")}


def packages() -> tuple[str, ...]:
    """The packages that have a table."""
    return tuple(_PACKAGES)


def builtin_class(module: str | None, name: str) -> Any:
    """The class of this library for a module and name in a file, or None."""
    if not module or module.split(".")[0] not in _ROOTS:
        return None
    if name in _MODELS:
        return _models()[name]
    wanted = module.removeprefix("keras.src.").removeprefix("keras.").removeprefix("keras_fn.")
    for package in _PACKAGES:
        if (wanted == package or wanted.startswith(f"{package}.")) and name in table(package):
            return table(package)[name]
    return _anywhere().get(name)


@cache
def _anywhere() -> dict[str, type]:
    """Name -> class, of the first package that has it: older files name other modules."""
    return {name: cls for package in reversed(_PACKAGES) for name, cls in table(package).items()}


@cache
def _models() -> dict[str, type]:
    module = importlib.import_module("keras_fn.models")
    return {name: getattr(module, name) for name in _MODELS}

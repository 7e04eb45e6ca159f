"""Which classes of this library a file may name, and under which module Keras knows them."""

from __future__ import annotations

import importlib
from typing import Any

# package here -> the module that Keras writes into files
_PACKAGES = {
    "layers": "keras.layers",
    "initializers": "keras.initializers",
    "regularizers": "keras.regularizers",
    "constraints": "keras.constraints",
    "optimizers.schedules": "keras.optimizers.schedules",
    "optimizers": "keras.optimizers",
    "losses": "keras.losses",
    "metrics": "keras.metrics",
    "activations": "keras.activations",
    "dtype_policies": "keras",
    "random": "keras.random",
}
_MODELS = {"Functional": "keras.src.models.functional", "Sequential": "keras", "Model": "keras"}


def module_of(obj: Any) -> str:
    """The module to write for a class or function."""
    module = getattr(obj, "__module__", "") or ""
    name = getattr(obj, "__name__", "")
    parts = module.split(".")
    if parts[0] != "keras_fn":
        return module
    if parts[1:2] == ["models"]:
        return _MODELS.get(name, "keras.models")
    for package, written in _PACKAGES.items():
        if module == f"keras_fn.{package}" or module.startswith(f"keras_fn.{package}."):
            return written
    return module


def builtin_class(module: str | None, name: str) -> Any:
    """The class or function of this library for a module and name in a file, or None.

    Only the public names of the packages in the table are found; nothing is imported by the name of the file's.
    """
    if not module or not name.isidentifier() or name.startswith("_"):
        return None
    root = module.split(".")[0]
    if root not in ("keras", "keras_fn", "tf_keras", "tensorflow"):
        return None
    if name in _MODELS:
        return getattr(importlib.import_module("keras_fn.models"), name)
    wanted = module.removeprefix("keras.src.").removeprefix("keras.").removeprefix("keras_fn.")
    order = sorted(_PACKAGES, key=lambda p: not (wanted == p or wanted.startswith(f"{p}.")))
    for package in order:
        found = getattr(importlib.import_module(f"keras_fn.{package}"), name, None)
        if isinstance(found, type) and found.__module__.startswith("keras_fn."):
            return found
    return None

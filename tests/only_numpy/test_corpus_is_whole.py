"""Each class that a file may name stands in a file that Keras and keras_fn exchange (see files_of_keras/cases.py)."""

from __future__ import annotations

from typing import Any

import keras_fn
from files_of_keras import cases
from keras_fn.saving import builtin, serialize_keras_object

# what says what others have in common, and is of no use by itself
BASES = {
    "Layer", "Wrapper", "Initializer", "RandomInitializer", "Regularizer", "Constraint", "LearningRateSchedule",
    "Optimizer", "Loss", "LossFunctionWrapper", "Metric", "Mean", "Sum",
}  # fmt: skip
# Keras writes the map; here a layer keeps the policy that the map gives it, and writes that (structure-policy_map)
ONLY_READ = {"DTypePolicyMap"}
# known by name, so that they can be refused by name
REFUSED = {
    "QuantizedDTypePolicy", "QuantizedFloat8DTypePolicy", "Int4DTypePolicy", "GPTQDTypePolicy", "AWQDTypePolicy",
}  # fmt: skip


def _named(data: Any, found: set[tuple[str, str]]) -> None:
    """The modules and classes that a config names."""
    if isinstance(data, dict):
        if isinstance(data.get("class_name"), str):
            found.add((str(data.get("module")), data["class_name"]))
        for value in data.values():
            _named(value, found)
    elif isinstance(data, list):
        for value in data:
            _named(value, found)


def test_each_class_is_in_a_file() -> None:
    found: set[tuple[str, str]] = set()
    for case in cases.NAMES:
        if cases.known(keras_fn, case):
            _named(serialize_keras_object(cases.make(keras_fn, case)), found)
    missing = {
        f"{package}.{cls.__name__}"
        for package in builtin.packages()
        for cls in set(builtin.table(package).values())
        if (builtin.module_of(cls), cls.__name__) not in found and cls.__name__ not in BASES | ONLY_READ | REFUSED
    }
    assert not missing

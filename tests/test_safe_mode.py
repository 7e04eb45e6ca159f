"""`safe_mode=True` is stronger than the switch at each function that takes it, and no class runs code of its config."""

from __future__ import annotations

import importlib
import inspect
import pathlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import keras_fn
from keras_fn import layers, saving
from keras_fn.core.errors import UnsafeFileError
from keras_fn.core.switches import switches
from keras_fn.saving import builtin, lambdas


@pytest.fixture
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switches, "unsafe_deserialization", True)


def _model() -> Any:
    return keras_fn.Sequential([keras_fn.Input((2,)), layers.Lambda(lambda x: x * 2)])


def _saved(folder: pathlib.Path, name: str = "1.keras") -> pathlib.Path:
    path = folder / name
    _model().save(path)
    return path


def _legacy(folder: pathlib.Path) -> pathlib.Path:
    """A whole model in the older format, which Keras writes and keras_fn only reads."""
    import h5py

    with h5py.File(folder / "m.h5", "w") as root:
        root.attrs["model_config"] = _model().to_json()
        root.create_group("model_weights").attrs["layer_names"] = []
    return folder / "m.h5"


def _layer_data() -> Any:
    return saving.serialize_keras_object(layers.Lambda(lambda x: x * 2))


# what takes `safe_mode` -> calls of it, one for each format
DOORS: dict[str, list[Callable[[pathlib.Path, Any], Any]]] = {
    "saving.load_model": [
        lambda folder, safe: saving.load_model(_saved(folder), safe_mode=safe),
        lambda folder, safe: saving.load_model(_saved(folder, "folder"), safe_mode=safe),
        lambda folder, safe: saving.load_model(_legacy(folder), safe_mode=safe),
    ],
    "saving.load_newest_model": [
        lambda folder, safe: saving.load_newest_model(_saved(folder).with_name("{epoch}.keras"), safe_mode=safe)
    ],
    "saving.deserialize_keras_object": [
        lambda folder, safe: saving.deserialize_keras_object(_layer_data(), safe_mode=safe),
        lambda folder, safe: saving.deserialize_keras_object(
            saving.serialize_keras_object(lambda x: x), safe_mode=safe
        ),
    ],
    "layers.Lambda.from_config": [
        lambda folder, safe: layers.Lambda.from_config(_layer_data()["config"], safe_mode=safe)
    ],
}
# the same function under another name
_ALSO = {
    "models.load_model": "saving.load_model",
    "layers.deserialize": "saving.deserialize_keras_object",
    "utils.deserialize_keras_object": "saving.deserialize_keras_object",
}


def _takes_safe_mode(value: Any) -> bool:
    try:
        return "safe_mode" in inspect.signature(value).parameters
    except (TypeError, ValueError):
        return False


def _public_callables() -> Iterator[tuple[str, Any]]:
    """Functions of the public modules, and methods of their classes, by name."""
    for info in pkgutil.iter_modules(keras_fn.__path__):
        module = importlib.import_module(f"keras_fn.{info.name}")
        for name in getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]:
            value = getattr(module, name)
            if inspect.isclass(value):
                for method in ("from_config", "__init__", "load_weights"):
                    if hasattr(value, method):
                        yield f"{info.name}.{name}.{method}", getattr(value, method)
            elif callable(value):
                yield f"{info.name}.{name}", value


def test_all_that_take_it_are_in_the_table() -> None:
    found = {name for name, value in _public_callables() if _takes_safe_mode(value)}
    assert {_ALSO.get(name, name) for name in found} == DOORS.keys()


@pytest.mark.parametrize(("name", "at"), [(name, i) for name, calls in DOORS.items() for i in range(len(calls))])
def test_an_explicit_true_is_stronger_than_the_switch(
    name: str, at: int, switched_on: None, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    door = DOORS[name][at]
    assert door(tmp_path, None) is not None  # what the switch is for
    monkeypatch.setattr(lambdas, "load_lambda", lambda config: pytest.fail("a lambda was made"))
    with pytest.raises(UnsafeFileError, match="safe_mode"):
        door(tmp_path, True)
    switches.unsafe_deserialization = False
    for safe in (None, True):
        with pytest.raises(UnsafeFileError, match="safe_mode"):
            door(tmp_path, safe)


# data that stands for code: a lambda, and a class and a function of a module that tells that it was imported
CODE = [
    {"class_name": "__lambda__", "config": {"code": "4w==", "defaults": None, "closure": None}},
    {"module": "antigravity", "class_name": "fly", "config": {}, "registered_name": None},
    {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"},
    {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"},
]


@pytest.mark.parametrize("package", builtin.packages())
def test_no_argument_of_a_class_becomes_code(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each argument of each class in turn is data that stands for code: nothing of it is made, found or imported."""
    made: list[Any] = []
    monkeypatch.setattr(lambdas, "load_lambda", lambda config: made.append(config))
    tried = 0
    for name, cls in builtin.table(package).items():
        parameters = list(inspect.signature(cls).parameters.values())
        named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        needed = {p.name: 2 for p in named if p.default is p.empty}
        for parameter in named:
            for code in CODE:
                data = {
                    "module": f"keras.{package}", "class_name": name, "config": {**needed, parameter.name: code},
                    "registered_name": None,
                }  # fmt: skip
                tried += 1
                try:
                    found = saving.deserialize_keras_object(data)
                except (ValueError, TypeError):  # refused
                    continue
                held = vars(found).get(parameter.name)
                assert not callable(held) or type(held).__module__.startswith("keras_fn."), (name, parameter.name)
    assert tried and not made and "antigravity" not in sys.modules

"""Functions and lambdas: code in a file, and functions that a file may not call."""

from __future__ import annotations

import base64
import marshal
from collections.abc import Iterator
from typing import Any

from hostile.base import Maker, Row, function, layer, sequential

_NAMES = [
    ("os", "system"),
    ("builtins", "eval"),
    ("builtins", "exec"),
    ("builtins", "print"),
    ("builtins", "open"),
    ("keras.utils", "get_file"),
    ("keras.src.utils.file_utils", "get_file"),
    ("keras.saving", "load_model"),
    ("keras.config", "enable_unsafe_deserialization"),
    ("keras.saving", "register_keras_serializable"),
    ("keras.utils", "set_random_seed"),
    ("keras.ops", "map"),
    ("keras.ops", "custom_gradient"),
    ("keras.ops", "convert_to_numpy"),
    ("keras.activations", "get"),
    ("keras.activations", "deserialize"),
    ("keras.losses", "get"),
    ("keras.metrics", "deserialize"),
    ("keras.activations", "__loader__"),
    ("keras.activations", "ops"),
    ("keras.activations", "Callable"),
    ("keras.activations", "os.system"),
    ("numpy", "load"),
    ("torch", "load"),
    ("keras_fn.activations", "closest"),
    ("keras.models", "clone_model"),
    ("", "Dense"),
    ("keras.layers", "Dense"),
    ("keras.layers", "add"),
    ("__main__", "main"),
    ("keras_fn.saving.lambdas", "load_lambda"),
]


def _code() -> str:
    return base64.b64encode(marshal.dumps(compile("__import__('os').system('touch evil')", "evil", "eval"))).decode()


def rows(m: Maker) -> Iterator[Row]:
    """All rows of this category."""
    for module, name in _NAMES:
        data = function(name, module)
        yield m.with_layer("function", f"activation {module} {name}", layer("Dense", units=3, activation=data))
        yield m.with_layer("function", f"lambda {module} {name}", layer("Lambda", function=data))
    for name in ("os.system", "eval", "get_file", "Dense", "__import__", "keras.utils.get_file", "print", ""):
        yield m.with_layer(
            "function", f"activation called {name}", layer("Dense", units=3, activation=name or "no name")
        )
        yield m.with_layer("function", f"lambda called {name}", layer("Lambda", function=name))
    for name, value in {
        "number": 3,
        "list": ["relu"],
        "none": None,
        "dict": {"a": 1},
        "a class": {**layer("Dense"), "config": None},
        "a name that is a list": function(["relu"]),
        "a name that is a dict": function({"a": 1}),
        "a name that is a number": function(3),
    }.items():
        yield m.with_layer("function", f"of Lambda a {name}", layer("Lambda", function=value))
    yield from _lambdas(m)


def _lambdas(m: Maker) -> Iterator[Row]:
    code = {"class_name": "__lambda__", "config": {"code": _code(), "defaults": None, "closure": None}}
    chains: dict[str, Any] = {
        "as a layer": layer("Lambda", function=code),
        "as a shape": layer("Lambda", function="relu", output_shape=code),
        "as a mask": layer("Lambda", function="relu", mask=code),
        "as an argument": layer("Lambda", function="relu", arguments={"a": code}),
        "as arguments": layer("Lambda", function="relu", arguments=code),
        "as an activation": layer("Dense", units=3, activation=code),
        "as an initializer": layer("Dense", units=3, kernel_initializer=code),
        "as a regularizer": layer("Dense", units=3, kernel_regularizer=code),
        "as a constraint": layer("Dense", units=3, kernel_constraint=code),
        "with its own safe_mode": layer("Lambda", function=code, safe_mode=False),
        "with safe_mode beside": {**layer("Lambda", function=code), "safe_mode": False},
        "in a model with safe_mode": layer(
            "Sequential", "keras", layers=[layer("Lambda", function=code)], safe_mode=False
        ),
        "in a wrapper": layer("TimeDistributed", layer=layer("Lambda", function=code)),
        "of the old form": layer("Lambda", function=[_code(), None, None], function_type="lambda", module="evil"),
        "of the old form with a module": layer("Lambda", function="system", function_type="function", module="os"),
        "of the old shape": layer(
            "Lambda", function="relu", output_shape=[_code(), None, None], output_shape_type="lambda"
        ),
        "in a list": layer("Dense", units=[code]),
        "damaged": layer("Lambda", function={"class_name": "__lambda__", "config": {"code": "!!!"}}),
        "without code": layer("Lambda", function={"class_name": "__lambda__", "config": {}}),
        "as a name": layer("Lambda", function="lambda x: x"),
    }
    for name, data in chains.items():
        yield m.with_chain("lambda", name, [data])
        if "Lambda" in data["class_name"]:
            old = {
                "class_name": "Sequential",
                "config": {
                    "name": "s",
                    "layers": [
                        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4], "name": "x"}},
                        {"class_name": "Lambda", "config": data["config"]},
                    ],
                },
            }
            yield m.row("lambda", f"legacy {name}", m.legacy(old), ".h5")
    yield m.with_layer("lambda", "in a graph", layer("Lambda", function=code))
    for name, settings in {
        "as a loss": {"loss": code},
        "as a metric": {"metrics": [code]},
        "as an optimizer": {"optimizer": code},
    }.items():
        yield m.with_config("lambda", name, lambda c, s=settings: c["compile_config"].update(s))
    training = {"optimizer_config": {"class_name": "Adam", "config": {}}, "loss": code, "metrics": []}
    good = {"class_name": "Sequential", "config": sequential([layer("Dense", units=3)])["config"]}
    yield m.row("lambda", "legacy as a loss", m.legacy(good, training), ".h5")

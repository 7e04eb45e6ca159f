"""The same locks at every other door: data given to `from_config`, `deserialize`, `get` and `model_from_json`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from hostile.base import Maker, Row, call, function, layer, sequential, tensor

_MODULES = (
    "losses",
    "metrics",
    "optimizers",
    "optimizers.schedules",
    "initializers",
    "regularizers",
    "constraints",
    "activations",
)
_EVIL = layer("Popen", "subprocess", args=["touch", "evil"])
_GET_FILE = function("get_file", "keras.utils")
_CODE = {"class_name": "__lambda__", "config": {"code": "4w==", "defaults": None, "closure": None}}


def rows(m: Maker) -> Iterator[Row]:
    """All rows of this category."""
    data = {"a class": _EVIL, "a function": _GET_FILE, "a lambda": _CODE}
    for module in _MODULES:
        for name, value in data.items():
            yield Row(f"door deserialize of {module} {name}", "door", f"deserialize:{module}", value)
            if module != "optimizers.schedules":
                yield Row(f"door get of {module} {name}", "door", f"get:{module}", value)
        if module != "optimizers.schedules":
            for name in ("os.system", "keras.utils.get_file", "__import__", "eval"):
                yield Row(f"door get of {module} by the name {name}", "door", f"get:{module}", name)
    graph = m.config()["config"]
    graph["layers"][1] = {**_EVIL, "name": "h", "inbound_nodes": [call(tensor("x"))]}
    chain = sequential([_EVIL])
    lambda_chain = sequential([layer("Lambda", function=_CODE)])
    for name, value in {
        **data,
        "a chain": chain,
        "a lambda in a chain": lambda_chain,
        "a graph": {**m.config(), "config": graph},
    }.items():
        yield Row(f"door data {name}", "door", "data", value)
        if name != "a function":
            yield Row(f"door text {name}", "door", "text", json.dumps(value))
    for class_name, config in {
        "Functional": graph,
        "Sequential": chain["config"],
        "Model": graph,
        "Lambda": {"function": _CODE},
        "TimeDistributed": {"layer": _EVIL},
        "Bidirectional": {"layer": _EVIL},
        "RNN": {"cell": _EVIL},
        "StackedRNNCells": {"cells": [_EVIL]},
        "Dense": {"units": 3, "kernel_initializer": _EVIL},
        "Activation": {"activation": _EVIL},
        "Wrapper": {"layer": _EVIL},
    }.items():
        yield Row(f"door from_config of {class_name}", "door", f"from_config:{class_name}", config)
    circle = {
        "name": "m",
        "layers": [{**layer("Dense", units=3), "name": "h", "inbound_nodes": [call(tensor("h"))]}],
        "input_layers": [["h", 0, 0]],
        "output_layers": [["h", 0, 0]],
    }
    yield Row("door from_config of a circle", "door", "from_config:Functional", circle)
    yield Row("door data deep", "door", "deep data", None)
    yield Row("door data in a circle", "door", "circular data", None)
    yield Row("door text deep", "door", "text", '{"a":' * 2000 + "1" + "}" * 2000)
    yield Row("door text twice", "door", "text", '{"class_name": "Dense", "class_name": "Popen", "config": {}}')
    yield Row("door text none", "door", "text", "evil")
    yield Row("door nested call of an unsafe load", "door", "nested unsafe", _CODE)
    yield Row("door switch against safe_mode", "door", "switch", _CODE)
    yield Row("door safe inside of unsafe", "door", "safe inside unsafe", _CODE)

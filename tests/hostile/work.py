"""Small files that ask for much work: models that call each other, tensors taken apart, objects by the thousand.

Nothing in them is wrong before their end, so they are stopped by counting what is done, see core/allowance.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hostile.base import Maker, Row, call, layer, sequential

_EVIL = layer("Popen", "subprocess")


def rows(m: Maker) -> Iterator[Row]:
    """All rows of this category."""
    twice = _each_calls_the_one_inside_twice(20)
    yield Row("work twice text", "work", "text", json.dumps(twice))
    yield Row("work twice data", "work", "data", twice)
    yield Row("work twice from_config of a graph", "work", "from_config:Functional", twice["config"])
    yield Row("work twice from_config of a chain", "work", "from_config:Sequential", {"layers": [twice]})
    yield Row("work twice from_config of a wrapper", "work", "from_config:TimeDistributed", {"layer": twice})
    yield Row("work two-way layers text", "work", "text", json.dumps(_two_ways(), separators=(",", ":")))
    # what was counted and drawn for the layers before the bad one is put back
    chain = sequential([layer("Dropout", rate=0.5), layer("LSTM", units=2), _EVIL])
    yield Row("work data with layers before the bad one", "work", "data", chain)
    files = {
        "twice": twice,
        "taken apart": _op("Unstack", 10**7, axis=1),
        "taken apart often": _op("Unstack", 300_000, 20, axis=1),
        "unrolled": sequential([layer("RNN", cell=[layer("GRUCell", units=1)] * 2, unroll=True)], (None, 10**9, 1)),
        "one layer 15,000 times": _one_layer(15_000),
        "metrics": _metrics(),
        "infinite numbers 90 deep": {"inbound_nodes": _deep([float("inf")] * 480_000, 90)},
    }
    for name, data in files.items():
        yield m.with_members("work", name, config=json.dumps(data, separators=(",", ":")).encode())


def _graph(layers: list[Any], last: str, number: int = 0) -> dict[str, Any]:
    """A graph from the input `x` to a call of a layer."""
    first = {**layer("InputLayer", batch_shape=[None, 4], name="x"), "name": "x", "inbound_nodes": []}
    config = {"name": "i", "layers": [first, *layers], "input_layers": [["x", 0, 0]]}
    return layer("Functional", "keras", **config, output_layers=[[last, number, 0]])


def _at(name: str, number: int = 0) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, number, 0]}}


def _in_turn(name: str, times: int) -> list[Any]:
    """Calls of one layer, each on what the one before gave."""
    return [call(_at(name, i - 1) if i else _at("x")) for i in range(times)]


def _each_calls_the_one_inside_twice(depth: int) -> dict[str, Any]:
    """A few hundred bytes a level, and twice the work: the innermost layer is called 2**depth times."""
    model = _graph([{**layer("Identity", name="i"), "name": "i", "inbound_nodes": _in_turn("i", 1)}], "i")
    for _ in range(depth):
        model = _graph([{**model, "name": "i", "inbound_nodes": _in_turn("i", 2)}], "i", 1)
    return model


def _one_layer(times: int) -> dict[str, Any]:
    one = {**layer("Identity", name="r"), "name": "r", "inbound_nodes": _in_turn("r", times)}
    dims = {**layer("Permute", name="p", dims=[3, 1, 2]), "name": "p", "inbound_nodes": [call(_at("r", times - 1))]}
    return _padded(_graph([one, dims], "p"))


def _padded(data: dict[str, Any]) -> dict[str, Any]:
    """Data of so many bytes that it may describe as much as a file of 5 MB may."""
    return {**data, "padding": "-" * (4_900_000 - len(json.dumps(data, separators=(",", ":"))))}


def _two_ways() -> dict[str, Any]:
    """The layers that take longest to make."""
    inner = layer("LSTM", units=1, return_sequences=True)
    return _padded(sequential([layer("Bidirectional", layer=inner)] * 7_000, (None, 2, 1)))


def _op(name: str, length: int, times: int = 1, **settings: Any) -> dict[str, Any]:
    """An op on an input of this length."""
    data = {"module": "keras.src.ops.core", "class_name": name, "config": settings, "registered_name": None}
    calls = [{**data, "name": f"g{i}", "inbound_nodes": [call(_at("x"))]} for i in range(times)]
    made = _graph(calls, "g0")
    made["config"]["layers"][0]["config"]["batch_shape"] = [None, length]
    return made


def _metrics() -> dict[str, Any]:
    """Each of them holds hundreds of thresholds, and four variables."""
    metrics = [layer("AUC", "keras.metrics", num_thresholds=200)] * 20_000
    compiled = {"optimizer": "sgd", "loss": "mse", "metrics": [*metrics, _EVIL]}
    return {**sequential([layer("Dense", units=3, name="h")]), "compile_config": compiled}


def _deep(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value

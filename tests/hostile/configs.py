"""Configs: senseless sizes, damaged graphs, and models that their weights do not belong to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from hostile.base import Maker, Row, call, input_layer, layer, sequential, tensor

_SIZES = {
    "huge": 10**12,
    "over 32 bits": 2**40,
    "huge float": 1e12,
    "negative": -3,
    "zero": 0,
    "half": 1.5,
    "text": "3",
    "none": None,
    "true": True,
    "list": [3],
    "dict": {"a": 3},
}
# layer, its good arguments, the argument that sizes something, the input's shape
_SIZED = [
    ("Dense", {}, "units", (None, 4)),
    ("EinsumDense", {"equation": "ab,bc->ac"}, "output_shape", (None, 4)),
    ("Embedding", {"output_dim": 2}, "input_dim", (None, 4)),
    ("Conv1D", {"kernel_size": 2}, "filters", (None, 8, 2)),
    ("Conv2D", {"filters": 2}, "kernel_size", (None, 8, 8, 2)),
    ("LSTM", {}, "units", (None, 5, 2)),
    ("GRU", {}, "units", (None, 5, 2)),
    ("SimpleRNN", {}, "units", (None, 5, 2)),
]
# what must be refused, or made without any cost; rows here are those that cannot be right
_WRONG = [
    ("Conv2D strides", layer("Conv2D", filters=2, kernel_size=2, strides=-1), (None, 8, 8, 2)),
    ("Conv2D dilation", layer("Conv2D", filters=2, kernel_size=2, dilation_rate=-1), (None, 8, 8, 2)),
    ("Conv2D padding", layer("Conv2D", filters=2, kernel_size=2, padding="evil"), (None, 8, 8, 2)),
    ("Conv2D groups", layer("Conv2D", filters=2, kernel_size=2, groups=10**9), (None, 8, 8, 2)),
    ("MultiHeadAttention", layer("Dense", units=2, kernel_initializer="evil"), (None, 4)),
    ("Dropout rate", layer("Dropout", rate=1e9), (None, 4)),
    ("Reshape text", layer("Reshape", target_shape="evil"), (None, 4)),
    ("Permute", layer("Permute", dims=[10**9]), (None, 4)),
    ("RepeatVector", layer("RepeatVector", n=-1), (None, 4)),
    ("Cropping1D", layer("Cropping1D", cropping=10**9), (None, 4, 4)),
    ("BatchNormalization axis", layer("BatchNormalization", axis=10**6), (None, 4)),
    ("LayerNormalization axis", layer("LayerNormalization", axis=[-9, 9]), (None, 4)),
    ("Concatenate", layer("Concatenate", axis="evil"), (None, 4)),
    ("unknown argument", layer("Dense", units=2, evil=1), (None, 4)),
    ("argument of the base", layer("Dense", units=2, input_shape="evil"), (None, 4)),
    ("double underscore", layer("Dense", units=2, __class__=1), (None, 4)),
    ("self", layer("Dense", units=2, self=1), (None, 4)),
    ("dtype object", layer("Dense", units=2, dtype="object"), (None, 4)),
    ("dtype of text", layer("Dense", units=2, dtype="U1000000000"), (None, 4)),
    (
        "dtype evil",
        layer(
            "Dense",
            units=2,
            dtype={
                "module": "keras",
                "class_name": "DTypePolicy",
                "config": {"name": "mixed_evil"},
                "registered_name": None,
            },
        ),
        (None, 4),
    ),
    ("dtype number", layer("Dense", units=2, dtype=7), (None, 4)),
    ("name number", layer("Dense", units=2, name=7), (None, 4)),
    ("TimeDistributed of nothing", layer("TimeDistributed", layer=None), (None, 4, 4)),
    (
        "TimeDistributed of an optimizer",
        layer("TimeDistributed", layer=layer("Adam", "keras.optimizers")),
        (None, 4, 4),
    ),
    ("Bidirectional of Dense", layer("Bidirectional", layer=layer("Dense", units=2)), (None, 4, 4)),
    ("RNN of Dense", layer("RNN", cell=layer("Dense", units=2)), (None, 4, 4)),
    ("RNN of nothing", layer("RNN", cell=None), (None, 4, 4)),
    ("RNN unrolled for ever", layer("SimpleRNN", units=1, unroll=True), (None, 10**9, 1)),
    ("an initializer as a layer", layer("Zeros", "keras.initializers"), (None, 4)),
    ("an optimizer as a layer", layer("Adam", "keras.optimizers"), (None, 4)),
    ("a class as a layer", {**layer("Dense"), "config": None}, (None, 4)),
    ("a model of nothing", layer("Functional", "keras", layers=[], input_layers=[], output_layers=[]), (None, 4)),
]
_ARRAYS = {
    "object": ([1], "object"),
    "O": ([1], "O"),
    "long text": (["a"], "U100000000"),
    "long bytes": (["a"], "S100000000"),
    "void": ([1], "V1000000000"),
    "fields": ([1], "i4,i4"),
    "arrays": ([1], "(100000,100000)i4"),
    "ragged": ([[1], [1, 2]], "float32"),
    "text": (["evil"], "float32"),
    "dict": ({"a": 1}, "float32"),
    "number": ([1], 7),
    "none": ([1], None),
    "time": ([1], "datetime64[s]"),
    "alias": ([1], "np.float32"),
}
_INPUTS = {
    "huge": [None, 10**15],
    "negative": [None, -4],
    "text": "evil",
    "texts": [None, "4"],
    "nested": [[None, 4]],
    "float": [None, 4.5],
    "bool": [None, True],
    "none": None,
    "number": 4,
    "dict": {"a": 1},
    "deep": [None] * 2000,
    "over 64 bits in all": [None, 2**40, 2**40],
}


def rows(m: Maker) -> Iterator[Row]:
    """All rows of this category."""
    for class_name, rest, key, shape in _SIZED:
        for name, value in _SIZES.items():
            if not (class_name == "EinsumDense" and name in ("zero", "none", "list", "true")):
                data = layer(class_name, **{**rest, key: value})
                yield m.with_chain("size", f"{class_name} {key} {name}", [data], shape)
    for name, data, shape in _WRONG:
        yield m.with_chain("config", name, [data], shape)
    for name, (value, dtype) in _ARRAYS.items():
        array = {"class_name": "__numpy__", "config": {"value": value, "dtype": dtype}}
        constant = layer("Constant", "keras.initializers", value=array)
        yield m.with_chain("config", f"array {name}", [layer("Dense", units=3, kernel_initializer=constant)])
    for name, shape in _INPUTS.items():
        data = {**input_layer((None, 4))}
        data["config"] = {**data["config"], "batch_shape": shape}
        yield m.with_chain("config", f"input {name}", [data, layer("Dense", units=3)], None)
    yield from _graphs(m)
    yield from _ops(m)
    yield from _compiled(m)
    yield from _weights(m)


def _graph(m: Maker, name: str, change: Callable[[dict[str, Any], list[Any]], Any]) -> Row:
    def apply(config: dict[str, Any]) -> None:
        change(config["config"], config["config"]["layers"])

    return m.with_config("graph", name, apply)


def _graphs(m: Maker) -> Iterator[Row]:
    def nodes(number: int, value: Any) -> Callable[[Any, Any], Any]:
        return lambda _, layers: layers[number].update(inbound_nodes=value)

    def place(number: int, *history: Any) -> Callable[[Any, Any], Any]:
        return nodes(number, [call({"class_name": "__keras_tensor__", "config": {"keras_history": list(history)}})])

    for name, history in {
        "unknown layer": ("evil", 0, 0),
        "unknown call": ("x", 1, 0),
        "far call": ("x", 10**9, 0),
        "unknown tensor": ("x", 0, 5),
        "negative call": ("x", -1, 0),
        "negative tensor": ("x", 0, -1),
        "half a call": ("x", 0.0, 0),
        "bool": ("x", True, 0),
        "text": ("x", "0", 0),
        "itself": ("h", 0, 0),
        "later": ("y", 0, 0),
        "short": ("x", 0),
        "long": ("x", 0, 0, 0),
        "list": (["x"], 0, 0),
        "empty": (),
        "far tensor": ("x", 0, 10**12),
    }.items():
        yield _graph(m, f"place {name}", place(1, *history))
    for name, value in {
        "text": "evil",
        "number": 3,
        "dict": {"a": 1},
        "list of text": ["evil"],
        "list of lists": [["x", 0, 0]],
        "none": [None],
        "args missing": [{"kwargs": {}}],
        "args text": [{"args": "x"}],
        "kwargs list": [{"args": [tensor("x")], "kwargs": []}],
        "no tensor": [call(1.0)],
        "unknown argument": [call(tensor("x"), evil=1)],
        "tensor without config": [call({"class_name": "__keras_tensor__"})],
        "config text": [call({"class_name": "__keras_tensor__", "config": "x"})],
        "deep": [call(json.loads("[" * 95 + "]" * 95))],
        "a class in a call": [call(tensor("x"), training=layer("Popen", "subprocess"))],
        "training text": [call(tensor("x"), mask="evil")],
    }.items():
        yield _graph(m, f"nodes {name}", nodes(1, value))
    yield _graph(m, "circle", lambda _, ls: ls[1].update(inbound_nodes=[call(tensor("y"))]))
    long_circle = [
        {
            **layer("Dense", units=3, name=f"d{i}"),
            "name": f"d{i}",
            "inbound_nodes": [call(tensor(f"d{(i + 1) % 3000}"))],
        }
        for i in range(3000)
    ]
    yield _graph(m, "circle of 3000", lambda _, ls: ls.extend(long_circle))
    backwards = [
        {
            **layer("Activation", activation="relu", name=f"d{i}"),
            "name": f"d{i}",
            "inbound_nodes": [call(tensor(f"d{i + 1}"))],
        }
        for i in range(3000)
    ]
    yield _graph(m, "3000 backwards from nothing", lambda _, ls: ls.extend(backwards))
    yield _graph(m, "two of one name", lambda _, ls: ls.append(ls[1]))
    yield _graph(m, "two of one inner name", lambda _, ls: ls[3]["config"].update(name="h"))
    yield _graph(m, "nameless", lambda _, ls: (ls[1].pop("name"), ls[1]["config"].pop("name")))
    yield _graph(m, "name number", lambda _, ls: ls[1].update(name=3))
    yield _graph(m, "name list", lambda _, ls: ls[1].update(name=["h"]))
    yield _graph(m, "layers dict", lambda c, ls: c.update(layers={"a": ls[0]}))
    yield _graph(m, "layers text", lambda c, _: c.update(layers="evil"))
    yield _graph(m, "layers of text", lambda c, ls: ls.append("evil"))
    yield _graph(m, "layers of none", lambda c, ls: ls.append(None))
    yield _graph(m, "no layers", lambda c, _: c.update(layers=[]))
    yield _graph(m, "calls of an input", lambda _, ls: ls[0].update(inbound_nodes=[call(tensor("x"))]))
    for key in ("input_layers", "output_layers"):
        for name, value in {
            "unknown": ["evil", 0, 0],
            "empty": [],
            "text": "x",
            "number": 3,
            "none": None,
            "deep": [[[["x", 0]]]],
            "far": ["x", 0, 99],
            "dict": {"a": "x"},
            "an op's": [["h", 0, 7]],
        }.items():
            yield _graph(m, f"{key} {name}", lambda c, _, k=key, v=value: c.update({k: v}))
        yield _graph(m, f"no {key}", lambda c, _, k=key: c.pop(k))
    yield _graph(m, "inputs that are none", lambda c, _: c.update(input_layers=[["y", 0, 0]]))
    inner = m.config()
    for _ in range(30):
        inner = sequential([inner])
    yield m.with_config("graph", "30 models inside each other", lambda _, data=inner: data)


def _ops(m: Maker) -> Iterator[Row]:
    rows_: dict[str, tuple[str, dict[str, Any], list[Any]]] = {
        "zeros of nothing": ("Zeros", {"shape": [10**6, 10**6]}, [call()]),
        "arange of nothing": ("Arange", {}, [call(10**12)]),
        "eye of nothing": ("Eye", {"N": 10**6}, [call()]),
        "full of nothing": ("Full", {"shape": [10**6, 10**6]}, [call(1.0)]),
        "split into 10**9": ("Split", {"indices_or_sections": 10**9, "axis": 1}, [call(tensor("h"))]),
        "unstack 10**9": ("Unstack", {"num": 10**9, "axis": 1}, [call(tensor("h"))]),
        "reshape": ("Reshape", {"newshape": [10**12, -3]}, [call(tensor("h"))]),
        "one_hot": ("OneHot", {"num_classes": -3}, [call(tensor("h"))]),
        "einsum": ("Einsum", {"subscripts": "evil->" * 1000}, [call(tensor("h"))]),
        "transpose": ("Transpose", {"axes": [9, 9]}, [call(tensor("h"))]),
        "unknown setting": ("Add", {"evil": 1}, [call(tensor("h"), 1.0)]),
        "config text": ("Add", "evil", [call(tensor("h"), 1.0)]),  # type: ignore[dict-item]
        "no arguments": ("Add", {}, [call()]),
        "one argument": ("Add", {}, [call(tensor("h"))]),
        "cast": ("Cast", {"dtype": "object"}, [call(tensor("h"))]),
        "get_item": ("GetItem", {}, [call(tensor("h"), "evil")]),
    }
    for name, (class_name, config, calls) in rows_.items():
        data = {**layer(class_name, "keras.src.ops.numpy"), "config": config, "name": "add_op", "inbound_nodes": calls}
        yield _graph(
            m, f"op {name}", lambda _, ls, d=data: ls.append(d) or ls[3].update(inbound_nodes=[call(tensor("add_op"))])
        )


def _compiled(m: Maker) -> Iterator[Row]:
    metric = "keras.metrics"
    for name, settings in {
        "optimizer": {"optimizer": "evil"},
        "optimizer number": {"optimizer": 7},
        "a layer as an optimizer": {"optimizer": layer("Dense", units=3)},
        "steps": {"steps_per_execution": "evil"},
        "thresholds": {"metrics": [layer("AUC", metric, num_thresholds=10**10)]},
        "classes": {"metrics": [layer("MeanIoU", metric, num_classes=10**7)]},
        "rate": {"optimizer": layer("Adam", "keras.optimizers", learning_rate={"a": 1})},
        "unknown setting of Adam": {"optimizer": layer("Adam", "keras.optimizers", evil=1)},
        "schedule": {"optimizer": layer("Adam", "keras.optimizers", learning_rate=layer("Popen", "subprocess"))},
    }.items():
        yield m.with_config("compile", name, lambda c, s=settings: c["compile_config"].update(s))
    for name, value in {"text": "evil", "list": ["evil"], "number": 3}.items():
        yield m.with_config("compile", f"settings {name}", lambda c, v=value: c.update(compile_config=v))
    for name, value in {
        "huge": {"input_shape": [None, 10**12]},
        "text": {"input_shape": "evil"},
        "list": [1],
        "number": 3,
    }.items():
        yield m.with_chain("build", name, [{**layer("Dense", units=3), "build_config": value}], None)


def _weights(m: Maker) -> Iterator[Row]:
    yield m.with_chain("weights", "more units", [layer("Dense", units=5)])
    yield m.with_chain(
        "weights", "no layers with weights", [layer("Dense", units=3), layer("Dense", units=3)], (None, 7)
    )
    million = [layer("Dense", units=10**6, name="big")]
    yield m.with_chain("weights", "a million", million, (None, 1000))
    several = [layer("Dense", units=1000, name=f"d{i}") for i in range(60)]
    yield m.with_chain("weights", "60 layers of a million", several, (None, 1000))
    yield m.with_config("weights", "of another model", lambda c: c["config"]["layers"][1]["config"].update(units=4))

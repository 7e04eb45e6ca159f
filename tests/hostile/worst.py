"""The largest files that are still to be refused within a second: up to 5 MB, and as much work in them as there can be.

All of them are refused in the end, most of them at their last byte: a reader that began to make things of them has done
all of the work by then.
"""

from __future__ import annotations

import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np

from hostile import raw_hdf5 as raw
from hostile.base import CONFIG, METADATA, Maker, Row, call, layer, sequential

_EVIL = layer("Popen", "subprocess")
_RELU = {"module": "keras.layers", "class_name": "ReLU", "config": {}}


def rows(m: Maker) -> Iterator[Row]:
    """All rows of this category."""
    for name, text in _TEXTS.items():
        made = text()
        yield m.with_members("worst", f"json {name}", config=made)
        if name in _ELSEWHERE:
            yield m.with_members("worst", f"metadata {name}", metadata=made, config=b"{")
            yield Row(f"worst text {name}", "worst", "text", made.decode())
    yield _packed_texts(m)
    for name, data in _CONFIGS.items():
        yield m.with_members("worst", f"config {name}", config=json.dumps(data(), separators=(",", ":")).encode())
    yield _dense_with_weights(m)
    for name, file in _FILES.items():
        content = file()
        yield m.row("worst", f"hdf5 {name}", content, ".weights.h5", "load_weights")
        if name in _ELSEWHERE:
            yield m.with_members("worst", f"hdf5 in a model {name}", weights=content)
            yield m.row("worst", f"legacy {name}", content, ".h5")
    yield m.row("worst", "legacy one layer many times", m.legacy(_chain(), change=_one_layer_many_times), ".h5")
    yield from _zips(m)
    yield from _safetensors(m)
    yield from _shards(m)


# --- JSON
def _filled(start: bytes, part: bytes, end: bytes, most: int = 4_900_000) -> bytes:
    """`start part,part,…,part end` of about so many bytes."""
    return start + b",".join([part] * ((most - len(start) - len(end)) // (len(part) + 1))) + end


def _graphs_below_a_long_key() -> bytes:
    graph = b'{"input_layers":[],"output_layers":[],"layers":[]}'
    return _filled(b'{"' + b"k" * 2_000_000 + b'":[', graph, b"]}")


def _graphs_in_graphs() -> bytes:
    """Each graph lies in a call of the one around it, so that a search for tensors finds all below, again and again."""
    inner = b"[" + b",".join([b"0"] * 400_000) + b"]"
    for _ in range(15):
        inner = b'{"name":"a","inbound_nodes":[{"args":[' + inner + b"]}]}"
        inner = b'{"input_layers":[],"output_layers":[],"layers":[' + inner + b"]}"
    return b'{"a":' + inner + b"}"


_TEXTS: dict[str, Callable[[], bytes]] = {
    "2.4 million levels": lambda: b'{"a":' + b"[" * 2_400_000 + b"]" * 2_400_000 + b"}",
    "lists below the limit": lambda: b'{"a":[' + b"[]," * 249_000 + b"[]]}",
    "objects below the limit": lambda: b'{"a":[' + b"{}," * 199_000 + b"{}]}",
    "lists 98 deep": lambda: b'{"a":[' + b",".join([b"[" * 97 + b"]" * 97] * 5000) + b"]}",
    "numbers": lambda: _filled(b'{"a":[', b"1.2345678", b"]}"),
    "long integers": lambda: _filled(b'{"a":[', b"9" * 20, b"]}"),
    "a long integer": lambda: b'{"a":' + b"9" * 4_900_000 + b"}",
    "a long float": lambda: b'{"a":1.' + b"9" * 4_900_000 + b"}",
    "a long float with an exponent": lambda: b'{"a":' + b"9" * 4_900_000 + b"e-4900000}",
    "long floats": lambda: _filled(b'{"a":[', b"0." + b"123456789" * 100, b"]}"),
    "a long exponent": lambda: b'{"a":1e-' + b"9" * 4_900_000 + b"}",
    "escapes": lambda: b'{"a":"' + b"\\u00e9" * 800_000 + b'"}',
    "pairs": lambda: b'{"a":"' + b"\\ud83d\\ude00" * 400_000 + b'"}',
    "a long key twice": lambda: b'{"' + b"k" * 2_400_000 + b'":1,"' + b"k" * 2_400_000 + b'":2}',
    "many keys": lambda: b"{" + b",".join(b'"%d":0' % i for i in range(400_000)) + b"}",
    "many keys, one twice": lambda: b'{"x":0,' + b",".join(b'"%d":0' % i for i in range(400_000)) + b',"x":0}',
    "spaces": lambda: b"{" + b" " * 4_900_000 + b"1",
    "line feeds": lambda: b"{" + b"\n" * 4_900_000 + b"1",
    "graphs below a long key": _graphs_below_a_long_key,
    "graphs in graphs": _graphs_in_graphs,
}


# what is tried at other doors too
_ELSEWHERE = (
    "lists 98 deep", "many keys, one twice", "graphs below a long key", "graphs in graphs", "attributes",
    "small chunks", "below a long name", "large chunks",
)  # fmt: skip


def _packed_texts(m: Maker) -> Row:
    """16 MB of text twice, which take little in the file."""
    text = b'{"a":[' + b",".join([b"1" * 18] * 490_000) + b"]" + b" " * (2**24 - 9_400_000) + b"}"
    members = {**m.members, CONFIG: text, METADATA: text}
    return m.row("worst", "json packed twice", m.zipped(members, zipfile.ZIP_DEFLATED))


# --- configurations
def _chain(*more: Any) -> dict[str, Any]:
    return sequential([layer("Dense", units=3, name="h"), *more])


def _graph(layers: list[Any], outputs: Any) -> dict[str, Any]:
    config = {"name": "m", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": outputs}
    return layer("Functional", "keras", **config)


def _input(*shape: Any) -> dict[str, Any]:
    return {**layer("InputLayer", batch_shape=shape or (None, 4), name="x"), "name": "x", "inbound_nodes": []}


def _called(name: str, class_name: str, calls: list[Any], **config: Any) -> dict[str, Any]:
    return {**layer(class_name, name=name, **config), "name": name, "inbound_nodes": calls}


def _at(name: str, number: int = 0) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, number, 0]}}


def _one_call(outputs: Any, **kwargs: Any) -> dict[str, Any]:
    return _graph([_input(), _called("d", "Dense", [call(_at("x"), **kwargs)], units=3)], outputs)


def _doubling() -> dict[str, Any]:
    """Each output is twice as large as the one before: sizes of tens of thousands of bits, if they were counted."""
    layers = [_input()]
    for i in range(16_000):
        before = _at(f"c{i - 1}" if i else "x")
        layers.append(_called(f"c{i}", "Concatenate", [call([before, before])]))
    return _graph(layers, [["c15999", 0, 0]])


def _wide() -> dict[str, Any]:
    """Calls of thousands of tensors."""
    layers = [_input(), *(_called(f"r{i}", "ReLU", [call(_at("x"))]) for i in range(300))]
    layers += [_called(f"a{i}", "Add", [call([_at(f"r{j}") for j in range(300)])]) for i in range(160)]
    return _graph([*layers, _called("e", "Popen", [call(_at("x"))])], [["a159", 0, 0]])


def _called_often() -> dict[str, Any]:
    calls = [call(_at("r", i - 1) if i else _at("x")) for i in range(40_000)]
    return _graph([_input(), _called("r", "ReLU", calls)], [["r", 39_999, 0], ["evil", 0, 0]])


def _called_often_from_the_end() -> dict[str, Any]:
    """Ready calls are taken in the order of the data, so that the ones that are known last come first."""
    count = 16_000
    layers = [_called(f"r{i}", "ReLU", [call(_at(f"r{i + 1}" if i < count - 1 else "x"))]) for i in range(count)]
    return _graph([_input(), *layers, _called("e", "Popen", [call(_at("x"))])], [["r0", 0, 0]])


def _long_names() -> dict[str, Any]:
    """A model with a long name, whose weights have it in their paths."""
    inner = [layer("Dense", units=1, name=f"d{i}") for i in range(10_000)]
    return {**sequential([{**sequential(inner), "config": {**sequential(inner)["config"], "name": "n" * 2_000_000}}])}


def _models_in_models() -> dict[str, Any]:
    inner: dict[str, Any] = sequential([layer("Dense", units=1, name="d")] * 1, None)
    for i in range(22):
        inner = sequential([inner], None)
        inner["config"]["name"] = f"{i}" + "n" * 200_000
    return sequential([inner, _EVIL])


def _wrappers(class_name: str) -> dict[str, Any]:
    inner = layer("Dense", units=1)
    for _ in range(30):
        inner = layer(class_name, layer=inner)
    return sequential([inner, _EVIL], (None, *[1] * 31))


def _padded(data: dict[str, Any]) -> dict[str, Any]:
    """Data of so many bytes that it may describe as much as a file may."""
    return {**data, "padding": "-" * (4_900_000 - len(json.dumps(data, separators=(",", ":"))))}


def _as_many_as_there_may_be(*one: Any) -> dict[str, Any]:
    """Layers that have all been made and called, when the last of them does not fit."""
    last = layer("Permute", dims=[3, 1, 2])
    return _padded(sequential([one[i % len(one)] for i in range(7_800)] + [last], (None, 3)))


def _dense_with_weights(m: Maker) -> Row:
    """Thousands of layers, whose weights are in the file, and one that does not fit."""
    file = raw.Builder()
    arrays = []
    for i in range(4_000):
        arrays.append((b"%06d" % i, file.add(raw.old_header(raw.array_messages((1,), raw.compact(bytes(4)))))))
    weights = file.file(raw.old_group(file, arrays))
    chain = [layer("Dense", units=1, use_bias=False)] * 6_900 + [layer("Permute", dims=[3, 1, 2])]
    data = sequential(chain, (None, 1))
    text = json.dumps({**data, "padding": "-" * (4_900_000 - len(weights) - len(json.dumps(data)))}).encode()
    return m.with_members("worst", "config and 4000 weights", config=text, weights=weights)


_CONFIGS: dict[str, Callable[[], dict[str, Any]]] = {
    "75,000 layers and a foreign one": lambda: sequential([_RELU] * 75_000 + [_EVIL]),
    "60,000 layers and one that does not fit": lambda: sequential([_RELU] * 60_000 + [layer("Dense", units=-1)]),
    "20,000 layers of one weight": lambda: sequential([layer("Dense", units=1)] * 20_000),
    "40,000 layers of one name": lambda: sequential([layer("ReLU", name="r")] * 40_000),
    "as many layers as there may be": lambda: _as_many_as_there_may_be(_RELU),
    "as many layers of several kinds": lambda: _as_many_as_there_may_be(
        _RELU, layer("Dropout", rate=0.5), layer("Activation", activation="relu"), layer("Flatten")
    ),
    "doubling": _doubling,
    "wide": _wide,
    "one layer 40,000 times": _called_often,
    "layers from the end": _called_often_from_the_end,
    "long names": _long_names,
    "models in models of long names": _models_in_models,
    "time distributed again and again": lambda: _wrappers("TimeDistributed"),
    "bidirectional again and again": lambda: _wrappers("Bidirectional"),
    "a long name of a class": lambda: sequential([layer("A" * 4_900_000)]),
    "a long name": lambda: sequential([layer("Dense", units=3, name="A" * 4_900_000), _EVIL]),
    "a long name of words": lambda: sequential([layer("Dense", units=3, name="aB_/" * 1_200_000), _EVIL]),
    "a long dtype": lambda: sequential([layer("Dense", units=3, dtype="float32" * 700_000)]),
    "a long activation": lambda: sequential([layer("Dense", units=3, activation="relu" * 1_200_000)]),
    "a long padding": lambda: sequential([layer("Conv1D", filters=3, kernel_size=1, padding="same" * 1_200_000)]),
    "a long equation": lambda: sequential([layer("EinsumDense", equation="ab," * 1_600_000 + "->a", output_shape=3)]),
    "an equation of one letter": lambda: sequential([
        layer("EinsumDense", equation="a" * 2_400_000 + ",b->" + "a" * 2_400_000, output_shape=3)
    ]),
    "a long shape": lambda: sequential([layer("Reshape", target_shape=[1] * 400_000), _EVIL]),
    "a long shape of an input": lambda: sequential([_RELU, _EVIL], [None] + [1] * 400_000),
    "a long axis": lambda: sequential([layer("LayerNormalization", axis=[-1] * 400_000)]),
    "a long permutation": lambda: sequential([layer("Permute", dims=[*range(1, 400_000)])]),
    "a shape that is turned": lambda: sequential(
        [layer("Permute", dims=[*range(2, 1001), 1])] * 400 + [_EVIL], [None] + [1] * 1000
    ),
    "a long constant": lambda: sequential([
        layer("Dense", units=3, kernel_initializer=layer("Constant", "keras.initializers", value=[0.5] * 490_000))
    ]),
    "an array of text": lambda: sequential([
        layer("Dense", units={"class_name": "__numpy__", "config": {"value": ["1" * 4_900_000], "dtype": "float64"}})
    ]),
    "an array of long integers": lambda: sequential([
        layer("Dense", units={"class_name": "__numpy__", "config": {"value": ["1" * 4_900_000], "dtype": "int64"}})
    ]),
    "an array with a hole": lambda: sequential([
        layer("Dense", units={"class_name": "__numpy__", "config": {"value": [[1]] * 240_000 + [1], "dtype": "int8"}})
    ]),
    "an array 90 deep": lambda: sequential([
        layer("Dense", units={"class_name": "__numpy__", "config": {
            "value": json.loads("[" * 80 + ",".join(["1"] * 400_000) + "]" * 80), "dtype": "float32"}})
    ]),
    "50,000 cells": lambda: sequential([
        layer("StackedRNNCells", cells=[layer("SimpleRNNCell", units=1)] * 40_000), _EVIL
    ]),
    "100,000 metrics": lambda: {**_chain(), "compile_config": {
        "optimizer": "sgd", "loss": "mse", "metrics": ["mae"] * 400_000 + [_EVIL]}},
    "many losses by name": lambda: {**_chain(), "compile_config": {
        "optimizer": "sgd", "loss": {**{f"output_{i}": "mse" for i in range(190_000)}, "evil": _EVIL}}},
    "thresholds": lambda: {**_chain(), "compile_config": {"optimizer": "sgd", "loss": "mse", "metrics": [
        layer("AUC", "keras.metrics", thresholds=[round(i / 490_000, 6) for i in range(490_000)]), _EVIL]}},
    "unknown arguments": lambda: sequential([{**layer("Dense"), "config": {f"a{i}": i for i in range(300_000)}}]),
    "unknown inputs": lambda: _one_call([["d", 0, 0]], **{f"a{i}": i for i in range(300_000)}),
    "nested arguments": lambda: _one_call([["d", 0, 0]], training=[[0] * 100] * 4000),
    "outputs": lambda: _one_call([["d", 0, 0]] * 80_000 + [["d", 0, 9]]),
    "a schedule": lambda: {**_chain(), "compile_config": {"loss": "mse", "optimizer": layer(
        "SGD", "keras.optimizers", learning_rate=layer(
            "PiecewiseConstantDecay", "keras.optimizers.schedules",
            boundaries=[*range(240_000)], values=[0.1] * 240_000))}},
}  # fmt: skip


# --- HDF5
def _many_arrays(count: int = 19_000) -> bytes:
    file = raw.Builder()
    arrays = []
    for i in range(count):
        messages = raw.array_messages((1,), raw.compact(bytes(4)))
        arrays.append((b"%06d" % i, file.add(raw.old_header(messages))))
    return file.file(raw.old_group(file, arrays))


def _more_arrays() -> bytes:
    """More than there may be: as small as they can be made."""
    file = raw.Builder(newer=True)
    links = []
    for i in range(32_000):
        links.append((6, raw.link(f"{i:x}", file.add(raw.new_header(raw.array_messages((1,), raw.compact(bytes(4))))))))
    return file.file(file.add(raw.new_header([(2, raw.LINK_INFO), *links])))


def _attributes(newer: bool) -> bytes:
    file = raw.Builder(newer)
    head = raw.new_header if newer else raw.old_header
    start = [(2, raw.LINK_INFO)] if newer else [(0x11, struct.pack("<QQ", *_empty_group(file)))]
    many = [(0x0C, raw.attribute(f"{i:x}")) for i in range(105_000 if newer else 65_000)]
    return file.file(file.add(head(start + many)))


def _empty_group(file: raw.Builder) -> tuple[int, int]:
    heap, _ = raw.heap(file, [])
    return file.add(raw.node(0, 0, [], struct.pack("<Q", 0))), heap


def _nothing_but_a_check_sum() -> bytes:
    file = raw.Builder(newer=True)
    return file.file(file.add(raw.new_header([(2, raw.LINK_INFO), *[(0, bytes(65_000))] * 75])))


def _empty_tables() -> bytes:
    """A tree of names whose tables are all empty."""
    file = raw.Builder()
    heap, _ = raw.heap(file, [])
    empty = raw.table([])
    nodes = []
    for _ in range(3):
        tables = [(bytes(8), file.add(empty)) for _ in range(65_000)]
        nodes.append((bytes(8), file.add(raw.node(0, 0, tables, bytes(8)))))
    tree = file.add(raw.node(0, 1, nodes, bytes(8)))
    return file.file(file.add(raw.old_header([(0x11, struct.pack("<QQ", tree, heap))])))


def _empty_nodes() -> bytes:
    """A tree of names whose nodes are all empty."""
    file = raw.Builder()
    heap, _ = raw.heap(file, [])
    nodes = [(bytes(8), file.add(raw.node(0, 0, [], bytes(8)))) for _ in range(65_000)]
    tree = file.add(raw.node(0, 1, nodes, bytes(8)))
    return file.file(file.add(raw.old_header([(0x11, struct.pack("<QQ", tree, heap))])))


def _names_in_names() -> bytes:
    """Names that are the ends of one long name."""
    file = raw.Builder()
    heap, _ = raw.heap(file, [b"a" * 2_500_000])
    tables = [(bytes(8), file.add(raw.table([(8 + 10 * i, 96)]))) for i in range(30_000)]
    tree = file.add(raw.node(0, 0, tables, bytes(8)))
    return file.file(file.add(raw.old_header([(0x11, struct.pack("<QQ", tree, heap))])))


def _below_a_long_name() -> bytes:
    """Many arrays below a group with a name of 2 MB, which all of their paths hold."""
    file = raw.Builder()
    arrays = []
    for i in range(10_000):
        messages = raw.array_messages((1,), raw.compact(bytes(4)))
        arrays.append((b"%06d" % i, file.add(raw.old_header(messages))))
    inner = raw.old_group(file, arrays)
    return file.file(raw.old_group(file, [(b"n" * 2_000_000, inner)]))


def _deep_groups() -> bytes:
    file = raw.Builder()
    inner = raw.old_group(file, [])
    for _ in range(250):
        inner = raw.old_group(file, [(b"n" * 19_000, inner)])
    return file.file(inner)


def _links() -> bytes:
    file = raw.Builder(newer=True)
    soft = struct.pack("<BBBB", 1, 8, 1, 6)
    links = [(6, soft + b"%06x" % i + struct.pack("<H", 1) + b"a") for i in range(270_000)]
    return file.file(file.add(raw.new_header([(2, raw.LINK_INFO), *links])))


def _chunks(count: int, shape: tuple[int, ...], chunk: tuple[int, ...], packed: bytes) -> bytes:
    """An array in many chunks, in the place of the model's first kernel; the last of them is damaged."""
    file = raw.Builder()
    per = [-(-d // c) for d, c in zip(shape, chunk, strict=True)]
    starts = [tuple(i * c for i, c in zip(np.unravel_index(n, per), chunk, strict=True)) for n in range(count)]
    entries = []
    for n, start in enumerate(starts):
        content = packed if n < count - 1 else b"\xff" * len(packed)
        key = struct.pack("<II", len(content), 0) + b"".join(struct.pack("<Q", int(s)) for s in start) + bytes(8)
        entries.append((key, file.add(content)))
    last = bytes(8 + 8 * (len(shape) + 1))
    leaves = [
        (part[0][0], file.add(raw.node(1, 0, part, last)))
        for part in (entries[i : i + 60_000] for i in range(0, count, 60_000))
    ]
    tree = file.add(raw.node(1, 1, leaves, last))
    array = file.add(raw.old_header([*raw.array_messages(shape, raw.chunked(tree, chunk)), (0x0B, raw.GZIP)]))
    group = raw.old_group(file, [(b"0", array)])
    for name in (b"vars", b"dense", b"layers"):
        group = raw.old_group(file, [(name, group)])
    return file.file(group)


def _small_chunks() -> bytes:
    return _chunks(70_000, (70_000, 1), (1, 1), zlib.compress(bytes(4), 9))


def _large_chunks() -> bytes:
    return _chunks(100, (100, 280_000), (1, 280_000), zlib.compress(bytes(4 * 280_000), 9))


def _overlapping() -> bytes:
    """The good structure of many groups, and arrays in the same bytes, which is seen at the very end."""
    file = raw.Builder()
    values = file.add(bytes(2_000_000))
    arrays = []
    for i in range(15_000):
        layout = struct.pack("<BBQQ", 3, 1, values + i, 4)
        arrays.append((b"%06d" % i, file.add(raw.old_header(raw.array_messages((1,), layout)))))
    return file.file(raw.old_group(file, arrays))


def _texts_in_heaps() -> bytes:
    """Attributes that list hundreds of thousands of texts, all of them empty."""
    from io import BytesIO

    memory = BytesIO()
    with h5py.File(memory, "w") as root:
        root.create_group("model_weights")
        for i in range(18):
            root.attrs[f"layer_names{i}"] = [""] * 4000
            root["model_weights"].attrs[f"layer_names{i}"] = [""] * 4000
    return memory.getvalue()


_FILES: dict[str, Callable[[], bytes]] = {
    "many arrays": _many_arrays,
    "more arrays": _more_arrays,
    "attributes": lambda: _attributes(False),
    "attributes with a check sum": lambda: _attributes(True),
    "nothing but a check sum": _nothing_but_a_check_sum,
    "empty tables": _empty_tables,
    "empty nodes": _empty_nodes,
    "names in names": _names_in_names,
    "below a long name": _below_a_long_name,
    "deep groups": _deep_groups,
    "links": _links,
    "small chunks": _small_chunks,
    "large chunks": _large_chunks,
    "overlapping": _overlapping,
    "texts in heaps": _texts_in_heaps,
}


def _one_layer_many_times(root: h5py.File) -> None:
    group = root["model_weights"]
    del group.attrs["layer_names"]
    for i in range(30):
        group.attrs[f"layer_names{i}"] = np.array([b"h"] * 60_000)
    del group["h"].attrs["weight_names"]
    for i in range(4):
        group["h"].attrs[f"weight_names{i}"] = np.array([b"h/bias"] * 9_000)


# --- containers
def _zips(m: Maker) -> Iterator[Row]:
    small = {f"assets/{i:04d}": b"" for i in range(9_990)}
    yield m.row("worst", "zip of small members", m.zipped({**small, **m.members, CONFIG: b"{"}))
    long = {f"assets/{i:04d}" + "n" * 190 + "/" + "m" * 190: b"" for i in range(5_000)}
    yield m.row("worst", "zip of long names", m.zipped({**long, **m.members, CONFIG: b"{"}))
    foreign = {f"assets/{i:04d}" + "\ufdfa" * 60: b"" for i in range(9_000)}
    yield m.row("worst", "zip of names that grow", m.zipped({**foreign, **m.members, CONFIG: b"{"}))
    yield m.row("worst", "zip of empty blocks", _empty_blocks(m))
    bomb = {**m.members, "assets/a": np.random.default_rng(0).bytes(4_800_000), CONFIG: b" " * (2**24 - 1) + b"{"}
    yield m.row("worst", "zip bomb below the limit", m.zipped(bomb, zipfile.ZIP_DEFLATED))


def _empty_blocks(m: Maker) -> bytes:
    """A config whose compressed form is a million blocks of nothing."""
    text = b"{"
    packed = b"\0\0\0\xff\xff" * 900_000 + b"\1\1\0\xfe\xff" + text
    whole = m.zipped({METADATA: m.members[METADATA], "model.weights.h5": m.weights})
    end = len(whole) - 22
    count, length, at = struct.unpack("<HLL", whole[end + 10 : end + 20])
    name, facts = CONFIG.encode(), (zlib.crc32(text), len(packed), len(text))
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 33, *facts, len(name), 0) + name
    central = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 33, *facts, len(name), 0, 0, 0, 0, 0, at) + name
    shift = len(local) + len(packed)
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count + 1, count + 1, length + len(central), at + shift, 0)
    return whole[:at] + local + packed + whole[at:end] + central + tail


def _safetensors(m: Maker) -> Iterator[Row]:
    def file(header: Any, data: bytes = b"") -> bytes:
        text = json.dumps(header, separators=(",", ":")).encode()
        return struct.pack("<Q", len(text)) + text + data

    def noted(text: str) -> dict[str, Any]:
        return {"__metadata__": {"keras_fn_arrays": text, "keras_fn_crc32": f"{zlib.crc32(text.encode()):010d}"}}

    def entries(count: int) -> dict[str, Any]:
        return {f"a{i}": entry for i in range(count)}

    def listed(count: int) -> str:
        return json.dumps({f"a{i}": ["float32", [0], 0] for i in range(count)}, separators=(",", ":"))

    entry = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    for name, header in {
        "many arrays": entries(75_000),
        "many arrays with check sums": {**noted(listed(40_000)), **entries(40_000)},
        "check sums of many arrays": {**noted(listed(150_000)), **entries(1)},
        "check sums of deep lists": {**noted('{"a":' + "[" * 400_000 + "]" * 400_000 + "}"), **entries(1)},
        "check sums of a long number": {**noted('{"a":["float32",[0],' + "9" * 4_800_000 + "]}"), **entries(1)},
        "check sums of a long shape": {**noted('{"a0":["float32",[' + "0," * 450_000 + "0],0]}"), **entries(1)},
        "names like a list": {"__metadata__": {'{"a' + "\\" * 1_000_000: '{"' + "\\" * 1_000_000}, **entries(1)},
        "long names": {f"{i}" + "n" * 480_000: entry for i in range(10)},
        "long shape": {"a": {**entry, "shape": [0] * 2_000_000}},
        "large shapes": {f"a{i}": {**entry, "shape": [2**63] * 31 + [0]} for i in range(7_000)},
        "metadata": {"__metadata__": {f"a{i}": "" for i in range(240_000)}},
    }.items():
        yield m.row("worst", f"safetensors {name}", file(header), ".safetensors", "load_weights")
    yield m.row("worst", "safetensors values", *_damaged_at_the_end(file, noted), "load_weights")


def _damaged_at_the_end(file: Callable[..., bytes], noted: Callable[[str], Any]) -> tuple[bytes, str]:
    """The good model's arrays, of 4.9 MB, of which the last value is another one: all are read, and none is kept."""
    shapes = {"dense/vars/0": [4, 3], "dense/vars/1": [3], "dense_1/vars/0": [3, 2], "dense_1/vars/1": [2]}
    header, sums, at = {}, {}, 0
    for name, shape in shapes.items():
        size = 4 * int(np.prod(shape))
        header[f"layers/{name}"] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        sums[f"layers/{name}"] = ["float32", shape, zlib.crc32(bytes(size))]
        at += size
    header["more"] = {"dtype": "U8", "shape": [4_900_000], "data_offsets": [at, at + 4_900_000]}
    sums["more"] = ["uint8", [4_900_000], zlib.crc32(bytes(4_900_000))]
    return file({**noted(json.dumps(sums)), **header}, bytes(at + 4_900_000 - 1) + b"\1"), ".safetensors"


def _shards(m: Maker) -> Iterator[Row]:
    def index(name: str, places: Any, **metadata: Any) -> Row:
        text = json.dumps({"metadata": metadata, "weight_map": places}, separators=(",", ":"))
        return m.row("worst", f"shards {name}", text.encode(), ".weights.json", "load_weights")

    one = "m_00000.weights.h5"
    yield index("that are missing", {f"/{i}": [f"m_{i:05d}.weights.h5"] for i in range(120_000)})
    yield index("of long names", {"/a": ["n" * 4_900_000 + ".weights.h5"]})
    yield index("that are listed often", {"/a": ["m.weights.h5"] * 240_000})
    yield index("of many groups", {f"/{i}": one for i in range(160_000)})
    yield index("of a group with a long name", {"/" + "n" * 4_900_000: [3]})
    yield index("of many check sums", {"/a": [one]}, keras_fn_shards=[i * 9973 for i in range(440_000)])
    yield _set(m, "that are many", [m.weights] * 220)
    yield _set(m, "that are one file", [m.weights], 220)
    yield _set(m, "of many arrays", [_many_arrays(950)] * 20)
    yield _set(m, "with a bad one at the end", [*[m.weights] * 200, b"evil"])


def _set(m: Maker, name: str, contents: list[bytes], names: int = 0) -> Row:
    """Files and their index; the first one under more names where so many are asked for."""
    folder = m.folder / f"worst shards {name}"
    folder.mkdir()
    files = [f"m_{i:05d}.weights.h5" for i in range(max(names, len(contents)))]
    for file, content in zip(files, contents, strict=False):
        (folder / file).write_bytes(content)
    for file in files[len(contents) :]:
        os.link(folder / files[0], folder / file)
    path = folder / "m.weights.json"
    path.write_text(json.dumps({"metadata": {}, "weight_map": {f"/{i}": [n] for i, n in enumerate(files)}}))
    return Row(f"worst shards {name}", "worst", "weights", str(path))

"""HDF5: links, arrays in other files, damaged headers, arrays larger than the file, legacy models."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from hostile.base import Maker, Row, layer, sequential

_KERNEL = "layers/dense/vars/0"


def _virtual(root: h5py.File) -> None:
    layout = h5py.VirtualLayout((4, 3), "float32")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "data", (4, 3))
    root.create_virtual_dataset(_KERNEL, layout)


def _external(name: str) -> Any:
    return lambda r: r.create_dataset(_KERNEL, (4, 3), "float32", external=[(name, 0, h5py.h5f.UNLIMITED)])


def _zeros(r: h5py.File) -> None:
    r.create_dataset(_KERNEL, data=np.zeros((20_000, 2_000), "float32"), chunks=(1000, 2000), compression="gzip")


_KERNELS: dict[str, Any] = {
    "link to a file": lambda r: r.__setitem__(_KERNEL, h5py.ExternalLink("elsewhere.h5", "/data")),
    "link to a system file": lambda r: r.__setitem__(_KERNEL, h5py.ExternalLink("/etc/passwd", "/")),
    "link to itself": lambda r: r.__setitem__(_KERNEL, h5py.SoftLink("/" + _KERNEL)),
    "link inside": lambda r: r.__setitem__(_KERNEL, h5py.SoftLink("/layers/dense_1/vars/0")),
    "link up": lambda r: r.__setitem__(_KERNEL, h5py.SoftLink("../../../layers")),
    "virtual": _virtual,
    "bytes of a file": _external("elsewhere.bin"),
    "bytes of a system file": _external("/etc/passwd"),
    "nothing of 4 TB": lambda r: r.create_dataset(_KERNEL, (10**6, 10**6), "float32"),
    "no chunk of 4 TB": lambda r: r.create_dataset(_KERNEL, (10**6, 10**6), "float32", chunks=(10**3, 10**3)),
    "nothing over 64 bits": lambda r: r.create_dataset(_KERNEL, (2**31, 2**31), "float64", chunks=(1, 1)),
    "packed zeros": _zeros,
    "text": lambda r: r.create_dataset(_KERNEL, data=["text"] * 3),
    "long text": lambda r: r.create_dataset(_KERNEL, data=np.array([b"a" * 1000] * 12).reshape(4, 3)),
    "group": lambda r: r.create_group(_KERNEL),
    "fields": lambda r: r.create_dataset(_KERNEL, data=np.zeros((4, 3), "f4,f4")),
    "references": lambda r: r.create_dataset(_KERNEL, data=np.array([[r.ref] * 3] * 4, dtype=h5py.ref_dtype)),
    "regions": lambda r: r.create_dataset(_KERNEL, (4, 3), dtype=h5py.regionref_dtype),
    "objects of one size": lambda r: r.create_dataset(_KERNEL, (4, 3), dtype=h5py.vlen_dtype(np.dtype("f4"))),
    "raw bytes": lambda r: r.create_dataset(_KERNEL, data=np.zeros((4, 3), "V7")),
    "another shape": lambda r: r.create_dataset(_KERNEL, data=np.zeros((3, 4), "float32")),
    "a number": lambda r: r.create_dataset(_KERNEL, data=1.0),
    "nothing": lambda r: r.create_dataset(_KERNEL, data=h5py.Empty("f4")),
    "more dimensions": lambda r: r.create_dataset(_KERNEL, data=np.zeros((1,) * 30, "float32")),
    "type of its own": lambda r: _named_type(r),
    "complex": lambda r: r.create_dataset(_KERNEL, data=np.zeros((5, 5), "complex64")),
}


def _named_type(r: h5py.File) -> None:
    r["t"] = np.dtype("f4")
    r[_KERNEL] = r["t"]


def rows(m: Maker) -> Iterator[Row]:
    """All rows of this category."""
    for name, make in _KERNELS.items():

        def change(root: h5py.File, make: Any = make) -> None:
            del root[_KERNEL]
            make(root)

        yield m.with_weights("hdf5", name, change)
        yield m.row("hdf5", f"weights alone {name}", m.changed_weights(change), ".weights.h5", "load_weights")
    changes: dict[str, Any] = {
        "group that is a link to a file": lambda r: _instead(r, "layers", h5py.ExternalLink("elsewhere.h5", "/")),
        "group that is a link": lambda r: _instead(r, "layers/dense", h5py.SoftLink("/layers/dense_1")),
        "group that is an array": lambda r: _instead(r, "layers/dense", np.zeros(3)),
        "one group in another": lambda r: _instead(r, "layers/dense/vars", r["layers"]),
        "an array more": lambda r: r.create_dataset("layers/dense/vars/2", data=np.zeros(3)),
        "no arrays": lambda r: r.__delitem__("layers/dense/vars"),
        "no layers": lambda r: r.__delitem__("layers"),
    }
    for name, change in changes.items():
        yield m.with_weights("hdf5", name, change)
    whole = m.weights
    for name, content in {
        "nothing": b"",
        "text": b"text",
        "half": whole[: len(whole) // 2],
        "start": whole[:96],
        "json": b"{}",
        "zeros": bytes(4096),
        "changed superblock": whole[:9] + b"\xff" + whole[10:],
        "size in the superblock": whole[:40] + struct.pack("<Q", 2**62) + whole[48:],
    }.items():
        yield m.with_members("hdf5", f"file {name}", weights=content)
        yield m.row("hdf5", f"weights alone file {name}", content, ".weights.h5", "load_weights")
        yield m.row("hdf5", f"legacy file {name}", content, ".h5")
    yield from _legacy(m)


def _instead(root: h5py.File, key: str, value: Any) -> None:
    del root[key]
    root[key] = value


def _old(chain: list[Any], **config: Any) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {**sequential(chain)["config"], **config}}


def _legacy(m: Maker) -> Iterator[Row]:
    good = _old([layer("Dense", units=3, name="h")])
    for name, config in {
        "nothing": "",
        "text": "evil",
        "list": "[1]",
        "deep": '{"a":' * 5000,
        "nan": '{"a": NaN}',
        "twice": '{"a": 1, "a": 2}',
        "long": json.dumps({"a": "x" * 60_000}),
        "numbers": np.zeros(3),
        "class": json.dumps({"class_name": "Popen", "config": {}}),
        "os": json.dumps(_old([{"class_name": "system", "module": "os", "config": {}}])),
        "units": json.dumps(_old([layer("Dense", units=10**12)])),
        "mismatch": json.dumps(_old([layer("Dense", units=5)])),
        "get_file": json.dumps(_old([layer("Dense", units=3, activation="get_file")])),
        "calls": json.dumps(
            {
                "class_name": "Functional",
                "config": {
                    **m.config()["config"],
                    "layers": [
                        {
                            "class_name": "InputLayer",
                            "name": "x",
                            "config": {"batch_input_shape": [None, 4], "name": "x"},
                            "inbound_nodes": [],
                        },
                        {
                            "class_name": "Dense",
                            "name": "h",
                            "config": {"units": 3, "name": "h"},
                            "inbound_nodes": [[["y", 0, 0, {}]]],
                        },
                        {
                            "class_name": "Dense",
                            "name": "y",
                            "config": {"units": 3, "name": "y"},
                            "inbound_nodes": [[["h", 0, 0, {}]]],
                        },
                    ],
                },
            }
        ),
        "short calls": json.dumps(
            {
                "class_name": "Functional",
                "config": {
                    **m.config()["config"],
                    "layers": [
                        {
                            "class_name": "InputLayer",
                            "name": "x",
                            "config": {"batch_input_shape": [None, 4], "name": "x"},
                            "inbound_nodes": [],
                        },
                        {
                            "class_name": "Dense",
                            "name": "y",
                            "config": {"units": 3, "name": "y"},
                            "inbound_nodes": [[["x"]]],
                        },
                    ],
                },
            }
        ),
    }.items():
        yield m.row("legacy", name, m.legacy(config), ".h5")
    changes: dict[str, Any] = {
        "no model": lambda r: r.attrs.__delitem__("model_config"),
        "link": lambda r: _instead(r, "model_weights", h5py.ExternalLink("elsewhere.h5", "/")),
        "soft link": lambda r: _instead(r, "model_weights/h", h5py.SoftLink("/")),
        "array in another file": lambda r: _instead(
            r, "model_weights/h/h/kernel", h5py.ExternalLink("elsewhere.h5", "/a")
        ),
        "array of nothing": lambda r: _huge(r),
        "names that are numbers": lambda r: r["model_weights"].attrs.__setitem__("layer_names", np.arange(3)),
        "unknown names": lambda r: r["model_weights"].attrs.__setitem__("layer_names", np.array([b"evil"])),
        "names that lead up": lambda r: r["model_weights/h"].attrs.__setitem__(
            "weight_names", np.array([b"../../h/kernel"])
        ),
        "names that lead to the root": lambda r: r["model_weights/h"].attrs.__setitem__(
            "weight_names", np.array([b"/h/kernel"])
        ),
        "no text": lambda r: r["model_weights"].attrs.__setitem__("layer_names", np.array([b"\xff\xfe"])),
    }
    for name, change in changes.items():
        yield m.row("legacy", name, m.legacy(good, change=change), ".h5")
    for name, training in {
        "optimizer": {"optimizer_config": {"class_name": "Popen", "config": {}}},
        "metrics": {"metrics": [{"class_name": "Popen", "config": {}}]},
        "text": "evil",
    }.items():
        full = {"optimizer_config": {"class_name": "Adam", "config": {}}, "loss": "mse", "metrics": []}
        yield m.row(
            "legacy",
            f"training {name}",
            m.legacy(good, {**full, **training} if isinstance(training, dict) else training),
            ".h5",
        )


def _huge(root: h5py.File) -> None:
    del root["model_weights/h/h/kernel"]
    root.create_dataset("model_weights/h/h/kernel", (10**6, 10**6), "float32")

"""Class weights become sample weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.core import trees
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, closest


def class_weights_to_sample_weights(y: Any, class_weight: dict[Any, Any], output_names: list[str] | None) -> Any:
    """A weight for each sample, by its class.

    Args:
        y: class ids `(n,)` or `(n, 1)`, or one-hot rows `(n, classes)`; or a structure of them.
        class_weight: class id -> weight; or output name -> such a dict, for several outputs.
        output_names: names of the outputs.
    """
    if y is None:
        raise ArgumentError("`class_weight` needs targets `y`.")
    by_output = bool(class_weight) and all(isinstance(v, dict) for v in class_weight.values())
    if not by_output:
        if len(trees.flatten(y)) != 1:
            raise ArgumentError(
                "`class_weight` of a model with several outputs must say which output it is for: "
                "{'output name': {class id: weight}}."
            )
        return trees.map(lambda a: _weights_of(a, class_weight), y)
    names = list(y) if isinstance(y, dict) else list(output_names or [])
    for name in class_weight:
        if name not in names:
            raise ArgumentError(f"`class_weight` names the output {name!r}.{closest(name, names)} There are {names}.")
    if isinstance(y, dict):
        return {
            k: _weights_of(a, class_weight[k]) if k in class_weight else np.ones(a.shape[0], "float32")
            for k, a in y.items()
        }
    parts = y if isinstance(y, (list, tuple)) else [y]
    return [
        _weights_of(a, class_weight[n]) if n in class_weight else np.ones(a.shape[0], "float32")
        for n, a in zip(names, parts, strict=True)
    ]


def _weights_of(y: Any, class_weight: dict[int, float]) -> Any:
    ids = np.asarray(active.backend.to_numpy(y) if active.backend.is_tensor(y) else y)
    if ids.ndim > 1:
        ids = ids.argmax(-1) if ids.shape[-1] > 1 else ids[..., 0]
    if ids.ndim > 1:
        raise ArgumentError(f"`class_weight` needs one class for each sample, and targets of the shape {y.shape} came.")
    ids = ids.astype("int64")
    table = {int(k): float(v) for k, v in class_weight.items()}
    out = np.ones(ids.shape, "float32")
    for k, v in table.items():
        out[ids == k] = v
    return out

"""Legacy `.h5` files, as Keras 1 to 3 write them: arrays by layer, in the order that attributes list."""

from __future__ import annotations

import os
import pathlib
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_fn.core.errors import CorruptFileError, FileFormatError, FileLimitError, StructureError, closest
from keras_fn.core.variable import Variable
from keras_fn.saving.archive import MAX_JSON, parse_json
from keras_fn.saving.builtin import builtin_class
from keras_fn.saving.config import deserialize_keras_object, inside
from keras_fn.saving.h5 import group_at, member, open_h5, read_into
from keras_fn.saving.hdf5 import Dataset, File, Group
from keras_fn.saving.places import reading
from keras_fn.saving.plan import WITHOUT_SLOTS, LoadReport, Plan
from keras_fn.saving.registry import get_registered_object
from keras_fn.saving.regular import open_regular

_TOP = "top_level_model_weights"


def is_legacy(root: File) -> bool:
    """Whether arrays are listed by layer in attributes."""
    return any(k.startswith("layer_names") for k in root.attrs) or "model_weights" in root


# --- weights
def read_legacy_weights(
    model: Any, root: File, where: str, skip_mismatch: bool = False, by_name: bool = False
) -> LoadReport:
    """Reads weights layer by layer: by the order of the layers that have weights, or by the layers' names.

    Raises:
        ShapeError, StructureError: where the file does not fit. No weight was changed then.
    """
    group = member(root, "model_weights", Group, where) if "model_weights" in root else root
    saved = {name: _arrays(group, name, where) for name in _listed(group, "layer_names", where)}
    saved = {name: arrays for name, arrays in saved.items() if arrays}
    layers = [layer for layer in model.layers if layer.weights]
    plan = Plan(where)
    if by_name:
        pairs = [(layer, saved[layer.name]) for layer in layers if layer.name in saved]
        plan.report.missing += [v.path for layer in layers if layer.name not in saved for v in layer.weights]
        known = {layer.name for layer in layers}
        plan.report.unexpected += [name for name in saved if name not in known]
        if not pairs:
            names = [layer.name for layer in layers]
            hint = closest(names[0], saved) if names else ""
            raise StructureError(f"{where} has the layers {list(saved)}, and the model has {names}.{hint}")
    else:
        if len(layers) != len(saved):
            raise StructureError(
                f"{where} has {len(saved)} layers with weights ({', '.join(list(saved)[:8])}), and the model "
                f"{model.name!r} "
                f"has {len(layers)} ({', '.join(x.name for x in layers[:8])}). Pass `by_name=True` to load those whose "
                "names agree."
            )
        pairs = list(zip(layers, saved.values(), strict=True))
    for layer, arrays in pairs:
        _plan_list(plan, f"{type(layer).__name__} {layer.name!r}", _ordered(layer.weights), arrays)
    top = _arrays(group, _TOP, where) if _TOP in group else []
    if top:
        _plan_list(plan, f"{model.name!r} itself", _ordered(model._kf_own()), top)
    return plan.finish(model, skip_mismatch, read_into)


def _ordered(weights: list[Variable]) -> list[Variable]:
    """Trainable weights of all layers inside come first in these files."""
    return [v for v in weights if v._kf_born_trainable] + [v for v in weights if not v._kf_born_trainable]


def _plan_list(plan: Any, what: str, variables: list[Variable], arrays: list[Dataset]) -> None:
    if len(variables) != len(arrays):
        names = [a.name for a in arrays]
        plan.problem(f"{what} has {len(variables)} weights, and {len(arrays)} are in the file.", variables, names)
        return
    for v, dataset in zip(variables, arrays, strict=True):
        plan.pair(what, v, dataset)


def _arrays(group: Group, layer: str, where: str) -> list[Dataset]:
    inner = group_at(group, layer, where)
    if inner is None:
        raise FileFormatError(f"{where} lists the layer {layer!r}, and has no group of that name. The file is damaged.")
    found = []
    for name in _listed(inner, "weight_names", where):
        *folders, last = name.split("/")
        holder = group_at(inner, "/".join(folders), f"{where}/{layer}") if folders else inner
        array = None if holder is None else member(holder, last, Dataset, f"{where}/{layer}")
        if array is None:
            raise FileFormatError(f"{where} lists the array {name!r} of {layer!r}, and does not hold it.")
        found.append(array)
    return found


def _listed(group: Group, key: str, where: str) -> list[str]:
    """A list of names in an attribute, or, where it is long, in `<key>0`, `<key>1`, …"""
    if key in group.attrs:
        parts = [group.attrs[key]]
    else:
        parts = []
        while f"{key}{len(parts)}" in group.attrs:
            parts.append(group.attrs[f"{key}{len(parts)}"])
    names = [n for part in parts for n in np.asarray(part).ravel().tolist()]
    names = [n.decode("utf-8") if isinstance(n, bytes) else n for n in names]
    if not all(isinstance(n, str) for n in names):
        raise FileFormatError(f"The attribute {key!r} of {where}{group.name} must list names, and holds {names[:4]!r}.")
    if len(set(names)) < len(names):
        raise CorruptFileError(f"The attribute {key!r} of {where}{group.name} lists a name twice.")
    return names


# --- whole models
def load_legacy_model(
    path: pathlib.Path, custom_objects: Mapping[str, Any] | None, compile: bool, safe_mode: bool | None
) -> Any:
    """The model in a legacy `.h5` file."""
    from keras_fn.saving.model_io import check_model, matching, within_room

    where = str(path)
    with open_regular(path) as file, open_h5(file, where) as root:
        config = _json(root, "model_config", where)
        if config is None:
            raise FileFormatError(
                f"{where} holds no model, at most weights: make the model, and call its `load_weights({where!r})`."
            )
        training = _json(root, "training_config", where) if compile else None
        with within_room(root, where, file.seek(0, os.SEEK_END)):
            with reading(f"the attribute 'model_config' of {where}"):
                model = deserialize_keras_object(modern(config), custom_objects, safe_mode)
            check_model(model, where)
            with matching():
                read_legacy_weights(model, root, where)
            if training is not None and hasattr(model, "compile_from_config"):
                with reading(f"the attribute 'training_config' of {where}"), inside(custom_objects, safe_mode):
                    model.compile_from_config(_compile_config(training))
                _read_optimizer(model, root, where)
    return model


def _json(root: File, key: str, where: str) -> Any:
    text = root.attrs.get(key)
    if text is None:
        return None
    if not isinstance(text, (str, bytes)):
        raise CorruptFileError(f"The attribute {key!r} of {where} must be text, and is {type(text).__name__}.")
    if len(text) > MAX_JSON:
        raise FileLimitError(f"The attribute {key!r} of {where} has {len(text)} bytes; at most {MAX_JSON} are read.")
    return parse_json(text, f"The attribute {key!r} of {where}")


def modern(data: Any) -> Any:
    """A config of the legacy format, in which classes have no module and calls are lists, in the format of Keras 3."""
    if isinstance(data, list):
        return [modern(x) for x in data]
    if not isinstance(data, dict):
        return data
    out = {k: modern(v) for k, v in data.items()}
    if isinstance(out.get("class_name"), str) and "config" in out and not out["class_name"].startswith("__"):
        out.setdefault("module", "keras.src.ops.numpy" if _is_op(out) else "keras")
    if isinstance(out.get("inbound_nodes"), list):
        out["inbound_nodes"] = [_modern_call(c) for c in out["inbound_nodes"]]
    return out


def _is_op(data: dict[str, Any]) -> bool:
    """Whether data without a module is that of an op in a graph: `Add` is a layer too, which takes one list."""
    from keras_fn.core.naming import snake_case
    from keras_fn.layers.merging.base import Merge
    from keras_fn.models.op_table import public

    calls, name = data.get("inbound_nodes"), data["class_name"]
    if not calls or not isinstance(calls, list) or not isinstance(calls[0], dict) or get_registered_object(name):
        return False
    layer = builtin_class("keras.layers", name)
    if layer is None:
        return snake_case(name) in public()
    args = calls[0].get("args")
    return issubclass(layer, Merge) and isinstance(args, list) and len(args) != 1


def _modern_call(call: Any) -> Any:
    """`[[name, call, tensor, kwargs], …]` as `{"args", "kwargs"}`."""
    if isinstance(call, dict):
        return call
    tensors, kwargs = [], {}
    for item in call if isinstance(call, list) else [call]:
        if not isinstance(item, list) or len(item) < 3:
            raise FileFormatError(f"A call in the config must be [[layer, call, tensor, …], …], and is {call!r}.")
        history = {"shape": None, "dtype": None, "keras_history": item[:3]}
        tensors.append({"class_name": "__keras_tensor__", "config": history})
        kwargs |= item[3] if len(item) > 3 and isinstance(item[3], dict) else {}
    return {"args": tensors if len(tensors) == 1 else [tensors], "kwargs": kwargs}


def _compile_config(training: dict[str, Any]) -> dict[str, Any]:
    config = modern({k: v for k, v in training.items() if k not in ("optimizer_config", "sample_weight_mode")})
    config["optimizer"] = modern(training.get("optimizer_config"))
    return config


def _read_optimizer(model: Any, root: File, where: str) -> None:
    if "optimizer_weights" not in root:
        return
    group = member(root, "optimizer_weights", Group, where)
    names = _listed(group, "weight_names", where)
    if not names:
        return
    arrays = _arrays(root, "optimizer_weights", where)
    optimizer = model.optimizer
    if not optimizer.built and len(arrays) != len(optimizer.variables):
        optimizer.build(model.trainable_variables)
    plan = Plan(where)
    variables = optimizer.variables
    if len(arrays) == WITHOUT_SLOTS < len(variables):  # it was saved before its first step
        variables = variables[:WITHOUT_SLOTS]
    _plan_list(plan, f"The optimizer {optimizer.name!r}", variables, arrays)
    if plan.problems:
        warnings.warn(
            f"The optimizer's state is not loaded, training starts with a fresh one: {plan.problems[0]}", stacklevel=4
        )
        return
    plan.finish(model, False, read_into)

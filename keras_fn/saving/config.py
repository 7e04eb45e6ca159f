"""Objects as plain data (what JSON holds), and back. The format is Keras 3's, in both directions.

Reading never imports a module because the data names it, and never runs code that the data holds: a class is found in
the table of this library's own classes, among those that the user registered or passed, or not at all.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.allowance import OBJECT, count_layer, count_work, work_of_parts
from keras_fn.core.backend import active
from keras_fn.core.context import context
from keras_fn.core.errors import ArgumentError, CorruptFileError, UnsafeFileError, closest, printable
from keras_fn.graph.symbol import KerasTensor
from keras_fn.saving.builtin import builtin_class, module_of
from keras_fn.saving.lambdas import mode, resolve_mode
from keras_fn.saving.places import at, each, undoing
from keras_fn.saving.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from keras_fn.saving.structure import check

_PLAIN = (str, int, float, bool, type(None))
_PLAIN_TYPES = frozenset(_PLAIN)


# --- writing
def serialize_keras_object(obj: Any) -> Any:
    """An object as plain data: what JSON can hold.

    Args:
        obj: a layer, model, optimizer, loss, …; a function; a structure of them; a number, text or array.

    Raises:
        ArgumentError: where there is no way to write it.
    """
    if type(obj) in _PLAIN:
        return obj
    if isinstance(obj, (list, tuple)):
        return (
            [serialize_keras_object(x) for x in obj]
            if isinstance(obj, list)
            else tuple(serialize_keras_object(x) for x in obj)
        )
    if isinstance(obj, dict):
        return {_key(k): serialize_keras_object(v) for k, v in obj.items()}
    for kind, write in _WRITERS:
        if isinstance(obj, kind):
            return write(obj)
    if isinstance(obj, type):
        return {"module": module_of(obj), "class_name": obj.__name__, "config": None, "registered_name": None}
    if hasattr(obj, "get_config"):
        return _object(obj)
    if callable(obj):
        return _function(obj)
    if active.backend.is_tensor(obj):
        array = active.backend.to_numpy(obj)
        return {"class_name": "__tensor__", "config": {"value": array.tolist(), "dtype": str(array.dtype)}}
    raise ArgumentError(
        f"{obj!r} ({type(obj).__name__}) cannot be written into a config. Give its class a `get_config`, and register "
        "it with `keras_fn.saving.register_keras_serializable()`."
    )


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise ArgumentError(f"The keys of a dict in a config must be text, and {key!r} came.")
    return key


def _ellipsis(_: Any) -> dict[str, Any]:
    return {"class_name": "__ellipsis__", "config": {}}


def _slice(s: slice) -> dict[str, Any]:
    parts = {k: serialize_keras_object(getattr(s, k)) for k in ("start", "stop", "step")}
    return {"class_name": "__slice__", "config": parts}


def _array(a: Any) -> Any:
    if np.ndim(a) == 0:
        return a.item()
    return {"class_name": "__numpy__", "config": {"value": a.tolist(), "dtype": a.dtype.name}}


def _symbol(x: KerasTensor) -> Any:
    raise ArgumentError(f"{x!r} is part of a graph and cannot stand in a config of its own.")


_WRITERS: list[tuple[Any, Any]] = [
    (KerasTensor, _symbol),
    ((np.ndarray, np.generic), _array),
    (slice, _slice),
    (type(Ellipsis), _ellipsis),
    (bytes, lambda b: {"class_name": "__bytes__", "config": {"value": b.decode("latin-1")}}),
    (np.dtype, lambda d: d.name),
]


def _object(obj: Any) -> dict[str, Any]:
    cls = getattr(type(obj), "_plain_class", type(obj))
    registered = get_registered_name(cls)
    own = builtin_class(module_of(cls), cls.__name__) is cls
    data = {
        "module": module_of(cls),
        "class_name": cls.__name__,
        "config": serialize_keras_object(obj.get_config()),
        "registered_name": None if own else registered,
    }
    for extra in ("get_build_config", "get_compile_config"):
        if hasattr(obj, extra):
            found = getattr(obj, extra)()
            if found is not None:
                data[extra.removeprefix("get_")] = serialize_keras_object(found)
    return data


def _function(fn: Any) -> Any:
    from keras_fn.saving import functions

    name = functions.name_of(fn)
    if name is not None:
        return name
    if isinstance(fn, types.FunctionType) and fn.__name__ == "<lambda>":
        from keras_fn.saving.lambdas import dump_lambda

        return {"class_name": "__lambda__", "config": dump_lambda(fn)}
    name = getattr(fn, "__name__", None)
    if name is None:
        raise ArgumentError(f"{fn!r} cannot be written into a config: it has neither a name nor a `get_config`.")
    return function_config(get_registered_name(fn))


def function_config(name: str) -> dict[str, Any]:
    """How Keras writes a function by its name, where a bare name would not do."""
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


# --- reading
def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool | None = None, **kwargs: Any
) -> Any:
    """The object that plain data describes.

    Args:
        config: what `serialize_keras_object` gave, also by way of JSON.
        custom_objects: name -> class or function that the data may name.
        safe_mode: true refuses what would run code of the data's (lambdas), false allows it. None: as the load does
            inside which this is called; else safe, unless `config.enable_unsafe_deserialization()` was called.

    Raises:
        UnsafeFileError: where a class is unknown (it says how to make it known), or a lambda comes in safe mode.
        CorruptFileError, FileLimitError: where the data cannot be that of an object.
    """
    if mode.safe is not None and safe_mode is None and not custom_objects:  # a part of what is being read
        return _read(config)
    with outermost(config):
        return object_of_checked(config, custom_objects, safe_mode)


def object_of_checked(config: Any, custom_objects: Mapping[str, Any] | None, safe_mode: bool | None = None) -> Any:
    """The object that plain data describes, of which `structure.check` was made before."""
    with inside(custom_objects, safe_mode):
        return _read(config)


@contextmanager
def outermost(config: Any) -> Iterator[None]:
    """For the length of a with block, data is read. Where reading begins it is checked, the work is bounded, and what
    refused data changed is put back.

    A model may be called by the one around it twice, and so on: a few lines of data could take for ever.
    """
    if mode.safe is not None or context.calls is not None:  # inside of a load, which has checked it
        yield
        return
    context.calls = work_of_parts(check(config))
    try:
        with undoing():
            yield
    finally:
        context.calls = None


def layer_of(data: Any) -> Any:
    """The layer that plain data describes.

    Raises:
        CorruptFileError: where it describes something else.
    """
    from keras_fn.layers.base import Layer

    found = deserialize_keras_object(data)
    if not isinstance(found, Layer):
        raise CorruptFileError(f"A layer was expected, and the data describes {printable(repr(found), 200)}.")
    return found


@contextmanager
def inside(custom_objects: Mapping[str, Any] | None, safe_mode: bool | None) -> Iterator[None]:
    """For the length of a with block, data is read in this mode, and may name these objects."""
    before, mode.safe = mode.safe, resolve_mode(safe_mode)
    try:
        with custom_object_scope(custom_objects or {}):
            yield
    finally:
        mode.safe = before


def _read(data: Any) -> Any:
    if isinstance(data, _PLAIN):
        return data
    if isinstance(data, (list, tuple)):
        return type(data)(_read_all(enumerate(data)))
    if not isinstance(data, dict):
        return data
    kind = data.get("class_name")
    if kind is None or "config" not in data:
        return dict(zip(data, _read_all(data.items()), strict=True))
    if not isinstance(kind, str):
        raise CorruptFileError(f"A `class_name` must be text, and is {kind!r}.")
    if kind in _READERS:
        return _READERS[kind](data["config"])
    if kind == "function":
        return _find_function(data)
    cls = _find_class(data)
    inner = data["config"]
    if inner is None:
        return cls
    return _make(cls, data, inner)


def _read_all(items: Iterable[tuple[Any, Any]]) -> list[Any]:
    """The members of a container."""
    found = []
    with each() as place:
        for key, value in items:
            if type(value) in _PLAIN_TYPES:
                found.append(value)
            else:
                place.key = key
                found.append(_read(value))
    return found


def _make(cls: Any, data: dict[str, Any], inner: Any) -> Any:
    from keras_fn.layers.base import Layer

    if not isinstance(cls, type):
        return cls  # a function that was written as an object
    if not isinstance(inner, dict):
        raise CorruptFileError(f"The config of {data['class_name']} must be a dict, and is {inner!r}.")
    if issubclass(cls, Layer):
        count_layer()
    elif context.calls is not None:
        count_work(f"the constructor of {printable(cls.__name__, 60)}", OBJECT)
    with at("config"):
        obj: Any = cls.from_config(_known(cls, inner))  # type: ignore[attr-defined]
    build = data.get("build_config")
    if build and hasattr(obj, "build_from_config"):
        with at("build_config"):
            obj.build_from_config(build)
    compiled = data.get("compile_config")
    if compiled and hasattr(obj, "compile_from_config"):
        with at("compile_config"):
            obj.compile_from_config(compiled)
    return obj


def _known(cls: type, config: dict[str, Any]) -> dict[str, Any]:
    """A config without the arguments that Keras has and this library's class lacks, where they ask for nothing."""
    if cls.__module__.split(".")[0] != "keras_fn" or "layers" in config:
        return config
    from keras_fn.layers.base import Layer
    from keras_fn.saving.newer import without_unknown

    config = without_unknown(cls, config, _BASE_ARGUMENTS)
    if not issubclass(cls, Layer):
        return config
    from keras_fn.layers.facts import constructor_params

    known = constructor_params(cls)
    return {k: v for k, v in config.items() if v not in (None, False) or k in known or k in _BASE_ARGUMENTS}


_BASE_ARGUMENTS = frozenset({"name", "trainable", "dtype", "autocast", "activity_regularizer"})


def _find_class(data: dict[str, Any]) -> Any:
    name, module, registered = data["class_name"], data.get("module"), data.get("registered_name")
    found = _registered(registered, name)
    if found is None:
        found = builtin_class(module, name)
    if found is None:  # what was written before its class was registered has the bare name
        found = _registered(f"Custom>{name}")
    if found is None:
        raise _unknown("class", name, module, registered)
    return found


def _find_function(data: dict[str, Any]) -> Any:
    from keras_fn.saving import functions

    name = data["config"]
    if not isinstance(name, str):
        raise CorruptFileError(f"The name of a function must be text, and is {name!r}.")
    found = _registered(data.get("registered_name"), name)
    if found is None:
        found = functions.by_name(name)
    bare = name.rpartition(">")[2]
    if found is None:
        found = _registered(bare, f"Custom>{name}")
    if found is None:
        raise _unknown("function", bare, data.get("module"), name)
    return found


def _registered(*names: Any) -> Any:
    """What the user registered or passed under the first of some names that is known."""
    for name in names:
        if isinstance(name, str) and name and (found := get_registered_object(name)) is not None:
            return found
    return None


def _unknown(kind: str, name: str, module: Any, registered: Any) -> UnsafeFileError:
    known = [n.split(">")[-1] for n in get_custom_objects()]
    word = name if name.isidentifier() else "…"
    line = f"@keras_fn.saving.register_keras_serializable({_registration(name, registered, kind)})"
    return UnsafeFileError(
        f"The data names the {kind} {name[:200]!r} (of {str(module or 'no module')[:200]!r}), which is unknown "
        f"here.{closest(name, known)} If it is yours, write `{line}` above its definition, run that before loading, or "
        f"pass `custom_objects={{{name[:100]!r}: {word[:100]}}}`. Modules named by a file are never imported."
    )


def _registration(name: str, registered: Any, kind: str) -> str:
    """The arguments with which a class or function is registered under the name that the data has for it.

    Of a function the data has this name alone, and not the one in the program.
    """
    package, _, last = registered.rpartition(">") if isinstance(registered, str) else ("", "", "")
    if not package or not last.isidentifier():
        return ""
    own = "" if last == name and kind == "class" else f", {last[:100]!r}"
    return f"{package[:100]!r}{own}"


def _read_lambda(config: Any) -> Any:
    if in_safe_mode():
        raise UnsafeFileError(
            "The data holds a lambda: Python code, which could do anything on this machine. If you trust where it "
            "comes from, load it with `safe_mode=False`. Better: give the function a name, register it with "
            "`@keras_fn.saving.register_keras_serializable()`, and save again."
        )
    from keras_fn.saving.lambdas import load_lambda

    return load_lambda(config)


def in_safe_mode() -> bool:
    """Whether unsafe parts are refused in this thread now."""
    return resolve_mode(None)


def _parts(kind: str, config: Any, *keys: str) -> list[Any]:
    """The members of a small object."""
    if not isinstance(config, dict) or not set(keys) <= config.keys():
        raise CorruptFileError(f"The config of {kind} must hold {', '.join(keys)}, and is {config!r}.")
    return [config[k] for k in keys]


def _read_array(kind: str, config: Any) -> np.ndarray:
    value, dtype = _parts(kind, config, "value", "dtype")
    if not isinstance(dtype, str) or dtype not in dtypes.ALL:
        raise CorruptFileError(f"The dtype of {kind} must be one of {', '.join(dtypes.ALL)}, and is {dtype!r}.")
    try:
        return np.array(value, dtype=dtype)
    except (ValueError, TypeError, OverflowError) as e:
        raise CorruptFileError(f"{kind} holds no array of {dtype}: {e}") from e


def _read_tensor(config: Any) -> Any:
    array = _read_array("__tensor__", config)
    return active.backend.convert(array, array.dtype.name)


def _read_slice(config: Any) -> slice:
    return slice(*(_read(x) for x in _parts("__slice__", config, "start", "stop", "step")))


def _read_bytes(config: Any) -> bytes:
    (value,) = _parts("__bytes__", config, "value")
    if not isinstance(value, str):
        raise CorruptFileError(f"__bytes__ must hold text, and holds {value!r}.")
    return value.encode("latin-1")


def _read_tuple(config: Any) -> tuple[Any, ...]:
    value = config["value"] if isinstance(config, dict) and "value" in config else config
    if not isinstance(value, (list, tuple)):
        raise CorruptFileError(f"__tuple__ must hold a list, and holds {value!r}.")
    return tuple(_read(x) for x in value)


_READERS: dict[str, Any] = {
    "__tuple__": _read_tuple,
    "__numpy__": lambda c: _read_array("__numpy__", c),
    "__tensor__": _read_tensor,
    "__slice__": _read_slice,
    "__ellipsis__": lambda c: Ellipsis,
    "__bytes__": _read_bytes,
    "__lambda__": _read_lambda,
}

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
    "serialize_keras_object",
]

"""What plain data may look like before anything is made of it: depth, number of parts, numbers, names, and graphs.

A check walks without recursion and makes nothing, so its cost is that of reading the data.
"""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

from keras_fn.core.errors import CorruptFileError, FileError, FileLimitError
from keras_fn.saving.places import json_path

# a model inside a model is four levels, a wrapper around a layer two
MAX_DEPTH = 100
MAX_TEXT = 16 * 2**20  # bytes of JSON
MAX_PARTS = 500_000  # members of all lists and objects
MAX_NESTED = 250_000  # lists and objects
MAX_ARGUMENTS = 1000  # by name, of a constructor or a call
MAX_VALUES = 20_000  # in the arguments of a call, arrays aside
MAX_NAME = 1000  # characters of the name of a layer; paths of weights are made of such names
# 64-bit seeds are the largest numbers that a config has a use for
_LARGEST = 2**64
# where a number that is not finite means something: what is compared with, filled in, or clipped at
_NOT_FINITE = frozenset({"mask_value", "value", "fill_value", "constant_values", "max_value", "min_value", "initial"})
_INFINITE_INSIDE = frozenset({"inbound_nodes", "value"})


# --- text
def parse_json(raw: bytes | str, what: str) -> dict[str, Any]:
    """The data of JSON text, checked; errors say whose text it is and where it breaks.

    Raises:
        FileLimitError: where it is too large or too deep.
        CorruptFileError: where it is no JSON object, holds a key twice, or numbers that no config has.
    """
    text = _text(raw, what)
    nested = text.count("[") + text.count("{")
    parts = nested + text.count(",")
    if parts > MAX_PARTS or nested > MAX_NESTED:
        raise FileLimitError(
            f"{what} has some {parts} parts, {nested} of them lists and objects; no more than {MAX_PARTS} and "
            f"{MAX_NESTED} are read."
        )
    try:
        data = json.loads(text, object_pairs_hook=_once, parse_int=_integer)
    except RecursionError as e:
        raise FileLimitError(f"{what} is not valid JSON for a model: it is nested too deeply.") from e
    except FileError as e:
        raise type(e)(f"{what} is not valid: {e}") from e
    except ValueError as e:
        raise CorruptFileError(f"{what} is not valid JSON: {e}") from e
    if not isinstance(data, dict):
        raise CorruptFileError(f"{what} must hold a JSON object, and holds a {type(data).__name__}.")
    check(data, what, layers_in(len(text)))
    return data


def layers_in(size: int) -> int:
    """How many layers text of so many bytes may describe: a program takes hundreds of them to write one down."""
    return 3000 + size // 1000


def _text(raw: bytes | str, what: str) -> str:
    if len(raw) > MAX_TEXT:
        raise FileLimitError(f"{what} has {len(raw)} bytes; no more than {MAX_TEXT} are read.")
    if isinstance(raw, str):
        return raw
    try:
        return bytes(raw).decode("utf-8")
    except UnicodeDecodeError as e:
        raise CorruptFileError(f"{what} is not valid JSON, which is text in UTF-8: {e}") from e


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(k for k, _ in pairs if k in seen or seen.add(k))
        raise CorruptFileError(f"an object holds the key {twice[:100]!r} twice.")
    return found


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise CorruptFileError(f"it holds an integer of {len(digits)} digits, {digits[:20]}….")
    return int(digits)


# --- data
# how to get to a container: its key, and the way to what it lies in; None for the outermost one
Way = tuple[Any, "Way"] | None


def check(data: Any, what: str = "The data", most_layers: float = math.inf) -> int:
    """Refuses data that no object could be made of: too deep, too large, in a circle, or with senseless numbers.

    Returns:
        How many parts it has.
    """
    parts = 1
    layers = calls = 0
    todo: list[tuple[Any, Way, int, bool]] = [([data], None, 0, False)]
    while todo:
        value, way, depth, infinite = todo.pop()
        if depth > MAX_DEPTH:
            raise FileLimitError(f"{what} is nested too deeply: over {MAX_DEPTH} levels, at {_said(way)}")
        parts += len(value)
        if parts > MAX_PARTS:
            raise FileLimitError(f"{what} has more than {MAX_PARTS} parts.")
        if type(value) is dict:
            _check_object(value, way, what)
            inside = value.get("layers")
            layers += len(inside) if isinstance(inside, list) else 0
            nodes = value.get("inbound_nodes")
            calls += len(nodes) if isinstance(nodes, list) else 0
            if layers > most_layers or 2 * calls > 3 * most_layers:
                raise _too_many("layers" if layers > most_layers else "calls of layers", what, most_layers)
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            kind = type(item)
            if kind is str or item is None:
                continue
            if kind is int:
                if not -_LARGEST < item < _LARGEST:
                    at = _said(way, key)
                    raise CorruptFileError(f"{what} holds {_shown(item)} at {at}: it needs over 64 bits.")
            elif kind is float:
                if not (math.isfinite(item) or infinite or key in _NOT_FINITE):
                    at = _said(way, key)
                    raise CorruptFileError(f"{what} holds {item} at {at}, where a finite number was expected.")
            elif item and isinstance(item, _CONTAINERS):
                todo.append((item, (key, way), depth + 1, infinite or key in _INFINITE_INSIDE))
    return parts


_CONTAINERS = (dict, list, tuple)


def _too_many(things: str, what: str, most: float) -> FileLimitError:
    return FileLimitError(
        f"{what} describes more {things} than its size gives reason for, over {most}: written by a program, a layer "
        "takes hundreds of bytes. The file is damaged or malicious."
    )


def _keys(way: Way) -> list[Any]:
    """The keys that lead to a container, from the outside. The first one is that of the list around all data."""
    found: list[Any] = []
    while way is not None:
        key, way = way
        found.append(key)
    return found[-2::-1]


def _said(way: Way, *more: Any) -> str:
    return json_path([*_keys(way), *more])


def _shown(value: int) -> str:
    return f"an integer of {value.bit_length()} bits" if value.bit_length() > 200 else str(value)


def _check_object(value: dict[str, Any], way: Way, what: str) -> None:
    for name in ("class_name", "module", "registered_name"):
        found = value.get(name)
        if found is not None and not isinstance(found, str) and "config" in value:
            raise CorruptFileError(f"{what}: {name!r} at {_said(way)} must be text, and is {_kind(found)}.")
    arguments = value.get("config")
    if isinstance(arguments, dict) and len(arguments) > MAX_ARGUMENTS and "class_name" in value:
        raise FileLimitError(
            f"{what} describes an object of {len(arguments)} arguments at {_said(way)}; at most {MAX_ARGUMENTS} "
            "are read."
        )
    name = value.get("name")
    if isinstance(name, str) and len(name) > MAX_NAME:
        raise FileLimitError(
            f"{what} holds a name of {len(name)} characters at {_said(way)}; at most {MAX_NAME} are read."
        )
    if _is_graph(value) and isinstance(value["layers"], list):
        try:
            check_graph(value, "")
        except FileError as e:  # the place is worded only where it is needed: there may be many graphs
            raise type(e)(f"{what}, at {_said(way) or 'its top'}{e}") from None


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}" if isinstance(value, (dict, list)) else repr(value)[:100]


# --- graphs
Call = tuple[str, int]


def _is_graph(value: dict[str, Any]) -> bool:
    return "input_layers" in value and "output_layers" in value and "layers" in value


def check_graph(config: dict[str, Any], what: str = "The data") -> list[tuple[str, int, dict[str, Any]]]:
    """The calls `(layer, number, call)` of a graph in an order in which they can be made.

    Raises:
        CorruptFileError: where names are missing, there twice or unknown, where a tensor is named that no call makes,
            or where calls wait for each other in a circle.
    """
    if not isinstance(config["layers"], list):
        raise CorruptFileError(f"{what}: `layers` must be a list, and is {_kind(config['layers'])}.")
    calls, sources = _calls(config["layers"], what)
    waits: dict[Call, int] = {}
    feeds: dict[Call, list[Call]] = {}
    for (name, number), call in calls.items():
        needed = {_known(h, calls, sources, f"{what}, call {number} of {name[:100]!r}") for h in histories(call)}
        if number:
            needed.add((name, number - 1))
        needed = {n for n in needed if n in calls}
        waits[name, number] = len(needed)
        for other in needed:
            feeds.setdefault(other, []).append((name, number))
    for key in ("input_layers", "output_layers"):
        for place in _places(config[key], f"{what}, {key}"):
            name, _ = _known(place, calls, sources, f"{what}, {key}")
            if key == "input_layers" and name not in sources:
                raise CorruptFileError(f"{what}: the layer {name[:100]!r} is called, and is listed as an input.")
    return _ordered(calls, waits, feeds, what)


def _calls(layers: Iterable[Any], what: str) -> tuple[dict[Call, dict[str, Any]], set[str]]:
    """The calls by layer and number, and the names of the layers that are never called: inputs."""
    calls: dict[Call, dict[str, Any]] = {}
    sources: set[str] = set()
    names: set[str] = set()
    for number, layer in enumerate(layers):
        name = layer_name(layer, f"{what}, layers[{number}]")
        if name in names:
            raise CorruptFileError(f"{what}: two layers are named {name[:100]!r}, layers[{number}] is the second.")
        names.add(name)
        nodes = layer.get("inbound_nodes") or []
        if not isinstance(nodes, list):
            raise CorruptFileError(f"{what}: inbound_nodes of {name[:100]!r} must be a list, and is {_kind(nodes)}.")
        if not nodes:
            sources.add(name)
        for i, call in enumerate(nodes):
            if isinstance(call, list):  # the legacy form, brought to this one before anything is made
                call = {"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": h[:3]}} for h in call
                                 if isinstance(h, list)]}  # fmt: skip
            if not isinstance(call, dict) or not isinstance(call.get("args"), list):
                raise CorruptFileError(
                    f"{what}: a call of {name[:100]!r} must be {{'args': [...], 'kwargs': {{...}}}}, "
                    f"and is {_kind(call)}."
                )
            if not isinstance(call.get("kwargs", {}), dict):
                raise CorruptFileError(f"{what}: the kwargs of a call of {name[:100]!r} must be an object.")
            if len(call.get("kwargs", ())) > MAX_ARGUMENTS:
                raise FileLimitError(
                    f"{what}: a call of {name[:100]!r} has {len(call['kwargs'])} arguments by name; at most "
                    f"{MAX_ARGUMENTS} are read."
                )
            calls[name, i] = call
    return calls, sources


def layer_name(layer: Any, what: str) -> str:
    """The name of a layer in the data of a graph."""
    if not isinstance(layer, dict) or not isinstance(layer.get("config", {}), (dict, type(None))):
        raise CorruptFileError(f"{what} must describe a layer, and is {_kind(layer)}.")
    name = layer.get("name") or (layer.get("config") or {}).get("name")
    if not isinstance(name, str) or not name:
        raise CorruptFileError(f"{what} must have a name, and has {_kind(name)}.")
    return name


def histories(value: Any) -> Iterator[Any]:
    """The places of all tensors among the arguments of a call."""
    stack, values = [value], 0
    while stack:
        item = stack.pop()
        values += 1
        if values > MAX_VALUES:
            raise FileLimitError(f", a call has more than {MAX_VALUES} values for arguments; write them as arrays.")
        if isinstance(item, dict):
            kind = item.get("class_name")
            if kind == "__keras_tensor__":
                config = item.get("config")
                yield config.get("keras_history") if isinstance(config, dict) else config
            elif kind in ("__numpy__", "__tensor__"):
                continue
            elif not _is_graph(item):  # the tensors of a graph inside are its own
                stack.extend(item.values())
        elif isinstance(item, (list, tuple)):
            stack.extend(item)


def _places(value: Any, what: str) -> Iterator[Any]:
    """The places in the structure of a model's inputs or outputs."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, (list, tuple)):
            if len(item) == 3 and isinstance(item[0], str):
                yield item
            else:
                stack.extend(item)
        else:
            raise CorruptFileError(f"{what} must hold places [layer, call, tensor], and holds {_kind(item)}.")


def _known(place: Any, calls: dict[Call, Any], sources: set[str], what: str) -> Call:
    """The call that makes the tensor at a place."""
    good = isinstance(place, (list, tuple)) and len(place) == 3 and isinstance(place[0], str)
    if not good or any(type(i) is not int or not 0 <= i < 2**31 for i in place[1:]):
        raise CorruptFileError(f"{what}: a tensor's place must be [layer, call, tensor], and is {str(place)[:200]}.")
    name, call = place[0], place[1]
    if (name, call) not in calls and not (name in sources and call == 0):
        raise CorruptFileError(f"{what} names the tensor {list(place)!r}, which nothing in the data makes.")
    return name, call


def _ordered(
    calls: dict[Call, Any], waits: dict[Call, int], feeds: dict[Call, list[Call]], what: str
) -> list[tuple[str, int, Any]]:
    place = {call: i for i, call in enumerate(calls)}
    ready = [(i, call) for call, i in place.items() if not waits[call]]  # by their order in the data, as far as it goes
    done: list[tuple[str, int, Any]] = []
    while ready:
        _, call = heapq.heappop(ready)
        done.append((*call, calls[call]))
        for other in feeds.get(call, ()):
            waits[other] -= 1
            if not waits[other]:
                heapq.heappush(ready, (place[other], other))
    if len(done) < len(calls):
        names = sorted({name for name, number in calls if waits[name, number]})
        raise CorruptFileError(
            f"{what}: the calls of {', '.join(names[:8])} wait for each other in a circle: the graph is damaged."
        )
    return done

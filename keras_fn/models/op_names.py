"""Ops in files: Keras writes an op of a graph as a class with its settings; here it is a name and arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from keras_fn.core import trees
from keras_fn.core.allowance import LAYER, count_work
from keras_fn.core.context import context
from keras_fn.core.errors import CorruptFileError, FileLimitError, UnsafeFileError, closest
from keras_fn.core.naming import snake_case
from keras_fn.graph.node import OpCall, record_op
from keras_fn.graph.symbol import KerasTensor
from keras_fn.models.op_table import declared, public

# our op -> Keras's class, where the name does not follow from ours
_CLASSES = {"amax": "Max", "amin": "Min", "_prod": "Prod", "_select": "Where", "abs": "Absolute"}
_OURS = {"max": "amax", "min": "amin", "where": "where", "get_item": "_get_item"}
_MODULES = {
    "nn": (
        "relu relu6 sigmoid softplus softsign silu log_sigmoid leaky_relu hard_sigmoid hard_silu elu selu gelu softmax "
        "log_softmax celu glu one_hot multi_hot squareplus tanh_shrink hard_tanh hard_shrink soft_shrink threshold "
        "sparse_plus sparse_sigmoid sparsemax normalize max_pool average_pool adaptive_max_pool "
        "adaptive_average_pool conv "
        "depthwise_conv separable_conv conv_transpose binary_crossentropy categorical_crossentropy "
        "sparse_categorical_crossentropy moments batch_normalization ctc_loss ctc_decode psnr dot_product_attention "
        "rms_normalization layer_normalization polar unfold"
    ).split(),
    "core": "cast stop_gradient scatter scatter_update slice slice_update unstack fori_loop cond".split(),
    "math": ["logsumexp", "top_k", "in_top_k", "segment_sum", "segment_max", "erf", "erfinv", "rsqrt", "logdet", "fft"],
    "linalg": ["norm", "cholesky", "det", "eig", "eigh", "inv", "qr", "solve", "solve_triangular", "svd", "lstsq"],
}
# settings that Keras takes in the call: by position, or as keywords
_IN_CALL = {"get_item": ("key",), "where": ("condition",), "slice": ("start_indices",), "full_like": ("value",)}
_KEYWORDS = {"pad": ("constant_values",)}
# tensors that Keras takes as settings where they are plain numbers
_SETTINGS = {"clip": ("x_min", "x_max")}
# settings that Keras cannot read back as lists; one number stands for equal ones
_ONE_FOR_ALL = ("pool_size", "strides")
# settings that are None in Keras where ours have a number
_DEFAULTS = {"normalize": ("epsilon",)}
# lists of tensors that Keras takes as single arguments
_SPREAD = {"einsum"}
# what one op of a file may give
_MOST_PARTS = 10_000


# --- writing
def op_config(operation: OpCall, nodes: list[Any], write: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The data of an op and of its calls: settings go into the config, tensors into the calls."""
    op = operation.op
    values = dict(zip(op.params, nodes[0].args, strict=False))
    plain = op.name.strip("_")
    class_name, renamed = _spelling(op.name, values, nodes[0].inputs)
    plain = snake_case(class_name) if class_name else plain
    class_name = class_name or "".join(p.capitalize() for p in plain.split("_"))
    called = _called(op, plain, nodes)
    keywords = _KEYWORDS.get(plain, ())
    config: dict[str, Any] = {"name": operation.name}
    for i, name in enumerate(op.params):
        if i not in called and name not in keywords:
            key, value = renamed.get(name, (name, values[name]))
            if key:
                config[key] = write(value[0] if key in _ONE_FOR_ALL and _all_equal(value) else value)
    calls = [_call(op, plain, node, called, keywords, write) for node in nodes]
    module = next((m for m, names in _MODULES.items() if plain in names), "numpy")
    data = {
        "module": f"keras.src.ops.{module}",
        "class_name": class_name,
        "config": config,
        "registered_name": class_name,
    }
    return data, calls


def _spelling(name: str, values: dict[str, Any], inputs: list[Any]) -> tuple[str | None, dict[str, tuple[str, Any]]]:
    """Keras's class for a call of ours, where it is not of the same name, and its settings by ours."""
    if name.strip("_") == "flip":
        axes = list(values["axes"])
        every = len(axes) == len(inputs[0].shape)
        return "Flip", {"axes": ("axis", None if every else axes[0] if len(axes) == 1 else axes)}
    if name.strip("_") == "fill_like":
        value = values["value"]
        if not isinstance(value, KerasTensor) and value in (0, 1):
            return ("OnesLike" if value else "ZerosLike"), {"value": ("", None)}
        return "FullLike", {}
    return _CLASSES.get(name), {}


def _call(op: Any, plain: str, node: Any, called: set[int], keywords: tuple[str, ...], write: Any) -> dict[str, Any]:
    args: list[Any] = []
    for i in sorted(called):
        value = write(node.args[i])
        args.extend(value) if plain in _SPREAD and isinstance(value, list) else args.append(value)
    kwargs = {name: write(node.args[i]) for i, name in enumerate(op.params) if name in keywords}
    return {"args": args, "kwargs": kwargs}


def _called(op: Any, name: str, nodes: list[Any]) -> set[int]:
    """Places of the arguments that go into the calls: tensors, and what Keras takes there besides."""
    symbols = {i for node in nodes for i, v in enumerate(node.args) if _has_symbol(v)}
    tensors = {i for i, _ in op._tensors if op.params[i] not in _SETTINGS.get(name, ())}
    return symbols | tensors | {i for i, p in enumerate(op.params) if p in _IN_CALL.get(name, ())}


def _all_equal(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(set(value)) == 1


def _has_symbol(value: Any) -> bool:
    return any(isinstance(x, KerasTensor) for x in trees.flatten(value))


# --- reading
class SavedOp:
    """An op that data names, with the settings for its calls."""

    def __init__(self, data: dict[str, Any]) -> None:
        from keras_fn.saving.config import deserialize_keras_object

        if context.calls is not None:  # a file is being loaded
            count_work(f"the op {data['class_name']!r}", LAYER)
        name = snake_case(data["class_name"])
        config = data.get("config") or {}
        if not isinstance(config, dict) or not all(isinstance(k, str) for k in config):
            raise CorruptFileError(f"The config of the op {data['class_name']!r} must be a dict, and is {config!r}.")
        config = dict(config)
        self.label = config.pop("name", None) or data.get("name") or name
        self.settings = {k: _tuples(deserialize_keras_object(v)) for k, v in config.items()}
        op = declared().get(_OURS.get(name, name)) if not name.startswith("_") else None
        for key in [k for k, v in self.settings.items() if v is None]:
            if key in _DEFAULTS.get(name, ()) or (op is not None and key not in op.params):
                del self.settings[key]
        takes_all = op is not None and all(k in op.params for k in self.settings)
        self.op: OpCall | None = OpCall(op, self.label) if takes_all else None
        self.function: Callable[..., Any] | None = None if takes_all else _public_function(name, data["class_name"])
        self.spread, self.spelt = name in _SPREAD, name
        self.calls = 0

    def call(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Records a call."""
        if not _has_symbol((args, kwargs)):  # it would be computed while the file is read
            raise CorruptFileError(f"The op {self.label!r} is called on no tensor of the graph.")
        _check_counts(self.label, self.spelt, (args, kwargs, self.settings))
        args = [a if _has_symbol(a) else _tuples(a) for a in args]
        kwargs = {k: _tuples(v) for k, v in kwargs.items()}
        if self.op is None:
            assert self.function is not None
            outputs = _call_function(self.function, args, {**kwargs, **self.settings})
            _name_calls(outputs, trees.flatten((args, kwargs)), self.label, self.calls)
            self.calls += 1
            return outputs
        op = self.op.op
        if self.spread and len(args) > 1:
            args = [args]
        names = [p for p in op.params if p not in self.settings and p not in kwargs]
        if len(args) > len(names):
            raise CorruptFileError(
                f"A call of the op {self.label!r} ({self.spelt}) gives {len(args)} arguments by position besides "
                f"{sorted({**kwargs, **self.settings})}; it takes {names}."
            )
        given = dict(zip(names, args, strict=False))
        return record_op(op, op._bind((), {**given, **kwargs, **self.settings}), self.op)


def _check_counts(label: str, name: str, given: Any) -> None:
    """Numbers that say how many tensors come out are no sizes: each is a symbol, made in a loop."""
    if "split" in name or name in ("unstack", "diff"):
        for number in trees.flatten(given):
            if isinstance(number, int) and abs(number) > _MOST_PARTS:
                raise FileLimitError(f"The op {label!r} ({name}) asks for {number}; at most {_MOST_PARTS} are made.")


def _public_function(name: str, class_name: str) -> Callable[..., Any]:
    """A function of `keras_fn.ops` that is composed of other ops."""
    found = public().get(_OURS.get(name, name))
    if found is None:
        raise UnsafeFileError(f"The data names the op {class_name!r}, which is unknown here.{closest(name, public())}")
    return found


def _call_function(function: Callable[..., Any], args: list[Any], named: dict[str, Any]) -> Any:
    """The call, with settings that stand before any number of tensors put there."""
    parameters = list(inspect.signature(function).parameters.values())
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        first = [named.pop(p.name) for p in parameters if p.name in named and p.kind is p.POSITIONAL_OR_KEYWORD]
        args = [*first, *args]
    return function(*args, **named)


def _name_calls(outputs: Any, given: list[Any], label: str, number: int) -> None:
    """Names the ops of which one op of the file is composed after it, so that they meet no other name of the graph."""
    known = {id(x._node) for x in given if isinstance(x, KerasTensor)}
    todo = [x._node for x in trees.flatten(outputs) if isinstance(x, KerasTensor)]
    found = 0
    while todo:
        node = todo.pop()
        if node is None or id(node) in known:
            continue
        known.add(id(node))
        if isinstance(node.operation, OpCall):
            first = not found and not number
            node.operation.name = label if first else f"{label}__{number}_{found}"
            found += 1
        todo.extend(node.parents)


def _tuples(value: Any) -> Any:
    """JSON has no tuples: axes, shapes and keys come back as lists."""
    return tuple(_tuples(v) for v in value) if isinstance(value, (list, tuple)) else value

"""What calling a layer does: convert, build, check, context, call, finish. One small function each.

The order of work is the whole of `call_layer`; a step that the layer's class never needs is decided once a class
(facts.py) and costs an attribute look-up a call.
"""

from __future__ import annotations

import weakref
from typing import Any

from keras_fn.core import dtypes, trees
from keras_fn.core.allowance import CALL, count_work
from keras_fn.core.backend import active
from keras_fn.core.context import Call, context
from keras_fn.core.errors import ArgumentTypeError, BackendError, KerasFnError
from keras_fn.core.masks import get_mask, set_mask
from keras_fn.core.spec import Spec
from keras_fn.core.tape import is_own
from keras_fn.core.tracebacks import shorten
from keras_fn.core.variable import Variable
from keras_fn.graph.node import Node
from keras_fn.graph.symbol import KerasTensor
from keras_fn.layers.infer import infer
from keras_fn.layers.input_spec import check_inputs


def call_layer(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Calls a layer on tensors, on specs, or on symbols (which records the call)."""
    backend = active.backend
    if layer.__dict__.get("_kf_backend") is not backend:
        _wrong_backend(layer, backend)
    leaves = args if len(args) == 1 and not kwargs and not isinstance(args[0], (list, tuple, dict)) else None
    if leaves is None:
        leaves = trees.flatten((args, kwargs))
    if context.calls is not None:  # a file is being loaded
        count_work(f"that of {layer.name!r}", CALL + len(leaves))
    for x in leaves:
        if isinstance(x, KerasTensor):
            return _record(layer, args, kwargs)
    facts = layer._kf_facts
    if context.tape is not None:
        own = facts.own and not _holds_code(layer)
        return context.tape.layer(layer, own, lambda: _run(layer, facts, backend, args, kwargs), args, kwargs)
    return _run(layer, facts, backend, args, kwargs)


def _holds_code(layer: Any) -> bool:
    """Whether a layer of the library calls code of the user's: a hook, an activation, a module of the framework."""
    hooked = getattr(layer, "_framework_hooked", None)
    return (hooked is not None and hooked()) or any(
        callable(value)
        and not name.endswith(("initializer", "regularizer", "constraint"))
        and not is_own(value if hasattr(value, "__module__") else type(value))
        for name, value in vars(layer).items()
        if not name.startswith("_kf_")
    )


def _run(layer: Any, facts: Any, backend: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    outermost = context.depth == 0
    path, masks, training, autocast = context.path, context.masks, context.training, context.autocast
    if outermost:
        context.call = Call()
        if masks is None:  # a training step has opened one that lives until its losses are computed
            context.masks = {}
    context.depth += 1
    try:
        args, kwargs = _convert(layer, backend, args, kwargs)
        first = args[0] if args else kwargs.get(facts.first) if facts.first else None
        if layer.input_spec is not None and first is not None:
            check_inputs(layer.input_spec, first, layer)
        if not layer.built:
            build(layer, facts, args, kwargs)
        kwargs = _with_training(facts, layer._kf_mode, args, kwargs)
        if facts.masks:
            kwargs = _with_masks(facts, args, kwargs)
        compute = layer.compute_dtype
        context.autocast = compute if layer.autocast and compute != layer.variable_dtype else None
        # a framework's module base may run hooks around the computation
        outputs = (getattr(layer, "_framework_call", None) or layer.call)(*args, **kwargs)
        context.autocast = autocast
        if layer.activity_regularizer is not None:
            _regularize(layer, outputs)
        return _with_output_mask(layer, facts, first, outputs)
    except KerasFnError as e:
        if outermost:
            shorten(e)
        raise
    finally:
        context.depth -= 1
        context.path, context.training, context.autocast = path, training, autocast
        if outermost:
            context.masks = masks


# --- on symbols
def _record(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Infers the outputs' specs and notes the call as a node."""
    given, named = trees.map(_bare, args), trees.map(_bare, kwargs) if kwargs else {}
    try:
        if layer._kf_facts.own_spec:
            outputs = layer.compute_output_spec(*given, **named)
        else:
            outputs = infer(layer.__call__, given, named)
    except KerasFnError as e:
        _add_origin(e, layer, args, kwargs)
        shorten(e)
        raise
    outputs = trees.map(_as_spec, outputs)
    node = Node(layer, args, kwargs, outputs)
    calls = layer._kf_calls
    if len(calls) > 8 and not len(calls) & (len(calls) - 1):  # now and then, so that many calls take linear time
        calls[:] = [ref for ref in calls if ref() is not None]
    calls.append(weakref.ref(node))
    return node.output


def _bare(x: Any) -> Any:
    return x.spec() if isinstance(x, KerasTensor) else x


def _as_spec(x: Any) -> Any:
    """A constant that a layer returned while the graph was described stands in it as a spec."""
    if x.__class__ is Spec:
        return x
    backend = active.backend
    sparse = x.__class__ in backend.sparse_classes
    return Spec(tuple(x.shape), backend.dtype_of(x), sparse) if sparse or backend.is_tensor(x) else x


def _add_origin(error: KerasFnError, layer: Any, args: Any, kwargs: Any) -> None:
    """Adds to an error which layer was being called, on what, and where that came from; once."""
    text = str(error.args[0]) if error.args else ""
    if "\n  in the call of" in text:
        return
    symbols = [x for x in trees.flatten((args, kwargs)) if isinstance(x, KerasTensor)]
    came = "; ".join(
        f"{x.shape} {x.dtype} from {x._node.operation.name!r} ({x._node.line})" if x._node is not None else f"{x.shape}"
        for x in symbols[:6]
    )
    from keras_fn.graph.node import user_line

    error.args = (f"{text}\n  in the call of {type(layer).__name__} {layer.path!r} at {user_line()}\n  on {came}",)


# --- the steps
def _convert(layer: Any, backend: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Arrays become tensors; floats take the compute dtype."""
    compute = layer.compute_dtype

    def convert(x: Any) -> Any:
        if backend.is_tensor(x):
            return _autocast(x, backend.dtype_of(x), compute, layer, backend)
        if isinstance(x, Spec):
            if layer.autocast and x.dtype != compute and dtypes.is_float(x.dtype):
                cast = Spec(x.shape, compute, x.sparse)
                cast._keras_mask = x._keras_mask
                return cast
            return x
        if isinstance(x, Variable):
            return x.value
        if x.__class__ in backend.sparse_classes or x.__class__ in backend.ragged_classes:
            dtype = backend.dtype_of(x)
            casts = layer.autocast and dtype != compute and dtypes.is_float(dtype) and dtypes.is_float(compute)
            return backend.convert(x, compute) if casts else x
        if hasattr(x, "__array__") and not isinstance(x, (int, float)):
            x = backend.convert(x, None)
            return _autocast(x, backend.dtype_of(x), compute, layer, backend)
        return x

    if len(args) == 1 and not kwargs and not isinstance(args[0], (list, tuple, dict)):
        x = args[0]
        return args if x.__class__ is Spec and x.dtype == compute else (convert(x),), kwargs
    return trees.map(convert, args), trees.map(convert, kwargs) if kwargs else kwargs


def _autocast(x: Any, dtype: str, compute: str, layer: Any, backend: Any) -> Any:
    if dtype == compute or not layer.autocast or not dtypes.is_float(dtype) or not dtypes.is_float(compute):
        return x
    mask = get_mask(x)
    x = backend.cast(x, compute)
    return x if mask is None else set_mask(x, mask)


def build(layer: Any, facts: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Runs `build` with the shapes of the inputs; `<argument>_shape` parameters get those of their argument."""
    values = dict(zip(facts.params, args, strict=False)) | kwargs
    shapes_of = {name: trees_shape(v) for name, v in values.items() if _has_tensors(v)}
    wanted = facts.build_params
    if len(wanted) <= 1:
        first = shapes_of.get(facts.first) if facts.first in shapes_of else next(iter(shapes_of.values()), None)
        if facts.builds and wanted:
            given = {wanted[0]: shapes_of.get(wanted[0].removesuffix("_shape"), first)}
        else:
            given = {}
        record = {"input_shape": first} if first is not None else None
    else:
        given = {p: shapes_of.get(p.removesuffix("_shape")) for p in wanted}
        given = {p: s for p, s in given.items() if s is not None}
        record = given
    with layer._kf_named_scope():
        before = context.depth
        context.depth = 0
        try:
            layer.build(**given) if facts.builds else layer.build(None)
        finally:
            context.depth = before
    put = layer.__dict__
    put["_kf_build_shapes"] = record
    put["built"] = True


def trees_shape(value: Any) -> Any:
    """The shapes of a structure of tensors: ints and None."""
    return trees.map(lambda x: None if x is None else _static(x), value)


def _static(x: Any) -> tuple[Any, ...]:
    if isinstance(x, Spec):
        return x.shape
    return tuple(d if d is None or isinstance(d, int) else None for d in x.shape)


def _has_tensors(value: Any) -> bool:
    if not isinstance(value, (list, tuple, dict)):
        return hasattr(value, "shape")
    leaves = trees.flatten(value)
    return bool(leaves) and all(x is None or hasattr(x, "shape") for x in leaves) and any(x is not None for x in leaves)


def _with_training(facts: Any, mode: bool | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """`training`: what was passed, else what the outer call was told, else the parameter's default."""
    training = kwargs.get("training")
    if training is None and facts.training and len(args) > (place := facts.params.index("training")):
        context.training = args[place]
        return kwargs
    if training is None:
        training = context.training if context.training is not None else mode
        training = facts.training_default if training is None else training
    if training is not None:
        context.training = training
    if facts.training:
        return {**kwargs, "training": training}
    if "training" in kwargs and not facts.takes_any:
        kwargs = {k: v for k, v in kwargs.items() if k != "training"}
    return kwargs


def _with_masks(facts: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Masks that travel with the inputs go to the parameters that `call` has for them."""
    for parameter, owner in facts.masks.items():
        if kwargs.get(parameter) is not None:
            continue
        if facts.params.index(parameter) < len(args):
            continue
        where = facts.params.index(owner) if owner in facts.params else 0
        value = args[where] if where < len(args) else kwargs.get(owner)
        if value is None:
            continue
        if isinstance(value, (list, tuple, dict)):
            mask = trees.map(lambda x: None if x is None else get_mask(x), value)
            if all(m is None for m in trees.flatten(mask)):
                mask = None
        else:
            mask = get_mask(value)
        if mask is not None:
            kwargs = {**kwargs, parameter: mask}
    return kwargs


def _with_output_mask(layer: Any, facts: Any, inputs: Any, outputs: Any) -> Any:
    """Gives the outputs their mask, where the inputs have one or the class makes one."""
    if isinstance(inputs, (list, tuple, dict)):
        previous = trees.map(lambda x: None if x is None else get_mask(x), inputs)
        if all(m is None for m in trees.flatten(previous)):
            previous = None
    else:
        previous = None if inputs is None else get_mask(inputs)
    if not facts.own_mask and (previous is None or not layer.supports_masking):
        return outputs
    if outputs is inputs and not facts.own_mask:
        return outputs
    mask = layer.compute_mask(inputs, previous)
    if mask is None:
        return outputs
    if not facts.own_mask and isinstance(previous, (list, tuple)) and not isinstance(outputs, (list, tuple)):
        return outputs  # several masks and one output: the class must say how they combine
    flat, masks = trees.flatten(outputs), trees.flatten(mask)
    masks += [None] * (len(flat) - len(masks))  # outputs that the class names no mask for have none
    flat = [x if m is None or get_mask(x) is not None else set_mask(x, m) for x, m in zip(flat, masks, strict=False)]
    return trees.unflatten(outputs, flat)


def _regularize(layer: Any, outputs: Any) -> None:
    from keras_fn import ops

    for x in trees.flatten(outputs):
        if not isinstance(x, Spec):
            batch = ops.cast(ops.shape(x)[0], x.dtype) if len(x.shape) else 1
            layer.add_loss(ops.divide(layer.activity_regularizer(x), batch))


def _wrong_backend(layer: Any, backend: Any) -> None:
    own = layer.__dict__.get("_kf_backend")
    if own is None or "name" not in layer.__dict__:
        raise ArgumentTypeError(
            f"{type(layer).__name__} is not initialised: its `__init__` must call `super().__init__()` first."
        )
    raise BackendError(
        f"{layer.name!r} was made under the backend {own.name!r}, and {backend.name!r} is active now. Go back with "
        f"`keras_fn.backend.use({own.name!r})`, or save it and load it under {backend.name!r}."
    )

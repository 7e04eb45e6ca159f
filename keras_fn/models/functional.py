"""`Functional`: a model that is a graph of layers."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes, trees
from keras_fn.core.backend import active
from keras_fn.core.context import context
from keras_fn.core.errors import ArgumentError, GraphError, ShapeError, StructureError, closest
from keras_fn.core.masks import set_mask
from keras_fn.core.spec import Spec
from keras_fn.core.tape import Plans, signature
from keras_fn.graph.function import Function
from keras_fn.graph.node import Node
from keras_fn.graph.symbol import KerasTensor
from keras_fn.layers.base import Layer
from keras_fn.layers.input_layer import InputLayer
from keras_fn.models.inlining import copy_node, note_owner, reach_inside
from keras_fn.models.model import Model
from keras_fn.trainer.programs import state_of
from keras_fn.trainer.trainer import Trainer

_variants: dict[type, type] = {}


def functional_class(cls: type) -> type:
    """A subclass of Model with a graph: the class with Functional behind it."""
    if cls not in _variants:
        plain = getattr(cls, "_plain_class", cls)
        body = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "_plain_class": plain}
        _variants[cls] = type(cls)(cls.__name__, (cls, Functional), body)
    return _variants[cls]


class Functional(Model):
    """The graph between input and output symbols, as a model. `Model(inputs, outputs)` makes one."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        trainable = kwargs.pop("trainable", None)
        Layer.__init__(self, name=name, **kwargs)
        Trainer.__init__(self)
        inputs = _copied(inputs)
        if any(
            isinstance(x, KerasTensor) and x._node is not None and not x._node.is_input for x in trees.flatten(inputs)
        ):
            inputs, outputs = _with_new_inputs(inputs, outputs)
        try:
            self._function = Function(inputs, _copied(outputs), name=self.name)
        except GraphError:
            symbols = all(isinstance(x, KerasTensor) for x in trees.flatten((inputs, outputs)))
            within = reach_inside(inputs, outputs) if symbols else outputs
            if within is outputs:
                raise
            self._function = Function(inputs, _copied(within), name=self.name)
        note_owner(self, self._function)
        self._kf_plans: Plans | None = None
        self._kf_graph_layers = [op for op in self._function.operations if isinstance(op, Layer)]
        _check_names(self)
        self.built = True
        self._kf_names = [x._node.operation.name for x in self._function.inputs]
        self._kf_optional = [getattr(x._node.operation, "optional", False) for x in self._function.inputs]
        self.output_names = _output_names(self._function)
        if trainable is not None and trainable is False:
            self.trainable = False

    # --- structure
    @property
    def _kf_calls_its_graph(self) -> bool:
        return type(self).call is Functional.call

    @property
    def layers(self) -> list[Layer]:
        """The layers of the graph, in the order in which they can run."""
        return list(self._kf_graph_layers)

    def _kf_sublayers(self) -> list[Any]:
        return [*self._kf_graph_layers, *(x for x in super()._kf_sublayers() if x not in self._kf_graph_layers)]

    @property
    def operations(self) -> list[Any]:
        """The layers and ops of the graph."""
        return list(self._function.operations)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The input symbols, flat."""
        return list(self._function.inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The output symbols, flat."""
        return list(self._function.outputs)

    @property
    def input(self) -> Any:
        """The input symbols in the structure that the model was made with."""
        return _one(self._function._inputs_struct)

    @property
    def output(self) -> Any:
        """The output symbols in the structure that the model was made with."""
        return _one(self._function._outputs_struct)

    @property
    def input_shape(self) -> Any:
        """Shapes of the inputs."""
        return trees.map(lambda x: x.shape, self.input)

    @property
    def output_shape(self) -> Any:
        """Shapes of the outputs."""
        return trees.map(lambda x: x.shape, self.output)

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs, in order."""
        return list(self._kf_names)

    # --- computing
    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The outputs for tensors that match the inputs by name or by position; one alone comes without its list."""
        flat = self._match(inputs)
        if mask is not None:
            masks = trees.flatten(mask)
            flat = [x if m is None else set_mask(x, m) for x, m in zip(flat, masks, strict=False)]
        return _one(self._kf_run_graph(flat))

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Shape and dtype of the outputs, in the structure that the model was made with."""
        found = super().compute_output_spec(*args, **kwargs)
        struct = self._function._outputs_struct
        alone = self._kf_calls_its_graph and struct is not _one(struct)
        return type(struct)([found]) if alone else found

    def _kf_run_graph(self, flat: list[Any]) -> Any:
        """Runs the graph on tensors: by the plan that earlier calls with tensors like these left, where it may."""
        plans = self._kf_plans
        if plans is None:
            plans = self._kf_plans = Plans(active.backend)
        if plans.possible():
            key = signature(flat, plans.backend)
            if key is not None:
                key = (context.training, context.autocast, key)
                return plans.run(key, flat, lambda: self._function.run(flat), self._kf_held_by_plans)
        return self._function.run(flat)

    def _kf_held_by_plans(self) -> list[Any]:
        constants = [x for step in self._function.steps for x in trees.flatten((step.args, step.kwargs))]
        return [*state_of(self), *(x for x in constants if active.backend.is_tensor(x))]

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The layers inside set the masks of their outputs."""
        return None

    def _match(self, inputs: Any) -> list[Any]:
        """The given tensors in the order of the inputs, with the dtype and rank that the graph was described for."""
        flat = self._by_name(inputs)
        return [
            self._fit(x, symbol, optional)
            for x, symbol, optional in zip(flat, self._function.inputs, self._kf_optional, strict=True)
        ]

    def _by_name(self, inputs: Any) -> list[Any]:
        names, structure = self._kf_names, self._function._inputs_struct
        if isinstance(inputs, dict):
            if isinstance(structure, dict):
                keys = list(structure)
                if not any(isinstance(v, (dict, list, tuple)) for v in structure.values()):
                    found = [self._entry(inputs, key, name) for key, name in zip(keys, names, strict=True)]
                    return found
                return trees.flatten({k: self._entry(inputs, k, k) for k in keys})
            return [self._entry(inputs, name, name) for name in names]
        flat = trees.flatten(inputs)
        if len(flat) != len(names):
            raise StructureError(
                f"The model {self.name!r} takes {len(names)} inputs ({', '.join(names)}), and {len(flat)} came."
            )
        return flat

    def _entry(self, inputs: dict[str, Any], key: str, name: str) -> Any:
        if key in inputs:
            return inputs[key]
        if name in inputs:
            return inputs[name]
        if self._kf_optional[self._kf_names.index(name)] if name in self._kf_names else False:
            return None
        unknown = [k for k in inputs if k not in self._kf_names]
        raise StructureError(
            f"The model {self.name!r} needs the input {key!r}, which is not among {list(inputs)}."
            f"{closest(key, unknown)}"
        )

    def _fit(self, x: Any, symbol: KerasTensor, optional: bool) -> Any:
        if x is None:
            if optional:
                return None
            raise StructureError(
                f"The input {symbol.name!r} of the model {self.name!r} is None. Make it with `Input(optional=True)` "
                "if it may be."
            )
        backend = active.backend
        if isinstance(x, Spec):
            if not _one_kind(x.dtype, symbol.dtype):
                mask, x = x._keras_mask, Spec(x.shape, symbol.dtype, x.sparse)
                x._keras_mask = mask
        elif not backend.is_tensor(x):
            x = backend.convert(x, symbol.dtype)
        elif not _one_kind(backend.dtype_of(x), symbol.dtype):
            x = backend.cast(x, symbol.dtype)
        return self._fit_shape(x, symbol)

    def _fit_shape(self, x: Any, symbol: KerasTensor) -> Any:
        want, got = symbol.shape, tuple(x.shape)
        if len(got) != len(want):
            from keras_fn import ops

            if len(got) == len(want) - 1 and want[-1] == 1:
                return ops.expand_dims(x, -1)
            if len(got) == len(want) + 1 and got[-1] == 1:
                return ops.squeeze(x, -1)
        elif want == got or all(
            a is None or b is None or not isinstance(b, int) or a == b for a, b in zip(want, got, strict=True)
        ):
            return x
        raise ShapeError(
            f"The model {self.name!r} takes {_shape_text(want)} for its input {symbol.name!r}, and a tensor of the "
            f"shape {_shape_text(got)} came."
        )

    # --- configuration
    def get_config(self) -> dict[str, Any]:
        """The graph as plain data: the layers, their calls, the inputs and the outputs."""
        plain = getattr(type(self), "_plain_class", type(self))
        if plain is not Functional and not _takes_graph(plain):
            return Layer.get_config(self)
        from keras_fn.models.graph_config import graph_config

        return graph_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A new model from a config."""
        return super().from_config(config, custom_objects)

    def get_build_config(self) -> dict[str, Any] | None:
        """A functional model is built by its graph."""
        return None

    def build_from_config(self, config: dict[str, Any]) -> None:
        """A functional model is built by its graph."""


def functional_from_config(cls: type, config: dict[str, Any]) -> Any:
    """A functional model from the config of its graph."""
    from keras_fn.models.graph_config import graph_from_config

    return graph_from_config(cls, config)


def _takes_graph(cls: type) -> bool:
    from keras_fn.layers.facts import constructor_params

    params = constructor_params(cls)
    return ("inputs" in params and "outputs" in params) or cls.__init__ is Model.__init__


def _copied(struct: Any) -> Any:
    """Lists and dicts of the caller may change later; the model's must not."""
    if isinstance(struct, dict):
        return {k: _copied(v) for k, v in struct.items()}
    if isinstance(struct, (list, tuple)) and type(struct) in (list, tuple):
        return type(struct)(_copied(v) for v in struct)
    return struct


def _one(struct: Any) -> Any:
    return struct[0] if isinstance(struct, (list, tuple)) and len(struct) == 1 else struct


def _one_kind(came: str, wanted: str) -> bool:
    """Whether a tensor of one dtype may come for another: floats may, as layers inside cast them where they like."""
    return came == wanted or (dtypes.is_float(came) and dtypes.is_float(wanted))


def _shape_text(shape: Any) -> str:
    return str(tuple(shape))


def _output_names(function: Function) -> list[str]:
    """A name for each output: its key in a dict, else the name of the layer that made it."""
    struct = function._outputs_struct
    if isinstance(struct, dict) and not any(isinstance(v, (dict, list, tuple)) for v in struct.values()):
        return list(struct)
    names, used = [], {}
    for x in function.outputs:
        name = x._node.operation.name
        used[name] = used.get(name, 0) + 1
        names.append(name if used[name] == 1 else f"{name}_{used[name] - 1}")
    return names


def _check_names(model: Functional) -> None:
    seen: dict[str, Any] = {}
    for op in model._function.operations:
        if op.name in seen:
            raise ArgumentError(
                f"Two layers of the model {model.name!r} are named {op.name!r}. Names must be unique in a model, as "
                "data, losses and saved weights find layers by them. Pass another `name=` to one of them."
            )
        seen[op.name] = op


def _with_new_inputs(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """A copy of the calls between tensors in the middle of a graph and the outputs, that begins at new inputs."""
    flat, found = trees.flatten(inputs), {}
    fresh = []
    for x in flat:
        if not isinstance(x, KerasTensor):
            raise GraphError(f"The inputs of a model must be KerasTensors, and {x!r} came.")
        symbol = x if x._node.is_input else InputLayer(batch_shape=x.shape, dtype=x.dtype, name=_free_name(x)).symbol()
        found[id(x._node), x._index] = symbol
        fresh.append(symbol)
    function = Function(inputs, outputs)
    copies: dict[int, Node] = {}

    def moved(x: Any) -> Any:
        if not isinstance(x, KerasTensor):
            return x
        key = (id(x._node), x._index)
        return found[key] if key in found else copies[id(x._node)].symbol(x._index)

    for step in function.steps:
        copies[id(step.node)] = copy_node(step.node, moved)
    return trees.unflatten(inputs, fresh), trees.map(moved, outputs)


def _free_name(x: KerasTensor) -> str | None:
    return None if x._node is None else f"{x._node.operation.name}_input"

"""`Layer`: state and a computation. What a call does, step by step, is in call.py."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from keras_fn import dtype_policies, initializers
from keras_fn.core import dtypes, naming, shapes, trees
from keras_fn.core.allowance import LAYER, count_work
from keras_fn.core.arguments import Checked
from keras_fn.core.backend import active
from keras_fn.core.context import context
from keras_fn.core.errors import (
    ArgumentError,
    GraphError,
    KerasFnError,
    NotBuiltError,
    ShapeError,
    StructureError,
    printable,
)
from keras_fn.core.spec import Spec
from keras_fn.core.tape import calls, is_own
from keras_fn.core.variable import StatelessScope, Variable, mixed, unwrap
from keras_fn.core.version import structure
from keras_fn.graph.symbol import KerasTensor
from keras_fn.layers.call import call_layer
from keras_fn.layers.facts import facts_of
from keras_fn.layers.infer import infer
from keras_fn.layers.input_spec import InputSpec
from keras_fn.layers.named_scope import NamedScope
from keras_fn.layers.tracking import Carried, held, unique_by_id

_LEGACY = {"input_shape", "input_dim", "batch_input_shape", "batch_size", "weights", "input_length"}


class Layer(Checked):
    """A layer: weights, and a computation on tensors.

    Subclass it: store settings in `__init__`, make weights in `build` with `add_weight`, compute in `call`. Code in
    `call` that is written in `keras_fn.ops` runs on every backend and gives its output shape while a model is built.

    Args:
        activity_regularizer: a function of the outputs, or its name; its value is added to the loss.
        trainable: whether optimizers update the weights.
        dtype: dtype name or policy; None for the default policy.
        autocast: whether float inputs and weights are cast to the compute dtype.
        name: name, unique in a model; made up where None.

    Example:
        >>> import keras_fn
        >>> from keras_fn import ops
        >>> class Scale(keras_fn.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones")
        ...     def call(self, inputs):
        ...         return ops.multiply(inputs, self.scale)
        >>> tuple(Scale()(ops.ones((2, 3))).shape)
        (2, 3)
    """

    # set by __new__
    _kf_variables: list[Variable]
    _kf_calls: list[Any]
    _kf_losses: list[Any]
    _kf_losses_of: Any
    _kf_sealed: bool
    _kf_mode: bool | None
    # set by __init__
    _kf_trainable: bool
    _kf_path: str
    _kf_build_shapes: Any

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self: Any = object.__new__(mixed(cls, active.backend.layer_base))
        put = self.__dict__
        put["_kf_args"] = (args, kwargs)
        put["_kf_backend"] = active.backend
        put["_kf_variables"] = []
        put["_kf_calls"] = []
        put["_kf_losses"] = []
        put["_kf_losses_of"] = None
        put["_kf_sealed"] = False
        put["_kf_mode"] = None  # training or not, where a framework's own switch was used
        put["built"] = False
        init_framework = getattr(self, "_init_framework", None)
        if init_framework is not None:
            init_framework()
        return self

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _marks_built(cls.__dict__["build"])

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if context.calls is not None:  # a file is being loaded
            count_work(f"the constructor of {type(self).__name__}", LAYER)
        self._kf_legacy(kwargs)
        if kwargs:
            raise ArgumentError(f"{type(self).__name__} got unknown arguments: {', '.join(map(repr, kwargs))}.")
        if name is not None and not isinstance(name, str):
            raise ArgumentError(f"`name` must be a string, not {name!r}.")
        if name is not None and "/" in name:
            raise ArgumentError(f"`name` cannot contain '/', which parts the names in a path: {name!r}.")
        self.name = name or naming.unique(naming.snake_case(type(self).__name__))
        put = self.__dict__
        put["_kf_trainable"] = bool(trainable)
        put["_kf_build_shapes"] = None
        self.autocast = autocast
        self.supports_masking = False
        self.input_spec: Any = None
        if activity_regularizer is not None:
            from keras_fn import regularizers

            activity_regularizer = regularizers.get(activity_regularizer)
        self.activity_regularizer = activity_regularizer
        put["_kf_path"] = path = "/".join((*context.path, self.name))
        policy = dtype_policies.get(dtype)
        self.dtype_policy = policy[path] if isinstance(policy, dtype_policies.DTypePolicyMap) else policy

    def _kf_legacy(self, kwargs: dict[str, Any]) -> None:
        """Arguments of older Keras that say the input's shape."""
        if _LEGACY.isdisjoint(kwargs):
            return
        found = {k: kwargs.pop(k) for k in list(kwargs) if k in _LEGACY}
        shape = None
        if "batch_input_shape" in found:
            shape = tuple(found["batch_input_shape"])[1:]
        elif "input_shape" in found:
            shape = found["input_shape"]
            shape = (shape,) if isinstance(shape, int) else tuple(shape)
        elif "input_dim" in found:
            shape = (found["input_dim"],)
        if shape is not None:
            from keras_fn.core.deprecation import warn_old

            old = next(k for k in ("batch_input_shape", "input_shape", "input_dim") if k in found)
            warn_old(f"`{old}=` of a layer", f"an `Input(shape={shape})` before it")
            self._kf_input_shape = shape

    # --- what subclasses define
    def build(self, input_shape: Any = None) -> None:
        """Makes the weights, for inputs of the given shape. Runs once, at the first call."""
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation."""
        raise NotImplementedError(
            f"The layer class {type(self).__name__} has no `call`. Define `call(self, inputs)`, which computes."
        )

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs: by default the mask of the inputs."""
        return previous_mask

    # --- calling
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return call_layer(self, args, kwargs)

    @property
    def _kf_facts(self) -> Any:
        return facts_of(type(self), Layer)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Shape and dtype of the outputs for symbols or specs in the place of inputs."""
        args, kwargs = trees.map(_bare, args), trees.map(_bare, kwargs)
        return infer(self.__call__, args, kwargs)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Shape of the outputs for a shape (or a structure of shapes) of the inputs."""
        given = [_spec_of_shape(a, self.compute_dtype) for a in args]
        named = {k.removesuffix("_shape"): _spec_of_shape(v, self.compute_dtype) for k, v in kwargs.items()}
        if not args and len(named) == 1:
            given, named = list(named.values()), {}
        return trees.map(lambda s: s.shape, self.compute_output_spec(*given, **named))

    # --- weights
    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Makes a weight of this layer.

        Args:
            shape: shape; () for a scalar.
            initializer: name, object or function; None for Glorot uniform (zeros for ints).
            dtype: dtype name; None for the policy's variable dtype.
            trainable: whether optimizers update it.
            autocast: whether it is read in the compute dtype.
            regularizer: a function of the weight, or its name, whose value is added to the loss.
            constraint: a projection applied after each update.
            name: name.
        """
        self._kf_not_sealed()
        shape = shapes.standardize(() if shape is None else shape)
        if None in shape:
            raise ShapeError(
                f"Layer {self.name!r} ({type(self).__name__}) cannot make the weight {name!r} of shape {shape}: an "
                "axis of its input has no known length. Give `Input` the full shape, without None there."
            )
        dtype = self.variable_dtype if dtype is None else dtypes.standardize(dtype)
        if initializer is None:
            initializer = "glorot_uniform" if dtypes.is_float(dtype) else "zeros"
        initializer = initializers.get(initializer)
        draw = getattr(initializer, "draw", initializer)
        with self._kf_named_scope():
            late = context.undrawn
            if late is not None and not (late.all_layers or self._kf_facts.own):
                context.undrawn = None
            try:
                variable = Variable(draw, shape, dtype, trainable, autocast, aggregation, name=name)
            finally:
                context.undrawn = late
        if regularizer is not None:
            from keras_fn import regularizers

            variable.regularizer = regularizers.get(regularizer)
        if constraint is not None:
            from keras_fn import constraints

            variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        if not self._kf_trainable:
            variable.trainable = False if trainable else variable.trainable
        self._kf_variables.append(variable)
        return variable

    def _kf_not_sealed(self) -> None:
        if self._kf_sealed:
            raise ArgumentError(
                f"Layer {self.name!r} is built: its optimizer and files know its weights, and a new one would be "
                "missed. Make weights in `__init__` or `build`."
            )

    def add_variable(
        self, shape: Any, initializer: Any, dtype: Any = None, trainable: bool = True, **kw: Any
    ) -> Variable:
        """`add_weight` under another name."""
        return self.add_weight(shape, initializer, dtype, trainable, **kw)

    def _kf_named_scope(self) -> NamedScope:
        return NamedScope(self._kf_path)

    def _kf_own(self) -> list[Variable]:
        """The variables of this layer itself, in the order they were made; seeds and metrics are not among them."""
        listed = {id(v) for v in self._kf_variables}
        loose = [v for _, v in held(self, (Variable,)) if id(v) not in listed]
        return [*self._kf_variables, *loose]

    def _kf_held(self, kinds: tuple[type, ...]) -> Iterator[tuple[str, Any]]:
        return held(self, kinds)

    def _kf_sublayers(self) -> list[Any]:
        return [layer for _, layer in held(self, (Layer,)) if layer is not self]

    @property
    def path(self) -> str:
        """Names of the layers around this one and its own, parted by '/'."""
        return self._kf_path

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Any]:
        """This layer and the ones inside it, each once, outer before inner."""
        out, seen, todo = [], set(), [self]
        while todo:
            layer = todo.pop()
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            if layer is not self or include_self:
                out.append(layer)
            if recursive or layer is self:
                todo.extend(reversed(layer._kf_sublayers()))
        return out

    @property
    def variables(self) -> list[Variable]:
        """Every variable: weights, and the seeds and metrics inside the layer."""
        found: list[Variable] = []
        for layer in self._flatten_layers():
            own = layer._kf_own()
            found += [v for v in own if v._trainable] + [v for v in own if not v._trainable]
            for _, holder in held(layer, (_holders())):
                found += holder.variables if hasattr(holder, "variables") else [holder.state]
        return unique_by_id(found)

    @property
    def weights(self) -> list[Variable]:
        """The weights, trainable or not, without seeds and metrics."""
        found: list[Variable] = []
        for layer in self._flatten_layers():
            own = layer._kf_own()
            found += [v for v in own if v._kf_born_trainable] + [v for v in own if not v._kf_born_trainable]
        return unique_by_id(found)

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that optimizers update."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that optimizers leave alone."""
        trainable = {id(v) for v in self.trainable_weights}
        return [v for v in self.variables if id(v) not in trainable]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that optimizers update; none where `trainable` is false."""
        return [v for v in self.weights if v._trainable] if self._kf_trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that optimizers leave alone."""
        return [v for v in self.weights if not v._trainable] if self._kf_trainable else self.weights

    @property
    def trainable(self) -> bool:
        """Whether optimizers update the weights; setting it reaches the layers inside."""
        return self._kf_trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        structure.bump()
        for layer in self._flatten_layers():
            layer._kf_trainable = value
            for v in layer._kf_own():
                if v._kf_born_trainable:
                    v.trainable = value

    def get_weights(self) -> list[Any]:
        """The weights as NumPy arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: list[Any]) -> None:
        """Sets the weights from arrays, in the order of `weights`.

        Raises:
            StructureError: where their number differs.
            ShapeError: where a shape differs; nothing is written then.
        """
        own = self.weights
        if len(weights) != len(own):
            raise StructureError(
                f"{self.name!r} has {len(own)} weights ({', '.join(v.path for v in own[:8])}…), and {len(weights)} came"
                if own
                else f"{self.name!r} has no weights yet, and {len(weights)} came. Call it or its `build` first."
            )
        arrays = [np.asarray(unwrap(w) if not isinstance(w, Variable) else w.numpy()) for w in weights]
        for v, w in zip(own, arrays, strict=True):
            if v.shape != w.shape:
                raise ShapeError(f"The weight {v.path!r} has the shape {v.shape}, and an array of {w.shape} came.")
        for v, w in zip(own, arrays, strict=True):
            v.assign(w)

    def count_params(self) -> int:
        """The number of weights' elements."""
        if not self.built and not self.weights:
            raise NotBuiltError(f"{self.name!r} is not built, so its weights cannot be counted. Call it first.")
        return sum(v.size for v in self.weights)

    # --- dtypes
    @property
    def compute_dtype(self) -> str:
        """The dtype that `call` computes in."""
        return self.dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def dtype(self) -> str:
        """The dtype of the weights."""
        return self.variable_dtype

    @property
    def input_dtype(self) -> str:
        """The dtype that inputs are cast to."""
        return self.compute_dtype

    # --- losses
    def add_loss(self, loss: Any) -> None:
        """Adds a scalar to the loss that training minimises; for use in `call`."""
        for x in trees.flatten(loss):
            if callable(x):
                raise ArgumentError("`add_loss` takes a tensor, and a function came: call it and pass its result.")
            if isinstance(x, Spec):
                continue  # shapes are being inferred
            if context.scope is not None and context.scope.collect_losses:
                context.scope.add_loss(x)
            self._kf_keep_loss(x)
            if context.tape is not None:
                context.tape.loss(self, x)

    def _kf_keep_loss(self, loss: Any) -> None:
        if not context.depth:
            return  # a whole training step runs as a plan: the loss is part of it, and nobody asks for it here
        if self._kf_losses_of is not context.call:  # what an earlier call added is over
            self._kf_losses.clear()
            self.__dict__["_kf_losses_of"] = context.call
        self._kf_losses.append(loss)

    @property
    def losses(self) -> list[Any]:
        """The scalars added in the last call, here and in layers inside, and the penalties of regularizers."""
        found = [x for layer in (self, *self._kf_known_layers()[0]) for x in layer._kf_losses]
        return found + self._kf_penalties()

    def _kf_known_layers(self) -> tuple[list[Any], list[Variable]]:
        """The layers inside, and the regularized weights; looked up again when a weight or `trainable` changed."""
        known = self.__dict__.get("_kf_known")
        if known is None or known[0] != structure.value:
            regularized = [v for v in self.trainable_weights if v.regularizer is not None]
            known = self.__dict__["_kf_known"] = (
                structure.value,
                (self._flatten_layers(include_self=False), regularized),
            )
        return known[1]

    def _kf_penalties(self) -> list[Any]:
        return [calls(v.regularizer, is_own(type(v.regularizer)), v) for v in self._kf_known_layers()[1]]

    def _clear_losses(self) -> None:
        for layer in (self, *self._kf_known_layers()[0]):
            layer._kf_losses.clear()

    # --- the graph
    @property
    def calls(self) -> list[Any]:
        """The calls of this layer on symbols that are still part of some graph, in order.

        Each has `input`, `output`, `inputs`, `outputs`.
        """
        return [node for ref in self._kf_calls if (node := ref()) is not None]

    def _kf_single_call(self, what: str) -> Any:
        calls = self.calls
        if len(calls) == 1:
            return calls[0]
        if not calls:
            raise NotBuiltError(
                f"Layer {self.name!r} has no `{what}`: it was not called on a symbol that is still in use. "
                "Call it on an `Input`, and keep what it returns."
            )
        listed = "\n".join(
            f"  calls[{i}] at {n.line}: {[x.shape for x in n.inputs]} -> {[s.shape for s in n.specs]}"
            for i, n in enumerate(calls)
        )
        raise GraphError(
            f"Layer {self.name!r} was called {len(calls)} times, so `{what}` is not clear. Take "
            f"`layer.calls[i].{what}`:\n{listed}"
        )

    @property
    def input(self) -> Any:
        """The symbol (or structure of symbols) that the layer was called on, where it was called once."""
        return self._kf_single_call("input").input

    @property
    def output(self) -> Any:
        """The symbol (or structure of symbols) that the layer gave, where it was called once."""
        return self._kf_single_call("output").output

    # --- configuration
    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as `from_config` takes them.

        A subclass that stores its arguments, or whose arguments are plain values, inherits this.
        """
        from keras_fn.layers.config import constructor_config

        return constructor_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """A new layer with the arguments of a config."""
        try:
            return cls(**config)
        except TypeError as e:
            raise ArgumentError(
                f"{cls.__name__} could not be made from its config {printable(repr(config), 400)}: {e}. Its "
                "`get_config` must return the arguments of its `__init__`."
            ) from e

    def get_build_config(self) -> dict[str, Any] | None:
        """What `build_from_config` needs to make the same weights again."""
        shapes_ = self._kf_build_shapes
        if shapes_ is None:
            return None
        if len(shapes_) == 1:
            return {"input_shape": next(iter(shapes_.values()))}
        return {"shapes_dict": shapes_}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds the layer as `get_build_config` says."""
        from keras_fn.layers.config import build_from_config

        build_from_config(self, config)

    def save_own_variables(self, store: Any) -> None:
        """Writes the layer's own weights into a dict-like store, under "0", "1", …"""
        for i, v in enumerate(self._kf_saved()):
            store[str(i)] = v

    def load_own_variables(self, store: Any) -> None:
        """Reads the layer's own weights from a dict-like store.

        Raises:
            StructureError, ShapeError: where the store does not fit.
        """
        own = self._kf_saved()
        if len(store.keys()) != len(own):
            hint = "" if own or self.built else " The layer is not built: call it, or `build`, first."
            raise StructureError(
                f"Layer {self.path!r} has {len(own)} weights, and {len(store.keys())} were saved.{hint}"
            )
        for i, v in enumerate(own):
            v.assign(store[str(i)])

    def _kf_saved(self) -> list[Variable]:
        own = self._kf_own()
        return [v for v in own if v._kf_born_trainable] + [v for v in own if not v._kf_born_trainable]

    # --- for hand-written loops
    def stateless_call(
        self,
        trainable_variables: list[Any],
        non_trainable_variables: list[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The call as a pure function of the variables' values.

        Returns:
            `(outputs, non_trainable_variables)`, and the losses where `return_losses`.
        """
        own, rest = self.trainable_variables, self.non_trainable_variables
        for what, have, came in (
            ("trainable", own, trainable_variables),
            ("non-trainable", rest, non_trainable_variables),
        ):
            if len(have) != len(came):
                raise StructureError(f"{self.name!r} has {len(have)} {what} variables, and {len(came)} values came.")
        mapping = [*zip(own, trainable_variables, strict=True), *zip(rest, non_trainable_variables, strict=True)]
        with StatelessScope(mapping, collect_losses=return_losses) as scope:
            outputs = self(*args, **kwargs)
            losses = self.losses if return_losses else None
            after = [scope.get_current_value(v) for v in rest]
        self._clear_losses()
        return (outputs, after, losses) if return_losses else (outputs, after)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "built" and value:
            self.__dict__["built"] = True
            return
        if self.built and (isinstance(value, Layer) or name in self._kf_facts.arguments):
            structure.bump()  # what is compiled, or planned, holds for what was
        elif isinstance(value, _PARTS):
            structure.made()
        super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, Any]:
        state = {**self.__dict__, "_kf_calls": [], "_kf_known": None}
        state.pop("_kf_owners", None)  # weak references; a model notes itself again
        return state

    def __reduce__(self) -> Any:
        return _empty, (getattr(type(self), "_plain_class", type(self)),), self.__getstate__()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    def __str__(self) -> str:
        return repr(self)

    def __dir__(self) -> list[str]:
        return sorted(n for n in {*self.__dict__, *dir(type(self))} if not n.startswith("_kf_"))

    @property
    def metrics(self) -> list[Any]:
        """The metrics held by this layer and the ones inside it."""
        from keras_fn.metrics import Metric

        return unique_by_id(m for layer in self._flatten_layers() for _, m in held(layer, (Metric,)))

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """The specs of the outputs."""
        return self.compute_output_spec(*args, **kwargs)


# a new one is what caches of lists of weights watch for
_PARTS = (Layer, Variable)


def _marks_built(build: Any) -> Any:
    """A `build` after which the layer is built also where an outer layer's `build` called it by hand."""

    @functools.wraps(build)
    def marked(self: Layer, *args: Any, **kwargs: Any) -> None:
        with self._kf_named_scope():
            build(self, *args, **kwargs)
        put = self.__dict__
        put["built"] = True
        if self._kf_build_shapes is None and (args or kwargs):
            shapes_ = dict(zip(self._kf_facts.build_params, args, strict=False)) | kwargs
            put["_kf_build_shapes"] = None if None in shapes_.values() else shapes_

    return marked


def _empty(cls: Any) -> Any:
    return cls.__new__(cls)


def _holders() -> tuple[type, ...]:
    from keras_fn.metrics import Metric
    from keras_fn.random import SeedGenerator

    return Metric, SeedGenerator, Carried


def _bare(x: Any) -> Any:
    return x.spec() if isinstance(x, KerasTensor) else x


def _spec_of_shape(shape: Any, dtype: str) -> Any:
    if shape is None or isinstance(shape, Spec):
        return shape
    if isinstance(shape, dict):
        return {k: _spec_of_shape(v, dtype) for k, v in shape.items()}
    if isinstance(shape, (list, tuple)) and shape and isinstance(shape[0], (list, tuple, dict)):
        return type(shape)(_spec_of_shape(s, dtype) for s in shape)
    return Spec(shape, dtype)


__all__ = ["InputSpec", "KerasFnError", "Layer"]

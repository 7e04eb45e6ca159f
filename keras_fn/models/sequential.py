"""`Sequential`: a chain of layers."""

from __future__ import annotations

from typing import Any

from keras_fn.core.errors import ArgumentError, ArgumentTypeError, NotBuiltError
from keras_fn.core.spec import Spec
from keras_fn.graph.symbol import KerasTensor
from keras_fn.layers.base import Layer
from keras_fn.layers.input_layer import InputLayer
from keras_fn.models.functional import Functional
from keras_fn.models.inlining import note_owner
from keras_fn.models.model import Model


class Sequential(Model):
    """Layers one after the other; each takes one tensor and gives one.

    Args:
        layers: the layers; the first may be an `Input`, which says the shape from the start.
        trainable: whether optimizers update the weights.
        name: name.

    Example:
        >>> import keras_fn
        >>> model = keras_fn.Sequential([keras_fn.Input((4,)), keras_fn.layers.Dense(3)])
        >>> model.output_shape
        (None, 3)
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, trainable=trainable, **kwargs)
        self._kf_chain: list[Layer] = []
        self._kf_chain_names: set[str] = set()
        self._kf_functional: Functional | None = None
        for layer in layers or []:
            self.add(layer, rebuild=False)
        self._rebuild()

    # --- the chain
    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Appends a layer, or an `Input` where it is the first."""
        if isinstance(layer, KerasTensor) and layer._node is not None and layer._node.is_input:
            layer = layer._node.operation
        if not isinstance(layer, Layer):
            if callable(layer) and not isinstance(layer, type):
                from keras_fn.layers import Lambda

                layer = Lambda(layer)
            else:
                raise ArgumentTypeError(f"A Sequential holds layers, and {layer!r} came ({type(layer).__name__}).")
        shape = layer.__dict__.get("_kf_input_shape")
        if shape is not None and not self._kf_chain:
            self._append(InputLayer(shape=shape))
        if isinstance(layer, InputLayer) and self._kf_chain:
            raise ArgumentError(
                f"An Input can only be the first layer of a Sequential, and {self.name!r} has layers already."
            )
        if layer.name in self._kf_chain_names:
            raise ArgumentError(
                f"{self.name!r} has a layer {layer.name!r} already. Names in a model must be unique: pass another "
                "`name=` (or make a new layer, if this one was meant to be added twice)."
            )
        self._append(layer)
        if rebuild:
            self._rebuild()

    def _append(self, layer: Layer) -> None:
        self._kf_chain.append(layer)
        self._kf_chain_names.add(layer.name)

    def pop(self, rebuild: bool = True) -> Layer:
        """Takes off the last layer and returns it."""
        if not self._kf_chain:
            raise ArgumentError(f"{self.name!r} has no layers to pop.")
        layer = self._kf_chain.pop()
        self._kf_chain_names = {other.name for other in self._kf_chain}
        if rebuild:
            self._rebuild()
        return layer

    def _rebuild(self) -> None:
        self._kf_functional = None
        self.__dict__["built"] = False
        self._kf_program_changed()
        if len(self._kf_chain) > 1 and isinstance(self._kf_chain[0], InputLayer):
            self._connect(self._kf_chain[0].symbol())
        elif self._kf_chain and isinstance(self._kf_chain[0], Functional) and len(self._kf_chain[0].inputs) == 1:
            first = self._kf_chain[0].inputs[0]
            self._connect(InputLayer(batch_shape=first.shape, dtype=first.dtype).symbol())

    def _connect(self, symbol: KerasTensor) -> None:
        x: Any = symbol
        for layer in self._kf_chain:
            if not isinstance(layer, InputLayer):
                x = layer(x)
        functional = Functional(symbol, x, name=self.name)
        note_owner(self, functional._function)
        self._kf_functional = functional
        self.built = True

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights for inputs of a shape with batch axis."""
        if self._kf_functional is not None:
            return
        if input_shape is None or not self._kf_chain:
            raise NotBuiltError(
                f"The Sequential model {self.name!r} does not know its input's shape. Begin it with an "
                "`Input(shape=…)`, or call it on data."
            )
        self._connect(InputLayer(batch_shape=(None, *tuple(input_shape)[1:])).symbol())

    @property
    def _kf_calls_its_graph(self) -> bool:
        return type(self).call is Sequential.call

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        return [layer for layer in self._kf_chain if not isinstance(layer, InputLayer)]

    def _kf_sublayers(self) -> list[Any]:
        own = super()._kf_sublayers()
        return [*self._kf_chain, *(x for x in own if x not in self._kf_chain and x is not self._kf_functional)]

    # --- computing
    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The output of the last layer."""
        if self._kf_functional is not None:
            return self._kf_functional.call(inputs, training, mask)
        x = inputs
        for layer in self._kf_chain:
            x = layer(x)
        return x

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The layers inside set the masks of their outputs."""
        return None

    def compute_output_spec(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Shape and dtype of the output."""
        if self._kf_functional is None:
            self.build(tuple(inputs.shape) if isinstance(inputs, Spec) else inputs)
        return super().compute_output_spec(inputs, training=training, mask=mask)

    # --- the graph
    def _graph(self, what: str) -> Functional:
        if self._kf_functional is None:
            raise NotBuiltError(
                f"The Sequential model {self.name!r} has no `{what}` yet, as it does not know its input's shape. Begin "
                "it with an `Input(shape=…)`, or call it on data."
            )
        return self._kf_functional

    @property
    def input(self) -> Any:
        """The input symbol."""
        return self._graph("input").input

    @property
    def output(self) -> Any:
        """The output symbol."""
        return self._graph("output").output

    @property
    def inputs(self) -> list[Any]:
        """The input symbol, in a list."""
        return self._graph("inputs").inputs

    @property
    def outputs(self) -> list[Any]:
        """The output symbol, in a list."""
        return self._graph("outputs").outputs

    @property
    def input_shape(self) -> Any:
        """Shape of the input."""
        return self._graph("input_shape").input_shape

    @property
    def output_shape(self) -> Any:
        """Shape of the output."""
        return self._graph("output_shape").output_shape

    @property
    def input_names(self) -> list[str]:
        """Name of the input."""
        return self._graph("input_names").input_names

    @property
    def output_names(self) -> list[str] | None:
        """Name of the output, once the shape is known."""
        return None if self._kf_functional is None else self._kf_functional.output_names

    # --- configuration
    def get_config(self) -> dict[str, Any]:
        """The layers' configs, in order."""
        from keras_fn.layers.config import base_config
        from keras_fn.saving.config import serialize_keras_object

        config = base_config(self)
        config["layers"] = [serialize_keras_object(layer) for layer in self._kf_chain]
        if self._kf_functional is not None:
            config["build_input_shape"] = self._kf_functional.inputs[0].shape
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A new model from a config."""
        from keras_fn.saving.config import custom_object_scope, outermost

        config = dict(config)
        shape = config.pop("build_input_shape", None)
        with outermost(config), custom_object_scope(custom_objects or {}):
            layers = [_layer_from(i, c) for i, c in enumerate(config.pop("layers", []))]
            model = cls(layers=layers, **config) if "name" in config else cls(layers=layers)
        if shape and model._kf_functional is None and model._kf_chain:
            model.build(shape)
        return model

    def get_build_config(self) -> dict[str, Any] | None:
        """The input's shape."""
        return None if self._kf_functional is None else {"input_shape": self._kf_functional.inputs[0].shape}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds for the shape in the config."""
        if self._kf_functional is None and config.get("input_shape"):
            self.build(config["input_shape"])


def _layer_from(number: int, data: Any) -> Any:
    from keras_fn.saving.config import layer_of
    from keras_fn.saving.places import at

    with at("layers", number):
        return layer_of(data) if isinstance(data, dict) else data

"""`Model`: a layer that can be trained, saved and inspected."""

from __future__ import annotations

from typing import Any

from keras_fn.core.errors import ArgumentError, NotBuiltError, closest
from keras_fn.layers.base import Layer
from keras_fn.trainer.trainer import Trainer


class Model(Trainer, Layer):
    """A model: describe it as a graph, or subclass it and define `call`.

    Three forms:

    - `Model(inputs, outputs)`: the graph between symbols, made with `Input` and layers.
    - a subclass with `__init__` (layers) and `call` (how they connect).
    - a subclass whose `__init__` calls `super().__init__(inputs=…, outputs=…)`.

    Args:
        inputs: symbols, alone or in lists, tuples and dicts.
        outputs: symbols, likewise.
        name: name.
        trainable: whether optimizers update the weights.

    Example:
        >>> import keras_fn
        >>> x = keras_fn.Input((3,))
        >>> y = keras_fn.layers.Dense(2)(x)
        >>> model = keras_fn.Model(x, y)
        >>> model.count_params()
        8
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and _is_graph(args, kwargs):
            from keras_fn.models.functional import Functional

            cls = Functional
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if _is_graph(args, kwargs):
            from keras_fn.models.functional import Functional, functional_class

            if not isinstance(self, Functional):
                self.__class__ = functional_class(type(self))
            Functional.__init__(self, *args, **kwargs)  # type: ignore[arg-type]
            return
        Layer.__init__(self, *args, **kwargs)
        Trainer.__init__(self)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation of the model."""
        raise NotImplementedError(
            f"The model class {type(self).__name__} has no `call`. Define `call(self, inputs)`, or make a functional "
            "model with `Model(inputs, outputs)`."
        )

    @property
    def _kf_calls_its_graph(self) -> bool:
        """Whether `call` is the running of a graph, and nothing else."""
        return False

    @property
    def layers(self) -> list[Layer]:
        """The layers held directly by the model."""
        from keras_fn.metrics import Metric

        return [x for x in self._kf_sublayers() if not isinstance(x, Metric)]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or its place in `layers`.

        Raises:
            ArgumentError: where there is none; it names the closest one.
        """
        if (name is None) == (index is None):
            raise ArgumentError("Give `get_layer` either a `name` or an `index`.")
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ArgumentError(f"{self.name!r} has {len(layers)} layers, so there is no index {index}.")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in layers]
        raise ArgumentError(f"{self.name!r} has no layer {name!r}.{closest(str(name), names)} Its layers: {names}")

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights of a subclassed model for inputs of a shape with batch axis, by running it on specs."""
        if self.built or input_shape is None:
            self.built = True
            return
        from keras_fn.layers.base import _spec_of_shape

        facts = self._kf_facts
        shape = input_shape
        if isinstance(shape, dict) and facts.first not in shape:
            spec: Any = {k: _spec_of_shape(v, self.compute_dtype) for k, v in shape.items()}
        else:
            spec = _spec_of_shape(shape, self.compute_dtype)
        self.built = True
        self.compute_output_spec(spec)

    # --- looking
    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Prints a table of the layers: names, output shapes, weights and connections."""
        from keras_fn.utils.summary import print_summary

        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    # --- keeping
    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Saves the model: its graph, weights, optimizer and compile settings.

        Args:
            filepath: path that ends in `.keras`; a path without an extension is written as a folder.
            overwrite: whether a file of that name may be replaced.
            zipped: one file (true) or a folder (false); by the path where None.
        """
        from keras_fn.saving import save_model

        save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: Any = None, *, name_map: Any = None
    ) -> None:
        """Saves the weights alone; `keras_fn.saving.save_weights` says how."""
        from keras_fn.saving import save_weights

        save_weights(self, filepath, overwrite, max_shard_size, name_map=name_map)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> Any:
        """Loads weights, and returns a report; `keras_fn.saving.load_weights` says how."""
        from keras_fn.saving import load_weights

        return load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """The configuration as JSON text, for `model_from_json`. `kwargs` go to `json.dumps`."""
        import json

        from keras_fn.saving.config import serialize_keras_object

        return json.dumps(serialize_keras_object(self), **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return Layer.get_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A new model from a config."""
        from keras_fn.models.functional import Functional, functional_from_config
        from keras_fn.saving.config import custom_object_scope

        with custom_object_scope(custom_objects or {}):
            if {"layers", "input_layers", "output_layers"} <= config.keys():
                target = Functional if cls is Model else cls
                return functional_from_config(target, config)
            return super().from_config(config)

    def count_params(self) -> int:
        """The number of weights' elements."""
        if not self.built and not self.weights:
            raise NotBuiltError(
                f"The model {self.name!r} has no weights yet. Call it on data, or `build(input_shape)`, first."
            )
        return sum(v.size for v in self.weights)

    @property
    def stateful(self) -> bool:
        """Whether a layer keeps its state from batch to batch."""
        return any(getattr(layer, "stateful", False) for layer in self._flatten_layers(include_self=False))

    def reset_states(self) -> None:
        """Resets the state of stateful layers."""
        for layer in self._flatten_layers(include_self=False):
            if hasattr(layer, "reset_state") and getattr(layer, "stateful", False):
                layer.reset_state()


def _is_graph(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return len(args) == 2 or (len(args) == 1 and "outputs" in kwargs) or ("inputs" in kwargs and "outputs" in kwargs)



"""`Wrapper`: base of layers that change what another layer does."""

from __future__ import annotations

from typing import Any

from keras_fn.core.errors import ArgumentTypeError
from keras_fn.layers.base import Layer
from keras_fn.layers.rnn.inner import build_inner


class Wrapper(Layer):
    """Base of layers that hold another layer and change what it does. Subclasses define `call`.

    Args:
        layer: the layer that is held.

    Raises:
        ArgumentTypeError: where `layer` is no layer.

    Example:
        >>> import keras_fn
        >>> from keras_fn import layers, ops
        >>> class Twice(layers.Wrapper):
        ...     def call(self, inputs):
        ...         return self.layer(self.layer(inputs))
        >>> Twice(layers.Dense(3))(ops.ones((2, 3))).shape == (2, 3)
        True
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ArgumentTypeError(f"`layer` of {type(self).__name__} must be a layer, and {layer!r} came.")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        """Builds the held layer for the same input."""
        build_inner(self, self.layer, input_shape)
        self.built = True

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Wrapper:
        """A layer from the result of `get_config`."""
        from keras_fn.saving.config import deserialize_keras_object

        return cls(**{**config, "layer": deserialize_keras_object(config["layer"], custom_objects=custom_objects)})

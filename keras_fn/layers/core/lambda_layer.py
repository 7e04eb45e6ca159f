"""`Lambda`: any function as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from keras_fn.core import shapes, trees
from keras_fn.core.errors import ArgumentTypeError
from keras_fn.core.spec import Spec
from keras_fn.layers.base import Layer


class Lambda(Layer):
    """Applies a function of the user's. It cannot hold weights; for those write a subclass of `Layer`.

    A file that holds a lambda holds Python code, so it is loaded only with `safe_mode=False`. A named function that is
    registered with `keras_fn.saving.register_keras_serializable()` is loaded as any other.

    Args:
        function: function of the inputs; it may also take `mask` and `training`.
        output_shape: shape of the output of one sample, or a function of the input's shape that gives the whole shape.
            None: it is found by running the function on specs.
        mask: mask of the outputs, or a function `(inputs, mask)` that gives it; None for none.
        arguments: further arguments for the function, by name.

    Example:
        >>> import keras_fn
        >>> layer = keras_fn.layers.Lambda(lambda x, n: x * n, arguments={"n": 3.0})
        >>> keras_fn.ops.convert_to_numpy(layer(keras_fn.ops.ones((2,)))).tolist()
        [3.0, 3.0]
    """

    _kf_runs_code = True  # of the user's

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise ArgumentTypeError(f"`function` of Lambda must be a function, not {function!r}.")
        self.function = function
        self.output_shape = output_shape
        self.mask = mask
        self.arguments = dict(arguments or {})
        if mask is not None:
            self.supports_masking = True
        try:
            names = set(inspect.signature(function).parameters)
        except (TypeError, ValueError):  # a function of a framework's, written in C
            names = set()
        self._passes = tuple(n for n in ("mask", "training") if n in names and n not in self.arguments)

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """`function(inputs, **arguments)`."""
        if self.output_shape is not None and any(isinstance(x, Spec) for x in trees.flatten(inputs)):
            return self._declared(inputs)
        known = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{n: known[n] for n in self._passes})

    def _declared(self, inputs: Any) -> Any:
        """Specs of the shape that was declared."""
        first = trees.flatten(inputs)[0]
        if callable(self.output_shape):
            shape = self.output_shape(trees.map(lambda x: x.shape, inputs))
        else:
            shape = (first.shape[0], *shapes.standardize(self.output_shape))
        return Spec(shape, first.dtype)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask that was given, or what its function gives."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, without those that were not given."""
        from keras_fn.saving.config import function_config

        config = super().get_config()
        for name in ("function", "output_shape", "mask"):
            if isinstance(config[name], str):  # a function of this library; Keras takes no bare name here
                config[name] = function_config(config[name])
        return {k: v for k, v in config.items() if k not in ("output_shape", "mask") or v is not None}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None, safe_mode: bool | None = None
    ) -> Lambda:
        """A layer from the result of `get_config`.

        Args:
            config: the config.
            custom_objects: name -> function that the config may name.
            safe_mode: False to run lambdas that the config holds as code; None for the mode of the running load.

        Raises:
            UnsafeFileError: where the config holds a lambda and the mode is safe.
        """
        from keras_fn.saving.config import deserialize_keras_object

        config = dict(config)
        if isinstance(config.get("function"), str):
            name = config["function"]
            config["function"] = {"class_name": "function", "config": name, "module": "", "registered_name": name}
        for name in ("function", "output_shape", "mask", "arguments"):
            if isinstance(config.get(name), dict):
                config[name] = deserialize_keras_object(config[name], custom_objects, safe_mode)
        if isinstance(config.get("function"), type):
            raise ArgumentTypeError(f"`function` of Lambda must be a function, not the class {config['function']!r}.")
        return super().from_config(config)  # type: ignore[return-value]

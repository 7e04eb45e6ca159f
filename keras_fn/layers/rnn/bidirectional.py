"""`Bidirectional`: a recurrent layer run in both directions."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.layers.base import Layer
from keras_fn.layers.rnn.inner import build_inner

_MERGES = {
    "concat": lambda a, b: ops.concatenate([a, b], -1),
    "sum": ops.add,
    "mul": ops.multiply,
    "ave": lambda a, b: ops.multiply(ops.add(a, b), 0.5),
}
_SHARED = ("stateful", "return_sequences", "return_state")
_NEEDED = ("go_backwards", *_SHARED)


class Bidirectional(Layer):
    """Runs a recurrent layer from the first step to the last, another from the last to the first, and merges both.

    With `return_sequences` the backward outputs are turned round first, so that equal time steps meet. Two outputs of
    width u become one of width `2 * u` ("concat") or u.
    Source: Schuster and Paliwal 1997, https://doi.org/10.1109/78.650093

    Args:
        layer: a recurrent layer (RNN, LSTM, GRU, …), or one with `go_backwards`, `return_sequences`, `return_state` and
            `stateful`. Two layers are made from its config, called forward_… and backward_….
        merge_mode: "concat", "sum", "mul", "ave", or None for both outputs in a tuple.
        weights: arrays that the weights begin with, forward ones first.
        backward_layer: the layer of the other direction; its `go_backwards` must differ.

    Call arguments:
        sequences: tensor `(batch, time, …)`.
        initial_state: list of tensors, the forward states first.
        mask: bools `(batch, time)`.
        training: whether dropout is at work.

    Raises:
        ArgumentError: where the two layers do not fit each other, or for an unknown `merge_mode`.

    Example:
        >>> import keras_fn
        >>> from keras_fn import layers, ops
        >>> layer = layers.Bidirectional(layers.LSTM(4, return_sequences=True))
        >>> tuple(layer(ops.ones((2, 5, 3))).shape)
        (2, 5, 8)
    """

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        for role, given in (("layer", layer), ("backward_layer", backward_layer)):
            _check_recurrent(role, given, optional=role == "backward_layer")
        if merge_mode is not None and merge_mode not in _MERGES:
            raise ArgumentError(f"`merge_mode` must be one of {', '.join(_MERGES)} or None, not {merge_mode!r}.")
        super().__init__(**kwargs)
        self.merge_mode = merge_mode
        name = layer.name.removeprefix("forward_")
        self.forward_layer: Any = _copy(layer, f"forward_{name}")
        if backward_layer is None:
            backward_layer = _copy(layer, f"backward_{name}", go_backwards=not layer.go_backwards)
        self.backward_layer: Any = backward_layer
        self._check_pair()
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.stateful = layer.stateful
        for direction in (self.forward_layer, self.backward_layer):
            if hasattr(direction, "zero_output_for_mask"):
                # a repeated output would lie at another end in each direction
                direction.zero_output_for_mask = self.return_sequences
        self.supports_masking = True
        self.input_spec = layer.input_spec
        self._kf_first_weights = weights

    def _check_pair(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ArgumentError(
                f"The two layers of a Bidirectional must run in different directions, and both have "
                f"go_backwards={forward.go_backwards}. Make the backward layer with go_backwards=True."
            )
        for name in _SHARED:
            a, b = getattr(forward, name), getattr(backward, name)
            if a != b:
                raise ArgumentError(
                    f"The two layers of a Bidirectional must have the same `{name}`: the forward layer has {a}, and "
                    f"the backward layer {b}."
                )

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Builds both layers."""
        build_inner(self, self.forward_layer, sequences_shape)
        build_inner(self, self.backward_layer, sequences_shape)
        self.input_spec = self.forward_layer.input_spec
        self.built = True
        if self._kf_first_weights is not None:
            self.set_weights(self._kf_first_weights)
            self._kf_first_weights = None

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = None) -> Any:
        """The merged outputs, and the states of both layers where asked."""
        first, second = self._halves(initial_state)
        options = {} if mask is None else {"mask": mask}
        forward = self.forward_layer(sequences, initial_state=first, training=training, **options)
        backward = self.backward_layer(sequences, initial_state=second, training=training, **options)
        states: tuple[Any, ...] = ()
        if self.return_state:
            states = (*forward[1:], *backward[1:])
            forward, backward = forward[0], backward[0]
        if self.return_sequences:
            backward = ops.flip(backward, 1)
        if self.merge_mode is None:
            return (forward, backward, *states)
        merged = _MERGES[self.merge_mode](forward, backward)
        return (merged, *states) if self.return_state else merged

    def _halves(self, initial_state: Any) -> tuple[Any, Any]:
        """The states of the forward and of the backward layer."""
        if initial_state is None:
            return None, None
        if not isinstance(initial_state, (list, tuple)) or len(initial_state) % 2:
            raise ArgumentError(
                "`initial_state` of a Bidirectional must be a list that holds the states of the forward and then those "
                f"of the backward layer, and {initial_state!r} came."
            )
        half = len(initial_state) // 2
        return list(initial_state[:half]), list(initial_state[half:])

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the inputs with `return_sequences`, for each output; None for the states."""
        if isinstance(mask, (list, tuple)):
            mask = mask[0]
        mask = mask if self.return_sequences else None
        return (mask, mask) if self.merge_mode is None else mask

    @property
    def states(self) -> Any:
        """The state variables of both layers, the forward ones first; None where they keep none."""
        if self.forward_layer.states is None:
            return None
        return [*self.forward_layer.states, *self.backward_layer.states]

    def reset_state(self) -> None:
        """Sets the states of stateful layers back to the start."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    def recurrent_path(self, mask: Any = None, training: bool = False) -> Any:
        """Which way a call of the forward layer goes, "fused" or "loop", and why."""
        return self.forward_layer.recurrent_path(mask, training)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        from keras_fn.layers.config import base_config
        from keras_fn.saving.config import serialize_keras_object

        return {
            **base_config(self),
            "merge_mode": self.merge_mode,
            "layer": serialize_keras_object(self.forward_layer),
            "backward_layer": serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Bidirectional:
        """A layer from the result of `get_config`."""
        from keras_fn.saving.config import deserialize_keras_object

        config = dict(config)
        config.pop("num_constants", None)  # written by older versions
        for role in ("layer", "backward_layer"):
            if config.get(role) is not None:
                config[role] = deserialize_keras_object(config[role], custom_objects=custom_objects)
        return cls(**config)


def _check_recurrent(role: str, layer: Any, optional: bool) -> None:
    if layer is None and optional:
        return
    if not isinstance(layer, Layer):
        raise ArgumentTypeError(f"`{role}` of Bidirectional must be a layer, and {layer!r} came.")
    missing = [name for name in _NEEDED if not hasattr(layer, name)]
    if missing:
        raise ArgumentError(
            f"`{role}` of Bidirectional must be a recurrent layer such as LSTM, and {layer!r} has no "
            f"{', '.join(f'`{name}`' for name in missing)}."
        )


def _copy(layer: Any, name: str, **changes: Any) -> Any:
    """A layer of the same config, without its weights."""
    return type(layer).from_config({**layer.get_config(), "name": name, **changes})

"""`CellNetwork`: what SimpleRNN, LSTM and GRU share: a cell of the library, run as one op over the whole sequence."""

from __future__ import annotations

from typing import Any

from keras_fn.core.errors import ArgumentError
from keras_fn.layers.base import Layer
from keras_fn.layers.config import base_config
from keras_fn.layers.input_spec import InputSpec
from keras_fn.layers.rnn.rnn import RNN
from keras_fn.ops.rnn import RecurrentPath, recurrent_path

LOOP_SETTINGS = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask")


def of_cell(name: str) -> property:
    """An attribute of a layer that its cell keeps."""
    return property(lambda self: getattr(self.cell, name), doc=f"`{name}` of the cell.")


class CellNetwork(RNN):
    """An RNN whose cell is one of the library's, so that the whole sequence is one op, fused where the backend can.

    Subclasses set `kind`, the op's name, and define `_network`, which calls it. Where dropout is at work the cell is
    run step by step, because fused kernels have no masks.
    """

    kind = ""
    activation: Any = of_cell("activation")
    units, use_bias, dropout, recurrent_dropout, seed, implementation = map(
        of_cell, ("units", "use_bias", "dropout", "recurrent_dropout", "seed", "implementation")
    )
    kernel_initializer, recurrent_initializer, bias_initializer = map(
        of_cell, ("kernel_initializer", "recurrent_initializer", "bias_initializer")
    )
    kernel_regularizer, recurrent_regularizer, bias_regularizer = map(
        of_cell, ("kernel_regularizer", "recurrent_regularizer", "bias_regularizer")
    )
    kernel_constraint, recurrent_constraint, bias_constraint = map(
        of_cell, ("kernel_constraint", "recurrent_constraint", "bias_constraint")
    )

    def __init__(self, cell: Layer, use_cudnn: Any = "auto", **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        if use_cudnn not in ("auto", True, False):
            raise ArgumentError(f"`use_cudnn` is 'auto', True or False, not {use_cudnn!r}.")
        self.use_cudnn = use_cudnn
        self.input_spec = InputSpec(ndim=3)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Builds the cell, with weights for `(batch, features)`."""
        super().build(sequences_shape, initial_state_shape)
        self.input_spec = InputSpec(ndim=3, axes={-1: sequences_shape[-1]})

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        """Runs the loop over time, or the fused kernel."""
        if training and self.cell.drops:
            self.recurrent_path(mask, training)  # an error where the fused kernel was demanded
            return super().inner_loop(sequences, initial_state, mask, training)
        return self._network(
            sequences,
            *initial_state,
            self.cell.kernel,
            self.cell.recurrent_kernel,
            self.cell.bias,
            mask,
            go_backwards=self.go_backwards,
            return_sequences=self.return_sequences,
            zero_output_for_mask=self.zero_output_for_mask,
            unroll=self.unroll,
            use_fused=self._use_fused,
        )

    def _network(self, *tensors: Any, **options: Any) -> Any:
        raise NotImplementedError

    @property
    def _use_fused(self) -> bool | None:
        return None if self.use_cudnn == "auto" else bool(self.use_cudnn)

    def recurrent_path(self, mask: Any = None, training: bool = False) -> RecurrentPath:
        """Which way a call goes, "fused" (the framework's own kernel) or "loop", and why.

        Args:
            mask: the mask of the call.
            training: whether the call trains.

        Raises:
            ArgumentError: where `use_cudnn=True` and there is no fused way.
        """
        cell = self.cell
        if training and cell.drops:
            if self.use_cudnn is True:
                raise ArgumentError(
                    f"{self.name!r} was made with `use_cudnn=True`, and fused kernels have no dropout inside. "
                    "Leave `use_cudnn` at 'auto', or put a Dropout layer before this one."
                )
            return RecurrentPath("loop", "dropout is at work, and fused kernels have no masks for it")
        recurrent = getattr(cell, "recurrent_activation", "sigmoid")
        after = getattr(cell, "reset_after", True)
        return recurrent_path(self.kind, cell.activation, recurrent, mask, after, self.unroll, self._use_fused)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = base_config(self)
        of_cell = self.cell.get_config()
        config.setdefault("activity_regularizer", None)
        config.update({name: getattr(self, name) for name in LOOP_SETTINGS})
        config.update({name: value for name, value in of_cell.items() if name not in ("name", "trainable", "dtype")})
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> CellNetwork:
        """A layer from the result of `get_config`."""
        return cls(**config)

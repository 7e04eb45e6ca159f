"""`EinsumDense`: a product of the inputs and a kernel, along axes that an equation names."""

from __future__ import annotations

import re
from typing import Any

from keras_fn import activations, constraints, initializers, ops, regularizers
from keras_fn.core.arguments import Dims
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.layers.arguments import is_int, unsupported
from keras_fn.layers.base import Layer
from keras_fn.ops.linear import _linear_along


class EinsumDense(Layer):
    """`activation(einsum(equation, inputs, kernel) + bias)`: `Dense` along any axes.

    Args:
        equation: such as 'abc,cd->abd': the axes of the inputs, of the kernel and of the outputs. `...`, first or last
            in the inputs and outputs, stands for any axes that stay.
        output_shape: shape of the outputs without the batch axis (and without those of a leading `...`), or an int for
            one axis; None for a length as in the inputs.
        activation: function, or its name; None for none.
        bias_axes: the output axes that the bias has, such as 'd'; None for no bias.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernel.
        bias_initializer, bias_regularizer, bias_constraint: of the bias.
        lora_rank, lora_alpha, gptq_unpacked_column_size, quantization_config: must be None.

    Raises:
        ArgumentError: where the equation cannot be read, or does not fit `output_shape` and `bias_axes`.
        ShapeError: where the inputs do not fit it.

    Example:
        >>> import keras_fn
        >>> layer = keras_fn.layers.EinsumDense("abc,cd->abd", output_shape=(None, 8), bias_axes="d")
        >>> tuple(layer(keras_fn.ops.ones((2, 3, 4))).shape)
        (2, 3, 8)
        >>> [w.shape for w in layer.weights]
        [(4, 8), (8,)]
    """

    def __init__(
        self,
        equation: str,
        output_shape: int | Dims,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: Any = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        unsupported(
            self, lora_rank=lora_rank, lora_alpha=lora_alpha, gptq_unpacked_column_size=gptq_unpacked_column_size,
            quantization_config=quantization_config,
        )  # fmt: skip
        self.equation = equation
        self._terms = _read(equation)
        shape: Any = output_shape
        self.output_shape = (shape,) if is_int(shape) else tuple(shape)
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        missing = set(bias_axes or "") - set(self._terms[2])
        if missing:
            raise ArgumentError(f"`bias_axes` {bias_axes!r} names axes that the outputs of {equation!r} do not have.")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape: Any) -> None:
        """Makes `kernel`, and `bias` where there are `bias_axes`."""
        inputs, kernel, _ = self._terms
        lengths = self._lengths(tuple(input_shape))
        unknown = [c for c in kernel if lengths.get(c) is None]
        if unknown:
            raise ShapeError(
                f"EinsumDense {self.name!r} ({self.equation!r}) needs to know the length of the axes "
                f"{', '.join(unknown)} of its kernel: the input has the shape {tuple(input_shape)}, and `output_shape` "
                f"is {self.output_shape}."
            )
        self.kernel = self.add_weight(
            shape=tuple(lengths[c] for c in kernel),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.bias = None
        if self.bias_axes:
            self.bias = self.add_weight(
                shape=self._bias_shape(lengths, len(input_shape) - len(inputs.replace("...", ""))),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def _lengths(self, input_shape: tuple[Any, ...]) -> dict[str, Any]:
        """The length of each named axis, from the input and from `output_shape`."""
        inputs, _, outputs = self._terms
        found = dict(_named(inputs, input_shape, self))
        # `output_shape` lacks the batch axis: the first letter, where `...` does not stand for it
        declared = self.output_shape if outputs.startswith("...") else (None, *self.output_shape)
        letters = outputs.replace("...", "")
        if len(letters) > len(declared):
            raise ArgumentError(
                f"`output_shape` {self.output_shape} of EinsumDense {self.name!r} is too short for {self.equation!r}: "
                f"the outputs have the axes {outputs}, and the batch axis is left out."
            )
        pairs = zip(reversed(letters), reversed(declared), strict=False) if outputs.startswith("...") else zip(
            letters, declared, strict=False
        )
        for letter, length in pairs:
            known = found.get(letter)
            if None not in (known, length) and known != length:
                raise ShapeError(
                    f"EinsumDense {self.name!r} ({self.equation!r}): the axis {letter!r} has the length {known} in the "
                    f"input of the shape {input_shape}, and {length} in `output_shape` {self.output_shape}."
                )
            found[letter] = length if known is None else known
        return found

    def _bias_shape(self, lengths: dict[str, Any], elided: int) -> tuple[int, ...]:
        """The bias has its own axes, with 1 for the other ones behind its first."""
        outputs = self._terms[2].replace("...", "." * elided)
        first = min(outputs.index(c) for c in self.bias_axes or "")
        shape = tuple(lengths[c] if c in (self.bias_axes or "") else 1 for c in outputs[first:])
        if None in shape:
            raise ShapeError(
                f"EinsumDense {self.name!r} ({self.equation!r}) needs to know the length of its bias's axes "
                f"{self.bias_axes!r}. Give them in `output_shape`, now {self.output_shape}."
            )
        return shape

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """The outputs."""
        if self.bias is not None:
            outputs = _linear_along(inputs, self.kernel, self.bias, self.equation)
        else:
            outputs = ops.einsum(self.equation, inputs, self.kernel)
        return self.activation(outputs)


def _read(equation: Any) -> tuple[str, str, str]:
    """The axes of inputs, kernel and outputs."""
    text = equation.replace(" ", "") if isinstance(equation, str) else ""
    match = re.fullmatch(r"(\.\.\.)?([A-Za-z]+)(\.\.\.)?,([A-Za-z]+)->(\.\.\.)?([A-Za-z]+)(\.\.\.)?", text)
    fits = match is not None and match[1] == match[5] and match[3] == match[7] and not (match[1] and match[3])
    if match is None or not fits or any(len(set(match[i])) < len(match[i]) for i in (2, 4, 6)):
        raise ArgumentError(
            f"`equation` of EinsumDense must look like 'abc,cd->abd' or '...c,cd->...d' (`...` first or last, in "
            f"inputs and outputs), not {equation!r}."
        )
    inputs, kernel, outputs = re.split(",|->", text)
    return inputs, kernel, outputs


def _named(term: str, shape: tuple[Any, ...], layer: Any) -> Any:
    """Pairs of axis name and length."""
    letters = term.replace("...", "")
    if len(letters) != len(shape) and ("..." not in term or len(letters) > len(shape)):
        raise ShapeError(
            f"EinsumDense {layer.name!r} ({layer.equation!r}) takes inputs with the axes {term}, not the shape {shape}."
        )
    if term.startswith("..."):
        return zip(reversed(letters), reversed(shape), strict=False)
    return zip(letters, shape, strict=False)

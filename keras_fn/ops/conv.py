"""Convolutions and pooling over one, two or three spatial axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import windows
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.op import Op, floats, op, same
from keras_fn.core.reading import kept
from keras_fn.core.settings import standardize_data_format
from keras_fn.core.shapes import Dim, Shape, tuple_of
from keras_fn.core.spec import Spec

__all__ = ["average_pool", "conv", "conv_transpose", "depthwise_conv", "max_pool", "separable_conv"]

Ints = int | tuple[int, ...]


# --- arguments
def _tensor(x: Any) -> Any:
    return x if hasattr(x, "shape") else s.convert_to_tensor(x)


def _spatial_rank(dims: Shape, *kernels: Shape) -> int:
    """The number of spatial axes; inputs and kernels must have two axes more."""
    rank = len(dims)
    if not 3 <= rank <= 5:
        raise ShapeError(
            f"`inputs` must have 3, 4 or 5 dimensions (batch, channels, and 1 to 3 spatial ones), and its shape is "
            f"{dims}."
        )
    for kernel in kernels:
        if len(kernel) != rank:
            raise ShapeError(f"`kernel` must have as many dimensions as `inputs`: the shapes are {kernel} and {dims}.")
    return rank - 2


def _padding(padding: Any) -> str:
    name = padding.lower() if isinstance(padding, str) else padding
    if name not in ("valid", "same"):
        raise ArgumentError(f"`padding` must be 'valid' or 'same', not {padding!r}.")
    return name


def _options(n: int, strides: Any, padding: Any, data_format: str | None, dilation: Any) -> tuple[Any, ...]:
    """Those four as kernels take them: tuples of n ints, and names in lower case."""
    return (
        tuple_of(strides, n, "strides"),
        _padding(padding),
        standardize_data_format(data_format),
        tuple_of(dilation, n, "dilation_rate"),
    )


def _settle(rule: Callable[..., Any], tensors: tuple[Any, ...], *given: Any) -> tuple[Any, ...]:
    """The arguments behind the tensors, `strides, padding, data_format, dilation`, as kernels take them.

    Shapes that do not fit the rule are refused here, on tensors too, in our words and on every backend alike.
    """
    dims = tuple([tuple(x.shape) for x in tensors])
    options = _options(_spatial_rank(*dims), *given)
    if not isinstance(tensors[0], Spec):  # of those, the op itself asks its rule
        _refuse(rule, dims, options)
    return options


@kept(maxsize=1024)  # most calls are on shapes that came before
def _refuse(rule: Callable[..., Any], dims: tuple[Shape, ...], options: tuple[Any, ...]) -> None:
    rule(*(Spec(d, "float32") for d in dims), *options)


# --- shape rules
def _parts(dims: Any, data_format: str) -> tuple[Dim, tuple[Dim, ...], Dim]:
    """Batch, spatial dimensions and channels of a shape."""
    batch, *rest = dims
    return (batch, tuple(rest[1:]), rest[0]) if data_format == "channels_first" else (batch, tuple(rest[:-1]), rest[-1])


def _joined(batch: Dim, spatial: Any, channels: Dim, data_format: str) -> Shape:
    return (batch, channels, *spatial) if data_format == "channels_first" else (batch, *spatial, channels)


def _slide(inputs: Any, sizes: Any, strides: Any, padding: str, data_format: str, what: str) -> tuple[Dim, ...]:
    """The spatial dimensions after windows that span `sizes` have slid along them."""
    _, spatial, _ = _parts(inputs.shape, data_format)
    out = tuple(windows.count(n, k, t, padding) for n, k, t in zip(spatial, sizes, strides, strict=True))
    if any(n is not None and n <= 0 for n in out) and 0 not in spatial:
        raise ShapeError(
            f"The spatial dimensions {spatial} of `inputs`, whose shape is {tuple(inputs.shape)} ({data_format}), are "
            f"too small for {what} with padding='{padding}'. Take larger inputs, smaller windows or padding='same'."
        )
    return tuple(None if n is None else max(n, 0) for n in out)


def _conv_shape(
    inputs: Any, kernel: Any, strides: Any, padding: str, data_format: str, dilation: Any
) -> Shape:
    batch, _, channels = _parts(inputs.shape, data_format)
    *window, depth, filters = kernel.shape
    if channels is not None and (channels % depth or channels == 0 or filters % (channels // depth)):
        raise ShapeError(
            f"A kernel of the shape {tuple(kernel.shape)} does not fit inputs of the shape {tuple(inputs.shape)} "
            f"({data_format}): their {channels} channels must be a multiple of the kernel's next to last dimension "
            f"({depth}), and that multiple, the number of groups, must divide the {filters} filters."
        )
    spans = [windows.span(k, d) for k, d in zip(window, dilation, strict=True)]
    what = f"a kernel of the shape {tuple(kernel.shape)} and the dilation {tuple(dilation)}"
    spatial = _slide(inputs, spans, strides, padding, data_format, what)
    return _joined(batch, spatial, filters, data_format)


@op(dtype=floats("inputs", "kernel"), shape=_conv_shape)
def _conv(inputs, kernel, strides, padding, data_format, dilation):
    """`conv` with all arguments given, those for axes as tuples; the number of groups follows from the shapes."""


def conv(
    inputs: Any,
    kernel: Any,
    strides: Ints = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Ints = 1,
) -> Any:
    """Convolution (cross-correlation) over 1, 2 or 3 spatial axes.

    Channels are split into `channels // kernel.shape[-2]` groups; each group has its own share of the filters.

    Args:
        inputs: tensor `(batch, *spatial, channels)`, or `(batch, channels, *spatial)` for 'channels_first'.
        kernel: tensor `(*window, channels_per_group, filters)`.
        strides: step of the window along each axis.
        padding: 'valid' (none) or 'same' (zeros, so that the output has `ceil(n / stride)` elements).
        data_format: 'channels_last' or 'channels_first'; None for the default set in `keras_fn.config`.
        dilation_rate: distance of the elements that the window sees, along each axis.

    Returns:
        Tensor `(batch, *new_spatial, filters)`, or with `filters` on axis 1.

    Raises:
        ShapeError: where the channels do not fit the kernel, or an axis is shorter than the window.

    Example:
        >>> from keras_fn import ops
        >>> ops.conv(ops.ones((1, 5, 5, 3)), ops.ones((3, 3, 3, 8))).shape[-1]
        8
    """
    inputs, kernel = _tensor(inputs), _tensor(kernel)
    return _conv(inputs, kernel, *_settle(_conv_shape, (inputs, kernel), strides, padding, data_format, dilation_rate))


def _apart(dims: Any) -> tuple[Any, ...]:
    """The shape of a depthwise kernel as that of a convolution in which every channel is a group."""
    *window, channels, multiplier = dims
    return (*window, 1, channels * multiplier)


def _check_depth(inputs: Any, kernel: Any, data_format: str) -> None:
    channels = _parts(inputs.shape, data_format)[2]
    if channels is not None and channels != kernel.shape[-2]:
        raise ShapeError(
            f"A depthwise kernel of the shape {tuple(kernel.shape)} is for {kernel.shape[-2]} channels, and inputs of "
            f"the shape {tuple(inputs.shape)} ({data_format}) have {channels}."
        )


@op(dtype=floats("inputs", "kernel"))
def _depthwise_conv(inputs, kernel, strides, padding, data_format, dilation):
    """`depthwise_conv` with all arguments given: a convolution in which every channel is a group."""
    _check_depth(inputs, kernel, data_format)
    return _conv(inputs, s.reshape(kernel, _apart(kernel.shape)), strides, padding, data_format, dilation)


def _depthwise_shape(inputs: Any, kernel: Any, *options: Any) -> Shape:
    _check_depth(inputs, kernel, options[2])
    return _conv_shape(inputs, Spec(_apart(kernel.shape), "float32"), *options)


def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Ints = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Ints = 1,
) -> Any:
    """Convolution of each channel by itself, with `multiplier` filters for each.

    Args:
        inputs: tensor `(batch, *spatial, channels)`, or with the channels on axis 1.
        kernel: tensor `(*window, channels, multiplier)`.
        strides, padding, data_format, dilation_rate: as for `conv`.

    Returns:
        Tensor with `channels * multiplier` channels, those of one input channel side by side.
    """
    inputs, kernel = _tensor(inputs), _tensor(kernel)
    options = _settle(_depthwise_shape, (inputs, kernel), strides, padding, data_format, dilation_rate)
    return _depthwise_conv(inputs, kernel, *options)


@op(dtype=floats("inputs", "depthwise_kernel", "pointwise_kernel"))
def _separable_conv(inputs, depthwise_kernel, pointwise_kernel, strides, padding, data_format, dilation):
    """`separable_conv` with all arguments given."""
    x = _depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation)
    ones = (1,) * len(strides)
    return _conv(x, pointwise_kernel, ones, "valid", data_format, ones)


def _separable_shape(inputs: Any, depthwise: Any, pointwise: Any, *options: Any) -> Shape:
    strides, _, data_format, _ = options
    ones = (1,) * len(strides)
    middle = Spec(_depthwise_shape(inputs, depthwise, *options), "float32")
    return _conv_shape(middle, pointwise, ones, "valid", data_format, ones)


def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Ints = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Ints = 1,
) -> Any:
    """A depthwise convolution, then a convolution of window 1 that mixes the channels.

    Args:
        inputs: tensor `(batch, *spatial, channels)`, or with the channels on axis 1.
        depthwise_kernel: tensor `(*window, channels, multiplier)`.
        pointwise_kernel: tensor `(1, …, 1, channels * multiplier, filters)`.
        strides, padding, data_format, dilation_rate: as for `conv`, of the depthwise part.
    """
    inputs, depthwise_kernel, pointwise_kernel = map(_tensor, (inputs, depthwise_kernel, pointwise_kernel))
    tensors = (inputs, depthwise_kernel, pointwise_kernel)
    return _separable_conv(*tensors, *_settle(_separable_shape, tensors, strides, padding, data_format, dilation_rate))


# --- transposed convolution
def _crop(size: int, stride: int, padding: str, output_padding: int | None) -> tuple[int, int]:
    """What to cut off the two ends of a full transposed convolution, `(n - 1) * stride + size` elements long.

    The result is what the gradient of a convolution with this padding gives. A negative second number adds zeros.
    """
    if output_padding is None:  # all lengths that a convolution takes to n: the largest for 'valid', n * stride
        extra = stride if padding == "same" else max(size, stride)
    else:
        extra = size + output_padding - (2 * (size // 2) if padding == "same" else 0)
    low = max(size - extra, 0) // 2 if padding == "same" else 0
    return low, size - extra - low


def _transposed_shape(
    inputs: Any, kernel: Any, strides: Any, crops: Any, data_format: str, dilation: Any
) -> Shape:
    batch, spatial, channels = _parts(inputs.shape, data_format)
    *window, filters, depth = kernel.shape
    if channels is not None and channels != depth:
        raise ShapeError(
            f"A kernel of the shape {tuple(kernel.shape)} is for {depth} channels (its last dimension), and inputs of "
            f"the shape {tuple(inputs.shape)} ({data_format}) have {channels}."
        )
    out: list[Dim] = []
    for n, k, t, d, (low, high) in zip(spatial, window, strides, dilation, crops, strict=True):
        out.append(None if n is None else (n - 1) * t + windows.span(k, d) - low - high)
    if any(n is not None and n <= 0 for n in out):
        raise ShapeError(
            f"A transposed convolution of inputs of the shape {tuple(inputs.shape)} ({data_format}) with a kernel of "
            f"the shape {tuple(kernel.shape)} would have the spatial dimensions {tuple(out)}: none must be below 1."
        )
    return _joined(batch, out, filters, data_format)


@op(dtype=floats("inputs", "kernel"), shape=_transposed_shape)
def _conv_transpose(inputs, kernel, strides, crops, data_format, dilation):
    """A full transposed convolution, cut (or, where negative, filled up with zeros) by a pair of `crops` an axis."""


def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Ints = 1,
    padding: str = "valid",
    output_padding: Ints | None = None,
    data_format: str | None = None,
    dilation_rate: Ints = 1,
) -> Any:
    """Transposed convolution: the gradient of a convolution with respect to its inputs, as an op of its own.

    With a window that spans k elements and stride s, a length n becomes `n * s` for padding 'same', and
    `(n - 1) * s + max(k, s)` for 'valid'; with an `output_padding` p, `(n - 1) * s + k + p`, less `2 * (k // 2)` for
    'same'.

    Args:
        inputs: tensor `(batch, *spatial, channels)`, or with the channels on axis 1.
        kernel: tensor `(*window, filters, channels)`.
        strides: how far the inputs are drawn apart along each axis.
        padding: 'valid' or 'same', that of the convolution to turn round.
        output_padding: elements added at the end of each axis; less than the stride there. None for the rule above.
        data_format: as for `conv`.
        dilation_rate: as for `conv`.

    Returns:
        Tensor `(batch, *new_spatial, filters)`, or with `filters` on axis 1.

    Raises:
        ArgumentError: where `output_padding` is not less than the strides.
        ShapeError: where the channels do not fit the kernel.
    """
    inputs, kernel = _tensor(inputs), _tensor(kernel)
    n = _spatial_rank(tuple(inputs.shape), tuple(kernel.shape))
    steps, padding, layout, dilation = _options(n, strides, padding, data_format, dilation_rate)
    extra = (None,) * n if output_padding is None else tuple_of(output_padding, n, "output_padding", zero=True)
    if any(p is not None and p >= t for p, t in zip(extra, steps, strict=True)):
        raise ArgumentError(f"`output_padding` ({extra}) must be less than `strides` ({steps}) along each axis.")
    spans = [windows.span(k, d) for k, d in zip(kernel.shape, dilation, strict=False)]
    crops = tuple(_crop(k, t, padding, p) for k, t, p in zip(spans, steps, extra, strict=True))
    if not isinstance(inputs, Spec):
        _transposed_shape(inputs, kernel, steps, crops, layout, dilation)
    return _conv_transpose(inputs, kernel, steps, crops, layout, dilation)


# --- pooling
def _pool_shape(inputs: Any, pool_size: Any, strides: Any, padding: str, data_format: str) -> Shape:
    batch, _, channels = _parts(inputs.shape, data_format)
    what = f"windows of the size {tuple(pool_size)}"
    spatial = _slide(inputs, pool_size, strides, padding, data_format, what)
    return _joined(batch, spatial, channels, data_format)


@op(dtype=same("inputs"), shape=_pool_shape)
def _max_pool(inputs, pool_size, strides, padding, data_format):
    """`max_pool` with all arguments given."""


@op(dtype=floats("inputs"), shape=_pool_shape)
def _average_pool(inputs, pool_size, strides, padding, data_format):
    """`average_pool` with all arguments given."""


def _pool(declared: Op, inputs: Any, pool_size: Any, strides: Any, padding: str, data_format: str | None) -> Any:
    inputs = _tensor(inputs)
    pool_size = tuple_of(pool_size, _spatial_rank(tuple(inputs.shape)), "pool_size")
    # the place of the dilation, which pooling lacks, is that of the windows
    given = (pool_size if strides is None else strides, padding, data_format, pool_size)
    steps, padding, data_format, _ = _settle(_windows_fit, (inputs,), *given)
    return declared(inputs, pool_size, steps, padding, data_format)


def _windows_fit(inputs: Any, strides: Any, padding: str, data_format: str, pool_size: Any) -> None:
    _pool_shape(inputs, pool_size, strides, padding, data_format)


def max_pool(
    inputs: Any,
    pool_size: Ints,
    strides: Ints | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The largest element of each window that slides along the spatial axes.

    Args:
        inputs: tensor `(batch, *spatial, channels)`, or with the channels on axis 1.
        pool_size: size of the window along each axis.
        strides: step of the window along each axis; None for `pool_size`.
        padding: 'valid' (none) or 'same' (padding never wins).
        data_format: as for `conv`.

    Raises:
        ShapeError: where an axis is shorter than the window and padding is 'valid'.
    """
    return _pool(_max_pool, inputs, pool_size, strides, padding, data_format)


def average_pool(
    inputs: Any,
    pool_size: Ints,
    strides: Ints | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The mean of each window that slides along the spatial axes; padding is left out of the mean.

    Args:
        inputs, pool_size, strides, padding, data_format: as for `max_pool`.
    """
    return _pool(_average_pool, inputs, pool_size, strides, padding, data_format)

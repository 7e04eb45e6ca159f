"""Images that are stretched and moved by any factors, also such as only a tensor knows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import dtypes, shapes
from keras_fn.core.errors import ArgumentError, ShapeError, closest
from keras_fn.core.op import mixes, op
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r
from keras_fn.ops.contractions import matmul
from keras_fn.ops.image_layout import tensor

__all__ = ["scale_and_translate"]


def _triangle(d: Any) -> Any:
    return e.maximum(e.subtract(1.0, d), 0.0)


def _cubic(d: Any) -> Any:
    """Keys's cubic convolution with a = -1/2. Source: https://doi.org/10.1109/TASSP.1981.1163711"""
    near = e.add(e.multiply(e.multiply(e.subtract(e.multiply(d, 1.5), 2.5), d), d), 1.0)
    far = e.add(e.multiply(e.subtract(e.multiply(e.add(e.multiply(d, -0.5), 2.5), d), 4.0), d), 2.0)
    return e.where(e.less_equal(d, 1), near, e.where(e.less(d, 2), far, 0.0))


def _lanczos(radius: int) -> Callable[[Any], Any]:
    """A sinc, windowed by a wider sinc. Source: https://doi.org/10.1175/1520-0450(1979)018%3C1016:LFIOAT%3E2.0.CO;2"""

    def weigh(d: Any) -> Any:
        safe = e.maximum(d, 1e-3)
        waves = e.multiply(e.sin(e.multiply(safe, math.pi)), e.sin(e.multiply(safe, math.pi / radius)))
        value = e.true_divide(e.multiply(waves, radius), e.multiply(e.square(safe), math.pi**2))
        return e.where(e.less(d, radius), e.where(e.greater(d, 1e-3), value, 1.0), 0.0)

    return weigh


_METHODS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("linear", "bilinear", "trilinear", "triangle"), _triangle),
    **dict.fromkeys(("cubic", "bicubic", "tricubic"), _cubic),
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}


def _shares(old: int, new: int, scale: Any, shift: Any, weigh: Callable[[Any], Any], antialias: bool) -> Any:
    """The share of each old element in each new one along an axis: tensor `(old, new)`."""
    name = s._dtype(scale)
    step = e.true_divide(1.0, scale)
    stretch = e.maximum(step, 1.0) if antialias else 1.0
    # the centres of new elements, in old ones
    centres = e.subtract(e.multiply(e.subtract(e.add(s.arange(new, dtype=name), 0.5), shift), step), 0.5)
    away = e.absolute(e.subtract(s.expand_dims(s.arange(old, dtype=name), 1), s.expand_dims(centres, 0)))
    weights = weigh(e.true_divide(away, stretch))
    total = r.sum(weights, 0, True)
    enough = e.greater(e.absolute(total), 1e-4)
    weights = e.where(enough, e.true_divide(weights, e.where(enough, total, 1.0)), 0.0)
    inside = e.logical_and(e.greater_equal(centres, -0.5), e.less_equal(centres, old - 0.5))
    return e.where(s.expand_dims(inside, 0), weights, 0.0)


@op(dtype=mixes("images", "scale", "translation"))
def _scale_and_translate(images, scale, translation, output_shape, axes, method, antialias):
    """`scale_and_translate` with arguments that were checked."""
    name = s._dtype(images)
    if isinstance(images, Spec) or isinstance(scale, Spec) or isinstance(translation, Spec):
        return Spec(output_shape, name)
    inner = name if name in ("float32", "float64") else "float32"
    x, scale, translation = (e.cast(t, inner) for t in (images, scale, translation))
    for i, axis in enumerate(axes):
        factor, shift = s.get_item(scale, i), s.get_item(translation, i)
        shares = _shares(s.shape(x)[axis], output_shape[axis], factor, shift, _METHODS[method], antialias)
        x = s.moveaxis(matmul(s.moveaxis(x, axis, -1), shares), -1, axis)
    return e.cast(e.round(x) if dtypes.is_integer(name) else x, name)


def scale_and_translate(
    images: Any, output_shape: Any, scale: Any, translation: Any, spatial_dims: Any, method: str, antialias: bool = True
) -> Any:
    """Images stretched by factors and then moved, along any axes; 0 where nothing lies.

    What is at place x of an old axis (counted from the edge of the first element) goes to `x * scale + translation`.

    Args:
        images: tensor.
        output_shape: shape of the result.
        scale: tensor with a factor for each of `spatial_dims`.
        translation: tensor with a number of new elements for each of `spatial_dims`.
        spatial_dims: the axes to work on; along others the shape stays.
        method: 'linear' ('bilinear', 'trilinear', 'triangle'), 'cubic' ('bicubic', 'tricubic'), 'lanczos3' or
            'lanczos5'.
        antialias: whether neighbours are taken from so far that nothing is lost where images shrink.

    Returns:
        Tensor in the dtype of `images` (integers: the nearest ones).

    Raises:
        ArgumentError: for another method.
        ShapeError: where the shapes do not fit.

    Example:
        >>> from keras_fn import ops
        >>> x = ops.convert_to_tensor([1.0, 2.0])
        >>> ops.convert_to_numpy(ops.image.scale_and_translate(x, (3,), [1.0], [1.0], (0,), "linear")).tolist()
        [0.0, 1.0, 2.0]
    """
    if method not in _METHODS:
        raise ArgumentError(f"`method` must be one of {tuple(_METHODS)}, not {method!r}.{closest(method, _METHODS)}")
    images, scale, translation = tensor(images), tensor(scale), tensor(translation)
    output_shape = tuple(output_shape)
    if len(output_shape) != len(images.shape):
        raise ShapeError(f"`output_shape` {output_shape} must have as many dimensions as images {tuple(images.shape)}.")
    axes = shapes.canonical_axes(spatial_dims, len(output_shape))
    for name, numbers in (("scale", scale), ("translation", translation)):
        if tuple(numbers.shape) != (len(axes),):
            raise ShapeError(f"`{name}` must have the shape ({len(axes)},), and has {tuple(numbers.shape)}.")
    return _scale_and_translate(images, scale, translation, output_shape, axes, method, bool(antialias))

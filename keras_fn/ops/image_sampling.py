"""Values between the elements of a tensor, and images that are moved, turned and bent by looking these up."""

from __future__ import annotations

import importlib
import itertools
import math
from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import dtypes
from keras_fn.core.errors import ArgumentError, ShapeError, closest
from keras_fn.core.op import mixes, op
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops.equations import solve
from keras_fn.ops.image_filters import gaussian_blur
from keras_fn.ops.image_layout import back, channels_last, first_spatial, images_of, tensor

__all__ = ["affine_transform", "elastic_transform", "map_coordinates", "perspective_transform"]

FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
_ORDERS = {"nearest": 0, "bilinear": 1}


# --- looking up
def _placed(index: Any, length: Any, mode: str) -> Any:
    """Indices beyond the edges, brought back between them."""
    if mode == "wrap":
        return e.mod(index, length)
    if mode == "mirror":  # d c b | a b c d | c b a
        period = 2 * (length - 1) if not isinstance(length, int) else max(2 * (length - 1), 1)
        away = e.mod(index, period)
        return e.minimum(away, e.subtract(period, away))
    if mode == "reflect":  # d c b a | a b c d | d c b a
        away = e.mod(index, 2 * length)
        return e.minimum(away, e.subtract(2 * length - 1, away))
    return e.clip(index, 0, length - 1)


def _neighbours(place: Any, length: Any, order: int, mode: str) -> list[tuple[Any, Any, Any]]:
    """Along one axis: the indices that a place lies between (or the nearest), their weights, and whether they exist."""
    if order == 0:
        # halves go away from 0
        near = [(e.multiply(e.sign(place), e.floor(e.add(e.absolute(place), 0.5))), None)]
    else:
        low = e.floor(place)
        share = e.subtract(place, low)
        near = [(low, e.subtract(1.0, share)), (e.add(low, 1.0), share)]
    found = []
    for index, weight in near:
        index = e.cast(index, "int32")
        inside = e.logical_and(e.greater_equal(index, 0), e.less(index, length)) if mode == "constant" else None
        found.append((_placed(index, length, mode), weight, inside))
    return found


def _looked_up(rows: Any, dims: Any, places: list[Any], order: int, mode: str, fill: Any, grids: Any = None) -> Any:
    """Rows of a table at places between the cells of a grid.

    Args:
        rows: tensor `(cells, channels)` or `(cells,)`: the cells of one grid (or of several) in order.
        dims: lengths of the axes of a grid.
        places: coordinates along each axis, tensors of one shape.
        grids: the row at which the grid of each place begins; None for one grid.

    Returns:
        Tensor `(*places, channels)` or `(*places,)`.
    """
    total: Any = None
    fill = e.cast(fill, s._dtype(rows))
    spread = (lambda x: x) if len(rows.shape) == 1 else (lambda x: s.expand_dims(x, -1))
    axes = [_neighbours(p, n, order, mode) for p, n in zip(places, dims, strict=True)]
    for corner in itertools.product(*axes):
        index, weight, inside = None, None, None
        for (i, w, there), n in zip(corner, dims, strict=True):
            index = i if index is None else e.add(e.multiply(index, n), i)
            weight = w if weight is None else e.multiply(weight, w)
            inside = there if inside is None else e.logical_and(inside, there)
        # all indices were brought into the grid
        value = s._take_rows(rows, index if grids is None else e.add(index, grids))
        if inside is not None:
            value = e.where(spread(inside), value, fill)
        if weight is not None:
            value = e.multiply(value, spread(weight))
        total = value if total is None else e.add(total, value)
    return total


def _computed_in(name: str) -> str:
    """The float dtype in which values of a dtype are mixed."""
    return name if name in ("float32", "float64") else "float32"


def _brought_back(x: Any, name: str) -> Any:
    """Mixed values in the dtype that they came in; the nearest integers."""
    return e.cast(e.round(x) if dtypes.is_integer(name) else x, name)


@op(dtype=mixes("inputs", "coordinates"))
def _map_coordinates(inputs, coordinates, order, fill_mode, fill_value):
    """`map_coordinates` with arguments that were checked."""
    if isinstance(inputs, Spec) or isinstance(coordinates, Spec):
        return Spec(coordinates.shape[1:], s._dtype(inputs))
    name = s._dtype(inputs)
    inner = _computed_in(name)
    dims = s.shape(inputs)
    places = [e.cast(s.get_item(coordinates, i), inner) for i in range(len(dims))]
    rows = e.cast(s.reshape(inputs, (-1,)), inner)
    return _brought_back(_looked_up(rows, dims, places, order, fill_mode, fill_value), name)


def _check_fill(fill_mode: Any) -> None:
    if fill_mode not in FILL_MODES:
        hint = closest(str(fill_mode), FILL_MODES)
        raise ArgumentError(f"`fill_mode` must be one of {FILL_MODES}, not {fill_mode!r}.{hint}")


def _order(interpolation: Any) -> int:
    if interpolation not in _ORDERS:
        raise ArgumentError(f"`interpolation` must be 'nearest' or 'bilinear', not {interpolation!r}.")
    return _ORDERS[interpolation]


def map_coordinates(inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: Any = 0) -> Any:
    """Values of a tensor at coordinates that may lie between its elements.

    Args:
        inputs: tensor of any number of dimensions.
        coordinates: tensor `(dimensions of inputs, *points)`: a coordinate along each axis, in elements.
        order: 0 for the nearest element (halves go away from 0), 1 for linear interpolation.
        fill_mode: what lies around the tensor: 'constant' (`fill_value`), 'nearest' (the edge, `a a | a b c | c c`),
            'wrap' (`b c | a b c | a b`), 'mirror' (`c b | a b c | b a`) or 'reflect' (`b a | a b c | c b`).
        fill_value: a number.

    Returns:
        Tensor in the shape of the points and the dtype of `inputs` (integers: the nearest ones).

    Raises:
        ArgumentError: for another order or mode.
        ShapeError: where there are not as many coordinates as dimensions.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.image.map_coordinates([0.0, 10.0, 20.0], [[0.5, 1.25]], order=1)).tolist()
        [5.0, 12.5]
    """
    inputs, coordinates = tensor(inputs), tensor(coordinates)
    if order not in (0, 1):
        raise ArgumentError(f"`order` must be 0 or 1, not {order!r}.")
    _check_fill(fill_mode)
    if len(coordinates.shape) < 2 or coordinates.shape[0] != len(inputs.shape):
        raise ShapeError(
            f"`coordinates` must have the shape ({len(inputs.shape)}, *points) for inputs of the shape "
            f"{tuple(inputs.shape)}, and it is {tuple(coordinates.shape)}."
        )
    return _map_coordinates(inputs, coordinates, order, fill_mode, fill_value)


# --- images
def _warped(images: Any, down: Any, right: Any, order: int, mode: str, fill: Any, data_format: str) -> Any:
    """A batch of images, looked up at rows `down` and columns `right`, tensors `(batch or 1, height, width)`."""
    name = s._dtype(images)
    x = e.cast(channels_last(images, data_format), _computed_in(name))
    return back(_brought_back(_sampled(x, down, right, order, mode, fill), name), data_format)


@op(dtype=mixes("images", "down", "right"))
def _sampled(images, down, right, order, fill_mode, fill_value):
    """Float images `(batch, height, width, channels)`, looked up at rows and columns `(batch or 1, *places)`."""
    if isinstance(images, Spec) or isinstance(down, Spec) or isinstance(right, Spec):
        return Spec((images.shape[0], *down.shape[1:], images.shape[-1]), s._dtype(images))
    batch, height, width, channels = s.shape(images)
    start = s.reshape(e.multiply(s.arange(batch, dtype="int32"), height * width), (-1, 1, 1))
    rows = s.reshape(images, (-1, channels))
    return _looked_up(rows, (height, width), [down, right], order, fill_mode, fill_value, start)


def _grid(images: Any, data_format: str) -> tuple[Any, Any]:
    """The rows and the columns of an image: tensors `(height, 1)` and `(1, width)`."""
    first = first_spatial(images, data_format)
    height, width = s.shape(images)[first : first + 2]
    name = _computed_in(s._dtype(images))
    return s.reshape(s.arange(height, dtype=name), (-1, 1)), s.reshape(s.arange(width, dtype=name), (1, -1))


@op(dtype=mixes("images", "transform"))
def _affine(images, transform, order, fill_mode, fill_value, data_format):
    """`affine_transform` with arguments that were checked."""
    if isinstance(images, Spec) or isinstance(transform, Spec):
        return Spec(images.shape, s._dtype(images))
    single = len(images.shape) == 3
    x = s.expand_dims(images, 0) if single else images
    rows, columns = _grid(x, data_format)
    numbers = e.cast(transform, s._dtype(rows))
    numbers = s.expand_dims(numbers, 0) if len(transform.shape) == 1 else numbers
    a0, a1, a2, b0, b1, b2, c0, c1 = (s.reshape(s.get_item(numbers, (slice(None), i)), (-1, 1, 1)) for i in range(8))

    def plane(p: Any, q: Any, r: Any) -> Any:
        return e.add(e.add(e.multiply(p, columns), e.multiply(q, rows)), r)

    depth = plane(c0, c1, 1.0)
    right, down = e.true_divide(plane(a0, a1, a2), depth), e.true_divide(plane(b0, b1, b2), depth)
    out = _warped(x, down, right, order, fill_mode, fill_value, data_format)
    return s.squeeze(out, 0) if single else out


def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: Any = 0,
    data_format: str | None = None,
) -> Any:
    """Images whose pixels are looked up at places that a projective map gives.

    The pixel in column x and row y is taken from column `(a0 * x + a1 * y + a2) / k` and row
    `(b0 * x + b1 * y + b2) / k`, with `k = c0 * x + c1 * y + 1`.

    Args:
        images: tensor `(batch, height, width, channels)` or `(height, width, channels)`, or with the channels before
            the height for 'channels_first'.
        transform: tensor `(8,)`, or `(batch, 8)`: a0, a1, a2, b0, b1, b2, c0, c1.
        interpolation: 'nearest' or 'bilinear'.
        fill_mode, fill_value: what lies around the images, as for `map_coordinates`.
        data_format: 'channels_last' or 'channels_first'; None for the default set in `keras_fn.config`.

    Returns:
        Tensor in the shape and dtype of `images`.

    Raises:
        ArgumentError: for another interpolation or mode.
        ShapeError: where the shapes do not fit.

    Example:
        >>> from keras_fn import ops
        >>> x = ops.reshape(ops.arange(3.0), (1, 3, 1))
        >>> moved = ops.image.affine_transform(x, [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0])
        >>> ops.convert_to_numpy(moved)[0, :, 0].tolist()
        [1.0, 2.0, 0.0]
    """
    images, data_format = images_of(images, data_format)
    transform = tensor(transform)
    order = _order(interpolation)
    _check_fill(fill_mode)
    if len(transform.shape) not in (1, 2) or transform.shape[-1] != 8:
        raise ShapeError(f"`transform` must have the shape (8,) or (batch, 8), and has {tuple(transform.shape)}.")
    return _affine(images, transform, order, fill_mode, fill_value, data_format)


@op(dtype=mixes("start_points", "end_points", out=lambda a, b: dtypes.at_least_float(dtypes.result_type(a, b))))
def _projection(start_points, end_points):
    """The eight numbers of the projective map that takes end points to start points: `(..., 4, 2)` twice to `(..., 8)`.

    Each pair of points gives two linear equations: `x' * (c0 x + c1 y + 1) = a0 x + a1 y + a2`, and so for y'.
    """
    if isinstance(start_points, Spec):
        return Spec((*start_points.shape[:-2], 8), dtypes.at_least_float(start_points.dtype))
    name = _computed_in(s._dtype(start_points))
    start, end = e.cast(start_points, name), e.cast(end_points, name)
    x, y = s.get_item(end, (..., 0)), s.get_item(end, (..., 1))
    one, zero = s.ones_like(x), s.zeros_like(x)
    rows = []
    for i in (0, 1):
        target = e.negative(s.get_item(start, (..., i)))
        mine, other = [x, y, one], [zero, zero, zero]
        lead = mine + other if i == 0 else other + mine
        rows.append(s.stack([*lead, e.multiply(x, target), e.multiply(y, target)], -1))
    matrix = s.concatenate(rows, -2)
    right = s.concatenate([s.get_item(start, (..., 0)), s.get_item(start, (..., 1))], -1)
    return solve(matrix, right)


def perspective_transform(
    images: Any,
    start_points: Any,
    end_points: Any,
    interpolation: str = "bilinear",
    fill_value: Any = 0,
    data_format: str | None = None,
) -> Any:
    """Images as seen from elsewhere: four points of each move to four others.

    Args:
        images: as for `affine_transform`.
        start_points: tensor `(4, 2)` or `(batch, 4, 2)`: four points (column, row) of each image.
        end_points: tensor in the same shape: where they go.
        interpolation: 'nearest' or 'bilinear'.
        fill_value: what lies around the images.
        data_format: as for `affine_transform`.

    Returns:
        Tensor in the shape and dtype of `images`.

    Raises:
        ArgumentError: for another interpolation.
        ShapeError: where the shapes do not fit.

    Example:
        >>> from keras_fn import ops
        >>> corners = [[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]]
        >>> moved = ops.image.perspective_transform(ops.ones((3, 3, 1)), corners, corners)
        >>> round(float(moved[1, 1, 0]), 4)
        1.0
    """
    images, data_format = images_of(images, data_format)
    start_points, end_points = tensor(start_points), tensor(end_points)
    for name, points in (("start_points", start_points), ("end_points", end_points)):
        if len(points.shape) not in (2, 3) or tuple(points.shape[-2:]) != (4, 2):
            raise ShapeError(f"`{name}` must have the shape (4, 2) or (batch, 4, 2), and has {tuple(points.shape)}.")
    numbers = _projection(start_points, end_points)
    return _affine(images, numbers, _order(interpolation), "constant", fill_value, data_format)


@op(dtype=mixes("images", "shifts"))
def _displaced(images, shifts, order, fill_mode, fill_value, data_format):
    """Images looked up beside each place: rows and columns are moved by the two channels of `shifts`."""
    if isinstance(images, Spec):
        return Spec(images.shape, images.dtype)
    single = len(images.shape) == 3
    x = s.expand_dims(images, 0) if single else images
    rows, columns = _grid(x, data_format)
    shifts = e.cast(shifts, s._dtype(rows))
    down, right = e.add(rows, s.get_item(shifts, (..., 0))), e.add(columns, s.get_item(shifts, (..., 1)))
    out = _warped(x, down, right, order, fill_mode, fill_value, data_format)
    return s.squeeze(out, 0) if single else out


def elastic_transform(
    images: Any,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: Any = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Any:
    """Images bent at random: every pixel is looked up a little beside its place, and neighbours a like way off.

    The ways are normal noise, blurred (see `gaussian_blur`) and times `alpha`.
    Source: https://doi.org/10.1109/ICDAR.2003.1227801

    Args:
        images: as for `affine_transform`.
        alpha: factor of the blurred noise, in pixels.
        sigma: standard deviation of the blur, in pixels: how far pixels move alike.
        interpolation: 'nearest' or 'bilinear'.
        fill_mode, fill_value: what lies around the images, as for `map_coordinates`.
        seed: int, `SeedGenerator`, or None for the global one.
        data_format: as for `affine_transform`.

    Returns:
        Tensor in the shape and dtype of `images`.

    Example:
        >>> from keras_fn import ops
        >>> bent = ops.image.elastic_transform(ops.ones((8, 8, 1)), seed=1)
        >>> round(float(bent[4, 4, 0]), 4)
        1.0
    """
    images, data_format = images_of(images, data_format)
    order = _order(interpolation)
    _check_fill(fill_mode)
    first = first_spatial(images, data_format)
    dims = s.shape(images)
    batch = dims[0] if len(dims) == 4 else 1
    # the random functions are built of ops, so they are looked up here, when they are there
    normal = importlib.import_module("keras_fn.random").normal
    noise = normal((batch, *dims[first : first + 2], 2), dtype="float32", seed=seed)
    size = 2 * math.ceil(3 * sigma) + 1
    shifts = e.multiply(gaussian_blur(noise, (size, size), (sigma, sigma), "channels_last"), alpha)
    return _displaced(images, shifts, order, fill_mode, fill_value, data_format)

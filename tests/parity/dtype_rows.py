"""Every op that takes tensors, and how it is called in the dtype grid: rows of `test_dtype_grid.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Tensor:
    """The place of a tensor whose dtype the grid chooses: values that every dtype holds."""

    values: Any

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.values)


@dataclass(frozen=True)
class Row:
    """A call of an op: `name` (with a dot for a module below ops) and arguments, some of them `Tensor`s."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)

    @property
    def tensors(self) -> list[Tensor]:
        """The places to fill, in order."""
        found = []
        for a in self.args:
            found.extend(x for x in (a if isinstance(a, list) else [a]) if isinstance(x, Tensor))
        return found

    def filled(self, values: Any) -> tuple[Any, ...]:
        """The arguments with values in the places."""
        left = iter(values)

        def one(x: Any) -> Any:
            return next(left) if isinstance(x, Tensor) else x

        return tuple([one(x) for x in a] if isinstance(a, list) else one(a) for a in self.args)


LINE, OTHER = Tensor([1, 0, 1, 1]), Tensor([1, 1, 1, 1])
TABLE = Tensor([[1, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 1], [1, 1, 1, 1]])
SQUARE = Tensor([[1, 0], [0, 1]])
BOX = Tensor([[[1, 0], [0, 1]], [[1, 1], [0, 1]]])
COLUMN = Tensor([[1], [0], [1], [1]])
IMAGE = Tensor(np.arange(48).reshape(1, 4, 4, 3) % 2)
HEADS = Tensor(np.ones((1, 2, 1, 2)))
IDS = np.array([0, 1, 1, 0], "int32")
ONES, TRUE = np.array([1.0, 1.0], "float32"), np.array([True, False, True, False])


def rows(names: str, *args: Any, **kwargs: Any) -> list[Row]:
    """A row for each of several ops that are called alike."""
    return [Row(name, args, kwargs) for name in names.split()]


ONE = [
    *rows(
        "abs absolute arccos arccosh arcsin arcsinh arctan arctanh cbrt ceil conj conjugate cos cosh deg2rad erf erfc "
        "erfinv exp exp2 expm1 fabs floor i0 imag isfinite isinf isnan isneginf isposinf isreal log log10 log1p log2 "
        "logical_not nan_to_num negative rad2deg real reciprocal round rsqrt sigmoid sign signbit sin sinc sinh sqrt "
        "square tan tanh trunc angle bitwise_not bitwise_invert",
        LINE,
    ),
    *rows(
        "celu elu gelu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu log_sigmoid log_softmax relu "
        "relu6 selu silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus swish "
        "tanh_shrink glu",
        LINE,
    ),
    Row("threshold", (LINE, 0.5, 1.0)),
    *rows(
        "all any amax amin argmax argmin count_nonzero cumprod cumsum logsumexp max mean median min nanargmax "
        "nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin nanprod nanstd nansum nanvar prod std sum var "
        "ptp average norm normalize trapezoid",
        LINE,
    ),
    Row("moments", (LINE, [0])),
    *rows("quantile percentile nanquantile nanpercentile", LINE, 0.25),
    *rows("argsort sort copy diag diagflat diff flip flipud ravel transpose stop_gradient array", LINE),
    *rows("ones_like zeros_like vander unstack convert_to_tensor", LINE),
    *rows("fliplr rot90 trace diagonal tril triu corrcoef", TABLE),
    *rows("expand_dims roll argpartition repeat tile split array_split hsplit top_k", LINE, 1),
    *rows("vsplit", TABLE, 2), Row("dsplit", (BOX, 2)),
    Row("reshape", (LINE, (2, 2))), Row("broadcast_to", (LINE, (3, 4))), Row("squeeze", (COLUMN, 1)),
    Row("moveaxis", (TABLE, 0, 1)), Row("swapaxes", (TABLE, 0, 1)), Row("pad", (LINE, 1)),
    Row("rearrange", (TABLE, "a b -> b a")), Row("full_like", (LINE, 1)), Row("get_item", (LINE, 1)),
    Row("slice", (LINE, [1], [2])), Row("take", (LINE, IDS)), Row("take_along_axis", (LINE, IDS), {"axis": 0}),
    Row("one_hot", (LINE, 3)), Row("multi_hot", (LINE, 3)), Row("bincount", (LINE,), {"minlength": 2}),
    Row("digitize", (LINE, ONES)), Row("histogram", (LINE, 2)), Row("unravel_index", (LINE, (2, 2))),
    Row("saturate_cast", (LINE, "uint8")), Row("in_top_k", (IDS, TABLE, 2)), Row("extract_sequences", (LINE, 2, 1)),
    *rows("segment_sum segment_max segment_min segment_prod", LINE, IDS, 2),
    Row("scatter", (IDS[:, None], LINE, (2,))), Row("clip", (LINE, 0, 1)),
    *rows("max_pool average_pool", IMAGE, (2, 2), (2, 2)),
    *rows("nn.adaptive_max_pool nn.adaptive_average_pool", IMAGE, (2, 2)),
    *rows("space_to_depth", IMAGE, 2), Row("unfold", (Tensor(np.ones((1, 2, 4, 4))), 2)),
    *rows("image.rgb_to_grayscale image.rgb_to_hsv image.hsv_to_rgb", IMAGE),
    *[Row("image.resize", (IMAGE, (2, 2), kind)) for kind in ("nearest", "bilinear")],
    Row("image.pad_images", (IMAGE, 1, 1, 1, 1)), Row("image.crop_images", (IMAGE, 1, 1, 1, 1)),
    Row("image.extract_patches", (IMAGE, 2)),
    *rows("layer_normalization rms_normalization", TABLE),
    *rows("det inv slogdet logdet cholesky svd qr eigh", SQUARE),
]  # fmt: skip

BINARY = (
    "add subtract multiply divide true_divide divide_no_nan floor_divide mod fmod power maximum minimum fmax fmin "
    "arctan2 logaddexp logaddexp2 equal not_equal less less_equal greater greater_equal logical_and logical_or "
    "logical_xor bitwise_and bitwise_or bitwise_xor left_shift right_shift bitwise_left_shift bitwise_right_shift "
    "gcd lcm hypot heaviside ldexp nextafter isclose allclose isin"
)
TWO = [
    *rows(BINARY, LINE, OTHER),
    *rows("outer inner dot matmul vdot kron append searchsorted correlate", OTHER, OTHER),
    Row("tensordot", (SQUARE, SQUARE)), Row("cross", (Tensor([1, 0, 1]), Tensor([1, 1, 0]))),
    Row("einsum", ("i,i->", LINE, OTHER)),
    *rows("concatenate stack hstack vstack dstack", [LINE, OTHER]), Row("meshgrid", (LINE, OTHER)),
    Row("where", (TRUE, LINE, OTHER)), Row("select", ([TRUE, ~TRUE], [LINE, OTHER])), Row("clip", (LINE, OTHER, 1)),
    *rows("linspace logspace geomspace", Tensor(1), Tensor(1), 3),
    Row("average", (LINE, None, OTHER)), Row("trapezoid", (LINE, OTHER)),
    Row("scatter_update", (LINE, [[0]], Tensor([1]))), Row("slice_update", (LINE, [1], Tensor([1, 0]))),
    Row("take", (LINE, Tensor([1, 0]))), Row("psnr", (LINE, OTHER, 1.0)),
    Row("conv", (IMAGE, Tensor(np.ones((1, 1, 3, 2))))), Row("depthwise_conv", (IMAGE, Tensor(np.ones((1, 1, 3, 1))))),
    Row("conv_transpose", (IMAGE, Tensor(np.ones((1, 1, 2, 3))))),
    Row("batch_normalization", (TABLE, OTHER, OTHER, -1)), Row("layer_normalization", (TABLE, OTHER)),
    Row("rms_normalization", (TABLE, OTHER)),
    *rows("binary_crossentropy categorical_crossentropy", OTHER, OTHER),
    Row("sparse_categorical_crossentropy", (Tensor([1, 0]), SQUARE)),
    Row("dot_product_attention", (HEADS, HEADS, HEADS)),
    *rows("solve solve_triangular lstsq", SQUARE, SQUARE), Row("cdist", (SQUARE, SQUARE)), Row("polar", (LINE, OTHER)),
]  # fmt: skip
# whose values are compared for all pairs in every run; of the others a few pairs
EACH_PAIR = (
    "add", "multiply", "divide", "matmul", "maximum", "where", "concatenate", "power", "floor_divide", "arctan2",
)  # fmt: skip
# what may be a Python number
SCALARS = {"py_bool": True, "py_int": 1, "py_float": 1.0}
TAKE_NUMBERS = frozenset((*BINARY.split(), "where", "append", "clip"))

"""The names that `keras_fn` shows, its stub for editors, and the views on ops under Keras's other names."""

from __future__ import annotations

import ast
import importlib
import inspect
import pathlib
import pkgutil

import pytest

import keras_fn
from keras_fn import ops
from keras_fn.core.op import Op

# names that Keras 3.15 lists in its namespaces of ops
KERAS = {
    "numpy": """abs absolute add all allclose amax amin angle any append arange arccos arccosh arcsin arcsinh arctan
        arctan2 arctanh argmax argmin argpartition argsort array array_split average bartlett bincount bitwise_and
        bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor blackman broadcast_to
        cbrt ceil clip concatenate conj conjugate copy corrcoef correlate cos cosh count_nonzero cross cumprod cumsum
        deg2rad diag diagflat diagonal diff digitize divide divide_no_nan dot dsplit dstack einsum empty empty_like
        equal exp exp2 expand_dims expm1 eye fabs flip fliplr flipud floor floor_divide fmax fmin fmod full full_like
        gcd geomspace get_item greater greater_equal hamming hanning heaviside histogram hsplit hstack hypot i0 identity
        imag inner isclose isfinite isin isinf isnan isneginf isposinf isreal kaiser kron lcm ldexp left_shift less
        less_equal linspace log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or logical_xor
        logspace matmul max maximum mean median meshgrid min minimum mod moveaxis multiply nan_to_num nanargmax
        nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum
        nanvar ndim negative nextafter nonzero not_equal ones ones_like outer pad percentile power prod ptp quantile
        rad2deg ravel real reciprocal repeat reshape right_shift roll rot90 round searchsorted select sign signbit sin
        sinc sinh size slogdet sort split sqrt square squeeze stack std subtract sum swapaxes take take_along_axis tan
        tanh tensordot tile trace transpose trapezoid tri tril triu true_divide trunc unique unravel_index vander var
        vdot vectorize view vsplit vstack where zeros zeros_like""",
    "nn": """adaptive_average_pool adaptive_max_pool average_pool batch_normalization binary_crossentropy
        categorical_crossentropy celu conv conv_transpose ctc_decode ctc_loss depth_to_space depthwise_conv
        dot_product_attention elu fold gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh
        layer_normalization leaky_relu log_sigmoid log_softmax max_pool moments multi_hot normalize one_hot polar psnr
        relu relu6 rms_normalization selu separable_conv sigmoid silu soft_shrink softmax softplus softsign
        space_to_depth sparse_categorical_crossentropy sparse_plus sparse_sigmoid sparsemax squareplus swish tanh_shrink
        threshold unfold""",
    "linalg": """cholesky cholesky_inverse det eig eigh inv jvp lstsq lu_factor matrix_rank norm pinv qr solve
        solve_triangular svd""",
}
DECLARED = ("activation", "control", "conv", "elementwise", "image", "linalg", "nn", "reduction", "shape")


def stub_names() -> set[str]:
    """The names that the stub of `keras_fn` declares."""
    tree = ast.parse((pathlib.Path(keras_fn.__file__).parent / "__init__.pyi").read_text())
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.FunctionDef):
            names.add(node.name)
    return names


def test_stub_lists_the_public_names():
    assert stub_names() == set(keras_fn.__all__)


@pytest.mark.parametrize("name", keras_fn.__all__)
def test_public_names_are_there(name):
    assert getattr(keras_fn, name) is not None
    assert name in dir(keras_fn)


def test_every_package_is_public():
    found = {m.name for m in pkgutil.iter_modules(keras_fn.__path__) if not m.name.startswith("_")}
    assert found <= set(keras_fn.__all__)


def test_unknown_name():
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = keras_fn.nonsense


@pytest.mark.parametrize("view", KERAS)
def test_a_view_shows_the_ops_that_there_are(view):
    """The very same objects. Where this fails, add the op to keras_fn/ops/<view>.py."""
    module = getattr(ops, view)
    there = [n for n in KERAS[view].split() if n in ops.__all__]
    assert there
    assert [n for n in there if getattr(module, n, None) is not getattr(ops, n)] == []


def test_ops_show_ops_only():
    for name in ops.__all__:
        value = getattr(ops, name)
        assert isinstance(value, Op) or inspect.isfunction(value) or inspect.ismodule(value), name
        home = value.__name__ if inspect.ismodule(value) else value.__module__
        assert home.startswith("keras_fn.ops."), name
    shown = {n for n in vars(ops) if not n.startswith("_") and not inspect.ismodule(getattr(ops, n))}
    assert shown - {"annotations"} == {n for n in ops.__all__ if not inspect.ismodule(getattr(ops, n))}


@pytest.mark.parametrize("part", DECLARED)
def test_modules_list_the_ops_that_they_declare(part):
    """An op that is missing in `__all__` would be missing in `keras_fn.ops`."""
    module = importlib.import_module(f"keras_fn.ops.{part}")
    ops_here = {n for n, v in vars(module).items() if isinstance(v, Op) and v.__module__ == module.__name__}
    assert {n for n in ops_here if not n.startswith("_")} <= set(module.__all__)

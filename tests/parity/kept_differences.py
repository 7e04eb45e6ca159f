"""Where results differ from Keras's on purpose: rows `(name of the row, backends of Keras that differ, reason)`."""

from __future__ import annotations

LINALG_OPS: list[tuple[str, tuple[str, ...], str]] = [
    ("logdet of a negative determinant", ("torch", "tensorflow"), "NaN there; a number on JAX"),
    ("solve vectors", ("numpy", "jax"), "a vector for each matrix, as documented, is refused there"),
    ("cholesky_inverse", ("numpy", "jax"), "batches are refused there"),
    ("lu_factor", ("tensorflow",), "the whole permutation there, and no batches; pivots as on JAX here"),
    ("lu_factor tall", ("tensorflow",), "only square matrices there"),
    ("lu_factor wide", ("tensorflow",), "only square matrices there"),
    ("stft of longer pieces", ("tensorflow",), "the window lies elsewhere there where its length is odd"),
    ("istft of a length", ("torch", "tensorflow"), "places that windows hardly cover are scaled otherwise there"),
    ("istft not centred", ("torch", "tensorflow"), "places that windows hardly cover are scaled otherwise there"),
    ("sobel_edges", ("numpy", "tensorflow"), "the image is mirrored at its edges there; zeros lie around it on JAX"),
    ("sobel_edges first", ("numpy", "tensorflow"), "the image is mirrored at its edges there; zeros on JAX"),
    ("gaussian_blur", ("numpy", "jax", "torch", "tensorflow"), "a window that is not square is turned or lost there"),
    ("gaussian_blur of one channel", ("jax", "torch"), "weights do not sum to 1 there"),
    ("gaussian_blur square", ("jax", "torch"), "weights of one channel get into another there"),
    ("extract_patches first", ("tensorflow",), "no channels_first on a CPU there"),
    ("map_coordinates 0 mirror", ("tensorflow",), "indices out of range there"),
    ("map_coordinates 1 mirror", ("tensorflow",), "indices out of range there"),
    ("map_coordinates 0 reflect", ("tensorflow",), "places far outside are mirrored once there, and again on JAX"),
    ("map_coordinates 1 reflect", ("tensorflow",), "places far outside are mirrored once there, and again on JAX"),
    ("affine_transform in depth", ("numpy", "jax", "torch"), "c0 and c1, which are documented, are dropped there"),
    ("depth_to_space first", ("tensorflow",), "another order of channels there than on JAX and torch"),
    ("space_to_depth first", ("tensorflow",), "another order of channels there than on JAX and torch"),
    ("adaptive_average_pool (7, 4)", ("jax",), "NaN there along an axis that keeps its length"),
    ("adaptive_max_pool (7, 4)", ("jax",), "NaN there along an axis that keeps its length"),
    ("saturate_cast to int32", ("numpy", "torch", "tensorflow"), "what is too large becomes the smallest number there"),
]

# rows `(op, dtypes (pairs as "int8 uint8"; "*" for all), backends of Keras that differ, reason)`
_OF_8_BITS = ("uint8", "int8", "int8 uint8")
NUMPY_OPS: list[tuple[str, tuple[str, ...], tuple[str, ...], str]] = [
    *((name, ("bool", *_OF_8_BITS), ("numpy",), "8-bit integers become half precision there")
      for name in ("cbrt", "rad2deg", "hypot", "logaddexp2", "nextafter")),
    ("heaviside", ("bool",), ("numpy", "torch"), "bool there, a float on JAX"),
    ("geomspace", ("float16", "bfloat16"), ("numpy", "tensorflow"), "float32 there, the dtype of the ends on JAX"),
    ("i0", ("bfloat16",), ("numpy",), "float64 there"),
    *((name, ("bool",), ("numpy",), "int8 there, int32 on JAX")
      for name in ("left_shift", "right_shift", "bitwise_left_shift", "bitwise_right_shift")),
    ("segment_max", ("*",), ("numpy",), "another dtype than that of the data there"),
    ("segment_min", ("*",), ("numpy",), "another dtype than that of the data there"),
    ("trapezoid", ("bool",), ("numpy",), "bools are added as bools there: 1 + 1 = 1"),
    ("unravel_index", ("bool",), ("numpy",), "bools are no indices"),
    ("unravel_index", ("float16", "bfloat16", "float32"), ("jax", "tensorflow"), "floats are no indices here"),
    ("bincount", ("float16", "bfloat16", "float32"), ("tensorflow",), "floats are cut there, refused elsewhere"),
    ("vdot", ("bool",), ("numpy",), "no tensor comes out there"),
    ("conj", ("bool",), ("numpy",), "int8 there, bool on JAX"),
    ("correlate", ("*",), ("torch",), "a single value comes without its axis there"),
    ("nonzero", ("*",), ("torch",), "one matrix there, a vector for each axis elsewhere"),
    *((name, ("uint8",), ("torch",), "int32 there, uint32 on JAX") for name in ("nansum", "nanprod", "trace")),
]  # fmt: skip

# rows `(name of the call, backends of Keras that differ, reason)`
_ALL = ("numpy", "jax", "torch", "tensorflow")
CALLS: list[tuple[str, tuple[str, ...], str]] = [
    ("counts of a histogram", _ALL, "int32 here on every backend, as of bincount; int64 or floats there"),
    ("unique with NaN", _ALL, "NaN is one value here, as in NumPy; each is a value of its own there"),
    ("nanargmax of NaN and -inf", _ALL, "the place of the NaN there, where nothing else is larger than -inf"),
    ("nanargmin of NaN and inf", _ALL, "the place of the NaN there, where nothing else is smaller than inf"),
    ("float64 stays", ("numpy",), "float32 there; as on torch and TensorFlow here, where the backend has 64 bits"),
    ("int64 stays", ("numpy",), "int32 there; as on torch and TensorFlow here, where the backend has 64 bits"),
]

# rows of tests/sparse_rows.py `(name, backends of Keras that differ, reason)`; all else is the same, or refused there
_SPARSE = ("jax", "tensorflow")
SPARSE: list[tuple[str, tuple[str, ...], str]] = [
    ("divide by zeros", _SPARSE, "NaN there where a stored zero would give it, but not in compiled JAX; 0 here"),
    ("bincount sparse", ("jax",), "floats there, int32 on TensorFlow"),
    ("multi_hot", ("jax",), "an id below 0 is taken for class 0 there"),
    ("multiply grows", ("tensorflow",), "a wrong shape there"),
]

# rows of test_control_flow.py `(name, backends of Keras that differ, reason)`
_EAGER = ("numpy", "torch", "tensorflow")
_KEEPS = "what a loop carries keeps its dtype, shape and nesting here, as it must in compiled code"
CONTROL: list[tuple[str, tuple[str, ...], str]] = [
    ("while_loop with None", _EAGER, "None is no tensor there; a place without one on JAX"),
    ("scan without a carry", _EAGER, "None is no tensor there; a place without one on JAX"),
    ("associative_scan with None", _EAGER, "None is no tensor there; a place without one on JAX"),
    ("associative_scan", ("numpy",), "float64 there"),
    ("associative_scan of a pair", ("numpy",), "float64 there"),
    ("associative_scan along -1", ("numpy", "jax"), "float64 there on NumPy; an error of the reversed axis on JAX"),
    ("scan of trees", ("tensorflow",), "part of the results is lost there"),
    ("map of nothing", _EAGER, "no result of length 0 there; one on JAX"),
    ("vectorized_map of a list", ("numpy",), "only one tensor, and one result, there"),
    ("vectorized_map of a dict", ("numpy",), "only one tensor there"),
    ("vectorized_map of nothing", ("numpy",), "no result of length 0 there; one on JAX"),
    ("cond in a graph", _ALL, "a KerasTensor that a branch uses never gets its value there"),
    ("a loop that changes a dtype", _EAGER, _KEEPS),
    ("a loop that changes a shape", _EAGER, _KEEPS),
    ("a loop that changes its nesting", ("numpy", "torch"), _KEEPS),
    ("a number that becomes a float", _ALL, _KEEPS),
    ("a choice by a vector of one", _EAGER, "the predicate is a scalar here, as it is documented, and must be on JAX"),
    ("a switch by a float", _EAGER, "floats are no indices here, nor on JAX"),
]

# rows of test_layer_dtypes.py `(layer, dtypes and policies as "uint8 float64", backends of Keras that differ, reason)`
_POLICIES = ("None", "float64", "mixed_float16")
_OF_WHOLE = tuple(f"{dtype} {policy}" for dtype in ("uint8", "int64") for policy in _POLICIES)
LAYER_DTYPES: list[tuple[str, tuple[str, ...], tuple[str, ...], str]] = [
    ("LayerNormalization", _OF_WHOLE, _ALL, "whole numbers stay whole there, and lose what lies between them"),
    ("RMSNormalization", _OF_WHOLE, _ALL, "whole numbers stay whole there, and lose what lies between them"),
    ("Average", _OF_WHOLE[3:], ("tensorflow",), "float64 there, and float32 of `divide` on JAX and torch"),
    ("Softmax", _OF_WHOLE[:3], ("numpy",), "differences of unsigned numbers wrap around there"),
    ("Softmax", _OF_WHOLE[:3], ("jax",), "half precision there, and float32 of other whole numbers"),
]

# rows `(ops, patterns of dtypes, backends of Keras that differ, reason)` of test_dtype_grid.py; a word of a pattern is
# a dtype, a Python number (py_int), * or a group of dtypes: whole, half, float, wide
_AS_NUMPY = "the dtype that NumPy's own functions give there, which widen and narrow by other rules"
_WEAK = "a Python number is weak here, as it is in `add`; it widens what it meets there"
_BETWEEN = "whole numbers there, which lose what lies between them; floats here"
_INTS = tuple(pair for d in ("uint8", "uint16", "uint32", "int8", "int16") for pair in (f"{d} py_int", f"py_int {d}"))
_ANY_ORDER = ("half *", "* half")
GRID: list[tuple[str, tuple[str, ...], tuple[str, ...], str]] = [
    ("conj conjugate", ("bool",), ("numpy",), "int8 there, bool on JAX"),
    ("erf reciprocal rsqrt hard_shrink leaky_relu soft_shrink sparse_plus sparse_sigmoid threshold relu6 glu",
     ("whole",), ("numpy",), _BETWEEN),
    ("hard_tanh", ("whole",), _ALL[:3], _BETWEEN),
    ("relu6", ("whole",), ("torch", "tensorflow"), _BETWEEN),
    ("threshold", ("whole",), ("torch",), _BETWEEN),
    ("i0 logsumexp", ("bfloat16",), ("numpy",), _AS_NUMPY),
    ("sigmoid log_sigmoid log_softmax silu softmax swish", ("uint8", "int8"), ("numpy",), _AS_NUMPY),
    ("elu gelu selu softplus squareplus tanh_shrink", ("bool", "uint8", "int8"), ("numpy",), _AS_NUMPY),
    ("sparsemax", ("half",), ("numpy",), _AS_NUMPY),
    ("segment_max segment_min", ("*",), ("numpy",), "another dtype than that of the data there"),
    ("relu", ("bool",), ("numpy",), "bool there, int32 on JAX"),
    ("round", ("bool",), ("numpy",), "float16 there; int32 here, as of `square`"),
    ("sign", ("bool",), ("torch",), "bool there; int32 here, as of `square`"),
    ("sum prod nansum nanprod trace", ("uint8",), ("torch",), "int32 there, uint32 on JAX"),
    ("unravel_index", ("bool",), ("numpy",), "bools are no indices"),
    ("unravel_index", ("float",), ("jax", "tensorflow"), "floats are no indices here"),
    ("take", ("* float",), ("torch",), "floats are no indices here, nor on JAX and NumPy"),
    ("bincount", ("float",), ("tensorflow",), "floats are cut there, refused elsewhere"),
    ("histogram", ("*",), ("jax",), "counts are int32 here, as of bincount"),
    ("histogram", ("float32", "float64"), ("torch",), "counts are int32 here, as of bincount"),
    ("histogram", ("uint8", "uint16", "uint32", "int8", "int16", "int32", "int64", "float"), ("tensorflow",),
     "counts are int32 here, as of bincount"),
    ("average_pool", ("int64",), ("torch",), _BETWEEN),
    ("cbrt deg2rad rad2deg i0 corrcoef", ("int64",), ("tensorflow",), "float64 there, and float32 of `exp`"),
    ("moments", ("int32", "int64"), ("tensorflow",), _BETWEEN),
    ("layer_normalization rms_normalization", ("whole",), _ALL, _BETWEEN),
    ("layer_normalization rms_normalization", ("whole *",), _ALL, _BETWEEN),
    ("det logdet cholesky inv slogdet svd qr eigh", ("half",), ("jax",), "float32 here, in which they are computed"),
    ("inv qr", ("float16",), ("tensorflow",), "float32 here, in which they are computed"),
    ("solve solve_triangular lstsq", ("int32 float16", "uint8 bfloat16", "bfloat16 bfloat16"), ("jax",),
     "float32 here, in which they are computed"),
    ("arctan2 logaddexp logaddexp2", ("half py_float", "py_float half"), _ALL, _WEAK),
    ("nextafter hypot heaviside", ("half py_float", "py_float half"), ("numpy", "torch", "tensorflow"), _WEAK),
    ("mod fmod", (*_INTS, "half py_float", "py_float half"), ("numpy", "tensorflow"), _WEAK),
    ("append", (*_INTS, "half py_float", "py_float half"), ("numpy", "tensorflow"), _WEAK),
    ("append", (*(p for p in _INTS if "uint16" not in p and "uint32" not in p), "half py_float", "py_float half"),
     ("torch",), _WEAK),
    ("bitwise_and bitwise_or bitwise_xor gcd lcm", _INTS, ("numpy", "tensorflow"), _WEAK),
    ("left_shift right_shift bitwise_left_shift bitwise_right_shift",
     tuple(p for p in _INTS if p.startswith("py_int")), ("numpy", "tensorflow"), _WEAK),
    ("floor_divide power left_shift right_shift bitwise_left_shift bitwise_right_shift",
     ("bool bool", "bool py_bool", "py_bool bool"), ("numpy",), "int8 there, int32 on JAX"),
    ("hypot heaviside", ("bool bool", "bool py_bool", "py_bool bool"), ("numpy",), "bool there, a float on JAX"),
    ("heaviside", ("bool bool", "bool py_bool", "py_bool bool"), ("torch",), "bool there, a float on JAX"),
    ("hypot heaviside correlate", ("* int64", "int64 *", "uint32 *", "* uint32"), ("tensorflow",),
     "float64 there where whole numbers take 64 bits, and float32 of `divide`"),
    ("polar", ("* float16",), ("torch",), "complex numbers of 32 bits there, which only torch has"),
    ("matmul", ("int8 int8",), ("tensorflow",), "int8 there, int32 on the others"),
    ("meshgrid", ("bool *",), ("tensorflow",), "the second becomes bool there"),
    ("select", _ANY_ORDER, ("numpy",), _AS_NUMPY),
    ("select", (*_ANY_ORDER, "whole float32", "float32 whole", "bool bool"), ("tensorflow",), _AS_NUMPY),
    ("select", ("uint8 bool", "int8 bool", "int16 bool"), ("torch",), "its default, a weak 0, widens it there"),
    ("clip", ("* *",), ("numpy",), "the dtype of x there, whatever the limits are"),
    ("clip", ("float16 *",), ("torch",), "the dtype of x there, whatever the limits are"),
    ("clip", ("py_bool *",), ("jax",), _WEAK),
    ("geomspace", ("float16 *", "* float16"), ("numpy",), "float32 there, the dtype of the ends on JAX"),
    ("geomspace", (*_ANY_ORDER, "* float64", "float64 *"), ("tensorflow",),
     "float32 there, the dtype of the ends on JAX"),
    ("trapezoid", (*_ANY_ORDER, "* float64"), ("numpy", "tensorflow"), "the dtype of y there, whatever that of x is"),
    ("trapezoid", ("bool half",), ("torch",), "the dtype of y there"),
    ("psnr", ("* half",), ("torch",), "float32 there beside whole numbers; the common dtype here"),
    ("psnr", _ANY_ORDER, ("numpy",), "float32 there beside whole numbers; the common dtype here"),
    ("psnr", ("half *",), ("jax",), "float32 there beside whole numbers; the common dtype here"),
    ("batch_normalization", _ANY_ORDER, ("numpy",), _AS_NUMPY),
    ("batch_normalization", ("*  *",), ("tensorflow",), "the dtype of x there; the common one on JAX and torch"),
    ("binary_crossentropy cdist", _ANY_ORDER, ("numpy",), _AS_NUMPY),
    ("categorical_crossentropy", _ANY_ORDER, ("numpy",), _AS_NUMPY),
    ("categorical_crossentropy", ("half *",), ("jax", "torch"), "float32 there where the output is whole numbers"),
    ("sparse_categorical_crossentropy", ("* half",), ("numpy", "jax"), "float32 there; the output's dtype on torch"),
    ("conv depthwise_conv conv_transpose dot_product_attention", ("bool bool", "int8 int8"), ("numpy", "jax"),
     _BETWEEN),
    ("conv depthwise_conv", ("int8 int8",), ("torch",), _BETWEEN),
    ("conv", ("* *",), ("jax",), "the kernel's dtype there; the common float here"),
    ("dot_product_attention", ("int8 uint8", "bool int32"), ("numpy", "jax"), _BETWEEN),
    ("dot_product_attention", ("bool int32",), ("tensorflow",), _BETWEEN),
]  # fmt: skip

# rows `(ops, backends of Keras that differ, reason)`, whose values are not compared there
GRID_VALUES: list[tuple[str, tuple[str, ...], str]] = [
    ("sparsemax", ("numpy", "torch", "tensorflow"), "zeros there for a single row"),
    ("top_k", ("numpy", "torch"), "another one of equal elements there; the first one on JAX and TensorFlow"),
    ("binary_crossentropy", ("tensorflow",), "NaN in half precision there where the output is 1"),
    ("argpartition", ("torch",), "any order within a part is right"),
    ("correlate", ("torch",), "a single value comes without its axis there"),
    ("vstack", ("tensorflow",), "vectors are put one behind the other there"),
    ("psnr", ("tensorflow",), "the difference of int8 images is squared in 8 bits there"),
    ("hypot", ("numpy",), "8-bit integers become half precision there"),
    ("batch_normalization", ("numpy",), "unsigned means wrap around there when their sign is changed"),
    ("batch_normalization", ("torch", "tensorflow"), "epsilon is added in half precision there"),
    ("categorical_crossentropy", ("torch",), "logarithms are taken in half precision there"),
    ("polar", ("numpy", "torch"), "sine and cosine keep the angle's half precision there"),
]

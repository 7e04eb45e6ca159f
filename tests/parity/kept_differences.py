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
    ("bincount sparse", ("jax", "tensorflow"), "a sparse tensor there; refused here, as there are no sparse tensors"),
]

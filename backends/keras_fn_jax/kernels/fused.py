"""What runs as one program where it is called eagerly.

Called eagerly, the body of a composite is some kernels that XLA runs one by one, each with a dispatch and its own pass
over memory: softplus takes 13 times as long as compiled, gcd 15,000 times. The bodies named here look at no values
and draw no random numbers, so they can be compiled as a whole, once for each set of options; inside of a program that
is being traced they run as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from keras_fn import ops  # noqa: F401  # pyright: ignore[reportUnusedImport]  (its modules declare the ops)
from keras_fn.core import dtypes
from keras_fn.core.constants import Constants
from keras_fn.core.op import Op
from keras_fn.core.settings import epsilon
from keras_fn.core.spec import REGISTRY

NAMES = """
_adaptive_average_pool _adaptive_max_pool _affine _attention _blur _cholesky_inverse _class_loss _ctc_loss
_depth_to_space _lstsq _saturate_cast _unravel_index
_depthwise_conv _displaced _fold _framed_signal _greedy _group_normalization _hsv_to_rgb
_map_coordinates _multi_hot _overlapped _patches _projection _rearranged _resize _rgb_to_grayscale _rgb_to_hsv
_rms_normalization _scale_and_translate _separable_conv _sobel _space_to_depth _ssim _unfold _unframed_signal

abs allclose angle append argpartition array_split average batch_normalization beam_search binary_crossentropy
bitwise_invert categorical_crossentropy cdist celu conjugate corrcoef count_nonzero cross deg2rad diag diagflat
diagonal diff digitize divide_no_nan dot dsplit dstack elu extract_sequences fabs fliplr flipud fmod gcd gelu
geomspace glu hard_shrink hard_sigmoid hard_silu hard_tanh heaviside hsplit hstack in_top_k inner isclose isneginf
isposinf isreal kron lcm ldexp leaky_relu left_shift linspace log10 log2 log_sigmoid log_softmax logaddexp logspace
median mish moments nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin nanprod
nanquantile nanstd nansum nanvar norm normalize outer polar psnr ptp quantile rad2deg real reciprocal relu6
right_shift rot90 saturate_cast selu signbit silu sinc soft_shrink softmax softplus softsign
sparse_categorical_crossentropy sparse_plus sparse_sigmoid sparsemax squared_difference squareplus std tanh_shrink
matrix_rank threshold trace trapezoid tril triu trunc vander var vdot view_as_complex view_as_real vsplit vstack
""".split()


def fused(op: Op) -> Callable[..., Any]:
    """A kernel that compiles the body of a composite."""
    tensors = frozenset(op.params.index(name.lstrip("*")) for name in op.dtype.params)
    return compiled_if_eager(op.fn, tuple(i for i in range(len(op.params)) if i not in tensors))


def compiled_if_eager(fn: Callable[..., Any], options: tuple[int, ...] = ()) -> Callable[..., Any]:
    """The function as one program where it is called eagerly, and as it is inside of a program that is being traced.

    Args:
        fn: a function of tensors and options, called with positional arguments.
        options: which of its parameters hold no tensors.
    """
    programs: dict[Any, Callable[..., Any]] = {}
    dtypes.DEPENDENT.append(programs)  # a body may fall back on the default float

    def kernel(*values: Any) -> Any:
        if _is_traced(values):
            return fn(*values)
        given = [values[i] for i in options] if options else []
        # 1, 1.0 and True are equal, and another option each; a body may fall back on epsilon as well
        key = (epsilon(), *given, *[v.__class__ for v in given])
        try:
            program = programs.get(key)
        except TypeError:  # a list, or a tensor where an option may be one
            return fn(*values)
        if program is None:
            if not all(_is_plain(v) for v in given):
                return fn(*values)
            # a new function each time: JAX keeps programs by function and by options that are equal
            program = programs[key] = jax.jit(lambda *values: fn(*values), static_argnums=options)
        return program(*values)

    return kernel


def _is_traced(values: Any) -> bool:
    for v in values:  # noqa: SIM110  (a loop takes half the time of `any`, and this is asked at each call)
        if isinstance(v, Tracer) or (v.__class__ is list and _is_traced(v)):
            return True
    return False


def _is_plain(option: Any) -> bool:
    """Whether an option can be told from another by comparing them: no tensor, no list."""
    if isinstance(option, tuple):
        return all(_is_plain(o) for o in option)
    return option is None or isinstance(option, (bool, int, float, str))


def _clip(x: Any, *limits: Any) -> Any:
    # within a program a number is an array, whose dtype must not count
    return REGISTRY["clip"].fn(x, *(n if n is None else jnp.asarray(n, x.dtype) for n in limits))


_clip_at_once = compiled_if_eager(_clip)
_limits = Constants(lambda number, dtype: jnp.asarray(number, dtype), type(jnp.zeros(())))


def clip(x: Any, *limits: Any) -> Any:
    if isinstance(x, Tracer):
        return _clip(x, *limits)
    if x.dtype.kind in "iu":
        # a number that does not fit into an integer dtype is an error, which no program would raise
        limits = tuple([_limits.get(n, x.dtype) if isinstance(n, (bool, int, float)) else n for n in limits])
    return _clip_at_once(x, *limits)


_where_at_once = fused(REGISTRY["where"])


def where(condition: Any, x1: Any, x2: Any) -> Any:
    is_bool = isinstance(condition, jax.Array) and condition.dtype == bool
    return (jnp.where if is_bool else _where_at_once)(condition, x1, x2)


KERNELS: dict[str, Any] = {**{name: fused(REGISTRY[name]) for name in NAMES}, "clip": clip, "where": where}

"""Initializers that draw. The numbers come from the host's Philox stream of the seed: bit-equal on every backend."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.arguments import Finite, NonNegative, Positive
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, ShapeError
from keras_fn.initializers.base import Initializer, host_dtype, known_shape
from keras_fn.random.host import draw_seed, host_generator

# standard deviation of a standard normal variable cut off at two standard deviations
_CUT_STDDEV = math.sqrt(1 - 4 * math.exp(-2.0) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2.0)))


class RandomInitializer(Initializer):
    """Base of the initializers that draw. Subclasses write `sample(rng, shape)`.

    Args:
        seed: an int: the same values at every call. None: as an int that is drawn now from the global stream (see
            `keras_fn.utils.set_random_seed`). A `keras_fn.random.SeedGenerator`: new values at every call.
    """

    def __init__(self, seed: Any = None) -> None:
        if seed is not None and not hasattr(seed, "next") and (isinstance(seed, bool) or not _is_int(seed)):
            raise ArgumentTypeError(f"`seed` must be an integer, a SeedGenerator or None, not {seed!r}.")
        self._given = seed
        self.seed = draw_seed() if seed is None else seed

    def generator(self) -> np.random.Generator:
        """A generator at the start of the seed's stream."""
        if _is_int(self.seed):
            return host_generator(int(self.seed))
        from keras_fn import ops

        seed: Any = self.seed
        words = ops.convert_to_numpy(seed.next()).astype("uint64").tolist()
        return host_generator(sum(word << (32 * i) for i, word in enumerate(words)))

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Values drawn from `rng`: float64, or float32 where `dtype` needs no more."""
        raise NotImplementedError(f"{type(self).__name__} must have a method `sample(self, rng, shape, dtype)`.")

    _kf_random = True  # a model that is loaded has no need of such values

    def draw(self, shape: Any, dtype: Any = None) -> np.ndarray:
        dtype = host_dtype(dtype)
        precise: Any = (
            dtype if dtype in ("float32", "float64") else np.dtype("float64" if dtype.kind == "c" else "float32")
        )
        return self.sample(self.generator(), known_shape(shape), precise).astype(dtype, copy=False)

    def get_config(self) -> dict[str, Any]:
        seed = self._given
        if seed is not None and not _is_int(seed):
            from keras_fn.saving.config import serialize_keras_object

            seed = serialize_keras_object(seed)
        return {"seed": seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> RandomInitializer:
        if isinstance(config.get("seed"), dict):
            from keras_fn.saving.config import deserialize_keras_object

            config = {**config, "seed": deserialize_keras_object(config["seed"])}
        return cls(**config)


class RandomNormal(RandomInitializer):
    """Normally distributed values.

    Args:
        mean: mean.
        stddev: standard deviation.
        seed: see `RandomInitializer`.

    Example:
        >>> RandomNormal(stddev=1.0, seed=1).draw((2, 3)).shape
        (2, 3)
    """

    def __init__(self, mean: Finite = 0.0, stddev: NonNegative = 0.05, seed: Any = None) -> None:
        self.mean = mean
        self.stddev = stddev
        super().__init__(seed)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        return _scaled(rng.standard_normal(shape, dtype), self.mean, self.stddev)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    """Normally distributed values, drawn again wherever they are further than two `stddev` from the mean.

    Args:
        mean: mean.
        stddev: standard deviation before the cut.
        seed: see `RandomInitializer`.

    Example:
        >>> bool(abs(TruncatedNormal(stddev=1.0, seed=1).draw((1000,))).max() <= 2.0)
        True
    """

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        return _scaled(truncated(rng, shape, dtype), self.mean, self.stddev)


class RandomUniform(RandomInitializer):
    """Uniformly distributed values in `[minval, maxval)`; whole numbers for an integer dtype.

    Args:
        minval: lower end.
        maxval: upper end (not included).
        seed: see `RandomInitializer`.

    Example:
        >>> values = RandomUniform(0.0, 1.0, seed=1).draw((100,))
        >>> bool((values >= 0).all() and (values < 1).all())
        True
    """

    def __init__(self, minval: Finite = -0.05, maxval: Finite = 0.05, seed: Any = None) -> None:
        self.minval = minval
        self.maxval = maxval
        super().__init__(seed)

    def draw(self, shape: Any, dtype: Any = None) -> np.ndarray:
        if dtypes.is_integer(dtypes.standardize(dtype)):
            low, high = int(self.minval), int(self.maxval)
            return self.generator().integers(low, high, known_shape(shape)).astype(host_dtype(dtype))
        return super().draw(shape, dtype)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        return _scaled(rng.random(shape, dtype), self.minval, self.maxval - self.minval)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


class VarianceScaling(RandomInitializer):
    """Values around 0 whose variance is `scale / n`, so that signals keep their size from layer to layer.

    n is the number of inputs of a unit ("fan_in"), of its outputs ("fan_out"), or their mean ("fan_avg").
    The base of the Glorot, He and Lecun initializers.

    Args:
        scale: positive factor of the variance.
        mode: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal" (or "normal"), "untruncated_normal" or "uniform".
        seed: see `RandomInitializer`.
        input_axes: axes of the weight that inputs are counted over; None for Keras's convention: the last axis but one
            is inputs, the last one outputs, and all before them (a convolution's window) count for both.
        output_axes: axes that outputs are counted over.

    Example:
        >>> w = VarianceScaling(scale=2.0, distribution="uniform", seed=1).draw((50, 20))
        >>> bool(abs(w).max() <= (3 * 2.0 / 50) ** 0.5)
        True
    """

    def __init__(
        self,
        scale: Positive = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ) -> None:
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ArgumentError(f"`mode` must be 'fan_in', 'fan_out' or 'fan_avg', not {mode!r}.")
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ArgumentError(
                f"`distribution` must be 'truncated_normal', 'untruncated_normal' or 'uniform', not {distribution!r}."
            )
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self._count_over(input_axes, output_axes)
        super().__init__(seed)

    def _count_over(self, input_axes: Any, output_axes: Any) -> None:
        if (input_axes is None) != (output_axes is None):
            raise ArgumentError(
                "`input_axes` and `output_axes` go together: give both or neither, "
                f"not {input_axes!r} and {output_axes!r}."
            )
        self.input_axes = input_axes
        self.output_axes = output_axes

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        fan_in, fan_out = fans(shape, self.input_axes, self.output_axes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "truncated_normal":
            return _scaled(truncated(rng, shape, dtype), 0.0, math.sqrt(variance) / _CUT_STDDEV)
        if self.distribution == "untruncated_normal":
            return _scaled(rng.standard_normal(shape, dtype), 0.0, math.sqrt(variance))
        limit = math.sqrt(3.0 * variance)
        return _scaled(rng.random(shape, dtype), -limit, 2 * limit)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _Preset(VarianceScaling):
    """A `VarianceScaling` with a name of its own: the facts are class attributes, the arguments only seed and axes."""

    _facts: tuple[float, str, str]

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        self.scale, self.mode, self.distribution = self._facts  # which need no check
        self._count_over(input_axes, output_axes)
        RandomInitializer.__init__(self, seed)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {name: config[name] for name in ("seed", "input_axes", "output_axes")}


class GlorotUniform(_Preset):
    """Uniform in `[-limit, limit)`, `limit = sqrt(6 / (fan_in + fan_out))`; also called Xavier uniform.

    Source: https://proceedings.mlr.press/v9/glorot10a.html
    """

    _facts = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Preset):
    """Truncated normal with variance `2 / (fan_in + fan_out)`; also called Xavier normal.

    Source: https://proceedings.mlr.press/v9/glorot10a.html
    """

    _facts = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Preset):
    """Uniform in `[-limit, limit)`, `limit = sqrt(6 / fan_in)`: for ReLU. Source: https://arxiv.org/abs/1502.01852"""

    _facts = (2.0, "fan_in", "uniform")


class HeNormal(_Preset):
    """Truncated normal with variance `2 / fan_in`: for ReLU. Source: https://arxiv.org/abs/1502.01852"""

    _facts = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Preset):
    """Uniform in `[-limit, limit)`, `limit = sqrt(3 / fan_in)`: for SELU.

    Source: LeCun et al., Efficient BackProp, 1998
    """

    _facts = (1.0, "fan_in", "uniform")


class LecunNormal(_Preset):
    """Truncated normal with variance `1 / fan_in`: for SELU. Source: LeCun et al., Efficient BackProp, 1998"""

    _facts = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """A matrix with orthonormal columns, or orthonormal rows where it is wide.

    More than two dimensions: all but the last are rows. Source: https://arxiv.org/abs/1312.6120

    Args:
        gain: factor.
        seed: see `RandomInitializer`.

    Example:
        >>> q = Orthogonal(seed=1).draw((4, 2))
        >>> (q.T @ q).round(3).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, gain: Finite = 1.0, seed: Any = None) -> None:
        self.gain = gain
        super().__init__(seed)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        if len(shape) < 2:
            raise ShapeError(f"The Orthogonal initializer needs two dimensions or more, and the shape {shape} came.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        # the decomposition runs in float64, so that the columns are orthogonal to the last bit of float32
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))  # makes the distribution uniform: https://arxiv.org/abs/math-ph/0609050
        return (self.gain * (q if rows >= columns else q.T)).reshape(shape).astype(dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gain": self.gain}


def fans(shape: tuple[int, ...], input_axes: Any = None, output_axes: Any = None) -> tuple[int, int]:
    """How many inputs and outputs a unit of a layer with such a weight has.

    Args:
        shape: shape of the weight: `(units,)`, `(inputs, outputs)` or `(*window, inputs, outputs)`.
        input_axes, output_axes: the axes to multiply, where the weight is laid out otherwise.

    Example:
        >>> fans((3, 3, 16, 32))
        (144, 288)
    """
    if input_axes is not None and output_axes is not None:
        inputs, outputs = _axes(input_axes, len(shape)), _axes(output_axes, len(shape))
        return math.prod(shape[i] for i in inputs), math.prod(shape[i] for i in outputs)
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def truncated(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any = "float64") -> np.ndarray:
    """Standard normal values, each drawn again until it lies in [-2, 2]."""
    flat = rng.standard_normal(math.prod(shape), np.dtype(dtype))
    out = np.flatnonzero(np.abs(flat) > 2)
    while out.size:
        flat[out] = rng.standard_normal(out.size, np.dtype(dtype))
        out = out[np.abs(flat[out]) > 2]
    return flat.reshape(shape)


def _scaled(values: Any, shift: float, factor: float) -> np.ndarray:
    values = np.asarray(values)
    values *= values.dtype.type(factor)
    values += values.dtype.type(shift)
    return values


def _axes(axes: Any, rank: int) -> tuple[int, ...]:
    axes = () if axes is None else (axes,) if _is_int(axes) else tuple(axes)
    if not all(-rank <= a < rank for a in axes):
        raise ShapeError(f"The axes {axes} do not fit a weight of {rank} dimensions.")
    return tuple(a % rank for a in axes)


def _is_int(x: Any) -> bool:
    return isinstance(x, (int, np.integer))

"""`SpatialDropout1D`, `SpatialDropout2D`, `SpatialDropout3D`: whole channels are dropped."""

from __future__ import annotations

from typing import Any

from keras_fn.core.settings import standardize_data_format
from keras_fn.layers.input_spec import InputSpec
from keras_fn.layers.regularization.dropout import Dropout


class SpatialDropout1D(Dropout):
    """`Dropout` that keeps or drops each channel of a sequence as a whole: `(batch, steps, channels)`.

    Args:
        rate: the share to drop, from 0 to 1.
        seed: int for the same draws in every run.
        name: name.
        dtype: dtype or policy.

    Example:
        >>> import keras_fn
        >>> y = keras_fn.layers.SpatialDropout1D(0.5)(keras_fn.ops.ones((1, 3, 8)), training=True)
        >>> len(set(keras_fn.ops.convert_to_numpy(y)[0, :, 0].tolist()))
        1

    Source: https://arxiv.org/abs/1411.4280
    """

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(rate, (None, 1, None), seed, name=name, dtype=dtype)
        self.input_spec = InputSpec(ndim=3)


class _SpatialDropout(Dropout):
    rank: int

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        data_format = standardize_data_format(data_format)
        ones = (1,) * self.rank
        shape = (None, None, *ones) if data_format == "channels_first" else (None, *ones, None)
        super().__init__(rate, shape, seed, name=name, dtype=dtype)
        self.data_format = data_format
        self.input_spec = InputSpec(ndim=self.rank + 2)


class SpatialDropout2D(_SpatialDropout):
    """`Dropout` that keeps or drops each channel of an image as a whole: `(batch, height, width, channels)`.

    Args:
        rate: the share to drop, from 0 to 1.
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, height, width)`; None for the default
            set in `keras_fn.config`.
        seed: int for the same draws in every run.
        name: name.
        dtype: dtype or policy.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.SpatialDropout2D(0.5)(keras_fn.ops.ones((1, 3, 3, 8)), training=True).shape)
        (1, 3, 3, 8)

    Source: https://arxiv.org/abs/1411.4280
    """

    rank = 2


class SpatialDropout3D(_SpatialDropout):
    """`Dropout` that keeps or drops each channel of a volume as a whole: `(batch, x, y, z, channels)`.

    Args:
        rate: the share to drop, from 0 to 1.
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, x, y, z)`; None for the default set in
            `keras_fn.config`.
        seed: int for the same draws in every run.
        name: name.
        dtype: dtype or policy.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.SpatialDropout3D(0.5)(keras_fn.ops.ones((1, 2, 2, 2, 8)), training=True).shape)
        (1, 2, 2, 2, 8)

    Source: https://arxiv.org/abs/1411.4280
    """

    rank = 3

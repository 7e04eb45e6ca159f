"""torch's own calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.set_grad_enabled(False)

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def tensor(x: Any) -> Any:
    return torch.from_numpy(x).to(DEVICE)


def wait(result: Any) -> None:
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


def to_numpy(x: Any) -> Any:
    return x.resolve_conj().cpu().numpy()


# no compiler is part of an eager user's day
compiled = None


def last(x: Any) -> Any:
    return x.movedim(1, -1)


def first(x: Any) -> Any:
    """A view with the channels on axis 1."""
    return x.movedim(-1, 1)


def image(fn: Callable[..., Any], *options: Any, **named: Any) -> Callable[..., Any]:
    """A function of images with the channels last, from one that wants them on axis 1."""
    return lambda x, *rest: last(fn(first(x), *rest, *options, **named))


def filters(x: Any) -> Any:
    """Keras's order of a kernel's axes as torch's."""
    return x.movedim((-1, -2), (0, 1))


def convolution(fn: Any, stride: int = 1, padding: Any = "same") -> Callable[..., Any]:
    return lambda x, kernel: last(fn(first(x), filters(kernel), None, stride, padding))


def depthwise(x: Any, kernel: Any) -> Any:
    return last(F.conv2d(first(x), kernel.permute(2, 3, 0, 1), None, 1, "same", 1, x.shape[-1]))


def strided(x: Any, kernel: Any) -> Any:
    return last(F.conv2d(F.pad(first(x), (0, 1, 0, 1)), filters(kernel), None, 2))


def attention(q: Any, k: Any, v: Any, causal: bool = False) -> Any:
    heads = (x.transpose(1, 2) for x in (q, k, v))
    return F.scaled_dot_product_attention(*heads, is_causal=causal).transpose(1, 2)


def group_norm(x: Any) -> Any:
    return last(F.group_norm(first(x), 8, torch.ones(32, device=DEVICE), torch.zeros(32, device=DEVICE)))


def quantile(x: Any) -> Any:
    return torch.quantile(x, torch.tensor([0.1, 0.5, 0.9], device=DEVICE), -1)


def histogram(x: Any) -> Any:
    return tuple(torch.histogram(x, 100))


def take_rows(x: Any, ids: Any) -> Any:
    return F.embedding(ids, x)


def segment_sum(x: Any, ids: Any) -> Any:
    return torch.zeros(1000, x.shape[1], device=DEVICE).index_add(0, ids, x)


def scatter_update(x: Any, ids: Any, rows: Any) -> Any:
    return x.index_copy(0, ids[:, 0].long(), rows)


def scatter(ids: Any, rows: Any) -> Any:
    return torch.zeros(5_000, 32, device=DEVICE).index_add(0, ids[:, 0], rows)


def affine(x: Any, matrices: Any) -> Any:
    """Through `grid_sample`, which counts from -1 to 1 between the outer edges of the outer pixels."""
    side = x.shape[1]
    a, b, c, d, e, f = matrices[:, :6].unbind(1)
    places = (torch.arange(side, device=DEVICE) + 0.5) * 2 / side - 1
    half = (side - 1) / 2
    across = ((a - 1) * half + b * half + c) * 2 / side
    down = (d * half + (e - 1) * half + f) * 2 / side
    right = places * a[:, None, None] + places[:, None] * b[:, None, None] + across[:, None, None]
    low = places * d[:, None, None] + places[:, None] * e[:, None, None] + down[:, None, None]
    return last(F.grid_sample(first(x), torch.stack([right, low], -1), align_corners=False))


def map_coordinates(x: Any, places: Any) -> Any:
    grid = (places.flip(0).movedim(0, -1) * 2 / 255 - 1)[None]
    return F.grid_sample(x[None, None], grid, align_corners=True)[0, 0]


def _bell(size: int, sigma: float, channels: int) -> Any:
    places = torch.arange(size, dtype=torch.float32, device=DEVICE) - (size - 1) / 2
    weights = torch.exp(-0.5 * (places / sigma) ** 2)
    weights = weights / weights.sum()
    return weights.expand(channels, 1, 1, size)


def blurred(x: Any, size: int, sigma: float, padding: Any) -> Any:
    """Two passes of one dimension."""
    bell = _bell(size, sigma, x.shape[1])
    x = F.conv2d(x, bell, padding=padding, groups=x.shape[1])
    return F.conv2d(x, bell.transpose(2, 3), padding=padding, groups=x.shape[1])


def ssim(a: Any, b: Any) -> Any:
    a, b = first(a), first(b)
    parts = torch.cat([a, b, a * a, b * b, a * b])
    mean_a, mean_b, aa, bb, ab = blurred(parts, 11, 1.5, 0).chunk(5)
    both, squares = mean_a * mean_b, mean_a**2 + mean_b**2
    light = (2 * both + 1e-4) / (squares + 1e-4)
    form = (2 * (ab - both) + 9e-4) / (aa + bb - squares + 9e-4)
    return (light * form).mean((1, 2, 3))


def grayscale(x: Any) -> Any:
    return (x @ torch.tensor([0.2989, 0.587, 0.114], device=DEVICE))[..., None]


def patches(x: Any) -> Any:
    n, height, width, depth = x.shape
    blocks = x.reshape(n, height // 16, 16, width // 16, 16, depth)
    return blocks.transpose(2, 3).reshape(n, height // 16, width // 16, -1)


def pair(z: Any) -> Any:
    return z.real, z.imag


def stft(x: Any) -> Any:
    window = torch.hann_window(256, device=DEVICE)
    return pair(torch.stft(x, 256, 128, 256, window, pad_mode="reflect", return_complex=True).transpose(1, 2))


def istft(real: Any, imag: Any) -> Any:
    window = torch.hann_window(256, device=DEVICE)
    return torch.istft(torch.complex(real, imag).transpose(1, 2), 256, 128, 256, window)


def recurrent(kind: Any) -> Callable[[Any], Any]:
    net = kind(64, 128, batch_first=True).to(DEVICE)
    return lambda x: net(x)[0][:, -1]


def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any) -> Any:
    log_p = F.log_softmax(output, -1).transpose(0, 1)
    return F.ctc_loss(log_p, target, output_length, target_length, reduction="none")


CALLS: dict[str, Callable[..., Any]] = {
    "matmul": torch.matmul,
    "matmul, 64 matrices": torch.matmul,
    "einsum abc,cd->abd": lambda a, b: torch.einsum("abc,cd->abd", a, b),
    "einsum btnh,bsnh->bnts": lambda a, b: torch.einsum("btnh,bsnh->bnts", a, b),
    "conv 1d": convolution(F.conv1d),
    "conv 2d": convolution(F.conv2d),
    "conv 2d, strides 2": strided,
    "conv 3d": convolution(F.conv3d),
    "depthwise_conv 2d": depthwise,
    "separable_conv 2d": lambda x, deep, flat: convolution(F.conv2d)(depthwise(x, deep), flat),
    "conv_transpose 2d": lambda x, kernel: last(F.conv_transpose2d(first(x), filters(kernel), None, 2, 1)),
    "max_pool 2d": image(F.max_pool2d, 2),
    "max_pool 2d, 3 by 3, same": image(lambda x: F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-np.inf), 3, 2)),
    "average_pool 2d": image(F.avg_pool2d, 2),
    "softmax": lambda x: torch.softmax(x, -1),
    "log_softmax": lambda x: torch.log_softmax(x, -1),
    "logsumexp": lambda x: torch.logsumexp(x, -1),
    "gelu": F.gelu,
    "silu": F.silu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "sparse_categorical_crossentropy": lambda y, x: F.cross_entropy(x, y.long(), reduction="none"),
    "binary_crossentropy": lambda y, x: F.binary_cross_entropy_with_logits(x, y, reduction="none"),
    "layer_normalization": lambda x, scale, shift: F.layer_norm(x, (512,), scale, shift, 1e-7),
    "rms_normalization": lambda x, scale: F.rms_norm(x, (512,), scale, 1e-7),
    "batch_normalization": lambda x, mean, var, shift, scale: last(
        F.batch_norm(first(x), mean, var, scale, shift, eps=1e-3)
    ),
    "moments": lambda x: torch.var_mean(x, (0, 1, 2), correction=0)[::-1],
    "layers.GroupNormalization": group_norm,
    "dot_product_attention": attention,
    "dot_product_attention, causal": lambda q, k, v: attention(q, k, v, True),
    "sum, axis 0": lambda x: torch.sum(x, 0),
    "mean, axis -1": lambda x: torch.mean(x, -1),
    "var": lambda x: torch.var(x, -1, correction=0),
    "std": lambda x: torch.std(x, -1, correction=0),
    "argmax": lambda x: torch.argmax(x, -1),
    "cumsum": lambda x: torch.cumsum(x, -1),
    "sort": lambda x: torch.sort(x).values,
    "argsort": lambda x: torch.argsort(x, stable=True),
    "top_k": lambda x: tuple(torch.topk(x, 10)),
    "quantile": quantile,
    "histogram": histogram,
    "bincount": torch.bincount,
    "searchsorted": torch.searchsorted,
    "unique": torch.unique,
    "take (rows of a table)": take_rows,
    "take_along_axis": lambda x, ids: torch.gather(x, 0, ids.long()),
    "one_hot": lambda x: F.one_hot(x.long(), 64).float(),
    "segment_sum": segment_sum,
    "scatter_update": scatter_update,
    "scatter": scatter,
    "where": lambda c, a, b: torch.where(c != 0, a, b),
    "concatenate": lambda a, b: torch.cat([a, b], -1),
    "transpose": lambda x: x.transpose(1, 2) + 1.0,
    "pad": lambda x: F.pad(x, (0, 0, 2, 2, 2, 2)),
    "repeat": lambda x: torch.repeat_interleave(x, 2, 0),
    "image.resize, bilinear": image(F.interpolate, size=(192, 192), mode="bilinear"),
    "image.resize, antialias": image(F.interpolate, size=(64, 64), mode="bilinear", antialias=True),
    "image.affine_transform": affine,
    "image.map_coordinates": map_coordinates,
    "image.gaussian_blur": image(lambda x: blurred(x, 5, 1.0, "same")),
    "image.rgb_to_grayscale": grayscale,
    "image.ssim": ssim,
    "image.extract_patches": patches,
    "fft": lambda a, b: pair(torch.fft.fft(torch.complex(a, b))),
    "fft2": lambda a, b: pair(torch.fft.fft2(torch.complex(a, b))),
    "rfft": lambda x: pair(torch.fft.rfft(x)),
    "stft": stft,
    "istft": istft,
    "svd": lambda x: tuple(torch.linalg.svd(x)),
    "qr": lambda x: tuple(torch.linalg.qr(x)),
    "cholesky": torch.linalg.cholesky,
    "solve": torch.linalg.solve,
    "solve_triangular": lambda a, b: torch.linalg.solve_triangular(a, b, upper=False),
    "inv": torch.linalg.inv,
    "eigh": lambda x: tuple(torch.linalg.eigh(x)),
    "lstsq": lambda a, b: torch.linalg.lstsq(a, b).solution,
    "det": torch.linalg.det,
    "layers.LSTM": recurrent(nn.LSTM),
    "layers.GRU": recurrent(nn.GRU),
    "ctc_loss": ctc_loss,
}

SMALL: dict[str, Callable[..., Any]] = {
    "add": torch.add,
    "multiply": torch.multiply,
    "exp": torch.exp,
    "relu": torch.relu,
    "matmul": torch.matmul,
    "add a number": lambda x: torch.add(x, 1.0),
    "sum": torch.sum,
    "mean, axis -1": lambda x: torch.mean(x, -1),
    "reshape": lambda x: torch.reshape(x, (1, 1)),
    "transpose": lambda x: x.t(),
    "expand_dims": lambda x: torch.unsqueeze(x, 0),
    "concatenate": lambda a, b: torch.cat([a, b], 0),
    "where": torch.where,
    "cast": lambda x: x.to(torch.float16),
    "softmax": lambda x: torch.softmax(x, -1),
    "take": lambda x, ids: torch.index_select(x, 0, ids),
}

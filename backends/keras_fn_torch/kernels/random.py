"""Random numbers by a torch.Generator that is made from the seed for each draw.

The seed is read on the host, so it lives on the CPU (`TorchBackend.seed_cell`). Under torch.compile, where reading a
value would break the graph, the same draws run as one opaque custom op: compiled and eager code give equal numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from keras_fn.core import philox
from keras_fn_torch.arrays import TORCH_DTYPES, device

_MASK = (1 << 64) - 1
_WORD = (1 << 32) - 1


def _generator(seed: torch.Tensor, where: torch.device) -> torch.Generator:
    low, high = seed.tolist()
    return torch.Generator(where).manual_seed(_mixed(low | high << 32) >> 1)


def _mixed(x: int) -> int:
    """All bits of the seed mixed into each bit: the CPU's Mersenne twister looks at the lower 32 only.

    Source: the finalizer of splitmix64, Steele et al. 2014, https://doi.org/10.1145/2660193.2660195
    """
    x = (x + 0x9E3779B97F4A7C15) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def _floats(sample: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    return lambda g, size, dtype, where, numbers, params: sample(size, generator=g, dtype=dtype, device=where)


def _truncated(g: Any, size: Any, dtype: Any, where: Any, numbers: Any, params: Any) -> torch.Tensor:
    """By the inverse of the distribution function: uniform in its range over [-2, 2], then back."""
    wide = dtype if dtype == torch.float64 else torch.float32
    bound = math.erf(2 / math.sqrt(2))
    u = torch.rand(size, generator=g, dtype=wide, device=where).mul_(2 * bound).sub_(bound)
    return u.erfinv_().mul_(math.sqrt(2)).clamp_(-2, 2).to(dtype)


def _integers(g: Any, size: Any, dtype: Any, where: Any, numbers: Any, params: Any) -> torch.Tensor:
    return torch.randint(*numbers, size, generator=g, dtype=torch.int64, device=where).to(dtype)  # pyright: ignore[reportCallIssue]


def _permutation(g: Any, size: Any, dtype: Any, where: Any, numbers: Any, params: Any) -> torch.Tensor:
    return torch.randperm(size[0], generator=g, dtype=dtype, device=where)


_DRAWS: dict[str, Callable[..., torch.Tensor]] = {
    "uniform": _floats(torch.rand),
    "normal": _floats(torch.randn),
    "truncated": _truncated,
    "integers": _integers,
    "permutation": _permutation,
    "gamma": lambda g, size, dtype, where, numbers, params: torch._standard_gamma(params[0], generator=g),
    "binomial": lambda g, size, dtype, where, numbers, params: torch.binomial(*params, generator=g),
    "keep": lambda g, size, dtype, where, numbers, params: torch.empty(size, dtype=dtype, device=where).bernoulli_(
        params[0].item(), generator=g
    ),
}


def _counter_bits(seed: torch.Tensor, size: Any, where: Any, numbers: Any, params: Any) -> torch.Tensor:
    """On the CPU by NumPy, whose loops cost half of what as many torch calls do."""
    n, bits = math.prod(size), numbers[0]
    if where.type == "cpu":
        words = philox.words(seed.tolist(), int(params[0]), n) >> np.uint32(32 - bits)
        return torch.from_numpy(words.view("int32")).reshape(size)
    return (philox_words(seed.to(where), params[0].to(where), n) >> (32 - bits)).to(torch.int32).reshape(size)


def philox_words(seed: torch.Tensor, stream: torch.Tensor, n: int) -> torch.Tensor:
    """`keras_fn.core.philox.words` on a device, as int64: torch has no arithmetic for unsigned numbers."""
    where, blocks = seed.device, -(-n // 4)
    factors = torch.tensor(philox.MULTIPLIERS, device=where)[:, None]
    steps = torch.tensor(philox.KEY_STEPS, device=where) * torch.arange(philox.ROUNDS, device=where)[:, None]
    keys = (seed.to(torch.int64) + steps & _WORD)[:, :, None]
    first = torch.arange(blocks, device=where)
    even = torch.stack([first, stream.to(torch.int64).expand(blocks)])
    odd = torch.zeros_like(even)
    for key in keys.unbind():
        crossed = (even * factors).flip(0)
        even = (crossed >> 32 & _WORD) ^ odd ^ key
        odd = crossed & _WORD
    return torch.stack([even[0], odd[0], even[1], odd[1]], -1).reshape(-1)[:n]


def _draw(
    seed: torch.Tensor,
    kind: str,
    size: Sequence[int],
    dtype: torch.dtype,
    where: torch.device,
    numbers: Sequence[int],
    params: Sequence[torch.Tensor],
) -> torch.Tensor:
    if kind == "bits":
        return _counter_bits(seed, size, where, numbers, params)
    return _DRAWS[kind](_generator(seed, where), size, dtype, where, numbers, params)


_opaque = torch.library.custom_op(
    "keras_fn::draw",
    _draw,
    mutates_args=(),
    schema="(Tensor seed, str kind, SymInt[] size, ScalarType dtype, Device where, int[] numbers, Tensor[] params)"
    " -> Tensor",
)


@_opaque.register_fake
def _(seed: Any, kind: Any, size: Any, dtype: Any, where: Any, numbers: Any, params: Any) -> torch.Tensor:
    return torch.empty(size, dtype=dtype, device=where)


def draw(seed: Any, kind: str, size: Any, dtype: Any, where: Any = None, numbers: Any = (), params: Any = ()) -> Any:
    run = _opaque if torch.compiler.is_compiling() else _draw
    return run(seed, kind, list(size), dtype, where or device(), list(numbers), list(params))


def floats(kind: str) -> Any:
    return lambda seed, shape, dtype: draw(seed, kind, shape, TORCH_DTYPES[dtype])


def next_seed(state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    # torch has no arithmetic for uint32; as signed numbers the bits come out the same
    step = torch.tensor([0, 1], dtype=torch.int32, device=state.device)
    return state.clone(), (state.view(torch.int32) + step).view(torch.uint32)


def integers(seed: Any, low: int, high: int, shape: Any, dtype: str) -> Any:
    return draw(seed, "integers", shape, TORCH_DTYPES[dtype], numbers=(low, high))


def gamma(seed: Any, alpha: torch.Tensor) -> torch.Tensor:
    # torch samples it in 32 and 64 bits only
    wide = alpha.contiguous() if alpha.dtype == torch.float64 else alpha.float().contiguous()
    return draw(seed, "gamma", wide.shape, wide.dtype, wide.device, params=(wide,)).to(alpha.dtype)


def binomial(seed: Any, counts: torch.Tensor, probabilities: torch.Tensor) -> torch.Tensor:
    return draw(seed, "binomial", counts.shape, counts.dtype, counts.device, params=(counts, probabilities))


def dropout(seed: Any, inputs: torch.Tensor, rate: float, noise_shape: Any) -> torch.Tensor:
    chance = torch.tensor(1 - rate, dtype=torch.float64)
    kept = draw(seed, "keep", noise_shape, inputs.dtype, inputs.device, params=(chance,))
    return inputs * kept.mul_(1 / (1 - rate))


def counter_bits(seed: torch.Tensor, stream: torch.Tensor, shape: Any, bits: int) -> torch.Tensor:
    return draw(seed, "bits", shape, torch.int32, numbers=(bits,), params=(stream,))


KERNELS: dict[str, Any] = {
    "next_seed": next_seed,
    "counter_bits": counter_bits,
    "random_uniform": floats("uniform"),
    "random_normal": floats("normal"),
    "random_truncated_normal": floats("truncated"),
    "random_integers": integers,
    "random_permutation": lambda seed, n: draw(seed, "permutation", (n,), torch.int32),
    "random_gamma": gamma,
    "random_binomial": binomial,
    "random_dropout": dropout,
}

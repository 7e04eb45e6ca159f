"""Control flow: Python's own, and torch.vmap."""

from __future__ import annotations

from typing import Any

import torch

from keras_fn.core import loops


def vectorized_map(operands: list[Any], f: Any) -> list[Any]:
    return torch.vmap(f, randomness="different")(*operands)


KERNELS: dict[str, Any] = {
    "_cond": loops.choose,
    "_switch": loops.pick,
    "_while_loop": loops.repeat_while,
    "_scan": loops.scanner(torch.unbind, torch.stack),
    "_vectorized_map": vectorized_map,
}

"""Control flow: Python's own, torch.vmap, and nodes in code that is compiled."""

from __future__ import annotations

from typing import Any

import torch

from keras_fn.core import loops
from keras_fn_torch.kernels import captured


def vectorized_map(operands: list[Any], f: Any) -> list[Any]:
    with captured.at(captured.MAPPED):
        return torch.vmap(f, randomness="different")(*operands)


KERNELS: dict[str, Any] = {
    "_cond": captured.choose,
    "_switch": captured.pick,
    "_while_loop": captured.repeat_while,
    "_scan": loops.scanner(torch.unbind, torch.stack, written_out=True),
    "_vectorized_map": vectorized_map,
}

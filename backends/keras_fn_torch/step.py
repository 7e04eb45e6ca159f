"""Gradients and abstract evaluation with torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils import _pytree as pytree

from keras_fn.core.spec import Spec
from keras_fn.core.variable import StatelessScope
from keras_fn_torch.arrays import TORCH_DTYPES, device


def value_and_grad(fn: Callable[..., Any], variables: list[Any], has_aux: bool) -> Callable[..., Any]:
    """`fn` differentiated with respect to the variables; zeros for those that it does not depend on."""

    def run(*args: Any, **kwargs: Any) -> Any:
        cells = [v._own() for v in variables]
        frozen = [c for c in cells if not c.requires_grad]
        for c in frozen:
            c.requires_grad_(True)
        try:
            with torch.enable_grad():
                out = fn(*args, **kwargs)
                loss = out[0] if has_aux else out
            if loss.requires_grad and cells:
                grads = torch.autograd.grad(loss, cells, allow_unused=True)
                grads = [torch.zeros_like(c) if g is None else g for c, g in zip(cells, grads, strict=True)]
            else:
                grads = [torch.zeros_like(c) for c in cells]
        finally:
            for c in frozen:
                c.requires_grad_(False)
        return ((loss.detach(), out[1]) if has_aux else loss.detach()), grads

    return run


def abstract_call(fn: Callable[..., Any], specs: Any) -> Any:
    """The specs of what `fn` returns, by running it on fake tensors."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    def is_spec(x: Any) -> bool:
        return isinstance(x, Spec)

    with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad(), StatelessScope():
        args = pytree.tree_map(
            lambda s: torch.empty(s.shape, dtype=TORCH_DTYPES[s.dtype], device=device()) if is_spec(s) else s,
            specs,
            is_leaf=is_spec,
        )
        out = fn(*args)
    return pytree.tree_map(lambda t: Spec(t.shape, t.dtype) if isinstance(t, torch.Tensor) else t, out)

"""Gradients and abstract evaluation with torch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.utils import _pytree as pytree

from keras_fn.core.context import context
from keras_fn.core.spec import Spec
from keras_fn.core.variable import StatelessScope
from keras_fn_torch.arrays import TORCH_DTYPES, device


def gradients(loss: Any, cells: list[Any]) -> list[Any]:
    """The gradients of a scalar with respect to tensors; zeros for those that it does not depend on."""
    if not loss.requires_grad or not cells:
        return [torch.zeros_like(c) for c in cells]
    grads = torch.autograd.grad(loss, cells, allow_unused=True)
    return [torch.zeros_like(c) if g is None else g for c, g in zip(cells, grads, strict=True)]


class _Nesting(threading.local):
    """How many functions are being differentiated around each other in this thread."""

    def __init__(self) -> None:
        self.depth = 0


_nesting = _Nesting()


def _twice_differentiable() -> AbstractContextManager[Any]:
    """Only kernels whose gradients have gradients: torch's fused attention has none."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    return sdpa_kernel(SDPBackend.MATH)


def _differentiable_gradients(loss: Any, cells: list[Any]) -> list[Any]:
    """Gradients that an outer function is differentiated through."""
    if not loss.requires_grad or not cells:
        return [torch.zeros_like(c) for c in cells]
    grads = torch.autograd.grad(loss, cells, allow_unused=True, create_graph=True)
    return [torch.zeros_like(c) if g is None else g for c, g in zip(cells, grads, strict=True)]


def value_and_grad(
    fn: Callable[..., Any], variables: list[Any], has_aux: bool, kernels: dict[str, Callable[..., Any]]
) -> Callable[..., Any]:
    """`fn` differentiated with respect to the variables; `kernels` are those of the backend, as they are now."""

    def run(*args: Any, **kwargs: Any) -> Any:
        cells = [v._own() for v in variables]
        frozen = [c for c in cells if not c.requires_grad]
        if frozen and context.tape is not None:
            context.tape.fail("gradients of frozen variables are asked for")
        if _nesting.depth and context.tape is not None:
            context.tape.fail("gradients are differentiated")
        for c in frozen:
            c.requires_grad_(True)
        _nesting.depth += 1
        try:
            with torch.enable_grad(), _twice_differentiable() if _nesting.depth > 1 else nullcontext():
                out = fn(*args, **kwargs)
                loss = out[0] if has_aux else out
            inner = _nesting.depth > 1
            grads = _differentiable_gradients(loss, cells) if inner else kernels["gradients"](loss, cells)
        finally:
            _nesting.depth -= 1
            for c in frozen:
                c.requires_grad_(False)
        value = loss if inner else kernels["stop_gradient"](loss)
        return ((value, out[1]) if has_aux else value), grads

    return run


def captured(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function as torch.compile captures it whole; the graph runs as it is, so that only the capture takes time."""
    graph: Any = None

    def run(*args: Any) -> Any:
        nonlocal graph
        if graph is not None:
            with torch.compiler.set_stance("fail_on_recompile"):
                return graph(*args)
        torch.compiler.reset()
        graph = torch.compile(fn, fullgraph=True, backend="eager", dynamic=False)
        return graph(*args)

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

"""The PyTorch backend of keras_fn."""

from __future__ import annotations

import types
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch

from keras_fn.core import dtypes
from keras_fn.core.backend import Backend
from keras_fn.core.reading import each_mark
from keras_fn.core.spec import Spec
from keras_fn.core.tape import Planned
from keras_fn_torch import pairs, step
from keras_fn_torch.arrays import TORCH_DTYPES, cast, convert, device, scalar, takes_in_place, to_numpy
from keras_fn_torch.kernels import KERNELS
from keras_fn_torch.module import TorchLayer, TorchVariable


class TorchBackend(Backend):
    """Kernels over torch.Tensor; trainable cells are torch.nn.Parameter, written in place."""

    name = "torch"
    tensor_class = torch.Tensor
    tensor_classes = frozenset([torch.Tensor, torch.nn.Parameter])
    variable_base = TorchVariable
    layer_base = TorchLayer
    kernels: dict[str, Callable[..., Any]] = KERNELS
    # it stores these, and has kernels for few things to do with them
    stand_ins = {"uint16": "int32", "uint32": "int64", "uint64": None, "float8_e4m3fn": "float32",
                 "float8_e5m2": "float32"}  # fmt: skip

    def is_tensor(self, x: Any) -> bool:
        return isinstance(x, torch.Tensor)

    def dtype_of(self, x: Any) -> str:
        return _NAMES[x.dtype]

    def convert(self, x: Any, dtype: str | None) -> Any:
        return convert(x, dtype)

    def constant(self, number: Any, dtype: str) -> Any:
        return scalar(number, dtype)

    def cast(self, x: Any, dtype: str) -> Any:
        return cast(x, dtype)

    def host_view(self, x: Any) -> Any:
        return to_numpy(x) if x.device.type == "cpu" and not torch.compiler.is_dynamo_compiling() else None

    def takes_in_place(self, array: Any) -> bool:
        return takes_in_place(array)

    def to_numpy(self, x: Any) -> Any:
        return to_numpy(x)

    def new_cell(self, value: Any, dtype: str, trainable: bool, name: str) -> Any:
        tensor = convert(value, dtype).detach()
        if isinstance(value, (np.ndarray, torch.Tensor)):
            tensor = tensor.clone()
        if not trainable:
            return tensor
        return torch.nn.Parameter(tensor, requires_grad=tensor.is_floating_point() or tensor.is_complex())

    def arranged_cell(self, cell: Any, use: str) -> Any:
        """Kernels of convolutions lie as torch's "channels last" has them, so that no call has to turn them round."""
        if use != "convolution" or cell.ndim not in (4, 5):
            return cell
        outputs = cell.shape[-1]
        # a matrix is turned block by block, four times as fast as the same values under more axes
        turned = cell.detach().reshape(-1, outputs).t().contiguous()
        turned = turned.view(outputs, *cell.shape[:-1]).movedim(0, -1)
        if not isinstance(cell, torch.nn.Parameter):
            return turned
        return torch.nn.Parameter(turned, requires_grad=cell.requires_grad)

    def write_cell(self, cell: Any, value: Any) -> Any:
        with torch.no_grad():
            cell.copy_(value)
        return cell

    def cell_memory(self, cell: Any) -> Any:
        if cell.device.type != "cpu" or not cell.is_contiguous():
            return None
        torch.autograd.graph.increment_version(cell)
        return to_numpy(cell)

    def write_cells(self, cells: list[Any], values: list[Any]) -> None:
        with torch.no_grad() if torch.is_grad_enabled() else nullcontext():
            torch._foreach_copy_(cells, values)

    def add_to_cells(self, cells: list[Any], values: list[Any]) -> None:
        with torch.no_grad() if torch.is_grad_enabled() else nullcontext():
            torch._foreach_add_(cells, values)

    def share_memory(self, x1: Any, x2: Any) -> bool:
        return x1.untyped_storage().data_ptr() == x2.untyped_storage().data_ptr()

    def joined(self, first: Any, second: Any, args: list[Any], rest: list[Any], between: Any) -> Any:
        return pairs.joined(first, second, args, rest, between)

    def set_cell_trainable(self, cell: Any, trainable: bool) -> None:
        if isinstance(cell, torch.nn.Parameter):
            cell.requires_grad_(trainable)

    def seed_cell(self, cell: Any) -> Any:
        return cell.cpu()

    def value_and_grad(self, fn: Callable[..., Any], variables: list[Any], has_aux: bool) -> Callable[..., Any]:
        return step.value_and_grad(fn, variables, has_aux, self.kernels)

    def inference(self) -> AbstractContextManager[Any]:
        return torch.no_grad()

    def compile_step(self, fn: Callable[..., Any], variables: Callable[[], list[Any]], jit: Any) -> Callable[..., Any]:
        return torch.compile(fn) if jit is True else Planned(fn, variables, self)

    def captured(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return step.captured(fn)

    def eager(self) -> bool:
        return not torch.compiler.is_compiling()

    def mode(self) -> Any:
        return torch.is_grad_enabled()

    def in_mode(self, mode: Any) -> AbstractContextManager[Any]:
        return torch.set_grad_enabled(mode)

    def abstract_call(self, fn: Callable[..., Any], specs: Any) -> Any:
        return step.abstract_call(fn, specs)

    def random_state(self) -> Any:
        return torch.get_rng_state().numpy()

    def seed_generator(self, seed: int) -> None:
        torch.manual_seed(seed)

    def set_random_state(self, state: Any) -> None:
        torch.set_rng_state(torch.from_numpy(np.array(state, "uint8")))

    def stop(self) -> None:
        if device().type == "cuda":
            torch.cuda.synchronize()


_frames: Any = torch._C._dynamo.eval_frame  # pyright: ignore[reportAttributeAccessIssue]


def _run_as_it_is(code: types.CodeType) -> None:
    """No frame of this code, or of functions inside of it, is compiled by itself; those that they call may be."""
    action = _frames._FrameAction
    _frames.set_code_exec_strategy(code, _frames._FrameExecStrategy(action.SKIP, action.DEFAULT))
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            _run_as_it_is(inner)


def _mark(fn: Any, plain: Any) -> None:
    """Marks functions as torch.compile knows them, without the second that it takes to import torch._dynamo."""
    if plain is None:
        fn._dynamo_marked_constant = True  # as torch.compiler.assume_constant_result does
    elif plain is fn:
        _run_as_it_is(fn.__code__)
    else:
        fn._torchdynamo_inline = plain  # as torch.compile does for what it gives back


each_mark(_mark)
_NAMES = {t: n for n, t in TORCH_DTYPES.items()}
BACKEND = TorchBackend()
__all__ = ["BACKEND", "Spec", "TorchBackend", "dtypes"]

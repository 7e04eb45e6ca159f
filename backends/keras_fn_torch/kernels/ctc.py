"""Connectionist temporal classification: one loop in C++ in the place of a scan over times."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from keras_fn.ops import ctc

aten = torch.ops.aten


def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, blank: int) -> Any:
    """The loss; torch calls it infinite where no path fits."""
    name = output.dtype
    x = output if name == torch.float64 else output.float()
    log_p = torch.log_softmax(x, -1).clamp_min(ctc.NEVER)
    labels = target.long().clamp(0, x.shape[-1] - 1)
    target_length, output_length = target_length.long(), output_length.long()
    # two equal labels in a row need a blank between them
    place = torch.arange(labels.shape[1] - 1, device=x.device) + 1 if labels.shape[1] else target_length[:0]
    again = (labels[:, 1:] == labels[:, :-1]) & (place < target_length[:, None])
    never = (target_length + again.sum(1) > output_length) | (output_length == 0)
    run = _opaque if torch.compiler.is_compiling() else _loss
    loss = run(log_p.transpose(0, 1), labels, output_length, target_length, blank)
    return torch.where(never, -ctc.NEVER, loss).to(name)


def _loss(log_p: Any, labels: Any, output_length: Any, target_length: Any, blank: int) -> Any:
    return F.ctc_loss(log_p, labels, output_length, target_length, blank, reduction="none", zero_infinity=True)


# --- for torch.compile, which does not know the shape of what torch keeps for the gradient: so it is made again there
def _values(log_p: Any, labels: Any, output_length: Any, target_length: Any, blank: int) -> torch.Tensor:
    return aten._ctc_loss.Tensor(log_p, labels, output_length, target_length, blank, True)[0]


def _gradient(
    grad: Any, log_p: Any, labels: Any, output_length: Any, target_length: Any, blank: int
) -> torch.Tensor:
    facts = (labels, output_length, target_length)
    loss, kept = aten._ctc_loss.Tensor(log_p, *facts, blank, True)
    return aten._ctc_loss_backward.Tensor(grad, log_p, *facts, loss, kept, blank, True)


_FACTS = "Tensor log_p, Tensor labels, Tensor output_length, Tensor target_length, int blank"
_opaque = torch.library.custom_op("keras_fn::ctc_loss", _values, mutates_args=(), schema=f"({_FACTS}) -> Tensor")
_opaque_gradient = torch.library.custom_op(
    "keras_fn::ctc_loss_gradient", _gradient, mutates_args=(), schema=f"(Tensor grad, {_FACTS}) -> Tensor"
)


@_opaque.register_fake
def _(log_p: Any, *facts: Any) -> torch.Tensor:
    return log_p.new_empty(log_p.shape[1])


@_opaque_gradient.register_fake
def _(grad: Any, log_p: Any, *facts: Any) -> torch.Tensor:
    return torch.empty_like(log_p)


def _keep(ctx: Any, inputs: Any, output: Any) -> None:
    *tensors, ctx.blank = inputs
    ctx.save_for_backward(*tensors)


def _backward(ctx: Any, grad: Any) -> tuple[Any, ...]:
    return _opaque_gradient(grad.contiguous(), *ctx.saved_tensors, ctx.blank), None, None, None, None


_opaque.register_autograd(_backward, setup_context=_keep)

KERNELS: dict[str, Any] = {"_ctc_loss": ctc_loss}

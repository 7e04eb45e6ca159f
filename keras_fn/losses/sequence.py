"""Losses of embeddings by their labels."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.arguments import Finite, Positive
from keras_fn.losses.loss import LossFunctionWrapper
from keras_fn.losses.weighting import as_dtype, as_float, dtype_name


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """Pulls embeddings of one label together and pushes others apart, each pair by how far it is from its optimum.

    With the cosine similarity s of a pair: `softplus(logsumexp(-gamma * relu(1 + m - s) * (s - 1 + m)) over pairs of
    one label + logsumexp(gamma * relu(s + m) * (s - m)) over the others)`.

    Args:
        y_true: labels `(n,)` or `(n, 1)`.
        y_pred: embeddings of length 1, `(n, d)`.
        ref_labels: labels of the embeddings to compare with; `y_true` where None.
        ref_embeddings: embeddings to compare with; `y_pred` where None.
        remove_diagonal: whether the comparison of each sample with itself is left out.
        gamma: scale.
        margin: m, how strict the optimum is.

    Returns:
        Tensor of shape `(n,)`.

    Source: Sun et al., Circle Loss, https://arxiv.org/abs/2002.10857
    """
    y_pred = as_float(y_pred)
    dtype = dtype_name(y_pred)
    labels = ops.reshape(as_dtype(y_true, "int32"), (-1, 1))
    ref_labels = labels if ref_labels is None else ops.reshape(as_dtype(ref_labels, "int32"), (-1, 1))
    others = y_pred if ref_embeddings is None else as_dtype(ref_embeddings, dtype)
    similar = ops.matmul(y_pred, ops.transpose(others))
    unlike = ops.not_equal(labels, ops.transpose(ref_labels))
    alike = _alike(labels, ref_labels, remove_diagonal)
    pull = ops.stop_gradient(ops.relu(ops.subtract(1.0 + margin, similar)))
    push = ops.stop_gradient(ops.relu(ops.add(similar, margin)))
    near = ops.multiply(ops.multiply(pull, ops.subtract(similar, 1.0 - margin)), -gamma)
    far = ops.multiply(ops.multiply(push, ops.subtract(similar, margin)), gamma)
    # a finite stand-in for -inf, so that a row without such pairs gives no NaN
    near = ops.logsumexp(ops.where(alike, near, _LOWEST), axis=1)
    far = ops.logsumexp(ops.where(unlike, far, _LOWEST), axis=1)
    return ops.softplus(ops.add(near, far))


_LOWEST = -1e9


def _alike(labels: Any, ref_labels: Any, remove_diagonal: bool) -> Any:
    """Which pairs have one label, samples paired with themselves left out if asked; labels are columns."""
    alike = ops.equal(labels, ops.transpose(ref_labels))
    count = ops.shape(labels)[0]
    if not remove_diagonal or count is None:
        return alike
    rows, columns = ops.arange(count), ops.arange(ops.shape(ref_labels)[0])
    return ops.logical_and(alike, ops.not_equal(ops.expand_dims(rows, 1), ops.expand_dims(columns, 0)))


class Circle(LossFunctionWrapper):
    """Pulls embeddings of one label together and pushes others apart. See `circle`.

    Samples whose label no other sample of the batch has do not count in a mean.

    Args:
        gamma: scale.
        margin: how strict the optimum is.
        remove_diagonal: whether the comparison of each sample with itself is left out.
        reduction: how the values of a batch become one, see `Loss`.
        name: name.
        dtype: dtype to compute in; None for the default float.
    """

    def __init__(
        self,
        gamma: Positive = 80.0,
        margin: Finite = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str = "circle",
        dtype: Any = None,
    ) -> None:
        kwargs = {"gamma": gamma, "margin": margin, "remove_diagonal": remove_diagonal}
        super().__init__(circle, reduction, name, dtype, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def _convert_target(self, x: Any) -> Any:
        return ops.convert_to_tensor(x)

    def _own_mask(self, y_true: Any, y_pred: Any, values: Any) -> Any:
        """A sample without another of its label has nothing to be pulled to, and does not count in a mean."""
        labels = ops.reshape(y_true, (-1, 1))
        return ops.any(_alike(labels, labels, self._fn_kwargs["remove_diagonal"]), axis=1)

"""The loss for labels without times: the body's steps in place, one call of NumPy for all terms of a sum."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.ops.ctc import NEVER
from keras_fn_numpy.kernels.basic import log_softmax


def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int) -> Any:
    inner: Any = output.dtype if output.dtype in (np.float32, np.float64) else np.dtype("float32")
    log_p = log_softmax(output.astype(inner, copy=False), -1)
    batch, _, classes = log_p.shape
    labels = _extended(np.clip(target.astype("int32"), 0, classes - 1), mask_index)
    # places lie on the first axis, so that what lies one place before is one stretch of memory
    said = np.take_along_axis(log_p, np.broadcast_to(labels, (batch, 1, labels.shape[-1])), 2).transpose(1, 2, 0)
    labels = labels[:, 0].T
    follows = np.full(labels.shape, NEVER, inner)  # which may come directly after the label before the blank
    follows[2:][(labels[2:] != mask_index) & (labels[2:] != labels[:-2])] = 0
    reached = _reached(np.ascontiguousarray(said), follows, output_length.astype("int32"))
    ends = 2 * target_length.astype("int32")
    last = np.take_along_axis(reached, ends[None], 0)
    label = np.where(ends > 0, np.take_along_axis(reached, np.maximum(ends - 1, 0)[None], 0), inner.type(NEVER))
    high = np.maximum(last, label)
    total = np.log(np.exp(last - high) + np.exp(label - high)) + high
    return -total[0].astype(output.dtype, copy=False)


def _extended(target: Any, blank: int) -> Any:
    """The labels with blanks before, between and after them: `(batch, 1, places)`."""
    batch, count = target.shape
    extended = np.full((batch, 1, 2 * count + 1), blank, "int32")
    extended[:, 0, 1::2] = target
    return extended


def _reached(said: Any, follows: Any, steps: Any) -> Any:
    """The logarithm of the probability to be at each place `(places, batch)` after the last step."""
    times, places, batch = said.shape
    paths = np.full((places + 2, batch), NEVER, said.dtype)  # two places in front, where nobody is
    here, before, skipped = paths[2:], paths[1:-1], paths[:-2]
    terms, high, total = np.empty((3, places, batch), said.dtype), np.empty_like(here), np.empty_like(here)
    ongoing = steps > np.arange(times)[:, None]
    whole = ongoing.all(1)
    for time in range(times):
        if time:
            np.add(skipped, follows, out=terms[2])
            np.maximum(here, before, out=high)
            np.maximum(high, terms[2], out=high)
            np.subtract(here, high, out=terms[0])
            np.subtract(before, high, out=terms[1])
            terms[2] -= high
            np.exp(terms, out=terms)
            np.add(terms[0], terms[1], out=total)
            total += terms[2]
            np.log(total, out=total)
            total += high
            total += said[time]
        else:  # the path is in front of the first blank: it may go to that, or to the first label
            total[...] = NEVER
            total[:2] = said[0, :2]
        np.maximum(total, NEVER, out=total)
        if whole[time]:
            here[...] = total
        else:
            np.copyto(here, total, where=ongoing[time])
    return here


KERNELS: dict[str, Any] = {"_ctc_loss": ctc_loss}

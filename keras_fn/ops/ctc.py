"""Connectionist temporal classification: labels without times. Source: https://doi.org/10.1145/1143844.1143891"""

from __future__ import annotations

from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import dtypes
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.op import mixes, op
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r
from keras_fn.ops.activation import log_softmax
from keras_fn.ops.control import scan
from keras_fn.ops.ctc_beams import beam_search

__all__ = ["ctc_decode", "ctc_loss"]

# the logarithm of a probability of 0: finite, so that differences of two of them are no NaN
NEVER = -1e30


def _tensor(x: Any) -> Any:
    return x if hasattr(x, "shape") else s.convert_to_tensor(x)


def _check(name: str, x: Any, rank: int, batch: Any) -> None:
    dims = tuple(x.shape)
    if len(dims) != rank or not (None in (dims[0], batch) or dims[0] == batch):
        raise ShapeError(f"`{name}` must have {rank} dimensions, the first being the batch ({batch}), and has {dims}.")


def _computed_in(x: Any) -> str:
    return "float64" if s._dtype(x) == "float64" else "float32"


# --- the loss
def _log_add(*terms: Any) -> Any:
    """The logarithm of the sum of the exponentials of a few tensors."""
    high = terms[0]
    for t in terms[1:]:
        high = e.maximum(high, t)
    high = e.stop_gradient(high)
    total: Any = None
    for t in terms:
        part = e.exp(e.subtract(t, high))
        total = part if total is None else e.add(total, part)
    return e.add(e.log(total), high)


def _shifted(x: Any, by: int) -> Any:
    """`(batch, places)` moved to the right; what comes in from the left never happens."""
    moved = s.pad(x, ((0, 0), (by, 0)), constant_values=NEVER)
    return s.get_item(moved, (slice(None), slice(0, s.shape(x)[1])))


def _extended(target: Any, blank: int) -> tuple[Any, Any]:
    """The labels with blanks before, between and after them; and where one may follow the label before the blank."""
    batch, count = s.shape(target)
    blanks = s.full_like(target, blank)
    pairs = s.reshape(s.stack([blanks, target], -1), (batch, 2 * count))
    extended = s.concatenate([pairs, s.full_like(s.get_item(pairs, (slice(None), slice(0, 1))), blank)], 1)
    before = s.pad(extended, ((0, 0), (2, 0)), constant_values=blank)
    before = s.get_item(before, (slice(None), slice(0, 2 * count + 1)))
    return extended, e.logical_and(e.not_equal(extended, blank), e.not_equal(extended, before))


@op(dtype=mixes("target", "output", "target_length", "output_length", out=lambda *found: found[1]))
def _ctc_loss(target, output, target_length, output_length, mask_index):
    """`ctc_loss` with arguments that were checked."""
    name = s._dtype(output)
    if any(isinstance(x, Spec) for x in (target, output, target_length, output_length)):
        return Spec(target.shape[:1], name)
    classes, (batch, count) = s.shape(output)[-1], s.shape(target)
    log_p = log_softmax(e.cast(output, _computed_in(output)), -1)
    target = e.clip(e.cast(target, "int32"), 0, classes - 1)
    lengths, steps = (s.expand_dims(e.cast(x, "int32"), 1) for x in (target_length, output_length))
    extended, skips = _extended(target, mask_index)
    frames = s.transpose(log_p, (1, 0, 2))
    # before the first step, the path is in front of the first blank: it may go to that, or to the first label
    places = s.broadcast_to(s.expand_dims(s.arange(2 * count + 1, dtype="int32"), 0), (batch, 2 * count + 1))

    def step(state: Any, frame: Any) -> Any:
        reached, time = state
        said = s.take_along_axis(frame, extended, 1)
        begun = e.where(e.less(places, 2), 0.0, NEVER)
        skipped = e.where(skips, _shifted(reached, 2), NEVER)
        grown = e.where(e.equal(time, 0), begun, _log_add(reached, _shifted(reached, 1), skipped))
        grown = e.maximum(e.add(grown, said), NEVER)
        kept = e.where(e.less(time, steps), grown, reached)
        return (e.cast(kept, s._dtype(reached)), e.add(time, 1)), None

    start = s.full_like(s.take_along_axis(s.get_item(frames, 0), extended, 1), NEVER)
    (reached, _), _ = scan(step, (start, s.convert_to_tensor(0, "int32")), frames)
    last = s.take_along_axis(reached, e.multiply(lengths, 2), 1)
    label = s.take_along_axis(reached, e.maximum(e.subtract(e.multiply(lengths, 2), 1), 0), 1)
    label = e.where(e.greater(lengths, 0), label, NEVER)
    return e.cast(e.negative(s.squeeze(_log_add(last, label), 1)), name)


def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0) -> Any:
    """The negative logarithm of the probability of labels whose times are not known.

    At each time the output says a label or the blank. A path of them stands for the labels that are left when repeated
    ones are merged and then blanks are dropped; the probability is summed over all paths that stand for the target.

    Args:
        target: int tensor `(batch, labels)`, filled up with anything.
        output: tensor `(batch, times, classes)` of logits.
        target_length: int tensor `(batch,)`: how many labels count.
        output_length: int tensor `(batch,)`: how many times count.
        mask_index: the class that is the blank.

    Returns:
        Tensor `(batch,)`; a very large number where no path fits.

    Raises:
        ShapeError: where the shapes do not fit.

    Example:
        >>> from keras_fn import ops
        >>> loss = ops.ctc_loss([[1]], ops.zeros((1, 2, 2)), [1], [2])
        >>> round(float(loss[0]), 4)
        0.2877
    """
    target, output, target_length, output_length = map(_tensor, (target, output, target_length, output_length))
    batch = tuple(output.shape)[:1]
    _check("output", output, 3, batch[0] if batch else None)
    _check("target", target, 2, batch[0])
    _check("target_length", target_length, 1, batch[0])
    _check("output_length", output_length, 1, batch[0])
    if not dtypes.is_float(s._dtype(output)):
        output = e.cast(output, dtypes.floatx())
    return _ctc_loss(target, output, target_length, output_length, mask_index)


# --- the labels
@op(dtype=mixes("inputs", "sequence_lengths"))
def _greedy(inputs, sequence_lengths, merge_repeated, mask_index):
    """The likeliest class at each time, merged: `(1, batch, times)` and `(batch, 1)`."""
    batch, times, _ = s.shape(inputs)
    name = s._dtype(inputs)
    if isinstance(inputs, Spec) or isinstance(sequence_lengths, Spec):
        return Spec((1, batch, times), "int32"), Spec((batch, 1), name)
    place = s.expand_dims(s.arange(times, dtype="int32"), 0)
    counted = e.less(place, s.expand_dims(e.cast(sequence_lengths, "int32"), 1))
    best = r.argmax(inputs, -1)
    score = e.negative(r.sum(e.where(counted, r.amax(inputs, -1), 0.0), 1, True))
    kept = e.logical_and(counted, e.not_equal(best, mask_index))
    if merge_repeated:
        before = s.pad(best, ((0, 0), (1, 0)), constant_values=-1)
        kept = e.logical_and(kept, e.not_equal(best, s.get_item(before, (slice(None), slice(0, times)))))
    # what is kept goes to the front, in order
    order = s.argsort(e.where(kept, place, e.add(place, times)), 1)
    best = s.take_along_axis(e.where(kept, best, -1), order, 1)
    return s.expand_dims(best, 0), e.cast(score, name)


def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Any, Any]:
    """The labels that an output trained with `ctc_loss` most likely stands for.

    Args:
        inputs: tensor `(batch, times, classes)` of logits.
        sequence_lengths: int tensor `(batch,)`: how many times count.
        strategy: 'greedy' takes the likeliest class at each time; 'beam_search' sums the paths of the `beam_width`
            likeliest beginnings of labels (https://arxiv.org/abs/1408.2873).
        beam_width: how many beginnings are followed.
        top_paths: how many results 'beam_search' gives.
        merge_repeated: whether 'greedy' merges a label that is said several times in a row.
        mask_index: the class that is the blank.

    Returns:
        A pair: int32 `(paths, batch, times)`, the labels, filled up with -1; and `(batch, paths)`: the negative sum of
        the logits for 'greedy', the logarithm of the probability for 'beam_search'.

    Raises:
        ArgumentError: for another strategy.
        ShapeError: where the shapes do not fit.

    Example:
        >>> from keras_fn import ops
        >>> said = ops.one_hot([[1, 1, 0, 2]], 3)
        >>> labels, score = ops.ctc_decode(said, [4])
        >>> ops.convert_to_numpy(labels).tolist()
        [[[1, 2, -1, -1]]]
    """
    inputs, sequence_lengths = _tensor(inputs), _tensor(sequence_lengths)
    _check("inputs", inputs, 3, None)
    _check("sequence_lengths", sequence_lengths, 1, inputs.shape[0])
    if not dtypes.is_float(s._dtype(inputs)):
        inputs = e.cast(inputs, dtypes.floatx())
    if strategy == "greedy":
        return _greedy(inputs, sequence_lengths, bool(merge_repeated), mask_index)
    if strategy != "beam_search":
        raise ArgumentError(f"`strategy` must be 'greedy' or 'beam_search', not {strategy!r}.")
    if not 1 <= top_paths <= beam_width:
        raise ArgumentError(f"`top_paths` ({top_paths}) must be between 1 and `beam_width` ({beam_width}).")
    return beam_search(inputs, sequence_lengths, beam_width, top_paths, mask_index)

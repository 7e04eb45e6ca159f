"""Beam search over labels without times: many beginnings of labels are followed at once, each with all its paths.

A beginning has two numbers: the logarithms of the probability of its paths that end with a blank, and of those that
end with its last label. Source: https://arxiv.org/abs/1408.2873
"""

from __future__ import annotations

from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core.errors import ShapeError
from keras_fn.core.op import mixes, op
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r
from keras_fn.ops.activation import log_softmax
from keras_fn.ops.control import scan

NEVER = -1e30


def _log_add(a: Any, b: Any) -> Any:
    high = e.maximum(a, b)
    return e.add(high, e.log(e.add(e.exp(e.subtract(a, high)), e.exp(e.subtract(b, high)))))


def _picked(x: Any, index: Any) -> Any:
    """Rows of `(batch, beams, …)` by `(batch, new beams)`."""
    wide = s.reshape(index, (*s.shape(index), *(1,) * (len(x.shape) - 2)))
    return s.take_along_axis(x, s.broadcast_to(wide, (*s.shape(index), *s.shape(x)[2:])), 1)


def _children(labels: Any, lengths: Any, last: Any, classes: int) -> tuple[Any, Any]:
    """Which beam is another one with its last label added: `(batch, parent, child)`, and the child's label as one-hot.

    Beams are distinct, so that a child has one parent at most.
    """
    times = s.shape(labels)[-1]
    place = s.arange(times, dtype="int32")
    inside = e.less(place, s.expand_dims(e.subtract(lengths, 1), -1))  # (batch, child, times)
    mine = e.where(inside, labels, -1)
    same = r.all(e.equal(s.expand_dims(labels, 2), s.expand_dims(mine, 1)), -1)
    longer = e.equal(s.expand_dims(e.add(lengths, 1), 2), s.expand_dims(lengths, 1))
    return e.logical_and(same, longer), s.one_hot(last, classes, dtype="bool")


def _grow(state: Any, log_p: Any, width: int, blank: int) -> Any:
    """The likeliest `width` beginnings one time later."""
    labels, lengths, ends_blank, ends_label = state
    batch, beams, times = s.shape(labels)
    classes = s.shape(log_p)[-1]
    total = _log_add(ends_blank, ends_label)
    place = e.maximum(e.subtract(s.expand_dims(lengths, -1), 1), 0)
    last = s.squeeze(s.take_along_axis(labels, place, 2), -1)
    empty = e.equal(lengths, 0)
    said_last = s.take_along_axis(log_p, e.maximum(last, 0), 1)
    # a beginning stays: a blank is said, or its last label once more
    stay_blank = e.add(total, s.get_item(log_p, (slice(None), slice(blank, blank + 1))))
    stay_label = e.where(empty, NEVER, e.add(ends_label, said_last))
    # or a label is added; the last one only after a blank
    label = s.arange(classes, dtype="int32")
    repeats = e.logical_and(e.equal(s.expand_dims(last, -1), label), e.logical_not(s.expand_dims(empty, -1)))
    grown = e.where(repeats, s.expand_dims(ends_blank, -1), s.expand_dims(total, -1))
    grown = e.where(e.equal(label, blank), NEVER, e.add(grown, s.expand_dims(log_p, 1)))
    # which may give a beginning that is there already: it gets the probability
    child, hot = _children(labels, lengths, last, classes)
    gained = s.take_along_axis(grown, s.broadcast_to(s.expand_dims(e.maximum(last, 0), 1), (batch, beams, beams)), 2)
    gained = r.amax(e.where(child, gained, NEVER), 1)
    stay_label = _log_add(stay_label, gained)
    taken = r.any(e.logical_and(s.expand_dims(child, -1), s.expand_dims(hot, 1)), 2)
    grown = e.where(taken, NEVER, grown)
    # the best of those that stay and those that grow
    scores = s.concatenate([_log_add(stay_blank, stay_label), s.reshape(grown, (batch, beams * classes))], 1)
    best, index = s.top_k(scores, width)
    stays = e.less(index, beams)
    added = e.maximum(e.subtract(index, beams), 0)
    parent = e.where(stays, index, e.floor_divide(added, classes))
    new = e.mod(added, classes)
    old = _picked(lengths, parent)
    here = e.equal(s.arange(times, dtype="int32"), s.expand_dims(old, -1))
    write = e.logical_and(here, e.logical_not(s.expand_dims(stays, -1)))
    return (
        e.where(write, s.expand_dims(new, -1), _picked(labels, parent)),
        e.where(stays, old, e.add(old, 1)),
        e.where(stays, _picked(stay_blank, parent), NEVER),
        e.where(stays, _picked(stay_label, parent), best),
    )


@op(dtype=mixes("inputs", "sequence_lengths"))
def beam_search(inputs, sequence_lengths, width, paths, blank):
    """`ctc_decode` by beam search: labels `(paths, batch, times)` and logarithms of probabilities `(batch, paths)`."""
    batch, times, _ = s.shape(inputs)
    name = s._dtype(inputs)
    if isinstance(inputs, Spec) or isinstance(sequence_lengths, Spec):
        return Spec((paths, batch, times), "int32"), Spec((batch, paths), name)
    if not isinstance(times, int) or not isinstance(batch, int):
        raise ShapeError(f"Beam search needs known numbers of samples and times, not {tuple(inputs.shape)}.")
    inner = "float64" if name == "float64" else "float32"
    frames = s.transpose(log_softmax(e.cast(inputs, inner), -1), (1, 0, 2))
    steps = s.expand_dims(e.cast(sequence_lengths, "int32"), 1)
    # one beginning without labels; the others of the beam never happen, and are told apart by a length of their own
    first = s.broadcast_to(s.arange(width, dtype="int32"), (batch, width))
    labels = s.full((batch, width, times), -1, "int32")
    lengths = e.where(e.equal(first, 0), 0, e.negative(e.multiply(first, 2 * times + 2)))
    ends_blank = e.cast(e.where(e.equal(first, 0), 0.0, NEVER), inner)
    state = (labels, lengths, ends_blank, s.full((batch, width), NEVER, inner))

    def step(carry: Any, frame: Any) -> Any:
        state, time = carry
        grown = _grow(state, frame, width, blank)
        goes_on = e.less(time, steps)
        kept = [
            e.cast(e.where(s.reshape(goes_on, (batch, *(1,) * (len(a.shape) - 1))), b, a), s._dtype(a))
            for a, b in zip(state, grown, strict=True)
        ]
        return (tuple(kept), e.add(time, 1)), None

    (state, _), _ = scan(step, (state, s.convert_to_tensor(0, "int32")), frames)
    labels, lengths, ends_blank, ends_label = state
    scores, index = s.top_k(_log_add(ends_blank, ends_label), paths)
    return s.transpose(_picked(labels, index), (1, 0, 2)), e.cast(scores, name)

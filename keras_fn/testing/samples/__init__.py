"""What the conformance suite knows of the ops: rows of data, by kind."""

from __future__ import annotations

import importlib

from keras_fn.testing.samples.sample import Call, Sample

KINDS = ("elementwise", "reduction", "form", "activation", "linalg", "nn", "image", "control", "random", "functions",
         "collections", "decompositions", "signal", "rnn")  # fmt: skip


def _collect() -> dict[str, Sample]:
    found: dict[str, Sample] = {}
    for kind in KINDS:
        for sample in importlib.import_module(f"keras_fn.testing.samples.{kind}").SAMPLES:
            if sample.op in found:
                raise ValueError(f"The op {sample.op!r} has two rows: name its calls in one.")
            found[sample.op] = sample
    return found


SAMPLES: dict[str, Sample] = _collect()

__all__ = ["SAMPLES", "Call", "Sample"]

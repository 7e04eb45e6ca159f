"""The conformance suite: whether a backend does what the ops promise.

    pytest --pyargs keras_fn.testing.conformance --keras-fn-backend=NAME

It walks the registry of ops, runs each one on its samples, and prints a score by group. `--keras-fn-quick` takes a
part that is done in seconds. What a backend knows that it cannot do stands in a file `known_gaps.txt` in its package,
with a reason; a listed gap that passes fails the run. docs/backends.md tells more.
"""

from __future__ import annotations

"""Processes that train are killed, and the last one ends with the bits of one that was not. See killing_training.py.

`nox -s resume` does the same with twenty kills and each policy.
"""

from __future__ import annotations

import pathlib

from keras_fn.core.backend import active
from killing_training import kill_trainers

if active.backend.differentiable:

    def test_two_kills(tmp_path: pathlib.Path) -> None:
        seen = kill_trainers(2, tmp_path, ["mixed_float16"])
        assert seen["kills"] == 2 and seen["arrays of equal bits"] > 20

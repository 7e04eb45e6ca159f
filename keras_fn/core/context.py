"""What a running call needs to know and nobody passes by hand: one record for each thread.

A thread-local whose attributes are set in `__init__` is the form that torch.compile guards correctly (see
docs/decisions/0001).
"""

from __future__ import annotations

import threading
from typing import Any


class Call:
    """Stands for an outermost call of a layer."""


class CallContext(threading.local):
    """State of the calls that run in this thread."""

    def __init__(self) -> None:
        self.scope: Any = None  # the StatelessScope that reads and writes of variables go through
        self.training: bool | None = None  # what the outermost call said
        self.depth: int = 0  # nesting of Layer.__call__
        self.autocast: str | None = None  # compute dtype that float variables are read in
        self.losses: list[Any] | None = None  # collects losses added while a step runs
        self.masks: dict[int, Any] | None = None  # masks of tensors that cannot carry an attribute (JAX tracers)
        self.tape: Any = None  # watches the calls of kernels, to make a plan of them (core/tape.py)
        self.call: Call | None = None  # stands for the outermost call that runs, or ran last
        self.path: tuple[str, ...] = ()  # names of the layers being called or built
        self.undrawn: Any = None  # variables of a model that is being loaded: they wait for values
        self.room: int | None = None  # bytes that new variables may take while a file is being loaded
        self.calls: int | None = None  # calls and other work that describing its model may take
        self.layers: int | None = None  # layers that it may have


context = CallContext()

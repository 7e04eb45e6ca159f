"""Writing files while training goes on: one thread, which writes one file after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class Writer:
    """Does work in the background, in order; or at once, where nothing is to run in the background.

    What is waiting is bounded: each piece of work holds a copy of the weights. An error comes out in the thread that
    gives work, the next time that it does.

    Args:
        background: whether a thread does the work.
    """

    most = 2

    def __init__(self, background: bool) -> None:
        self.background = background
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[Any]] = deque()

    def do(self, work: Callable[[], Any]) -> None:
        """Does the work, now or soon."""
        if not self.background:
            work()
            return
        while self._waiting and (self._waiting[0].done() or len(self._waiting) >= self.most):
            self._waiting.popleft().result()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="keras_fn-writer")
        self._waiting.append(self._pool.submit(work))

    def finish(self) -> None:
        """Waits until all is done.

        Raises:
            Exception: the first one that the work raised.
        """
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()
        waiting, self._waiting = self._waiting, deque()
        for future in waiting:
            future.result()

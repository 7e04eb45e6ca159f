"""Calls to the system that fail when a test asks for it: a full disk, a broken one, missing permission, Ctrl-C."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from typing import Any

# calls to the system that saving makes; each is made to fail in turn
CHANGING = "open write fsync sync link replace ftruncate close mkdir unlink rmdir chmod".split()
CALLS = [*CHANGING, *"lseek dup listdir stat lstat fstat scandir read".split()]
FAILURES: list[Callable[[], BaseException]] = [
    lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    lambda: OSError(errno.EIO, os.strerror(errno.EIO)),
    lambda: OSError(errno.EINTR, os.strerror(errno.EINTR)),
    lambda: OSError(errno.EACCES, os.strerror(errno.EACCES)),
    lambda: OSError(errno.EROFS, os.strerror(errno.EROFS)),
    KeyboardInterrupt,
]


class Failing:
    """For the length of a with block, the k-th call to the system does something else; calls are counted.

    Those of other threads are neither counted nor touched.
    """

    def __init__(self, at: int, act: Callable[[], None]) -> None:
        self.at, self.act = at, act
        self.made: list[str] = []
        self._real: dict[str, Any] = {}
        self._thread = threading.get_ident()

    def _wrapped(self, name: str) -> Callable[..., Any]:
        real = self._real[name] = getattr(os, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() != self._thread:
                return real(*args, **kwargs)
            self.made.append(name)
            if len(self.made) - 1 != self.at:
                return real(*args, **kwargs)
            if name == "close":  # a file is closed then, even where an error comes back
                real(*args, **kwargs)
            self.act()
            raise AssertionError("the failure did not fail")

        return call

    def __enter__(self) -> Failing:
        for name in CALLS:
            setattr(os, name, self._wrapped(name))
        return self

    def __exit__(self, *exc: Any) -> None:
        for name, real in self._real.items():
            setattr(os, name, real)


def raising(make: Callable[[], BaseException]) -> Callable[[], None]:
    def act() -> None:
        raise make()

    return act


def calls_of(save: Callable[[], Any]) -> list[str]:
    with Failing(-1, lambda: None) as counted:
        save()
    return counted.made

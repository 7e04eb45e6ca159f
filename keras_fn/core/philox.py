"""Philox4x32-10 in NumPy: random words that are a function of a key and a position, and of nothing else.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
https://doi.org/10.1145/2063384.2063405
"""

from __future__ import annotations

from typing import Any

import numpy as np

# the multipliers and the steps of the keys that the paper gives
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10

_WORD = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_FACTORS = np.array(MULTIPLIERS, "uint64")[:, None]
_ROUND_STEPS = np.arange(ROUNDS, dtype="uint64")[:, None] * np.array(KEY_STEPS, "uint64")


def words(key: Any, stream: int, n: int) -> np.ndarray:
    """The first words of a stream.

    Word `i` is word `i % 4` of the block with the counter `(i // 4, 0, stream, 0)`.

    Args:
        key: array of two integers below 2**32.
        stream: integer from 0 to 2**32 - 1; streams of one key are independent of each other.
        n: number of words.

    Returns:
        Array of the dtype uint32 and the shape `(n,)`.

    Example:
        >>> [hex(w) for w in words([0, 0], 0, 4).tolist()]
        ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    blocks = -(-n // 4)
    even = np.zeros((2, blocks), "uint64")  # words 0 and 2 of each block, each in the room of two
    even[0] = np.arange(blocks)
    even[1] = stream
    odd = np.zeros_like(even)  # words 1 and 3
    product = np.empty_like(even)
    keys = (np.asarray(key).astype("uint64") + _ROUND_STEPS) & _WORD
    for round_key in keys[:, :, None]:
        np.multiply(even, _FACTORS, out=product)
        crossed = product[::-1]
        np.right_shift(crossed, _HALF, out=even)
        even ^= odd
        even ^= round_key
        np.bitwise_and(crossed, _WORD, out=odd)
    found = np.empty((blocks, 4), "uint32")
    found[:, 0::2] = even.T
    found[:, 1::2] = odd.T
    return found.reshape(-1)[:n]

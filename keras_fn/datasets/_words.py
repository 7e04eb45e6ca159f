"""What the two text sets share: texts are lists of word ranks (1 is the most frequent word)."""

from __future__ import annotations

import json
import math
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_fn.core.errors import ArgumentError


class Encoding(NamedTuple):
    """How word ranks become numbers; see the arguments of `imdb.load_data`."""

    num_words: int | None
    skip_top: int
    start_char: int | None
    oov_char: int | None
    index_from: int | None

    def __call__(self, ranks: Sequence[int]) -> list[int]:
        """The numbers of one text."""
        shift = self.index_from or 0
        numbers = [int(w) + shift for w in ranks]
        if self.start_char is not None:
            numbers.insert(0, self.start_char)
        limit = math.inf if self.num_words is None else self.num_words
        if self.oov_char is None:
            return [w for w in numbers if self.skip_top <= w < limit]
        return [w if self.skip_top <= w < limit else self.oov_char for w in numbers]


def encode(x: np.ndarray, y: np.ndarray, maxlen: int | None, encoding: Encoding) -> tuple[np.ndarray, np.ndarray]:
    """The texts as an array of lists of numbers, and the labels; texts of `maxlen` numbers or more are left out."""
    # the start mark counts for the length, words that are dropped do too
    extra = encoding.start_char is not None
    kept = [i for i, text in enumerate(x) if maxlen is None or len(text) + extra < maxlen]
    if not kept:
        raise ArgumentError(f"No text is shorter than maxlen={maxlen}. Take a larger one.")
    texts = np.empty(len(kept), dtype=object)
    texts[:] = [encoding(x[i]) for i in kept]
    return texts, y[kept]


def read_word_index(path: str) -> dict[str, int]:
    """Word -> rank."""
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))

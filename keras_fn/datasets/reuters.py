"""News from Reuters: 11228 texts as lists of word numbers, 46 topics.

Source: D. Lewis, Reuters-21578, https://archive.ics.uci.edu/dataset/137.
"""

from __future__ import annotations

import numpy as np

from keras_fn.datasets import _words
from keras_fn.datasets._files import GOOGLE, read_npz
from keras_fn.datasets._split import Pair, cut, shuffled
from keras_fn.utils.download import get_file

_SHA256 = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
_INDEX_MD5 = "4d44cc38712099c9e383dc6e5f11a921"
_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass "
    "crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi "
    "iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> tuple[Pair, Pair]:
    """The data, downloaded at the first call (2 MB).

    Args:
        path: name of the file in the cache.
        num_words: word numbers from here on become `oov_char`. None: all words are kept (Keras
            replaces the rarest one).
        skip_top: word numbers below this become `oov_char`.
        maxlen: texts of this many words or more are left out.
        test_split: fraction of the texts for the test.
        seed: seed of the shuffle.
        start_char: number in front of each text.
        oov_char: number in the place of words left out; None drops them.
        index_from: added to each word's rank (1 is the most frequent word).

    Returns:
        `(x_train, y_train), (x_test, y_test)`: object arrays of lists of ints, and int64 topics of shape `(n,)`.
    """
    file = get_file(fname=path, origin=GOOGLE + "reuters.npz", file_hash=_SHA256)
    x, y = read_npz(file, "x", "y")
    encoding = _words.Encoding(num_words, skip_top, start_char, oov_char, index_from)
    x, y = _words.encode(*shuffled(x, y, np.random.RandomState(seed)), maxlen, encoding)
    return cut(x, y, test_split)


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """Each word's rank: 1 for the most frequent. In the data, `index_from` is added to it.

    Args:
        path: name of the file in the cache.
    """
    return _words.read_word_index(get_file(fname=path, origin=GOOGLE + "reuters_word_index.json", file_hash=_INDEX_MD5))


def get_label_names() -> tuple[str, ...]:
    """The topics, in the order of their numbers.

    Example:
        >>> get_label_names()[:3]
        ('cocoa', 'grain', 'veg-oil')
    """
    return tuple(_TOPICS.split())

"""Film reviews: 25000 + 25000 texts as lists of word numbers, with 1 for praise and 0 for blame.

Source: A. Maas and others, "Learning word vectors for sentiment analysis" (2011),
https://ai.stanford.edu/~amaas/data/sentiment.
"""

from __future__ import annotations

import numpy as np

from keras_fn.datasets import _words
from keras_fn.datasets._files import GOOGLE, read_npz
from keras_fn.datasets._split import Pair, shuffled
from keras_fn.utils.download import get_file

_SHA256 = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
_INDEX_MD5 = "bfafd718b763782e994055a2d397834f"


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> tuple[Pair, Pair]:
    """The data, downloaded at the first call (17 MB).

    Args:
        path: name of the file in the cache.
        num_words: word numbers from here on become `oov_char`. None: all words are kept (Keras
            replaces the rarest one).
        skip_top: word numbers below this become `oov_char`.
        maxlen: texts of this many words or more are left out.
        seed: seed of the shuffle.
        start_char: number in front of each text.
        oov_char: number in the place of words left out; None drops them.
        index_from: added to each word's rank (1 is the most frequent word).

    Returns:
        `(x_train, y_train), (x_test, y_test)`: object arrays of lists of ints, and int64 labels of shape `(n,)`.
    """
    file = get_file(fname=path, origin=GOOGLE + "imdb.npz", file_hash=_SHA256)
    x_train, y_train, x_test, y_test = read_npz(file, "x_train", "y_train", "x_test", "y_test")
    rng = np.random.RandomState(seed)  # one generator shuffles both parts, one after the other
    encoding = _words.Encoding(num_words, skip_top, start_char, oov_char, index_from)
    train = _words.encode(*shuffled(x_train, y_train, rng), maxlen, encoding)
    test = _words.encode(*shuffled(x_test, y_test, rng), maxlen, encoding)
    return train, test


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """Each word's rank: 1 for the most frequent. In the data, `index_from` is added to it.

    Args:
        path: name of the file in the cache.
    """
    return _words.read_word_index(get_file(fname=path, origin=GOOGLE + "imdb_word_index.json", file_hash=_INDEX_MD5))

"""Clothes: 60000 + 10000 images of 28 x 28 gray pixels, 10 kinds.

Source: H. Xiao, K. Rasul, R. Vollgraf, https://arxiv.org/abs/1708.07747; hashes from
https://github.com/zalandoresearch/fashion-mnist (MIT).
"""

from __future__ import annotations

from keras_fn.datasets._files import GOOGLE, read_idx
from keras_fn.datasets._split import Pair
from keras_fn.utils.download import get_file

_MD5 = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}


def load_data() -> tuple[Pair, Pair]:
    """The data, downloaded at the first call (30 MB).

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images 0…255 of shape `(n, 28, 28)`, uint8 classes of shape
        `(n,)`: T-shirt, trousers, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot.
    """
    x_train, y_train, x_test, y_test = (
        read_idx(get_file(name, origin=GOOGLE + name, file_hash=md5, cache_subdir="datasets/fashion-mnist"))
        for name, md5 in _MD5.items()
    )
    return (x_train, y_train), (x_test, y_test)

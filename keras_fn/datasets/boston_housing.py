"""House prices of Boston in 1978: 506 rows of 13 numbers.

One of the columns (B) was made from the share of Black people, on the assumption that segregation moves prices; see
https://medium.com/@docintangible/racist-data-destruction-113e3eff54a8. Take `california_housing` for teaching.

Source: D. Harrison, D. Rubinfeld, "Hedonic housing prices and the demand for clean air" (1978),
https://doi.org/10.1016/0095-0696(78)90006-2.
"""

from __future__ import annotations

import numpy as np

from keras_fn.datasets._files import GOOGLE, read_npz
from keras_fn.datasets._split import Pair, cut, shuffled
from keras_fn.utils.download import get_file

_SHA256 = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> tuple[Pair, Pair]:
    """The data, downloaded at the first call (57 KB).

    Args:
        path: name of the file in the cache.
        test_split: fraction of the rows for the test.
        seed: seed of the shuffle.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: float64 rows of shape `(n, 13)`, prices in thousands of dollars.
    """
    x, y = read_npz(get_file(fname=path, origin=GOOGLE + "boston_housing.npz", file_hash=_SHA256), "x", "y")
    return cut(*shuffled(x, y, np.random.RandomState(seed)), test_split)

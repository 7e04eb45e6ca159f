"""Reading data files without running code from them."""

from __future__ import annotations

import gzip
import math
import os
import pickle
import zipfile
from typing import IO, Any

import numpy as np

from keras_fn.core.errors import KerasFnError

GOOGLE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
TORONTO = "https://www.cs.toronto.edu/~kriz/"


class DataFileError(KerasFnError, ValueError):
    """A data file is not what it should be."""


# What pickled NumPy arrays are made of, under the module names of old and new NumPy, and nothing else.
_RECONSTRUCT = np.empty(0).__reduce__()[0]
_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
}


class _ArrayUnpickler(pickle.Unpickler):
    """Lists, dicts, numbers, bytes, text and NumPy arrays; any other class or function is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("_codecs", "encode"):
            return _latin1
        if (module, name) not in _ALLOWED:
            raise DataFileError(f"The file asks for {module}.{name}. Only plain data and NumPy arrays are read.")
        return _ALLOWED[module, name]


def _latin1(text: str, encoding: str) -> bytes:
    """How Python 3 writes bytes into old pickles: text, to be encoded as latin1."""
    if encoding != "latin1":
        raise DataFileError(f"The file asks for the encoding {encoding!r} where only latin1 has a place.")
    return text.encode("latin1")


def read_pickle(source: IO[bytes]) -> Any:
    """Plain data and arrays from a pickle. Text of Python 2 comes as bytes.

    Raises:
        DataFileError: where the pickle holds anything else, or is broken.
    """
    try:
        return _ArrayUnpickler(source, encoding="bytes").load()
    except (pickle.UnpicklingError, EOFError, TypeError, IndexError, KeyError, AttributeError, ValueError) as e:
        if isinstance(e, DataFileError):
            raise
        raise DataFileError(f"The pickle is broken: {e}.") from e


def read_npz(path: str | os.PathLike[str], *names: str) -> list[np.ndarray]:
    """The arrays of these names from an .npz file; arrays of objects (lists of words) too, through `read_pickle`."""
    with zipfile.ZipFile(path) as archive:
        missing = [n for n in names if f"{n}.npy" not in archive.namelist()]
        if missing:
            raise DataFileError(f"{path} lacks {', '.join(missing)}; it holds {', '.join(archive.namelist())}.")
        return [_read_npy(archive, f"{n}.npy") for n in names]


def _read_npy(archive: zipfile.ZipFile, member: str) -> np.ndarray:
    with archive.open(member) as f:
        version = np.lib.format.read_magic(f)
        if version not in ((1, 0), (2, 0)):
            raise DataFileError(f"{archive.filename}: {member} has the .npy version {version}; known are 1.0 and 2.0.")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(f)
        if dtype.hasobject:
            array = read_pickle(f)
            if not isinstance(array, np.ndarray) or array.shape != shape:
                raise DataFileError(
                    f"{archive.filename}: {member} holds no array of the shape {shape} that it announces."
                )
            return array
    with archive.open(member) as f:
        return np.lib.format.read_array(f, allow_pickle=False)


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """An array of bytes from a gzipped IDX file.

    The format (http://yann.lecun.com/exdb/mnist): two zero bytes, 8 for unsigned bytes, the number of dimensions,
    their sizes as big-endian 32-bit integers, then the values.
    """
    with gzip.open(path, "rb") as f:
        data = f.read()
    if len(data) < 4 or data[:3] != b"\0\0\x08" or len(data) < 4 + 4 * data[3]:
        raise DataFileError(f"{path} is no IDX file of unsigned bytes.")
    start = 4 + 4 * data[3]
    shape = tuple(int(n) for n in np.frombuffer(data[4:start], ">i4"))
    values = np.frombuffer(data, "uint8", offset=start)
    if values.size != math.prod(shape):
        raise DataFileError(f"{path} announces the shape {shape} and holds {values.size} values.")
    return values.reshape(shape)

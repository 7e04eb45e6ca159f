"""Data sets: files as the real servers hold them, made here and served on loopback, small."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import subprocess
import sys
import tarfile
from collections.abc import Iterator

import numpy as np
import pytest

from keras_fn import datasets
from keras_fn.core import settings
from keras_fn.core.errors import ArgumentError
from keras_fn.datasets import _files, _words
from keras_fn.datasets._files import DataFileError
from keras_fn.utils.download import ChecksumError
from web import Site, serving


@pytest.fixture
def site(tmp_path, monkeypatch) -> Iterator[Site]:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as running:
        yield running


def offer(site: Site, monkeypatch, module, name: str, content: bytes, *, hash_name: str = "_SHA256") -> None:
    """Serves the content in the place of the data set's own file, with a hash that fits."""
    site.put(name, content)
    base = "TORONTO" if hasattr(module, "TORONTO") else "GOOGLE"
    monkeypatch.setattr(module, base, site.url + "/")
    algorithm = "sha256" if hash_name == "_SHA256" else "md5"
    monkeypatch.setattr(module, hash_name, hashlib.new(algorithm, content).hexdigest())


def npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def texts(*lists: list[int]) -> np.ndarray:
    array = np.empty(len(lists), dtype=object)
    array[:] = lists
    return array


def tar(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def test_mnist(site, monkeypatch):
    x, y = np.arange(6 * 4, dtype="uint8").reshape(6, 2, 2), np.arange(6, dtype="uint8")
    content = npz(x_train=x[:4], y_train=y[:4], x_test=x[4:], y_test=y[4:])
    offer(site, monkeypatch, datasets.mnist, "mnist.npz", content)
    for _ in range(2):
        (x_train, y_train), (x_test, y_test) = datasets.mnist.load_data()
        np.testing.assert_array_equal(np.concatenate([x_train, x_test]), x)
        np.testing.assert_array_equal(np.concatenate([y_train, y_test]), y)
    assert site.asked["/mnist.npz"] == 1


def test_another_file_under_the_name_of_mnist_is_refused(site, monkeypatch):
    site.put("mnist.npz", npz(x_train=np.zeros(1)))
    monkeypatch.setattr(datasets.mnist, "GOOGLE", site.url + "/")
    with pytest.raises(ChecksumError, match="731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"):
        datasets.mnist.load_data()


def test_fashion_mnist(site, monkeypatch):
    images = np.arange(3 * 4 * 4, dtype="uint8").reshape(3, 4, 4)
    served = {
        name: gzip.compress(idx(images if "images" in name else images[:, 0, 0]))
        for name in datasets.fashion_mnist._MD5
    }
    for name, content in served.items():
        site.put(name, content)
        monkeypatch.setitem(datasets.fashion_mnist._MD5, name, hashlib.md5(content).hexdigest())
    monkeypatch.setattr(datasets.fashion_mnist, "GOOGLE", site.url + "/")
    (x_train, y_train), (x_test, y_test) = datasets.fashion_mnist.load_data()
    np.testing.assert_array_equal(x_train, images)
    np.testing.assert_array_equal(x_test, images)
    assert y_train.tolist() == y_test.tolist() == [0, 16, 32]


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    return header + array.tobytes()


WHOLE = idx(np.zeros((2, 3), "uint8"))


@pytest.mark.parametrize(
    "broken",
    [WHOLE[:-1], WHOLE + b"x", b"\0\0\x0d" + WHOLE[3:], b"\0"],
    ids=["short", "long", "another type", "no header"],
)
def test_a_broken_idx_file_is_refused(tmp_path, broken):
    (tmp_path / "x.gz").write_bytes(gzip.compress(broken))
    with pytest.raises(DataFileError, match=r"x\.gz"):
        _files.read_idx(tmp_path / "x.gz")


@pytest.fixture
def channels_first() -> Iterator[None]:
    settings.set_image_data_format("channels_first")
    yield
    settings.set_image_data_format("channels_last")


def cifar_batch(first: int, protocol: int, **labels: list[int]) -> bytes:
    """Two images; pixel values tell where they were."""
    data = (np.arange(2 * 3072) + first).astype("uint8").reshape(2, 3072)
    return pickle.dumps({b"data": data, **{k.encode(): v for k, v in labels.items()}}, protocol=protocol)


def offer_cifar10(site, monkeypatch) -> None:
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    members = {
        f"cifar-10-batches-py/{n}": cifar_batch(i, protocol=2 + i % 3, labels=[i, 9 - i]) for i, n in enumerate(names)
    }
    offer(site, monkeypatch, datasets.cifar10, "cifar-10-python.tar.gz", tar(members))


def test_cifar10(site, monkeypatch):
    offer_cifar10(site, monkeypatch)
    (x_train, y_train), (x_test, y_test) = datasets.cifar10.load_data()
    assert (x_train.shape, x_train.dtype, x_test.shape) == ((10, 32, 32, 3), "uint8", (2, 32, 32, 3))
    assert y_train.tolist() == [[0], [9], [1], [8], [2], [7], [3], [6], [4], [5]]
    assert y_test.tolist() == [[5], [4]]
    # batch 2 counts from 1: red, green and blue of its first pixel lie 1024 apart, which is 0 modulo 256
    assert x_train[2, 0, :3].tolist() == [[1, 1, 1], [2, 2, 2], [3, 3, 3]]


@pytest.mark.usefixtures("channels_first")
def test_cifar10_channels_first(site, monkeypatch):
    offer_cifar10(site, monkeypatch)
    (x_train, _), _ = datasets.cifar10.load_data()
    assert x_train.shape == (10, 3, 32, 32)
    assert x_train[2, :, 0, :3].tolist() == [[1, 2, 3]] * 3


@pytest.mark.parametrize(("mode", "expected"), [("fine", [[7], [8]]), ("coarse", [[1], [2]])])
def test_cifar100(site, monkeypatch, mode, expected):
    batch = cifar_batch(0, 2, fine_labels=[7, 8], coarse_labels=[1, 2])
    members = {"cifar-100-python/train": batch, "cifar-100-python/test": batch}
    offer(site, monkeypatch, datasets.cifar100, "cifar-100-python.tar.gz", tar(members))
    (x_train, y_train), (_, y_test) = datasets.cifar100.load_data(mode)
    assert x_train.shape == (2, 32, 32, 3)
    assert y_train.tolist() == y_test.tolist() == expected


def test_cifar100_refuses_a_label_mode():
    with pytest.raises(ArgumentError, match="label_mode"):
        datasets.cifar100.load_data("medium")


class Evil:
    def __reduce__(self):
        return print, ("code of the file ran",)


@pytest.mark.parametrize(
    ("evil", "protocol"), [(Evil(), 4), ({b"data": [Evil()]}, 2), (print, 0)], ids=["object", "nested", "name"]
)
def test_a_pickle_never_runs_code(evil, protocol, capsys):
    with pytest.raises(DataFileError, match="print"):
        _files.read_pickle(io.BytesIO(pickle.dumps(evil, protocol)))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [b"", b"text", pickle.dumps([1, 2])[:-3]])
def test_a_broken_pickle_is_an_error(content):
    with pytest.raises(DataFileError, match="broken"):
        _files.read_pickle(io.BytesIO(content))


@pytest.mark.parametrize("protocol", range(5))
def test_pickles_of_plain_data_and_arrays_are_read(protocol):
    data = {b"a": [1, 2.5, b"x"], b"b": np.arange(6.0).reshape(2, 3), b"c": texts([1], [2, 3])}
    found = _files.read_pickle(io.BytesIO(pickle.dumps(data, protocol)))
    assert found[b"a"] == data[b"a"]
    np.testing.assert_array_equal(found[b"b"], data[b"b"])
    assert found[b"c"].tolist() == [[1], [2, 3]]


def test_read_npz_names_what_is_missing_and_refuses_code(tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(npz(x=np.zeros(2)))
    with pytest.raises(DataFileError, match="lacks y"):
        _files.read_npz(path, "x", "y")
    evil = np.empty(1, dtype=object)
    evil[0] = Evil()
    path.write_bytes(npz(x=evil))
    with pytest.raises(DataFileError, match="print"):
        _files.read_npz(path, "x")


# --- texts: (options, texts of ranks, numbers)
ENCODINGS = [
    ({}, [5, 7], [1, 8, 10]),
    ({"num_words": 9}, [5, 7], [1, 8, 2]),
    ({"skip_top": 9}, [5, 7], [2, 2, 10]),
    ({"oov_char": None, "num_words": 9}, [5, 7], [1, 8]),
    ({"start_char": None}, [5, 7], [8, 10]),
    ({"start_char": None, "index_from": None}, [5, 7], [5, 7]),
    ({"index_from": 0}, [5], [1, 5]),
    ({}, [], [1]),
]


@pytest.mark.parametrize(("options", "ranks", "numbers"), ENCODINGS)
def test_word_ranks_become_numbers(options, ranks, numbers):
    defaults = {"num_words": None, "skip_top": 0, "start_char": 1, "oov_char": 2, "index_from": 3}
    assert _words.Encoding(**{**defaults, **options})(ranks) == numbers


def offer_imdb(site, monkeypatch) -> None:
    content = npz(
        x_train=texts([1], [2, 2], [3, 3, 3]), y_train=np.array([1, 2, 3]), x_test=texts([4, 4]), y_test=np.array([4])
    )
    offer(site, monkeypatch, datasets.imdb, "imdb.npz", content)


def test_imdb(site, monkeypatch):
    offer_imdb(site, monkeypatch)
    (x_train, y_train), (x_test, y_test) = datasets.imdb.load_data()
    assert x_train.dtype == x_test.dtype == object
    for text, label in zip([*x_train, *x_test], [*y_train, *y_test], strict=True):
        assert text == [1] + [int(label) + 3] * {1: 1, 2: 2, 3: 3, 4: 2}[int(label)]
    again = datasets.imdb.load_data()[0]
    assert (again[0].tolist(), again[1].tolist()) == (x_train.tolist(), y_train.tolist())


def test_imdb_leaves_long_texts_out(site, monkeypatch):
    offer_imdb(site, monkeypatch)
    (_, y_train), _ = datasets.imdb.load_data(maxlen=4)
    assert sorted(y_train) == [1, 2]
    with pytest.raises(ArgumentError, match="maxlen=1"):
        datasets.imdb.load_data(maxlen=1)


def test_imdb_word_index(site, monkeypatch):
    offer(site, monkeypatch, datasets.imdb, "imdb_word_index.json", b'{"the": 1}', hash_name="_INDEX_MD5")
    assert datasets.imdb.get_word_index() == {"the": 1}


def test_reuters(site, monkeypatch):
    x, y = texts(*[[i] for i in range(1, 11)]), np.arange(1, 11)
    offer(site, monkeypatch, datasets.reuters, "reuters.npz", npz(x=x, y=y))
    (x_train, y_train), (x_test, y_test) = datasets.reuters.load_data(test_split=0.3, start_char=None, index_from=0)
    assert (len(x_train), len(x_test)) == (7, 3)
    assert [t[0] for t in [*x_train, *x_test]] == [*y_train, *y_test] != list(range(1, 11))
    assert sorted([*y_train, *y_test]) == list(range(1, 11))
    assert len(set(datasets.reuters.get_label_names())) == 46


@pytest.mark.parametrize("name", ["boston_housing", "california_housing"])
def test_housing(site, monkeypatch, name):
    module = getattr(datasets, name)
    y = np.arange(10.0)
    offer(site, monkeypatch, module, f"{name}.npz", npz(x=np.stack([y, -y], 1), y=y))
    (x_train, y_train), (x_test, y_test) = module.load_data()
    assert (x_train.shape, x_test.shape) == ((8, 2), (2, 2))
    np.testing.assert_array_equal(x_train[:, 1], -y_train)
    assert sorted([*y_train, *y_test]) == y.tolist()
    np.testing.assert_array_equal(module.load_data()[0][1], y_train)
    assert module.load_data(seed=1)[0][1].tolist() != y_train.tolist()


def test_small_california(site, monkeypatch):
    y = np.arange(1000.0)
    offer(site, monkeypatch, datasets.california_housing, "california_housing.npz", npz(x=y[:, None], y=y))
    (_, y_train), (_, y_test) = datasets.california_housing.load_data("small", test_split=0.5)
    assert sorted([*y_train, *y_test]) == y[:600].tolist()
    with pytest.raises(ArgumentError, match="version"):
        datasets.california_housing.load_data("tiny")


def test_digits():
    (x_train, y_train), (x_test, y_test) = datasets.digits.load_data(test_split=0.25, seed=3)
    assert (x_train.shape, x_test.shape, x_train.dtype) == ((1347, 8, 8), (450, 8, 8), "uint8")
    assert x_train.max() == 16
    assert set(y_train.tolist()) == set(y_test.tolist()) == set(range(10))
    other = datasets.digits.load_data(test_split=0.25, seed=4)[0][1]
    assert (other != y_train).any()
    with pytest.raises(ArgumentError, match="test_split"):
        datasets.digits.load_data(test_split=1.0)


def test_digits_without_scikit_learn_names_the_command():
    code = """
import sys
sys.modules["sklearn"] = None
from keras_fn import datasets
try:
    datasets.digits.load_data()
except RuntimeError as e:
    print(e)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install scikit-learn" in out.stdout


def test_every_module_is_there():
    for name in datasets.__all__:
        assert callable(getattr(datasets, name).load_data)
    with pytest.raises(AttributeError, match="nothing_like_it"):
        datasets.nothing_like_it  # noqa: B018

"""Data helpers: numbers, sequences, seeds, images, and files from the web."""

from __future__ import annotations

import hashlib
import io
import os
import pathlib
import random
import socket
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator

import numpy as np
import pytest

from keras_fn import ops, utils
from keras_fn.core import settings
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, ShapeError
from keras_fn.utils.archives import UnsafeArchiveError
from keras_fn.utils.download import ChecksumError, DownloadError
from web import Site, serving


# --- numbers
@pytest.mark.parametrize(
    ("x", "num_classes", "expected"),
    [
        ([0, 2], None, [[1, 0, 0], [0, 0, 1]]),
        ([[1], [0]], None, [[0, 1], [1, 0]]),
        ([0], 3, [[1, 0, 0]]),
        ([[0, 1], [1, 1]], None, [[[1, 0], [0, 1]], [[0, 1], [0, 1]]]),
        (1, None, [0, 1]),
        ([1.0, 0.0], None, [[0, 1], [1, 0]]),
        ([], 2, np.zeros((0, 2))),
    ],
)
def test_to_categorical(x, num_classes, expected):
    np.testing.assert_array_equal(utils.to_categorical(x, num_classes), expected)


@pytest.mark.parametrize(("x", "n", "words"), [([0, 3], 3, "3 came"), ([-1], None, "-1 came"), ([], None, "num_cla")])
def test_to_categorical_refuses(x, n, words):
    with pytest.raises(ArgumentError, match=words):
        utils.to_categorical(x, n)


def test_to_categorical_of_a_tensor_gives_a_tensor(backend):
    rows = utils.to_categorical(ops.convert_to_tensor(np.array([[0], [2]])), 4)
    assert backend.is_tensor(rows)
    np.testing.assert_array_equal(backend.to_numpy(rows), [[1, 0, 0, 0], [0, 0, 1, 0]])


@pytest.mark.parametrize(("axis", "order"), [(-1, 2), (0, 2), (-1, 1), (0, np.inf), (-1, 3)])
def test_normalize(backend, axis, order):
    x = np.array([[3.0, -4.0, 1.0], [1.0, 2.0, 2.0]], "float32")
    expected = x / (np.sum(np.abs(x) ** order, axis, keepdims=True) ** (1 / order) if order < np.inf else [[3, 4, 2]])
    np.testing.assert_allclose(utils.normalize(x, axis, order), expected, rtol=1e-6)
    tensor = utils.normalize(ops.convert_to_tensor(x), axis, order)
    np.testing.assert_allclose(backend.to_numpy(tensor), expected, rtol=1e-5)


def test_normalize_keeps_zeros_and_refuses_a_wrong_axis():
    assert utils.normalize([[0, 0], [3, 4]]).tolist() == [[0, 0], pytest.approx([0.6, 0.8])]
    with pytest.raises(ArgumentError, match="axis 2"):
        utils.normalize([[1.0]], axis=2)


# --- sequences
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[0, 0, 1], [0, 2, 3], [4, 5, 6]]),
        ({"maxlen": 2}, [[0, 1], [2, 3], [5, 6]]),
        ({"maxlen": 2, "truncating": "post", "padding": "post", "value": 9}, [[1, 9], [2, 3], [4, 5]]),
        ({"maxlen": 0}, np.zeros((3, 0))),
        ({"maxlen": 4, "dtype": "float32"}, [[0, 0, 0, 1], [0, 0, 2, 3], [0, 4, 5, 6]]),
    ],
)
def test_pad_sequences(options, expected):
    padded = utils.pad_sequences([[1], [2, 3], [4, 5, 6]], **options)
    np.testing.assert_array_equal(padded, expected)
    assert padded.dtype == options.get("dtype", "int32")


def test_pad_sequences_of_vectors_text_and_nothing():
    assert utils.pad_sequences([[], [[1, 2]]]).tolist() == [[[0, 0]], [[1, 2]]]
    assert utils.pad_sequences([["a"], ["bcd", "e"]], dtype=str, value="").tolist() == [["", "a"], ["bcd", "e"]]
    assert utils.pad_sequences([]).shape == (0, 0)


@pytest.mark.parametrize(
    ("sequences", "options", "error"),
    [
        ([1, 2], {}, ArgumentError),
        ([[1]], {"padding": "x"}, ArgumentError),
        ([[1]], {"maxlen": -1}, ArgumentError),
        ([[1], [[2]]], {}, ShapeError),
        ([["a"]], {"dtype": str}, ArgumentError),
    ],
)
def test_pad_sequences_refuses(sequences, options, error):
    with pytest.raises(error):
        utils.pad_sequences(sequences, **options)


# --- seeds
def test_set_random_seed_repeats_every_stream():
    from keras_fn.random import host

    def draw():
        return random.random(), np.random.rand(), host.draw_seed()

    utils.set_random_seed(5)
    first = draw()
    assert all(a != b for a, b in zip(first, draw(), strict=True))
    utils.set_random_seed(5)
    assert draw() == first


@pytest.mark.parametrize("seed", [-1, 1.5, "7", True, None, 2**32])
def test_set_random_seed_refuses(seed):
    with pytest.raises(ArgumentTypeError, match="seed"):
        utils.set_random_seed(seed)


# --- images
def test_image_round_trip(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype("float32")
    path = tmp_path / "x.png"
    utils.save_img(path, x, scale=False)
    np.testing.assert_array_equal(utils.img_to_array(utils.load_img(path)), x)
    first = utils.img_to_array(utils.load_img(io.BytesIO(path.read_bytes())), data_format="channels_first")
    np.testing.assert_array_equal(first, np.moveaxis(x, -1, 0))
    utils.save_img(path, first, data_format="channels_first", scale=False)
    np.testing.assert_array_equal(utils.img_to_array(utils.load_img(path)), x)


def test_array_to_img_scales_and_keeps_deep_gray():
    x = np.arange(4.0).reshape(2, 2, 1) * 1000
    assert np.asarray(utils.array_to_img(x)).tolist() == [[0, 85], [170, 255]]
    assert np.asarray(utils.array_to_img(x, scale=False)).tolist() == [[0, 1000], [2000, 3000]]
    assert utils.array_to_img(np.zeros((2, 2, 4))).mode == "RGBA"


def test_img_to_array_follows_the_default_data_format():
    settings.set_image_data_format("channels_first")
    try:
        assert utils.img_to_array(np.zeros((2, 3))).shape == (1, 2, 3)
    finally:
        settings.set_image_data_format("channels_last")
    assert utils.img_to_array(np.zeros((2, 3)), dtype="uint8").dtype == "uint8"


@pytest.mark.parametrize("keep", [False, True])
def test_load_img_resizes(tmp_path, keep):
    # left half black, right half white; a square cut from the middle keeps both halves equal
    x = np.zeros((4, 8, 1))
    x[:, 4:] = 255
    utils.save_img(tmp_path / "x.png", x)
    img = utils.load_img(tmp_path / "x.png", "grayscale", target_size=(2, 2), keep_aspect_ratio=keep)
    assert np.asarray(img).tolist() == [[0, 255], [0, 255]]


@pytest.mark.parametrize("shape", [(2, 2), (2, 2, 2), (1, 2, 2, 3)])
def test_array_to_img_refuses(shape):
    with pytest.raises(ShapeError):
        utils.array_to_img(np.zeros(shape))


def test_images_refuse_unknown_words(tmp_path):
    with pytest.raises(ArgumentError, match="color_mode"):
        utils.load_img("x.png", color_mode="cmyk")
    with pytest.raises(ArgumentError, match="Did you mean 'bilinear'"):
        utils.load_img("x.png", interpolation="bilinaer")
    with pytest.raises(ArgumentError, match="data_format"):
        utils.array_to_img(np.zeros((2, 2, 3)), data_format="last")
    with pytest.raises(ArgumentError, match="alpha"):
        utils.save_img(tmp_path / "x.jpg", np.zeros((2, 2, 4)))


# --- files from the web
@pytest.fixture
def site(tmp_path, monkeypatch) -> Iterator[Site]:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as running:
        yield running


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def everything_in(folder: pathlib.Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_get_file_fetches_once(site, tmp_path):
    url = site.put("a.bin", b"abc" * 1000)
    path = utils.get_file(origin=url, file_hash=sha256(b"abc" * 1000))
    assert path == str(tmp_path / "home" / "datasets" / "a.bin")
    assert pathlib.Path(path).read_bytes() == b"abc" * 1000
    assert utils.get_file(origin=url, file_hash=sha256(b"abc" * 1000)) == path
    assert site.asked["/a.bin"] == 1
    utils.get_file(origin=url, force_download=True)
    assert site.asked["/a.bin"] == 2
    assert everything_in(tmp_path / "home") == ["datasets/a.bin"]


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_get_file_knows_hashes_by_their_length(site, algorithm):
    url = site.put("a.bin", b"abc")
    utils.get_file(origin=url, file_hash=hashlib.new(algorithm, b"abc").hexdigest().upper())
    with pytest.raises(ChecksumError, match=algorithm):
        utils.get_file(origin=url, file_hash=hashlib.new(algorithm, b"abd").hexdigest())


def test_get_file_does_not_keep_a_wrong_file(site, tmp_path):
    url = site.put("a.bin", b"evil")
    with pytest.raises(ChecksumError, match="not kept") as info:
        utils.get_file(origin=url, file_hash=sha256(b"good"))
    assert url in str(info.value)
    assert sha256(b"evil") in str(info.value)
    assert everything_in(tmp_path) == []


def test_get_file_replaces_a_stale_file_but_keeps_it_when_the_new_one_is_wrong(site, tmp_path):
    place = tmp_path / "home" / "datasets" / "a.bin"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"old")
    url = site.put("a.bin", b"evil")
    with pytest.raises(ChecksumError):
        utils.get_file(origin=url, file_hash=sha256(b"new"))
    assert place.read_bytes() == b"old"
    site.put("a.bin", b"new")
    utils.get_file(origin=url, file_hash=sha256(b"new"))
    assert place.read_bytes() == b"new"


def test_get_file_notices_a_broken_connection(site, tmp_path):
    url = site.put("a.bin", b"x" * 100_000)
    site.cut.add("/a.bin")
    with pytest.raises(DownloadError, match="50000 of 100000 bytes"):
        utils.get_file(origin=url)
    assert everything_in(tmp_path) == []
    site.cut.clear()
    assert pathlib.Path(utils.get_file(origin=url)).stat().st_size == 100_000


def test_get_file_offline_names_the_url_and_the_place(site, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/a.bin"  # bound and not listening: refused
        with pytest.raises(DownloadError, match="by hand") as info:
            utils.get_file(origin=url)
    place = tmp_path / "home" / "datasets" / "a.bin"
    assert url in str(info.value)
    assert str(place) in str(info.value)
    place.write_bytes(b"by hand")
    assert utils.get_file(origin=url) == str(place)


def test_get_file_missing_page(site, tmp_path):
    with pytest.raises(DownloadError, match="404"):
        utils.get_file(origin=f"{site.url}/none")
    assert everything_in(tmp_path) == []


def test_get_file_cache_that_cannot_be_made(site, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DownloadError, match="KERAS_HOME"):
        utils.get_file(origin=site.put("a", b"a"), cache_dir=tmp_path / "file")


def test_get_file_from_many_threads_gives_one_whole_file(site, tmp_path):
    content = os.urandom(300_000)
    url = site.put("a.bin", content)
    seen: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: seen.append(pathlib.Path(utils.get_file(origin=url)).read_bytes()))
        for _ in range(6)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert seen == [content] * 6
    assert everything_in(tmp_path) == ["home/datasets/a.bin"]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"origin": "file:///etc/hosts"},
        {"origin": "http://127.0.0.1:1/"},
        {"fname": "../a", "origin": "http://127.0.0.1:1/a"},
        {"fname": "/a", "origin": "http://127.0.0.1:1/a"},
        {"fname": "..", "origin": "http://127.0.0.1:1/a"},
        {"origin": "http://127.0.0.1:1/a%2F..%2Fb/.."},
        {"origin": "http://127.0.0.1:1/a", "file_hash": "00"},
        {"origin": "http://127.0.0.1:1/a", "file_hash": "g" * 64},
        {"origin": "http://127.0.0.1:1/a", "file_hash": "0" * 64, "hash_algorithm": "md5"},
        {"origin": "http://127.0.0.1:1/a", "file_hash": "0" * 64, "hash_algorithm": "nothing"},
    ],
)
def test_get_file_refuses_arguments(arguments, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(ArgumentError):
        utils.get_file(**arguments)
    assert everything_in(tmp_path) == []


# --- archives
def tar_of(members: dict[str, bytes], *extra: tarfile.TarInfo, mode: str = "w:gz") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for info in extra:
            tar.addfile(info)
    return stream.getvalue()


def zip_of(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    ("fname", "served", "folder", "archive"),
    [
        (None, "b.tar.gz", "b.tar.gz", "b.tar.gz_archive"),
        ("plain", "b.tar.gz", "plain", "plain_archive"),
        ("q.v1.tar.gz", "b.tar.gz", "q_extracted", "q.v1.tar.gz"),
    ],
)
@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_get_file_extracts_under_keras_names(site, tmp_path, make, fname, served, folder, archive):
    url = site.put(served, make({"in/a.txt": b"a", "b.txt": b"b"}))
    path = utils.get_file(fname, url, extract=True)
    home = tmp_path / "home" / "datasets"
    assert path == str(home / folder)
    assert everything_in(home) == sorted([archive, f"{folder}/b.txt", f"{folder}/in/a.txt"])
    utils.get_file(fname, url, extract=True)
    assert site.asked[f"/{served}"] == 1


def test_get_file_unpacks_a_new_archive_in_the_place_of_the_old(site):
    url = site.put("b.tar", tar_of({"old": b""}))
    utils.get_file("b", url, untar=True)
    new = site.put("b.tar", tar_of({"new": b""}, mode="w:xz"))
    folder = utils.get_file("b", new, untar=True, force_download=True)
    assert os.listdir(folder) == ["new"]


UNSAFE = {
    "tar up": tar_of({"ok": b"", "../out": b"x"}),
    "tar absolute": tar_of({"/out": b"x"}),
    "tar down and up": tar_of({"a/../../out": b"x"}),
    "tar backslash": tar_of({"..\\out": b"x"}),
    "tar drive": tar_of({"C:\\out": b"x"}),
    "tar symbolic link": tar_of({}, link("l", "../..", tarfile.SYMTYPE)),
    "tar hard link": tar_of({"ok": b""}, link("l", "/etc/passwd", tarfile.LNKTYPE)),
    "tar pipe": tar_of({}, link("fifo", "", tarfile.FIFOTYPE)),
    "zip up": zip_of({"ok": b"", "../out": b"x"}),
    "zip absolute": zip_of({"/out": b"x"}),
}


@pytest.mark.parametrize("kind", UNSAFE)
def test_unsafe_archives_are_refused_whole(site, tmp_path, kind):
    with pytest.raises(UnsafeArchiveError):
        utils.get_file("b", site.put("b", UNSAFE[kind]), extract=True)
    assert everything_in(tmp_path) == ["home/datasets/b_archive"]
    assert os.listdir(tmp_path / "home" / "datasets") == ["b_archive"]


def test_what_is_no_archive_is_refused(site, tmp_path):
    with pytest.raises(ArgumentError, match="no archive"):
        utils.get_file("b", site.put("b", b"text"), extract=True)
    with pytest.raises(ArgumentError, match="no archive"):
        utils.get_file("c", site.put("c", zip_of({"a": b""})), untar=True)
    with pytest.raises(ArgumentError, match="archive_format"):
        utils.get_file("d", site.put("d", b""), extract=True, archive_format="rar")


# --- the namespace
def test_every_name_of_utils_is_there():
    assert set(utils.__all__) == set(utils._HOMES) <= set(dir(utils))
    for name in utils.__all__:
        assert callable(getattr(utils, name))
    with pytest.raises(AttributeError, match="nothing_like_it"):
        utils.nothing_like_it  # noqa: B018


def test_images_without_pillow_name_the_command():
    code = """
import sys
sys.modules["PIL"] = None
from keras_fn import utils
try:
    utils.load_img("x.png")
except RuntimeError as e:
    print(e)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install" in out.stdout

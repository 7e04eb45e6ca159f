"""Servers and archives that mean harm: nothing of theirs stays, and nothing waits for ever."""

from __future__ import annotations

import hashlib
import io
import os
import pathlib
import stat
import tarfile
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from keras_fn import utils
from keras_fn.utils import archives, download
from keras_fn.utils.archives import UnsafeArchiveError, extract_archive
from keras_fn.utils.download import ChecksumError, DownloadError
from web import Site, serving


@pytest.fixture
def site(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A server that is there, and a cache in a fresh folder."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(download, "_TIMEOUT", 0.3)
    with serving() as running:
        yield running


def everything(folder: pathlib.Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir())


def _headed(
    status: int, headers: dict[str, str], body: Callable[[Any], Any] = lambda out: None
) -> Callable[[Any], None]:
    def act(handler: Any) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        body(handler.wfile)

    return act


def _endless(out: Any) -> None:
    while True:
        out.write(bytes(2**16))


def _dripping(out: Any) -> None:
    for _ in range(100):
        out.write(b"x")
        out.flush()
        time.sleep(0.1)


def _silent(_: Any) -> None:
    time.sleep(1.5)


ACTS = {
    "leads to a file": (_headed(302, {"Location": "file:///etc/passwd"}), "not allowed|leads on to"),
    "leads to ftp": (_headed(302, {"Location": "ftp://localhost/x"}), "leads on to"),
    "leads to data": (_headed(301, {"Location": "data:text/plain,x"}), "not allowed|leads on to"),
    "leads to itself": (_headed(302, {"Location": "/x"}), "redirect"),
    "endless": (_headed(200, {}, _endless), "more than"),
    "endless against its word": (_headed(200, {"Content-Length": "100000"}, _endless), "announces|hash|has 100000"),
    "drips": (_headed(200, {}, _dripping), "too slow"),
    "says nothing": (_headed(200, {"Content-Length": "10"}, _silent), "timed out"),
    "breaks off": (_headed(200, {"Content-Length": "10"}, lambda out: out.write(b"x")), "broke"),
    "announces too much": (_headed(200, {"Content-Length": str(2**50)}), "at most"),
    "announces nonsense": (_headed(200, {"Content-Length": "-5"}), "senseless"),
    "announces words": (_headed(200, {"Content-Length": "much"}), "senseless"),
    "no such page": (_headed(404, {}), "404"),
}


@pytest.mark.parametrize("name", ACTS)
def test_a_server_that_means_harm(
    name: str, site: Site, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_MOST", 50_000)
    monkeypatch.setattr(download, "_SLOWEST", 10_000)
    site.acts["/x"], expected = ACTS[name]
    began = time.monotonic()
    with pytest.raises(DownloadError, match=expected):
        utils.get_file("x", f"{site.url}/x", file_hash="0" * 64)
    assert time.monotonic() - began < 30  # it ends at all
    assert everything(tmp_path) == []


def test_a_redirect_to_a_web_page_is_followed(site: Site) -> None:
    site.put("there", b"hello")
    site.acts["/x"] = _headed(302, {"Location": "/there"})
    path = utils.get_file("x", f"{site.url}/x", file_hash=hashlib.sha256(b"hello").hexdigest())
    assert pathlib.Path(path).read_bytes() == b"hello"


def test_a_body_without_a_length_is_taken(site: Site) -> None:
    site.acts["/x"] = _headed(200, {}, lambda out: out.write(b"hello"))
    assert pathlib.Path(utils.get_file("x", f"{site.url}/x")).read_bytes() == b"hello"


def test_a_wrong_hash_leaves_the_old_file_or_none(site: Site, tmp_path: pathlib.Path) -> None:
    url = site.put("x", b"evil")
    with pytest.raises(ChecksumError):
        utils.get_file("x", url, file_hash=hashlib.sha256(b"good").hexdigest())
    assert everything(tmp_path) == []
    (tmp_path / "home" / "datasets" / "x").write_bytes(b"old")
    with pytest.raises(ChecksumError):
        utils.get_file("x", url, file_hash=hashlib.sha256(b"good").hexdigest())
    assert everything(tmp_path) == ["home/datasets/x"]
    assert (tmp_path / "home" / "datasets" / "x").read_bytes() == b"old"


# --- archives
def _zip(*members: tuple[str, bytes, int], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as packed:
        warnings.simplefilter("ignore")
        for name, content, kind in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = (kind | 0o777) << 16
            packed.writestr(info, content, method)
    return out.getvalue()


def _encrypted() -> bytes:
    raw = bytearray(_zip(("a", b"x", stat.S_IFREG)))
    raw[6] |= 1
    raw[raw.index(b"PK\1\2") + 8] |= 1
    return bytes(raw)


def _tar(mode: str, *entries: tuple[str, bytes, int]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as packed:  # type: ignore[call-overload]
        for name, kind, size in entries:
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, size
            info.linkname = "../../outside" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            packed.addfile(info, io.BytesIO(bytes(size)))
    return out.getvalue()


def _cut(raw: bytes) -> bytes:
    return raw[: len(raw) * 2 // 3]


_BIG = 90 * 2**20
ARCHIVES: dict[str, Callable[[], bytes]] = {
    "zip link": lambda: _zip(("a", b"/etc/passwd", stat.S_IFLNK)),
    "zip pipe": lambda: _zip(("a", b"", stat.S_IFIFO)),
    "zip device": lambda: _zip(("a", b"", stat.S_IFCHR)),
    "zip encrypted": _encrypted,
    "zip bomb": lambda: _zip(("a", bytes(_BIG), stat.S_IFREG), method=zipfile.ZIP_DEFLATED),
    "zip of a wrong check sum": lambda: _zip(("a", b"hello hello", stat.S_IFREG)).replace(
        b"hello hello", b"hello hellO"
    ),
    "zip up with a slash at the end": lambda: _zip(("../a/", b"", stat.S_IFDIR)),
    "tar link": lambda: _tar("w", ("a", tarfile.SYMTYPE, 0), ("a/b", tarfile.REGTYPE, 3)),
    "tar hard link": lambda: _tar("w", ("a", tarfile.LNKTYPE, 0)),
    "tar device": lambda: _tar("w", ("a", tarfile.CHRTYPE, 0)),
    "tar block device": lambda: _tar("w", ("a", tarfile.BLKTYPE, 0)),
    "tar pipe": lambda: _tar("w", ("a", tarfile.FIFOTYPE, 0)),
    "tar long link": lambda: _tar("w", ("a" * 300, tarfile.SYMTYPE, 0)),
    "tar up": lambda: _tar("w:gz", ("b", tarfile.REGTYPE, 3), ("x/../../a", tarfile.REGTYPE, 3)),
    "tar.gz bomb": lambda: _tar("w:gz", ("a", tarfile.REGTYPE, _BIG)),
    "tar.xz bomb": lambda: _tar("w:xz", ("a", tarfile.REGTYPE, _BIG)),
    "tar.bz2 bomb": lambda: _tar("w:bz2", ("a", tarfile.REGTYPE, _BIG)),
    "tar.gz cut": lambda: _cut(_tar("w:gz", *((str(i), tarfile.REGTYPE, 5000) for i in range(50)))),
    "tar.xz cut": lambda: _cut(_tar("w:xz", *((str(i), tarfile.REGTYPE, 5000) for i in range(50)))),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_that_means_harm(name: str, site: Site, tmp_path: pathlib.Path) -> None:
    url = site.put("b", ARCHIVES[name]())
    with pytest.raises(UnsafeArchiveError):
        utils.get_file("b", url, extract=True)
    assert everything(tmp_path) == ["home/datasets/b_archive"]
    assert os.listdir(tmp_path / "home" / "datasets") == ["b_archive"]


def test_an_archive_of_too_many_files(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_MOST_MEMBERS", 10)
    (tmp_path / "a.zip").write_bytes(_zip(*((str(i), b"", stat.S_IFREG) for i in range(11))))
    with pytest.raises(UnsafeArchiveError, match="10 files"):
        extract_archive(tmp_path / "a.zip", tmp_path / "out")
    assert everything(tmp_path) == ["a.zip"]

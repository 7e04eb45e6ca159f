"""`get_file`: a file from the web, checked against its hash and kept in a cache."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import pathlib
import shutil
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any

from keras_fn.core.atomic import failing_as, new_file, new_folder
from keras_fn.core.errors import ArgumentError, FileWriteError, KerasFnError, printable
from keras_fn.utils.archives import extract_archive

_CHUNK = 1 << 20  # bytes read at once
_TIMEOUT = 60.0  # seconds without a byte
_SLOWEST = 512  # bytes a second, on average after the first `_TIMEOUT`
_MOST = 2**35  # bytes of one file
_MOST_REDIRECTS = 5
_BY_LENGTH = {32: "md5", 40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}  # hex digits -> algorithm


class DownloadError(KerasFnError, OSError):
    """A file could not be fetched."""


class ChecksumError(KerasFnError, ValueError):
    """A fetched file is not the one that was expected."""


def get_file(
    fname: str | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Sequence[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """The path of a file from the web, fetched at most once.

    A file that is in the cache already, with the right hash, is used as it is, without any connection. Otherwise it
    is written beside its place under another name, checked, and renamed: there is never half a file, nor one with a
    wrong hash, under its own name.

    Args:
        fname: name in the cache. None: the last part of the URL.
        origin: URL, http or https.
        untar: old way to say `extract=True, archive_format="tar"`.
        md5_hash: old way to give `file_hash`.
        file_hash: expected hash in hex digits. Without it whatever the server sends is taken.
        cache_subdir: folder in the cache; or an absolute path, which replaces the cache.
        hash_algorithm: "md5", "sha256" or another name that hashlib knows; "auto" tells by the length.
        extract: unpack the file, which must be a tar or zip archive (see `extract_archive` for what is refused).
        archive_format: "tar", "zip", a list of them, "auto" for both, None for neither.
        cache_dir: the cache. None: $KERAS_HOME, or ~/.keras.
        force_download: fetch it even where it is in the cache.

    Returns:
        Path of the file; with `extract`, of the folder that it was unpacked into.

    Raises:
        ArgumentError: for arguments that make no sense, before anything is fetched.
        DownloadError: where the file cannot be fetched; it says which URL, and where to put the file by hand.
        ChecksumError: where the hash is wrong; the file is not kept.
        FileWriteError: where the disk is full or refuses; what was there before is still there.
        UnsafeArchiveError: where an archive holds links, or names that lead out of its folder.

    Example:
        >>> get_file(origin="ftp://example.com/x.npz")
        Traceback (most recent call last):
        ...
        keras_fn.core.errors.ArgumentError: `origin` must be an http or https URL, not 'ftp://example.com/x.npz'.
    """
    if not origin:
        raise ArgumentError("get_file needs `origin`, the URL of the file.")
    if urllib.parse.urlsplit(origin).scheme not in ("http", "https"):
        raise ArgumentError(f"`origin` must be an http or https URL, not {origin!r}.")
    if untar:
        extract, archive_format = True, "tar"
    expected = _expected_hash(file_hash or md5_hash, hash_algorithm)
    folder = _cache(cache_dir) / cache_subdir
    file, unpacked = _places(folder, fname, origin, extract)
    _make(folder)
    fetched = force_download or not _cached(file, expected)
    if fetched:
        _fetch(origin, file, expected)
    if not extract:
        return str(file)
    if fetched or not unpacked.is_dir():
        _unpack(file, unpacked, archive_format)
    return str(unpacked)


def _cache(cache_dir: str | os.PathLike[str] | None) -> pathlib.Path:
    if cache_dir is not None:
        return pathlib.Path(cache_dir).expanduser()
    home = os.environ.get("KERAS_HOME")
    return pathlib.Path(home) if home else pathlib.Path.home() / ".keras"


def _make(folder: pathlib.Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise DownloadError(f"The cache {folder} cannot be made ({e}). Set KERAS_HOME or pass `cache_dir`.") from e


def _places(folder: pathlib.Path, fname: str | None, origin: str, extract: bool) -> tuple[pathlib.Path, pathlib.Path]:
    """Where the file goes, and where to unpack it. Same names as Keras's, so that the two share one cache."""
    name = fname or urllib.parse.unquote(urllib.parse.urlsplit(origin).path).rpartition("/")[2]
    if not name or name in (".", "..") or any(c in name for c in "/\\\0"):
        if fname:
            raise ArgumentError(
                f"`fname` must be a plain file name, not {fname!r}. `cache_dir` and `cache_subdir` choose the folder."
            )
        raise ArgumentError(f"The URL {origin!r} does not end in a file name. Give one as `fname`.")
    if extract and fname and "." in fname:
        return folder / fname, folder / f"{fname[: fname.find('.')]}_extracted"
    if extract:
        return folder / f"{name}_archive", folder / name
    return folder / name, folder / name


def _expected_hash(value: str | None, algorithm: str) -> tuple[str, str] | None:
    """(algorithm, hex digits), checked to fit each other."""
    if value is None:
        return None
    digits = str(value).lower()
    if algorithm == "auto":
        algorithm = _BY_LENGTH.get(len(digits), "")
    length = hashlib.new(algorithm).digest_size * 2 if algorithm in hashlib.algorithms_available else None
    if length != len(digits) or not set(digits) <= set("0123456789abcdef"):
        raise ArgumentError(
            f"`file_hash` must be the hex digits of a hash (32 for md5, 64 for sha256), and {value!r} came, "
            f"{len(digits)} characters, with the algorithm {algorithm or 'auto'!r}."
        )
    return algorithm, digits


def _cached(file: pathlib.Path, expected: tuple[str, str] | None) -> bool:
    return file.is_file() and (expected is None or hash_file(file, expected[0]) == expected[1])


def hash_file(file: pathlib.Path, algorithm: str) -> str:
    """The hash of a file, in hex digits."""
    with file.open("rb") as f:
        return hashlib.file_digest(f, algorithm).hexdigest()


def _fetch(origin: str, file: pathlib.Path, expected: tuple[str, str] | None) -> None:
    print(f"Downloading {origin}", file=sys.stderr, flush=True)
    digest = None if expected is None else hashlib.new(expected[0])
    with new_file(file) as part:
        for chunk in _received(origin, file):
            part.write(chunk)
            if digest is not None:
                digest.update(chunk)
        if expected is not None and digest is not None and digest.hexdigest() != expected[1]:
            raise ChecksumError(
                f"The file from {origin} has the {expected[0]} hash {digest.hexdigest()}, and {expected[1]} was "
                "expected. It was not kept. Try again; if it stays so, the file on the server is another one."
            )


def _received(origin: str, file: pathlib.Path) -> Iterator[bytes]:
    """What the server sends, in parts; at the end it is known that nothing is missing."""
    request = urllib.request.Request(origin, headers={"User-Agent": "keras-fn"})
    received = 0
    try:
        with _opener().open(request, timeout=_TIMEOUT) as reply:
            announced = _announced(reply.headers.get("Content-Length"), origin, file.parent)
            began = time.monotonic()
            while chunk := reply.read1(_CHUNK):
                received += len(chunk)
                _check_course(received, time.monotonic() - began, origin)
                yield chunk
    except DownloadError:
        raise
    except (urllib.error.URLError, http.client.HTTPException, OSError) as e:
        raise DownloadError(f"Could not fetch {origin} ({e}). {_by_hand(file)}") from e
    if announced is not None and received != announced:
        raise DownloadError(
            f"The connection broke: {received} of {announced} bytes of {origin} came. Try again. {_by_hand(file)}"
        )


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a server to other web addresses, from a safe connection to safe ones only."""

    max_redirections = _MOST_REDIRECTS

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        schemes = ("https",) if req.type == "https" else ("http", "https")
        if urllib.parse.urlsplit(newurl).scheme not in schemes:
            allowed = " or ".join(schemes)
            raise DownloadError(f"{req.full_url} leads on to {printable(newurl, 300)!r}, which is not {allowed}.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """What opens http and https addresses, and no others: `urlopen` would also open files."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(), urllib.request.HTTPHandler(), urllib.request.HTTPSHandler(), _Redirects(),
        urllib.request.HTTPErrorProcessor(), urllib.request.HTTPDefaultErrorHandler(), urllib.request.UnknownHandler(),
    ):  # fmt: skip
        opener.add_handler(handler)
    return opener


def _announced(length: str | None, origin: str, folder: pathlib.Path) -> int | None:
    """The length that the server announced, checked."""
    if length is None:
        return None
    if not (length.isascii() and length.isdigit() and len(length) < 19):
        raise DownloadError(f"{origin} announces the senseless length {printable(length, 100)!r}.")
    size, free = int(length), shutil.disk_usage(folder).free
    if size > min(_MOST, free):
        raise DownloadError(f"{origin} has {size} bytes; at most {_MOST} are fetched, and {free} are free at {folder}.")
    return size


def _check_course(received: int, seconds: float, origin: str) -> None:
    """A server that sends without end, or so slowly that it never ends, is left."""
    if received > _MOST:
        raise DownloadError(f"{origin} sends more than {_MOST} bytes, and no file is that large. It was not kept.")
    if received < _SLOWEST * (seconds - _TIMEOUT):
        raise DownloadError(f"{origin} sent {received} bytes in {seconds:.0f} seconds: too slow. Try again later.")


def _by_hand(file: pathlib.Path) -> str:
    return f"Without a connection, put the file at {file} by hand: it is used from there."


def _unpack(file: pathlib.Path, target: pathlib.Path, archive_format: str | Sequence[str] | None) -> None:
    """Unpacks beside the target and renames, so that the target is never half full."""
    try:
        with new_folder(target, pathlib.Path.is_dir) as part, failing_as(target):
            if not extract_archive(file, part, archive_format or ()):
                raise ArgumentError(
                    f"{file} is no archive of the format {archive_format!r}. Fetch it with extract=False."
                )
    except FileWriteError as e:
        faster = e.errno in (errno.EEXIST, errno.ENOTEMPTY) and target.is_dir()
        if not faster:  # else another process was, and its folder is as good
            raise

"""What is no regular file: pipes, sockets, devices, links, and folders that hold them."""

from __future__ import annotations

import os
import pathlib
import socket
from collections.abc import Callable, Iterator

from hostile.base import CONFIG, METADATA, WEIGHTS, Maker, Row

_SUFFIXES = {
    "model": (".keras", "load_model"),
    "legacy": (".h5", "load_model"),
    "hdf5": (".hdf5", "load_model"),
    "weights": (".weights.h5", "load_weights"),
    "weights of a model": (".keras", "load_weights"),
    "safetensors": (".safetensors", "load_weights"),
    "shards": (".weights.json", "load_weights"),
}


def socket_at(path: pathlib.Path) -> None:
    """A socket; its name is made short, as names of sockets must be."""
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path.name)
    finally:
        os.chdir(here)


_MADE: dict[str, Callable[[pathlib.Path], None]] = {
    "pipe": os.mkfifo,
    "socket": socket_at,
    "link to a device": lambda p: p.symlink_to("/dev/zero"),
    "link to a terminal": lambda p: p.symlink_to("/dev/tty"),
    "link to nothing": lambda p: p.symlink_to("/nowhere/at/all"),
    "link to itself": lambda p: p.symlink_to(p.name),
}


def rows(m: Maker) -> Iterator[Row]:
    """All rows of this category."""
    for what, (suffix, door) in _SUFFIXES.items():
        for kind, make in _MADE.items():
            path = m.folder / f"special {what} {kind}{suffix}"
            make(path)
            yield Row(f"special {what} {kind}", "special", door, str(path))
    for suffix in (".weights.h5", ".weights.json", ".safetensors", ".h5"):
        path = m.folder / f"special folder{suffix}"
        path.mkdir()
        door = "load_model" if suffix == ".h5" else "load_weights"
        yield Row(f"special folder for {suffix}", "special", door, str(path))
    for name in (CONFIG, METADATA, WEIGHTS):
        for kind, make in _MADE.items():
            folder = _folder(m, f"special {name} {kind}")
            (folder / name).unlink()
            make(folder / name)
            yield Row(f"special {name} {kind}", "special", "load_model", str(folder))
    for name, spoil in {
        "foreign": lambda f: (f / "evil.py").write_text("x"),
        "link to a folder": lambda f: (f / "assets").symlink_to("/etc"),
        "folder for a file": lambda f: ((f / CONFIG).unlink(), (f / CONFIG).mkdir()),
        "deep": lambda f: (f / "assets" / "/".join("a" * 30)).mkdir(parents=True),
        "pipe in assets": lambda f: ((f / "assets").mkdir(), os.mkfifo(f / "assets" / "a")),
        "assets that are a file": lambda f: (f / "assets").write_text("x"),
        "empty config": lambda f: (f / CONFIG).write_text(""),
        "deep json": lambda f: (f / CONFIG).write_text('{"a":' * 5000),
        "nothing": lambda f: [p.unlink() for p in f.iterdir()],
    }.items():
        folder = _folder(m, f"special in a folder {name}")
        spoil(folder)
        yield Row(f"special in a folder {name}", "special", "load_model", str(folder))


def _folder(m: Maker, name: str) -> pathlib.Path:
    folder = m.folder / name
    folder.mkdir()
    for member, content in m.members.items():
        (folder / member).write_bytes(content)
    return folder

"""A web server on loopback that serves what a test gives it, and misbehaves where the test asks for it."""

from __future__ import annotations

import http.server
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class Site:
    """`files` maps paths to contents; `cut` names paths whose transfer breaks half way; `asked` counts requests.

    `acts` maps paths to functions that answer instead, with the request's handler as argument.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, bytes] = {}
        self.cut: set[str] = set()
        self.asked: Counter[str] = Counter()
        self.acts: dict[str, Callable[[http.server.BaseHTTPRequestHandler], None]] = {}

    def put(self, name: str, content: bytes) -> str:
        """Serves the content; returns its URL."""
        self.files[f"/{name}"] = content
        return f"{self.url}/{name}"


@contextmanager
def serving() -> Iterator[Site]:
    """A running site."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked[self.path] += 1
            if self.path in site.acts:
                with suppress(OSError):  # the client may leave in the middle
                    site.acts[self.path](self)
                return
            content = site.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if self.path in site.cut else content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

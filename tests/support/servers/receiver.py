"""A web server on loopback that takes reports, and answers as a test wants it to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(frozen=True)
class Posted:
    """One POST as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


Answer = Callable[[BaseHTTPRequestHandler, Posted], None]


def answer_with(code: int, **headers: str) -> Answer:
    """Return what answers with a code."""

    def answer(handler: BaseHTTPRequestHandler, _posted: Posted) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def answer_document(code: int, kind: str, text: str) -> Answer:
    """Return what answers with a code and a document.

    Args:
        code: The code.
        kind: What `Content-Type` says of the document.
        text: The document.
    """

    def answer(handler: BaseHTTPRequestHandler, _posted: Posted) -> None:
        body = text.encode()
        handler.send_response(code)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@dataclass
class Receiver:
    """What was posted, and how it is answered.

    Attributes:
        url: Where to post to.
        posts: What came in.
        answers: The next answers; 204 where there are none left.
    """

    url: str
    posts: list[Posted] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver for the time of a block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posted = Posted(self.path, dict(self.headers.items()), body)
            receiver.posts.append(posted)
            answer = receiver.answers.pop(0) if receiver.answers else answer_with(204)
            answer(self, posted)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}/hook/T0KEN")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()

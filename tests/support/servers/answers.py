"""An HTTP server on this machine whose every byte a test decides: what a sound server never says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, repeat
from socketserver import StreamRequestHandler, ThreadingTCPServer

Says = Callable[[str], Iterable[bytes]]
"""Path that is asked for → the pieces of the answer, head included."""


class Answers(ThreadingTCPServer):
    """The server.

    Attributes:
        url: Where it is.
        asked: The paths that were asked for.
        connections: How many were made.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, says: Says) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.says = says
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.asked: list[str] = []
        self.connections = 0

    def handle_error(self, *_: object) -> None:
        """A client that leaves is no fault."""


class _Conversation(StreamRequestHandler):
    server: Answers

    def handle(self) -> None:
        self.server.connections += 1
        with suppress(OSError):
            while line := self.rfile.readline():
                path = line.split()[1].decode()
                length = 0
                while (header := self.rfile.readline()) not in (b"\r\n", b""):
                    name, _, value = header.decode("latin-1").partition(":")
                    length = int(value) if name.lower() == "content-length" else length
                self.rfile.read(length)
                self.server.asked.append(path)
                for piece in self.server.says(path):
                    self.wfile.write(piece)


@contextmanager
def answering(says: Says) -> Iterator[Answers]:
    """Run a server for as long as the block takes.

    Args:
        says: What it answers.
    """
    with Answers(says) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def told(content: object, status: int = 200, headers: str = "") -> list[bytes]:
    """Return an answer.

    Args:
        content: Bytes, or what becomes JSON.
        status: The HTTP status.
        headers: More of them, each with its end of line.
    """
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    # In one piece: the kernel would hold back a second one.
    return [f"HTTP/1.1 {status} x\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body]


def unknown(code: int = 40403) -> list[bytes]:
    """Return a registry's answer that it does not have what is asked for."""
    return told({"error_code": code, "message": "not found"}, 404)


def dripping(beginning: bytes, drop: bytes, seconds: float) -> Iterable[bytes]:
    """Return an answer that goes on for ever, drop by drop.

    Args:
        beginning: What comes at once.
        drop: What comes then, again and again.
        seconds: How long each drop takes.
    """

    def late() -> bytes:
        time.sleep(seconds)
        return drop

    return chain([beginning], (late() for _ in repeat(None)))

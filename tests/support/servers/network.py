"""A network between a writer and an object store that can go wrong: a proxy on loopback.

It passes every request on as it came, one at a time for each connection, so that signatures stay
valid. One chosen request can be held on its way, or its answer lost; all can be cut off, or hang.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_UPSTREAM_SECONDS = 60.0
_OF_ONE_CONNECTION = {"connection", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True)
class Request:
    """A request as the proxy sees it."""

    method: str
    path: str


Matches = Callable[[Request], bool]


def commit_of(table: str) -> Matches:
    """Return what recognises the PUT of a commit of a Delta table."""
    commit = re.compile(rf"/{re.escape(table)}/_delta_log/\d{{20}}\.json")
    return lambda request: (
        request.method == "PUT" and commit.search(urlsplit(request.path).path) is not None
    )


@dataclass
class Caught:
    """The one request that is held, or whose answer is lost; made by `Network`.

    Args:
        matches: What recognises it.
        loses_answer: It is passed on, and its answer is dropped with the connection.
    """

    matches: Matches
    loses_answer: bool = False
    request: Request | None = None
    _came: threading.Event = field(default_factory=threading.Event)
    _freed: threading.Event = field(default_factory=threading.Event)
    _answered: threading.Event = field(default_factory=threading.Event)
    _status: int = 0

    def wait(self, seconds: float) -> Request:
        """Wait until it has come.

        Raises:
            TimeoutError: It has not.
        """
        if not self._came.wait(seconds):
            raise TimeoutError(f"the request did not come within {seconds:g} s")
        assert self.request is not None
        return self.request

    def let_go(self) -> None:
        """Let it go on to the store, whoever still waits for its answer."""
        self._freed.set()

    def status(self, seconds: float) -> int:
        """Wait for the store's answer to it, and return the status.

        Raises:
            TimeoutError: There was none.
        """
        if not self._answered.wait(seconds):
            raise TimeoutError(f"the store did not answer within {seconds:g} s")
        return self._status

    def come(self) -> None:
        """Wait, as the request that has come, until it may go on."""
        self._came.set()
        if not self.loses_answer:
            self._freed.wait()

    def answer(self, status: int) -> None:
        """Take note of the store's answer."""
        self._status = status
        self._answered.set()


class Network(ThreadingHTTPServer):
    """The way from one writer to a store; made by `network`.

    Args:
        upstream: Address of the store.
    """

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passage)
        self.upstream = urlsplit(upstream).netloc
        self._caught: list[Caught] = []
        self._connections: set[socket.socket] = set()
        self._is_cut = False
        self._flows = threading.Event()
        self._flows.set()
        self._changing = threading.Lock()

    @property
    def endpoint(self) -> str:
        """The address at which the writer reaches the store."""
        return f"http://127.0.0.1:{self.server_port}"

    def hold(self, matches: Matches) -> Caught:
        """Hold the next request that matches until it is let go."""
        return self._await(Caught(matches))

    def lose_answer(self, matches: Matches) -> Caught:
        """Pass the next request that matches on, and never answer it."""
        return self._await(Caught(matches, loses_answer=True))

    def hang(self) -> None:
        """Answer nothing until `mend`."""
        self._flows.clear()

    def cut(self) -> None:
        """Close all connections, and every new one, until `mend`; what is held stays held."""
        with self._changing:
            self._is_cut = True
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let everything pass again; what hung goes on."""
        with self._changing:
            self._is_cut = False
        self._flows.set()

    def await_passage(self, request: Request) -> Caught | None:
        """Wait until a request may go on to the store; return who was waiting for it."""
        self._flows.wait()
        with self._changing:
            waiting = (one for one in self._caught if one.request is None)
            caught = next((one for one in waiting if one.matches(request)), None)
            if caught is not None:
                caught.request = request
        if caught is not None:
            caught.come()
        return caught

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - socketserver's
        """Refuse a connection while all are cut."""
        with self._changing:
            if not self._is_cut:
                self._connections.add(request)
            return not self._is_cut

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        with self._changing:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a writer or a store that has gone: that is the point."""

    def _await(self, caught: Caught) -> Caught:
        with self._changing:
            self._caught.append(caught)
        return caught

    def end(self) -> None:
        """Stop; what is held goes on to the store."""
        self.cut()
        self._flows.set()
        for caught in self._caught:
            caught.let_go()
        self.shutdown()
        self.server_close()


class _Passage(BaseHTTPRequestHandler):
    """One connection of a writer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Network

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        caught = self.server.await_passage(Request(self.command, self.path))
        store = HTTPConnection(self.server.upstream, timeout=_UPSTREAM_SECONDS)
        try:
            store.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                store.putheader(name, value)
            store.endheaders(body)
            answer = store.getresponse()
            content = answer.read()
        finally:
            store.close()
        if caught is not None:
            caught.answer(answer.status)
            if caught.loses_answer:
                self.close_connection = True
                return
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _OF_ONE_CONNECTION:
                self.send_header(name, value)
        if answer.chunked:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def network(upstream: str) -> Iterator[Network]:
    """Have a network to a store for the time of a block.

    Args:
        upstream: Address of the store, such as `http://127.0.0.1:9000`.
    """
    proxy = Network(upstream)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.end()
        thread.join()

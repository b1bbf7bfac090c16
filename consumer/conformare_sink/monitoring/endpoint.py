"""`/metrics` and `/health` over HTTP."""

from __future__ import annotations

import json
import logging
import socket
import sys
import threading
from collections.abc import Callable
from socketserver import TCPServer, ThreadingMixIn
from types import TracebackType
from typing import Any, NamedTuple, final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app

from conformare_sink.errors import EndpointError
from conformare_sink.monitoring.health import Health

logger = logging.getLogger("conformare_sink")

DEFAULT_HOST = "127.0.0.1"
IDLE_SECONDS = 10.0
"""A client that says nothing for so long is hung up on."""
_POLL_SECONDS = 0.1

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


@final
class MetricsEndpoint:
    """Serves a registry and a stream's health while its block lasts.

    It has no password and hides nothing it is given: it is for the machine itself or a network
    that is trusted.

    Args:
        registry: What `/metrics` shows.
        health: What `/health` tells.
        host: Address to listen on.
        port: Port to listen on; 0 for any that is free.
    """

    def __init__(
        self, registry: CollectorRegistry, health: Health, host: str = DEFAULT_HOST, port: int = 0
    ) -> None:
        self._application = _Application(registry, health)
        self._host = host
        self._wanted_port = port
        self._server: _Server | None = None

    def __enter__(self) -> MetricsEndpoint:
        """Listen.

        Raises:
            EndpointError: The port is taken, or the address is not this machine's.
        """
        try:
            self._server = _Server(self._host, self._wanted_port, self._application)
        except (OSError, OverflowError) as exc:
            cause = getattr(exc, "strerror", None) or str(exc)
            raise EndpointError(self._host, self._wanted_port, cause) from exc
        threading.Thread(
            target=self._server.serve_forever,
            args=(_POLL_SECONDS,),
            name="metrics-endpoint",
            daemon=True,
        ).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def port(self) -> int:
        """The port that is listened on; the one wanted while the block is not entered."""
        return self._wanted_port if self._server is None else self._server.server_port


class _Answer(NamedTuple):
    status: str
    headers: list[tuple[str, str]]
    body: bytes


class _Application:
    """Answers requests; prometheus_client's own server has no other page than the metrics."""

    def __init__(self, registry: CollectorRegistry, health: Health) -> None:
        self._metrics_app = make_wsgi_app(registry)
        self._health = health

    def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        answer = self._answer(environ)
        length = ("Content-Length", str(len(answer.body)))
        start_response(answer.status, [*answer.headers, length])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def _answer(self, environ: Environ) -> _Answer:
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return _text("405 Method Not Allowed", "use GET or HEAD\n", ("Allow", "GET, HEAD"))
        if environ["PATH_INFO"] == "/metrics":
            return self._metrics(environ)
        if environ["PATH_INFO"] == "/health":
            return self._told_health()
        return _text("404 Not Found", "there are /metrics and /health\n")

    def _metrics(self, environ: Environ) -> _Answer:
        begun: list[Any] = []
        # It knows no HEAD.
        body = self._metrics_app(
            {**environ, "REQUEST_METHOD": "GET"}, lambda *arguments: begun.extend(arguments)
        )
        status, headers = begun
        return _Answer(status, headers, b"".join(body))

    def _told_health(self) -> _Answer:
        healthy, status, seconds = self._health.report()
        text = json.dumps({"status": status, "since": round(seconds, 3)})
        headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
        code = "200 OK" if healthy else "503 Service Unavailable"
        return _Answer(code, headers, f"{text}\n".encode())


def _text(status: str, text: str, *headers: tuple[str, str]) -> _Answer:
    return _Answer(status, [("Content-Type", "text/plain; charset=utf-8"), *headers], text.encode())


class _Handler(WSGIRequestHandler):
    timeout = IDLE_SECONDS

    def log_message(self, *_: object) -> None:
        """Say nothing: a scrape every few seconds is no news."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    # Some releases of Python let two servers share a port, and each gets half of the requests.
    allow_reuse_port = False

    def __init__(self, host: str, port: int, application: _Application) -> None:
        # Not with the port: it would take one that is too large modulo 65,536.
        ((self.address_family, _, _, _, address), *_) = socket.getaddrinfo(
            host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        super().__init__((address[0], port, *address[2:]), _Handler)
        self.set_app(application)

    def server_bind(self) -> None:
        """Bind without asking for the machine's name, for which a name server may take long."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]
        self.setup_environ()

    def handle_error(self, *_: object) -> None:
        """Leave a client that hung up or said nothing to itself."""
        logger.debug("a request for metrics was broken off: %r", sys.exc_info()[1])

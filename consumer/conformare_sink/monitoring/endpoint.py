"""`/metrics`, `/health` and `/live` over HTTP."""

from __future__ import annotations

import json
import logging
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from types import TracebackType
from typing import Any, final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from conformare_sink.errors import EndpointError
from conformare_sink.monitoring.health import Health, HealthReport, status_registry

logger = logging.getLogger("conformare_sink")

DEFAULT_HOST = "127.0.0.1"
IDLE_SECONDS = 10.0
"""A client that says nothing for so long is hung up on."""
MOST_CLIENTS = 32
"""Each has a thread; one more is hung up on at once."""
_POLL_SECONDS = 0.1

_TEXT = "text/plain; charset=utf-8"


@final
class MetricsEndpoint:
    """Serves a registry and a stream's health while its block lasts.

    It has no password and hides nothing it is given: it is for the machine itself or a network
    that is trusted.

    Args:
        registry: What `/metrics` shows, beside the status.
        health: What `/health` and `/live` tell.
        host: Address to listen on.
        port: Port to listen on; 0 for any that is free.
    """

    def __init__(
        self, registry: CollectorRegistry, health: Health, host: str = DEFAULT_HOST, port: int = 0
    ) -> None:
        self._registry = registry
        self._health = health
        self._host = host
        self._wanted_port = port
        self._server: _Server | None = None

    def __enter__(self) -> MetricsEndpoint:
        """Listen.

        Raises:
            EndpointError: The port is taken, or the address is not this machine's.
        """
        try:
            self._server = _Server(self._host, self._wanted_port, self._registry, self._health)
        except (OSError, OverflowError, ValueError) as exc:  # a name can be none of a machine
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
        return self._wanted_port if self._server is None else self._server.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    timeout = IDLE_SECONDS
    server: _Server

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            shown = b"".join(map(generate_latest, self.server.registries))
            self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, shown)
        elif path == "/health":
            report = self.server.health.report()
            self._tell(report, well=report.healthy)
        elif path == "/live":
            report = self.server.health.report()
            self._tell(report, well=report.alive)
        else:
            self._answer(HTTPStatus.NOT_FOUND, _TEXT, b"there are /metrics, /health and /live\n")

    def do_HEAD(self) -> None:
        self.do_GET()

    def send_error(self, code: int, *_: object) -> None:
        """Refuse a request, and repeat nothing of it."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._answer(HTTPStatus.METHOD_NOT_ALLOWED, _TEXT, b"use GET or HEAD\n")
        else:
            self._answer(code, _TEXT, b"this is not a request\n")

    def _tell(self, report: HealthReport, *, well: bool) -> None:
        told = json.dumps({"status": report.status, "since": round(report.seconds, 3)})
        code = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
        self._answer(code, "application/json", f"{told}\n".encode())

    def _answer(self, code: int, content_type: str, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: a scrape every few seconds is no news."""


class _Server(ThreadingTCPServer):
    # http.server's own asks for the machine's name, for which a name server may take long.
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = MOST_CLIENTS

    def __init__(self, host: str, port: int, registry: CollectorRegistry, health: Health) -> None:
        self.registries = (registry, status_registry(health))
        self.health = health
        self._free = threading.Semaphore(MOST_CLIENTS)
        # Not with the port: it would take one that is too large modulo 65,536.
        ((self.address_family, _, _, _, address), *_) = socket.getaddrinfo(
            host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        super().__init__((address[0], port, *address[2:]), _Handler)

    def verify_request(self, *_: object) -> bool:
        """Take a client if there are not too many."""
        return self._free.acquire(blocking=False)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer a client, and make room for the next one."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, *_: object) -> None:
        """Leave a client that hung up or said nothing to itself."""
        logger.debug("a request for metrics was broken off: %r", sys.exc_info()[1])

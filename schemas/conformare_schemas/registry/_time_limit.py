"""A limit on all the time that an answer takes: a socket's own time-out begins anew with each byte."""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any


class TimeLimit:
    """How long the answers to one client may take.

    It needs no thread: at a job's end, none may begin any more.

    Args:
        read_seconds: How long the next byte may take.
    """

    def __init__(self, read_seconds: float) -> None:
        self.read_seconds = read_seconds
        self.until = 0.0

    def begin(self, seconds: float) -> None:
        """Let the next answer be whole after so many seconds, or end with a time-out."""
        self.until = time.monotonic() + seconds

    def held_by(self, connections: Any) -> Any:
        """Return a class of connections that hold to it, made of one of urllib3's."""
        limit = self

        class Response(http.client.HTTPResponse):
            def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
                super().__init__(sock, *args, **kwargs)
                self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), sock, limit))

        class Connection(connections):  # type: ignore[misc]  # a class that is handed in
            response_class = Response

        return Connection


class _TimedReader(io.RawIOBase):
    """What comes by a socket, as long as there is time."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, limit: TimeLimit) -> None:
        self._raw = raw
        self._socket = sock
        self._limit = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._limit.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(min(left, self._limit.read_seconds))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()

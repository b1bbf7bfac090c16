"""A limit on all the time that a request takes: a socket's own time-out begins anew with each byte."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


class TimeLimit:
    """Cuts the connection of a client that waits too long; to be used by one thread."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    def watched(self, connections: Any) -> Any:
        """Return a class of connections as the given one, whose sockets can be cut.

        Args:
            connections: A class of connections of urllib3.
        """
        limit = self

        class Watched(connections):  # type: ignore[misc]
            def connect(self) -> None:
                super().connect()
                limit._socket = self.sock

        return Watched

    @contextmanager
    def of(self, seconds: float) -> Iterator[None]:
        """End what the block asks for after some seconds.

        Raises:
            TimeoutError: That was necessary.
        """
        is_cut = threading.Event()

        def cut() -> None:
            is_cut.set()
            if self._socket is not None:
                with suppress(OSError):  # it has ended by itself
                    # Not a TLS socket's own: that belongs to the thread that reads.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception as exc:
            if is_cut.is_set():
                raise TimeoutError from exc
            raise
        finally:
            timer.cancel()
        if is_cut.is_set():  # an answer that is cut may look like a whole one
            raise TimeoutError

"""A fleet, served in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from conformare.fleet import Fleet
from conformare.fleet.page._guard import Guard
from conformare.fleet.page.server import listening_socket, server_of


@contextmanager
def served(fleet: Fleet, token: str | None = None) -> Iterator[str]:
    """Serve a fleet, and yield the URL."""
    listening = listening_socket("127.0.0.1", 0)
    server = server_of(fleet, Guard(token), poll_seconds=0.2)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()

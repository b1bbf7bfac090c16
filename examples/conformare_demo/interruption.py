"""Breaking the demo off: what would outlive it is stopped, whoever asks and however often."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

REQUESTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, being told to end, a closed terminal."""


@contextmanager
def ending_on_request(stop: Callable[[], None]) -> Iterator[None]:
    """Let a request that comes during the block end the process, after `stop`.

    It raises nothing: a program that talks to Java is often in a place where Python or a library
    loses an exception that a signal raises. Spark's Java process ends with this one.

    Args:
        stop: Stops what would outlive the process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears of signals
        return

    def end(number: int, _frame: FrameType | None) -> None:
        for request in REQUESTS:
            signal.signal(request, signal.SIG_IGN)
        stop()
        os._exit(128 + number)

    with unchanged_handlers():
        for number in REQUESTS:
            # One that is ignored stays so, as under nohup.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, end)
        yield


@contextmanager
def unchanged_handlers() -> Iterator[None]:
    """Put the handlers of requests back after the block, which may bring others."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in REQUESTS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def held_back() -> Iterator[None]:
    """Let requests wait until the end of the block, where one that came breaks off."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    with unchanged_handlers():
        for number in REQUESTS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, note)
        yield
    if asked:
        signal.raise_signal(signal.Signals(asked[0]))

"""Breaking the demo off: what was started is stopped in order, whoever asks and however often."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

REQUESTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, being told to end, a closed terminal."""

_AGAIN_SECONDS = 1.0


@contextmanager
def interruptible() -> Iterator[None]:
    """Let a request break the block off; what follows the block is not disturbed by any.

    It ends the block with SystemExit. Inside, it is a KeyboardInterrupt, after which py4j mends its
    connection, and it is raised until it gets through: Python loses one that meets a finalizer or a
    hook of fork(), where a program that talks to Java often is, and some libraries swallow it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears of signals
        return
    # One that is ignored stays so, as under nohup.
    heard = [number for number in REQUESTS if signal.getsignal(number) is not signal.SIG_IGN]
    asked: list[int] = []
    earlier_hook = sys.unraisablehook

    def ask(number: int, _frame: FrameType | None) -> None:
        if number in heard:
            asked.append(number)
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS, _AGAIN_SECONDS)
            # py4j logs every interrupt that meets it, with its traceback.
            logging.disable()
        raise KeyboardInterrupt

    def report_lost(unraisable: UnraisableHookArgs) -> None:
        if not asked:
            earlier_hook(unraisable)

    for number in (*heard, signal.SIGALRM):
        signal.signal(number, ask)
    sys.unraisablehook = report_lost
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(128 + (asked[0] if asked else signal.SIGINT))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number in heard:
            signal.signal(number, signal.SIG_IGN)
        sys.unraisablehook = earlier_hook
        logging.disable(logging.NOTSET)


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

"""The one place where a fault of ours is kept away from the job that we run in.

Everything that the capture does around a call of the user stands inside `guard`; the call itself
stands outside it, so that its result, its exceptions and its order are the user's own.
"""

from __future__ import annotations

import functools
import logging
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, TypeVar

from conformare._process_lock import ProcessLock

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("conformare")

Reporter = Callable[[Exception], None]
"""What a guard does with an exception that it has swallowed."""


def _place_of(fault: Exception) -> tuple[str, int, str]:
    """Return where an exception was raised, and its class."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "", 0, type(fault).__name__
    return trace.tb_frame.f_code.co_filename, trace.tb_lineno, type(fault).__name__


class Guard:
    """Swallows, counts and reports exceptions; a context manager and a decorator.

    It holds no state of the block that it guards: one instance serves all threads, nested too.
    Interrupts and exits (anything that is not an `Exception`) pass through.

    Attributes:
        swallowed: Exceptions swallowed since the start of the process.
        reporter: Called with each of them; tests put their own here.
    """

    def __init__(self) -> None:
        self.swallowed = 0
        self.reporter: Reporter = self._log_once_per_place
        self._places: set[tuple[str, int, str]] = set()
        self._lock = ProcessLock()

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(exc, Exception):
            return False
        with self._lock:
            self.swallowed += 1
        try:
            self.reporter(exc)
        except Exception:  # noqa: BLE001 - a fault of the report must not reach the job either
            logger.debug("the report of a swallowed exception failed")
        return True

    def __call__(self, function: Callable[P, R]) -> Callable[P, R | None]:
        """Return the function guarded: None instead of an exception."""

        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | None:
            with self:
                return function(*args, **kwargs)
            return None

        return guarded

    def _log_once_per_place(self, fault: Exception) -> None:
        place = _place_of(fault)
        with self._lock:
            if place in self._places:
                return
            self._places.add(place)
        # Not what it says: an exception of Spark may quote locations with their credentials.
        logger.warning(
            "conformare failed inside its own code; the job continues, with less recorded "
            "(logged once per place)\n%s%s",
            "".join(traceback.format_tb(fault.__traceback__)),
            type(fault).__qualname__,
        )


guard = Guard()
"""The guard of the whole process."""

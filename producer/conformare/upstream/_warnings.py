"""The risks that come to a job with what it reads, told at each read."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from types import FrameType
from typing import Any

from conformare import _fork_guard as fork_guard
from conformare._errors import ConformareError, UpstreamRiskWarning
from conformare._process_lock import ProcessLock
from conformare._stores import state_of_stores, writer_for
from conformare.capture import on_read
from conformare.reader import StoreReadError
from conformare.upstream._look import readable_options, risks_of, tell_unreadable, told

logger = logging.getLogger("conformare")


class SourceWarnings:
    """Warns of captured reads, where the store is configured so."""

    def __init__(self) -> None:
        self._lock = ProcessLock()
        self._read_at: tuple[int, int] | None = None
        self._failed_at: int | None = None
        self._options: Any = None
        self._rows: dict[str, Mapping[str, Any]] = {}
        self._warned: set[str] = set()

    def tell(self, locations: list[str], frame: FrameType | None) -> None:
        """Warn of locations that carry risks, each once in this process."""
        state = state_of_stores()
        if state is None:
            return
        with self._lock:
            if state != self._read_at:
                self._look(state)
            if not self._rows:
                return
            with fork_guard.whole:
                from conformare.fleet.questions import place_of
            risky = {place_of(location): location for location in locations}
            new = risky.keys() & self._rows.keys() - self._warned
            self._warned |= new
        for place in sorted(new):
            self._warn({**self._rows[place], "location": risky[place]}, frame)

    def _look(self, state: tuple[int, int]) -> None:
        """Read the store once for each that is configured, and again once something is recorded."""
        configurations, _ = state
        if self._read_at is None or self._read_at[0] != configurations:
            self._options = _options_that_warn()
        self._read_at, self._rows = state, {}
        if self._options is None or self._failed_at == configurations:
            return
        try:
            rows = risks_of(self._options, None)
        except StoreReadError as exc:
            self._failed_at = configurations
            tell_unreadable(exc)
        else:
            self._rows = {row["location"]: row for row in rows}

    @staticmethod
    def _warn(row: Mapping[str, Any], frame: FrameType | None) -> None:
        warning = UpstreamRiskWarning(told(row))
        try:
            if frame is None:
                warnings.warn(warning, stacklevel=2)
            else:
                registry = frame.f_globals.setdefault("__warningregistry__", {})
                warnings.warn_explicit(
                    warning,
                    UpstreamRiskWarning,
                    frame.f_code.co_filename,
                    frame.f_lineno,
                    frame.f_globals.get("__name__"),
                    registry,
                )
        except UpstreamRiskWarning:
            pass  # warnings are errors here, and a read is none


def _options_that_warn() -> Any:
    """Return the options of the configured store; None where it is not to warn, or cannot."""
    with fork_guard.whole:
        from conformare.writers import options_of
    try:
        writer = writer_for(None)
        options = options_of(writer)
        return readable_options(writer) if options is not None and options.warn_on_source else None
    except ConformareError as exc:
        logger.warning("conformare: no read can be warned of: %s", exc)
        return None


on_read(SourceWarnings().tell)

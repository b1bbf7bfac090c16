"""The risks that come to a job with what it reads: asked for, or told at each read."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterable, Mapping
from functools import partial
from types import FrameType
from typing import Any

from conformare import _fork_guard as fork_guard
from conformare._errors import ConformareError, FleetError, UpstreamRiskWarning
from conformare._process_lock import ProcessLock
from conformare._reader import StoreReadError, asked, within
from conformare._recording import Destination, state_of_stores, writer_for
from conformare.capture import on_read
from conformare.capture.spark.sql._names import location_written

logger = logging.getLogger("conformare")

LOOK_UP_SECONDS = 10.0
"""How long a job waits for its store, at most."""

Rows = list[dict[str, Any]]


def check_upstream_risks(
    locations: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    dest: Destination | None = None,
    warn: bool = True,
) -> Rows:
    """Return the risks that locations carry, by the runs and declarations of the store.

        for found in cf.check_upstream_risks(["s3://lake/customers", "main.sales.orders"]):
            print(found["location"], found["n_risks"])

    A store that cannot be read fails no job: that is logged, and nothing is returned.

    Args:
        locations: One, or several, in any spelling; credentials in them are left out.
        dest: Where the runs are recorded, in place of the configured store.
        warn: Whether to warn where there are any.

    Returns:
        What `conformare.fleet.upstream_risks` returns of the store.

    Raises:
        StoreNotConfiguredError: There is neither `dest` nor a configured store.
        FleetError: What is recorded there cannot be read back, such as by a function.
        StoreConfigurationError: `dest` is a configuration that does not fit.
        TypeError: `dest` is of another kind.
    """
    several = [locations] if isinstance(locations, (str, os.PathLike)) else locations
    named = [location_written(os.fspath(location)) for location in several]
    options = _readable_options(writer_for(dest))
    try:
        rows = within(LOOK_UP_SECONDS, partial(_risks, options, named))
    except StoreReadError as exc:
        _tell_unreadable(exc)
        return []
    risky = [row for row in rows if row["n_risks"]]
    if warn and risky:
        told = "; ".join(map(_told, risky))
        warnings.warn(told, UpstreamRiskWarning, stacklevel=2)
    return rows


def _readable_options(writer: object) -> Any:
    """Return the options of a writer whose runs can be read back.

    Raises:
        FleetError: They cannot.
    """
    with fork_guard.whole:
        from conformare.writers import options_of

    options = options_of(writer)
    if options is None or options.writer in ("callable", "none"):
        raise FleetError(
            "what is recorded there cannot be read back: give dest=... with the writer json, parquet "
            "or spark_table, or kafka with lake=..."
        )
    if options.writer == "kafka" and getattr(options, "lake", None) is None:
        raise FleetError("the store of the writer 'kafka' is read from its lake: give lake=...")
    return options


def _risks(options: Any, locations: list[str] | None) -> Rows:
    """Return the risks of locations, or of every place that carries some."""
    with fork_guard.whole:
        from conformare.fleet import upstream_risks
        from conformare.fleet._config import place_of_options
        from conformare.fleet._spark_rows import carrying_rows

    try:
        place = place_of_options(options)
        return asked(
            "upstream_risks",
            LOOK_UP_SECONDS,
            place=place.place,
            table_prefix=place.table_prefix,
            locations=locations,
        )
    except (FleetError, StoreReadError, OSError):
        # What another process may not read, the job's own session may.
        if getattr(options, "spark", None) is None:
            raise
    return upstream_risks(carrying_rows(options), locations)


def _told(row: Mapping[str, Any]) -> str:
    """Return what a warning says of a location."""
    kinds = [f"{row[kind]} {kind}" for kind in ("direct", "indirect", "process", "static")]
    counted = ", ".join(told for told in kinds if not told.startswith("0 "))
    noun = "risk" if row["n_risks"] == 1 else "risks"
    return f"{row['location']} carries {row['n_risks']} recorded {noun}: {counted}"


def _tell_unreadable(why: StoreReadError) -> None:
    logger.warning(
        "conformare: the store cannot be read for the risks of what this job reads (%s); "
        "it goes on without them",
        why,
    )


class _SourceWarnings:
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
            rows = within(LOOK_UP_SECONDS, partial(_risks, self._options, None))
        except StoreReadError as exc:
            self._failed_at = configurations
            _tell_unreadable(exc)
        else:
            self._rows = {row["location"]: row for row in rows}

    @staticmethod
    def _warn(row: Mapping[str, Any], frame: FrameType | None) -> None:
        told = UpstreamRiskWarning(_told(row))
        try:
            if frame is None:
                warnings.warn(told, stacklevel=2)
            else:
                registry = frame.f_globals.setdefault("__warningregistry__", {})
                warnings.warn_explicit(
                    told,
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
        return _readable_options(writer) if options is not None and options.warn_on_source else None
    except ConformareError as exc:
        logger.warning("conformare: no read can be warned of: %s", exc)
        return None


on_read(_SourceWarnings().tell)

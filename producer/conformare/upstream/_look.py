"""The risks of places, looked up in a job's store: in bounded time, by another process if possible."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from conformare import _fork_guard as fork_guard
from conformare._errors import FleetError
from conformare.reader import StoreReadError, asked, within

logger = logging.getLogger("conformare")

LOOK_UP_SECONDS = 10.0
"""How long a job waits for its store, at most."""

Rows = list[dict[str, Any]]


def readable_options(writer: object) -> Any:
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


def risks_of(options: Any, locations: list[str] | None) -> Rows:
    """Return the risks of locations, or of every place that carries some.

    Args:
        options: Of a writer, from `readable_options`.
        locations: Which; None for all.

    Raises:
        StoreReadError: The store cannot be read, or not in time.
    """
    return within(LOOK_UP_SECONDS, partial(_risks, options, locations))


def _risks(options: Any, locations: list[str] | None) -> Rows:
    with fork_guard.whole:
        from conformare.fleet import upstream_risks
        from conformare.fleet._config import place_of_options
        from conformare.fleet._spark_rows import carrying_rows

    try:
        place = place_of_options(options)
        return asked(
            "conformare.fleet._for_jobs:carried",
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


def told(row: Mapping[str, Any]) -> str:
    """Return what a warning says of a location."""
    kinds = [f"{row[kind]} {kind}" for kind in ("direct", "indirect", "process", "static")]
    counted = ", ".join(kind for kind in kinds if not kind.startswith("0 "))
    noun = "risk" if row["n_risks"] == 1 else "risks"
    return f"{row['location']} carries {row['n_risks']} recorded {noun}: {counted}"


def tell_unreadable(why: StoreReadError) -> None:
    """Log that the store cannot be read, which fails no job."""
    logger.warning(
        "conformare: the store cannot be read for the risks of what this job reads (%s); "
        "it continues without them",
        why,
    )

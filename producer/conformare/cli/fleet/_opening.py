"""Opening the store that a command is given."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from conformare._errors import FleetError
from conformare.fleet import Fleet
from conformare.fleet.stores import open_store
from conformare_schemas.store import StoreError, read_settings


def opened(
    lake: str,
    storage_options: Path | None = None,
    table_prefix: str = "",
    max_age: timedelta | None = None,
) -> Fleet:
    """Return the fleet of a store.

    Args:
        lake: Where the store is.
        storage_options: File with settings of the store; None for those of the environment.
        table_prefix: What the tables' folders begin with.
        max_age: A pipeline whose newest run is older is stale.

    Raises:
        FleetError: There is no store, or it cannot be read.
    """
    try:
        settings = None if storage_options is None else read_settings(storage_options)
    except StoreError as exc:
        raise FleetError(str(exc)) from None  # the chain may have values
    store = open_store(lake, storage_options=settings, table_prefix=table_prefix)
    return Fleet(store, max_age=max_age)

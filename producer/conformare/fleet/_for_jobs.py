"""What a job asks of its store, answered in a process of its own."""

from __future__ import annotations

from typing import Any

from conformare._errors import FleetError
from conformare.fleet._api import upstream_risks
from conformare.fleet._tables import Tables
from conformare.fleet.stores import open_store
from conformare.reader import StoreReadError


def carried(place: str, table_prefix: str, locations: list[str] | None) -> list[dict[str, Any]]:
    """Return the risks that locations carry, as `upstream_risks` does.

    Raises:
        StoreReadError: The store cannot be read; what it says has no location in it.
    """
    try:
        return upstream_risks(Tables(open_store(place, table_prefix=table_prefix)), locations)
    except FleetError as exc:
        raise StoreReadError(str(exc).replace(place, "the store")) from exc

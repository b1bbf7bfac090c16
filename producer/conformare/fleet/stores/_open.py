"""From where runs were recorded to a store that can be asked about them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from conformare._errors import FleetError
from conformare.fleet.stores._files import (
    is_json_store,
    is_parquet_store,
    json_store,
    parquet_store,
)
from conformare.fleet.stores._store import FleetStore


def open_store(
    place: str, storage_options: Mapping[str, str] | None = None, table_prefix: str = ""
) -> FleetStore:
    """Open a lake, the location of a catalog's tables, or a folder of the json or parquet writer.

    Args:
        place: A folder, or the URL of one in an object store.
        storage_options: Settings of a lake's store that go before those of the environment.
        table_prefix: What the names of a catalog's tables begin with.

    Raises:
        FleetError: None of them is there, it cannot be read, or a library is missing.
    """
    folder = Path(place)
    try:
        is_lake = (folder / f"{table_prefix}runs" / "_delta_log").is_dir()
        # From Python 3.13 on, `glob` does not take every name that is no folder's.
        is_of_files = bool(place) and folder.is_dir() and not is_lake
        if is_of_files and is_parquet_store(folder):
            return parquet_store(folder)
        if is_of_files and is_json_store(folder):
            return json_store(folder)
    except OSError as exc:
        raise FleetError(f"{place} cannot be read: {exc.strerror}") from exc
    if find_spec("deltalake") is None:
        raise FleetError('reading a lake needs deltalake: pip install "conformare-stream[fleet]"')
    # deltalake works on threads that a fork does not copy: not before it is wanted.
    from conformare.fleet.stores._delta import DeltaTables
    from conformare.fleet.stores._lake import LakeStore

    return LakeStore(DeltaTables(place, storage_options, table_prefix))

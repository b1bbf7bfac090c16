"""What a lake's folder says of tables that are not in it: where in a catalog they are.

Without that, it looks like the folder of a new lake, and a command that is not told of the catalog
would make a second lake there.
"""

from __future__ import annotations

from conformare_sink.errors import LakeRefusedError
from conformare_sink.lake.layout import CATALOG_NOTE
from conformare_sink.lake.store.storage import Storage
from conformare_sink.options import CatalogOptions


def read_note(storage: Storage) -> CatalogOptions | None:
    """Return what a lake's folder says; None where it says nothing."""
    content = storage.read(CATALOG_NOTE)
    try:
        return None if content is None else CatalogOptions.model_validate_json(content)
    except ValueError:
        return None


def write_note(storage: Storage, catalog: CatalogOptions) -> None:
    """Note in a lake's folder where its tables are."""
    storage.write(CATALOG_NOTE, catalog.model_dump_json().encode())


def in_a_catalog(root: str, catalog: CatalogOptions) -> LakeRefusedError:
    """Return the error for who looks elsewhere for a lake's tables."""
    return LakeRefusedError(f"the tables of {root} are in a catalog: give {catalog.command_line}")

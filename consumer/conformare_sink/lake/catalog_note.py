"""What a lake's folder says of tables that are not in it: where in a catalog they are.

Without that, it looks like the folder of a new lake, and a command that is not told of the catalog
would make a second lake there.
"""

from __future__ import annotations

from conformare_sink.errors import LakeRefusedError
from conformare_sink.lake.folder import Folder
from conformare_sink.options import CatalogOptions

CATALOG_NOTE = "_catalog.json"
"""In the lake's folder, from when its tables were opened first."""


def parse_note(text: str | bytes) -> CatalogOptions | None:
    """Return what a note says; None where its writer ended while it wrote it."""
    try:
        return CatalogOptions.model_validate_json(text)
    except ValueError:
        return None


def read_note(folder: Folder) -> CatalogOptions | None:
    """Return what a lake's folder says; None where it says nothing."""
    return parse_note(folder.read_text(CATALOG_NOTE)) if folder.has(CATALOG_NOTE) else None


def write_note(folder: Folder, catalog: CatalogOptions) -> None:
    """Note in a lake's folder where its tables are."""
    folder.write_text(CATALOG_NOTE, catalog.model_dump_json())


def in_a_catalog(root: str, catalog: CatalogOptions) -> LakeRefusedError:
    """Return the error for who looks elsewhere for a lake's tables."""
    return LakeRefusedError(f"the tables of {root} are in a catalog: give {catalog.command_line}")

"""A table's definition as deltalake takes it: how one is made, and what one must not have."""

from __future__ import annotations

from deltalake import CommitProperties, DeltaTable, Field, Schema
from deltalake.exceptions import DeltaError

from conformare_schemas import Column, TableDefinition, arrow_schema
from conformare_sink.errors import LakeRefusedError
from conformare_sink.lake.store.storage import Storage

WRITABLE_FEATURES = frozenset(
    {
        "appendOnly",
        "changeDataFeed",
        "checkConstraints",
        "columnMapping",
        "deletionVectors",
        "generatedColumns",
        "invariants",
        "timestampNtz",
        "v2Checkpoint",
    }
)
"""Features that somebody may give a table and with which deltalake writes it rightly."""

DELETION_VECTORS = "deletionVectors"
MAPPED_FEATURES = frozenset({"columnMapping", DELETION_VECTORS})
"""With these, the rows of a file are not what the file alone says."""


def create_table(storage: Storage, definition: TableDefinition) -> DeltaTable:
    """Create a table; one that somebody else creates at the same time is returned as it is.

    Args:
        storage: The lake's folder.
        definition: What the table is.

    Raises:
        LakeRefusedError: There are files in its place, which are no table.
    """
    if any(not name.startswith("_") for name in storage.names(definition.name)):
        raise LakeRefusedError(
            f"{storage.location(definition.name)} has files and is no Delta table; choose another lake"
        )
    uri, options = storage.table_uri(definition.name), storage.options or None
    try:
        return DeltaTable.create(
            uri,
            Schema(fields(definition.columns)),
            mode="ignore",
            description=definition.comment,
            configuration=definition.properties,
            storage_options=options,
            raise_if_key_not_exists=False,  # our own are none of Delta's
            # Of two that create it, the second would replace the first's by a second commit.
            commit_properties=CommitProperties(max_commit_retries=0),
        )
    except (DeltaError, OSError) as exc:
        try:
            return DeltaTable(uri, storage_options=options)
        except (DeltaError, OSError):
            raise storage.fault(exc) from exc


def fields(columns: tuple[Column, ...]) -> list[Field]:
    """Return columns as deltalake takes them, with their comments."""
    types = Schema.from_arrow(arrow_schema(columns)).fields
    return [
        Field(column.name, known.type, nullable=True, metadata={"comment": column.comment})
        for column, known in zip(columns, types, strict=True)
    ]


def missing_columns(definition: TableDefinition, table: DeltaTable) -> tuple[Column, ...]:
    """Return the columns of a definition that a table does not have yet.

    Raises:
        LakeRefusedError: Somebody may have renamed them.
    """
    there = {field.name.lower() for field in table.schema().fields}
    missing = tuple(column for column in definition.columns if column.name.lower() not in there)
    if missing and "columnMapping" in table_features(table):
        names = ", ".join(column.name for column in missing)
        raise LakeRefusedError(
            f"{table.table_uri.rstrip('/')} has no column {names}: rename it back, or add it"
        )
    return missing


def table_features(table: DeltaTable) -> frozenset[str]:
    """Return the features that a table has by name."""
    protocol = table.protocol()
    return frozenset({*(protocol.writer_features or ()), *(protocol.reader_features or ())})


def require_writable(location: str, table: DeltaTable) -> None:
    """Make sure that deltalake can write a table as it is now.

    Raises:
        LakeRefusedError: Somebody has given it a feature with which it cannot.
    """
    if strange := sorted(table_features(table) - WRITABLE_FEATURES):
        drops = " and ".join(f"ALTER TABLE delta.`{location}` DROP FEATURE {f}" for f in strange)
        raise LakeRefusedError(
            f"{location} has the table feature {', '.join(strange)}, with which the sink cannot "
            f"write it: call {drops}, or copy its rows into a new lake"
        )

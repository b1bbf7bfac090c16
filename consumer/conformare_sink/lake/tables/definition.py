"""A table's definition as deltalake takes it: how one is made, and what one must not have."""

from __future__ import annotations

from collections.abc import Collection

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

_DROPPED_BY = {
    "rowTracking": "",
    "inCommitTimestamp": "",
    "typeWidening": " TRUNCATE HISTORY",
    "domainMetadata": "",
    "checkpointProtection": " TRUNCATE HISTORY",
}
"""Other features that Delta can drop from a table, in this order, and what the statement ends with."""

COLUMN_MAPPING = "columnMapping"
DELETION_VECTORS = "deletionVectors"
MAPPED_FEATURES = frozenset({COLUMN_MAPPING, DELETION_VECTORS})
"""With these, the rows of a file are not what the file alone says."""

_OF_NO_ROW = frozenset(
    {"appendOnly", "changeDataFeed", "deletionVectors", "timestampNtz", "v2Checkpoint"}
)
"""Features that say nothing of the rows of a new file."""


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
            f"{storage.location(definition.name)} has files but is not a Delta table; choose another lake"
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
    """Return the columns of a definition that a table does not have yet."""
    there = {field.name.lower() for field in table.schema().fields}
    return tuple(column for column in definition.columns if column.name.lower() not in there)


def lost_columns(location: str, names: Collection[str]) -> LakeRefusedError:
    """Return the error for a table that somebody has taken columns from."""
    return LakeRefusedError(
        f"{location} has no column {', '.join(sorted(names))}: rename it back, or add it again with "
        "ALTER TABLE … ADD COLUMNS"
    )


def require_unaltered(location: str, definition: TableDefinition, table: DeltaTable) -> None:
    """Make sure that nobody has altered a table so that it is no longer ours to read and write.

    Raises:
        LakeRefusedError: Somebody has.
    """
    require_writable(location, table)
    # Without a mapping, no column can be renamed or dropped: what is missing is new.
    if COLUMN_MAPPING in table_features(table) and (lost := missing_columns(definition, table)):
        raise lost_columns(location, [column.name for column in lost])


def table_features(table: DeltaTable) -> frozenset[str]:
    """Return the features that a table has by name."""
    protocol = table.protocol()
    return frozenset({*(protocol.writer_features or ()), *(protocol.reader_features or ())})


def require_writable(location: str, table: DeltaTable) -> None:
    """Make sure that deltalake can write a table as it is now.

    Raises:
        LakeRefusedError: Somebody has given it a feature with which it cannot.
    """
    strange = table_features(table) - WRITABLE_FEATURES
    if not strange:
        return
    if strange <= _DROPPED_BY.keys():
        drops = [
            f"ALTER TABLE delta.`{location}` DROP FEATURE {feature}{how}"
            for feature, how in _DROPPED_BY.items()
            if feature in strange
        ]
        what_to_do = f"call {', then '.join(drops)}"
    else:
        what_to_do = "Delta does not drop it, so copy the tables' rows into a new lake"
    raise LakeRefusedError(
        f"{location} has the table feature {', '.join(sorted(strange))}, with which the sink cannot "
        f"write it: {what_to_do}"
    )


def is_as_defined(definition: TableDefinition, table: DeltaTable) -> bool:
    """Return whether a table wants nothing of a file but the columns that its definition has.

    Somebody may have renamed columns, demanded something of their values, or made some of others.
    deltalake heeds that where it writes rows; a file that is only added may break it.
    """
    protocol = table.protocol()
    if protocol.min_writer_version not in (1, 2, 7) or table_features(table) - _OF_NO_ROW:
        return False
    ours = {column.name for column in definition.columns}
    there = {field.name for field in table.schema().fields}
    return ours <= there and all(
        field.nullable and not field.metadata.keys() - {"comment"}
        for field in table.schema().fields
    )

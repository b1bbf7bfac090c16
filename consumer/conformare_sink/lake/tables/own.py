"""The tables that a lake has beside the grains, and the rows that the sink writes to them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timezone

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from conformare_schemas import (
    Column,
    TableDefinition,
    acknowledgements_table,
    arrow_schema,
)
from conformare_sink.messages.envelope import Envelope, Rejected
from conformare_sink.messages.message import Message, message_columns, messages_of

_MESSAGE_COLUMNS = (
    Column("key", "BINARY", "Key of the Kafka message."),
    Column("value", "BINARY", "Value of the Kafka message, as it came; null if it was too large."),
    Column("value_bytes", "BIGINT", "Size of the value."),
    Column("topic", "STRING", "Topic it was read from."),
    Column("partition", "INT", "Partition it was read from."),
    Column("offset", "BIGINT", "Its offset in the partition."),
    Column("timestamp", "TIMESTAMP", "When the broker took it."),
)

PENDING = TableDefinition(
    "pending",
    "One message that had to wait for the rest of its emission. Rows of runs that have landed "
    "since mean nothing, and go with the next maintenance.",
    (
        *_MESSAGE_COLUMNS,
        Column("run_id", "STRING", "Run it belongs to."),
        Column("pipeline", "STRING", "Pipeline of the run."),
        Column("emission_id", "STRING", "Emission it belongs to."),
        Column("grain", "STRING", "Grain whose rows it carries."),
        Column("first_row", "INT", "Index of its first row in the grain."),
        Column("n_rows", "INT", "How many rows it carries."),
        Column("row_counts", "MAP<STRING,INT>", "Rows of each grain, in the runs message."),
        Column("kept_at", "TIMESTAMP", "When the sink put it here."),
    ),
    skipping=("run_id", "pipeline"),
)

QUARANTINE = TableDefinition(
    "quarantine",
    "One message that could not be used, with its bytes and the cause.",
    (
        *_MESSAGE_COLUMNS,
        Column("cause", "STRING", "Why it could not be used."),
        Column("quarantined_at", "TIMESTAMP", "When the sink put it here."),
    ),
    skipping=("topic", "timestamp", "quarantined_at"),
)

PURGED = TableDefinition(
    "purged",
    "One run that was deleted on purpose, and that no replay brings back.",
    (
        Column("run_id", "STRING", "The run."),
        Column(
            "pipeline", "STRING", "Pipeline of the run; empty for runs of the id in any pipeline."
        ),
        Column("purged_at", "TIMESTAMP", "When it was deleted."),
    ),
    skipping=("run_id", "pipeline", "purged_at"),
)


ACKNOWLEDGEMENTS = acknowledgements_table()
"""People's; of the sink it is made, compacted and purged."""


def pending_rows(envelopes: Collection[Envelope]) -> pa.Table:
    """Return messages that wait as rows of the table `pending`, from now on."""
    schema = arrow_schema(PENDING.columns)
    columns = _message_columns([e.message for e in envelopes])
    columns["kept_at"] = _now(len(envelopes))
    for field in schema:
        if field.name not in columns:
            values = [getattr(e, field.name) for e in envelopes]
            columns[field.name] = pa.array(values, field.type)
    return pa.table([columns[name] for name in schema.names], schema=schema)


def quarantine_rows(rejected: Collection[Rejected]) -> pa.Table:
    """Return messages that could not be used as rows of the table `quarantine`, from now on."""
    schema = arrow_schema(QUARANTINE.columns)
    columns = _message_columns([one.message for one in rejected])
    weights = pa.array([one.n_bytes for one in rejected], pa.int64())
    columns["value_bytes"] = pc.coalesce(columns["value_bytes"], weights)
    columns["cause"] = pa.array([one.cause for one in rejected])
    columns["quarantined_at"] = _now(len(rejected))
    return pa.table([columns[name] for name in schema.names], schema=schema)


def rejected_in(content: bytes) -> list[Rejected]:
    """Return the messages in a file of the table `quarantine`.

    Args:
        content: The file's.
    """
    rows = pq.read_table(pa.BufferReader(content))
    columns = (rows.column(name).to_pylist() for name in ("cause", "value_bytes"))
    return list(map(Rejected, messages_of(rows), *columns))


def _message_columns(messages: Collection[Message]) -> dict[str, pa.Array]:
    columns = message_columns(messages)
    return columns | {"value_bytes": pc.binary_length(columns["value"]).cast(pa.int64())}


def _now(n_rows: int) -> pa.Array:
    return pa.array([datetime.now(timezone.utc)] * n_rows, pa.timestamp("us", "UTC"))

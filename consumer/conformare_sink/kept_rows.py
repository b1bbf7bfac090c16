"""Messages that the lake keeps are rows of its tables `pending` and `quarantine`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timezone

import pyarrow as pa

from conformare_schemas import arrow_schema
from conformare_sink.envelope import Envelope, Rejected
from conformare_sink.lake_tables import PENDING, QUARANTINE
from conformare_sink.message import message_columns


def pending_rows(envelopes: Collection[Envelope]) -> pa.Table:
    """Return messages that wait as rows of the table `pending`."""
    schema = arrow_schema(PENDING.columns)
    columns = message_columns([e.message for e in envelopes])
    for field in schema:
        if field.name not in columns:
            values = [getattr(e, field.name) for e in envelopes]
            columns[field.name] = pa.array(values, field.type)
    return pa.table([columns[name] for name in schema.names], schema=schema)


def quarantine_rows(rejected: Collection[Rejected]) -> pa.Table:
    """Return messages that could not be used as rows of the table `quarantine`, from now on."""
    schema = arrow_schema(QUARANTINE.columns)
    columns = message_columns([one.message for one in rejected])
    now = datetime.now(timezone.utc)
    columns["cause"] = pa.array([one.cause for one in rejected])
    columns["quarantined_at"] = pa.array([now] * len(rejected), pa.timestamp("us", "UTC"))
    return pa.table([columns[name] for name in schema.names], schema=schema)

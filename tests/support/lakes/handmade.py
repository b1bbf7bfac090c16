"""A lake written by hand, with delta-rs: sound, or broken in exactly the way that a test wants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from conformare_schemas import RUN_GRAINS, table_columns
from support.messages.records import Record

_ARROW_TYPES = {
    "STRING": pa.string(),
    "INT": pa.int32(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "ARRAY<STRING>": pa.list_(pa.string()),
    "MAP<STRING,STRING>": pa.map_(pa.string(), pa.string()),
}

_MESSAGE_SCHEMA = pa.schema(
    [
        ("key", pa.binary()),
        ("value", pa.binary()),
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
    ]
)

_PENDING_SCHEMA = pa.schema([("pipeline", pa.string()), ("run_id", pa.string())])


class HandmadeLake:
    """The tables of a lake, all of them there and empty at first.

    Args:
        root: Its folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        for grain in RUN_GRAINS:
            self._append(grain, [], _schema(grain))
        self._append("quarantine", [], _MESSAGE_SCHEMA)

    def append(
        self, *records: Record, emission_id: str = "e", grains: Iterable[str] = RUN_GRAINS
    ) -> None:
        """Append the rows that records have of some grains, a commit for each, `runs` last.

        A row that names its emission itself is of that one.
        """
        for grain in sorted(grains, key=lambda one: one == "runs"):
            rows = [
                {
                    "emission_id": emission_id,
                    **row,
                    "ts": datetime.fromisoformat(row["ts"].replace("Z", "+00:00")),
                }
                for record in records
                for row in record[grain]
            ]
            if rows:
                self._append(grain, rows, _schema(grain))

    def quarantine(self, place: tuple[str, int, int], value: bytes | None) -> None:
        """Append a message to quarantine, its key being b"key"."""
        topic, partition, offset = place
        row = {"key": b"key", "value": value}
        where = {"topic": topic, "partition": partition, "offset": offset}
        self._append("quarantine", [{**row, **where}], _MESSAGE_SCHEMA)

    def keep(self, run: tuple[str, str]) -> None:
        """Append a message of a run, given by pipeline and run_id, to what is pending."""
        pipeline, run_id = run
        self._append("pending", [{"pipeline": pipeline, "run_id": run_id}], _PENDING_SCHEMA)

    def remove(self, grain: str, predicate: str) -> None:
        """Delete rows of a table."""
        DeltaTable(str(self.root / grain)).delete(predicate)

    def compact(self) -> None:
        """Write every grain's rows into as few files as possible."""
        for grain in RUN_GRAINS:
            DeltaTable(str(self.root / grain)).optimize.compact()

    def _append(self, table: str, rows: Sequence[Mapping[str, Any]], schema: Any) -> None:
        content = pa.Table.from_pylist(list(rows), schema)
        write_deltalake(str(self.root / table), content, mode="append")


def _schema(grain: str) -> Any:
    return pa.schema([(c.name, _ARROW_TYPES[c.sql_type]) for c in table_columns(grain)])

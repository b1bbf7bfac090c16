"""The table `pending`: messages that wait for the rest of their emission."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

import pyarrow as pa

from conformare_sink.lake.kept.messages import PLACE_COLUMNS, place_keys
from conformare_sink.lake.landings import run_keys
from conformare_sink.lake.tables.data_file import DataFile
from conformare_sink.lake.tables.own import PENDING, pending_rows
from conformare_sink.lake.tables.sql import microseconds_of, sql_moment
from conformare_sink.lake.tables.tables import LakeTables, Table, select_all, select_rows
from conformare_sink.messages.emission import EmissionKey, RunKey
from conformare_sink.messages.envelope import Envelope
from conformare_sink.messages.message import Place, messages_of

MOST_WAITING = 50_000
"""Messages without values that come at once: as envelopes, they take ten times their final room."""

_NO_TIME = 0
"""`ts` of a message whose value has not been read."""
_WAITING = f"""
SELECT key, {PLACE_COLUMNS}, grain, n_rows, run_id, pipeline, emission_id, first_row, row_counts
FROM {PENDING.name}
"""  # noqa: S608 - our own words


class PendingTable:
    """The messages that wait; the thread of maintenance may delete some beside the one that lands.

    Args:
        tables: The lake's tables.
        table: `pending`, open for writing.
    """

    def __init__(self, tables: LakeTables, table: Table) -> None:
        self._tables = tables
        self._table = table
        self._writing = threading.Lock()

    @property
    def takes_files(self) -> bool:
        """Whether rows may come as files."""
        return self._table.takes_files

    def add(self, envelopes: Collection[Envelope]) -> None:
        """Keep messages."""
        if envelopes:
            with self._writing:
                self._table.append(pending_rows(envelopes))

    def add_files(self, files: Sequence[DataFile]) -> None:
        """Keep messages that are in files."""
        if files:
            with self._writing:
                self._table.add(files)

    def delete(self, places: Collection[Place]) -> None:
        """Delete messages by their places in Kafka."""
        with self._writing:
            self._table.delete(place_keys(places))

    def delete_runs(self, runs: Collection[RunKey]) -> int:
        """Delete the messages of some runs; return how many there were."""
        with self._writing:
            return self._table.delete(run_keys(runs))

    def runs(self) -> list[RunKey]:
        """Return the runs that messages wait for."""
        sql = f"SELECT DISTINCT pipeline, run_id FROM {PENDING.name}"  # noqa: S608 - our own words
        found = select_all(self._tables, sql, PENDING.name)
        columns = (found.column(name).to_pylist() for name in RunKey._fields)
        return list(map(RunKey, *columns))

    def read(self) -> Iterator[list[Envelope]]:
        """Return all messages, without their values, in portions."""
        for found in self._tables.select(_WAITING, PENDING.name):
            for start in range(0, found.num_rows, MOST_WAITING):
                yield envelopes_of(found.slice(start, MOST_WAITING))

    def emissions_since(self, moment: datetime) -> list[EmissionKey]:
        """Return the emissions of which nothing has been kept since a moment."""
        sql = f"""
            SELECT pipeline, run_id, emission_id FROM {PENDING.name}
            GROUP BY pipeline, run_id, emission_id
            HAVING max(kept_at) < {sql_moment(microseconds_of(moment), self._tables.dialect)}
        """  # noqa: S608 - a number
        return [EmissionKey(**row) for row in select_rows(self._tables, sql, PENDING.name)]


def envelopes_of(rows: pa.Table) -> list[Envelope]:
    """Return messages that wait.

    Args:
        rows: Of the table `pending`, with values or without.
    """
    table = rows
    if "value" not in rows.column_names:
        table = rows.append_column("value", pa.nulls(rows.num_rows, pa.binary()))
    names = ("grain", "n_rows", "run_id", "pipeline", "emission_id", "first_row", "row_counts")
    columns = [table.column(name).to_pylist() for name in names]
    return [
        Envelope(
            message=message,
            grain=grain,
            n_rows=n_rows,
            at=-1,
            run_id=run_id,
            pipeline=pipeline,
            ts=_NO_TIME,
            emission_id=emission_id,
            first_row=first_row,
            row_counts=None if counts is None else dict(counts),
        )
        for message, grain, n_rows, run_id, pipeline, emission_id, first_row, counts in zip(
            messages_of(table), *columns, strict=True
        )
    ]

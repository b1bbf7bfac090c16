"""A lake that holds many runs, made without a sink: their rows in `runs` alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pyarrow as pa
from deltalake import write_deltalake

from conformare_schemas import arrow_schema, table_columns
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.tables.folder import FolderTables
from conformare_sink.lake.tables.places import folder_tables
from conformare_sink.options import StorageSettings

ROWS_OF_A_FILE = 1_000_000
MILLISECONDS = 60
"""Between one run and the next, where they are in the order of time."""
PIPELINES = 50
OPENINGS = 5


def filled(lake: str, runs: int, *, in_order: bool) -> FolderTables:
    """Return the tables of a new lake that holds so many runs.

    Args:
        lake: Its folder, or its URL where the environment says how the store is reached.
        runs: How many.
        in_order: Whether their run_ids are in the order of time, or at random.
    """
    tables = folder_tables(lake, StorageSettings())
    with open_for_writing(tables, "the bench"):
        pass
    for rows in _rows(runs, in_order=in_order):
        write_deltalake(
            tables.storage.table_uri("runs"),
            rows,
            mode="append",
            storage_options=tables.storage.options or None,
        )
    return tables


def opening_seconds(tables: FolderTables, runs: int) -> float:
    """Return how long it takes to open a lake for landing: the median of some times.

    Nothing of the lake is kept on this machine.

    Args:
        tables: Its tables.
        runs: How many runs it holds.
    """
    taken = []
    for _ in range(OPENINGS):
        with TemporaryDirectory() as folder:
            start = time.perf_counter()
            with open_for_writing(tables, "the bench", Path(folder)) as lake:
                taken.append(time.perf_counter() - start)
                n_known = len(lake._settled.known)  # noqa: SLF001 - that it has read them is to be made sure
        if n_known != runs:
            raise RuntimeError(f"{n_known} runs are known of {runs}")
    return median(taken)


def _rows(runs: int, *, in_order: bool) -> Iterator[pa.Table]:
    schema = arrow_schema(table_columns("runs"))
    first = int(time.time() * 1000) - runs * MILLISECONDS
    for start in range(0, runs, ROWS_OF_A_FILE):
        numbers = range(start, min(runs, start + ROWS_OF_A_FILE))
        millis = [first + number * MILLISECONDS for number in numbers]
        digests = [
            md5(str(number).encode(), usedforsecurity=False).hexdigest() for number in numbers
        ]
        known = {
            # The first 48 bits of a UUIDv7 are its time.
            "run_id": [f"{t:012x}{digest[:20]}" for t, digest in zip(millis, digests, strict=True)]
            if in_order
            else digests,
            "pipeline": [f"pipeline {number % PIPELINES}" for number in numbers],
            "ts": pa.array([t * 1000 for t in millis], pa.timestamp("us", "UTC")),
            "status": ["healthy"] * len(numbers),
        }
        yield pa.table(
            [
                pa.array(known[field.name]).cast(field.type)
                if field.name in known
                else pa.nulls(len(numbers), field.type)
                for field in schema
            ],
            schema=schema,
        )

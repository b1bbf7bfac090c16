"""A lake of a large fleet, made without a sink: so many runs of so many pipelines over a year.

What a run has is its pipeline's: rows are taken from a few per pipeline, by number. So a million
runs are made in half a minute.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

from conformare_schemas import EMISSION_COLUMN, arrow_schema, table_columns
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.tables.places import folder_tables
from conformare_sink.options import StorageSettings

RUNS_OF_A_FILE = 100_000
YEAR_MICROS = 365 * 86_400 * 1_000_000
END_MICROS = 1_795_000_000_000_000
"""When the last run took place: in November 2026."""
CONTEXTS = 4
"""Contexts of a run, each with a label of its own."""
RUNS_OF_A_REVISION = 97
"""A context's code changes after so many runs of its pipeline."""
RISKY_CHANGE = 5
"""One change of so many leaves the context's risks as they were."""
WITH_SEVERAL_ENVIRONMENTS = 3
"""One pipeline of so many runs in a second environment as well."""
OWNERS = 40


@dataclass(frozen=True)
class Size:
    """How large a fleet is."""

    runs: int
    pipelines: int


def generate(lake: Path, size: Size) -> None:
    """Write the tables of a fleet.

    Args:
        lake: The lake's folder; there is none yet.
        size: How many runs and pipelines.
    """
    with open_for_writing(folder_tables(str(lake), StorageSettings()), "the bench"):
        pass  # all tables are made
    for first in range(0, size.runs, RUNS_OF_A_FILE):
        append_runs(lake, np.arange(first, min(size.runs, first + RUNS_OF_A_FILE)), size)


def append_runs(lake: Path, numbers: Any, size: Size) -> None:
    """Append runs by their numbers, what is theirs in `runs` last.

    Args:
        lake: The lake's folder.
        numbers: Which runs of the fleet; beyond its size they are newer than all.
        size: How large the fleet is.
    """
    for grain, columns in _rows(numbers, size):
        _append(lake, grain, columns)


def _append(lake: Path, grain: str, columns: Mapping[str, Any]) -> None:
    schema = arrow_schema(table_columns(grain))
    length = len(columns["run_id"])
    table = pa.table(
        [
            columns[field.name].cast(field.type)
            if field.name in columns
            else pa.nulls(length, field.type)
            for field in schema
        ],
        schema=schema,
    )
    write_deltalake(str(lake / grain), table, mode="append")


def _rows(numbers: Any, size: Size) -> Iterator[tuple[str, dict[str, Any]]]:
    pipeline = numbers % size.pipelines
    turn = numbers // size.pipelines
    run = _Runs(numbers, pipeline, turn, size)
    failed = (numbers * 7919) % 33 == 0
    degraded = (numbers * 104_729) % 14 == 0
    status = np.where(failed, "failed", np.where(degraded, "degraded", "healthy"))
    second = (pipeline % WITH_SEVERAL_ENVIRONMENTS == 0) & (turn % 5 == 0)
    ones = np.ones(len(numbers), dtype=np.int32)
    for offset in range(CONTEXTS):
        yield "contexts", {**run.keys(1), **_contexts(pipeline, turn, offset)}
    names = np.array([f"owner-{number:02}" for number in range(OWNERS)])
    owner = _taken(names, pipeline % OWNERS)
    catalog = np.array(["privacy.pii_exposure", "quality.duplicates", "compliance.retention"])
    risk = _taken(catalog, pipeline % 3)
    severity = _taken(np.array(["critical", "medium", "high"]), pipeline % 3)
    mitigated = pa.array((pipeline + turn // 200) % 4 != 0)
    yield (
        "risks",
        {
            **run.keys(1),
            "risk_id": risk,
            "label": risk,
            "category": risk,
            "severity": severity,
            "governance": _taken(np.array(["high", "low"]), mitigated.to_numpy(False).astype(int)),
            "mitigated": mitigated,
            "owned": pa.array(pipeline % 5 != 0),
            "process": pa.array(pipeline < 0),
            "n_occurrences": pa.array(ones),
        },
    )
    yield (
        "owners",
        {
            **run.keys(1),
            "owner": owner,
            "scope": _constant("context", len(numbers)),
            "ref": _taken(np.array([f"step {n}" for n in range(CONTEXTS)]), pipeline % CONTEXTS),
            "role": _constant("context_owner", len(numbers)),
        },
    )
    tables = np.array([f"s3://lake/zone/table_{number:05}" for number in range(size.pipelines)])
    columns = pa.array([["email", "id", "total"]]).take(pa.array(np.zeros(len(numbers), int)))
    # Each pipeline reads what three others write: trees of some hops.
    for parent in {(2, 1), (3, 1), (7, 5)}:
        yield (
            "sources",
            {
                **run.keys(1),
                "node": _constant("source", len(numbers)),
                "location": _taken(tables, pipeline // parent[0] + parent[1] - 1),
                "format": _constant("delta", len(numbers)),
                "reader": _constant("spark.read", len(numbers)),
                "columns": columns,
            },
        )
    yield (
        "sinks",
        {
            **run.keys(1),
            "node": _constant("sink", len(numbers)),
            "location": _taken(tables, pipeline),
            "format": _constant("delta", len(numbers)),
            "writer": _constant("spark", len(numbers)),
            "columns": columns,
            "n_sensitive": pa.array(ones),
        },
    )
    for check, column in (("expect_column_values_to_not_be_null", "id"), ("expect_x", "total")):
        bad = failed if column == "id" else degraded
        yield (
            "expectations",
            {
                **run.keys(1),
                "node": _constant("sink", len(numbers)),
                "expectation": _constant(check, len(numbers)),
                "column": _constant(column, len(numbers)),
                "success": pa.array(~bad),
                "hard": pa.array(bad & (column == "id")),
                "severity": _constant("critical", len(numbers)),
                "missing_column": pa.array(pipeline < 0),
            },
        )
    yield (
        "sink_risks",
        {
            **run.keys(1),
            "sink_node": _constant("sink", len(numbers)),
            "sink_location": _taken(tables, pipeline),
            "risk_id": risk,
            "label": risk,
            "severity": severity,
            "mitigated": mitigated,
            "kind": _constant("indirect", len(numbers)),
            "distance": pa.array(ones),
        },
    )
    yield (
        "runs",
        {
            **run.keys(1),
            "schema_version": pa.array(ones),
            "conformare_version": _constant("0.1.0", len(numbers)),
            "title": _constant("conformare run", len(numbers)),
            "status": pa.array(status),
            "env": _taken(np.array(["prod", "dev"]), second.astype(int)),
            "git_sha": _constant("0123456789abcdef", len(numbers)),
            "ge_evaluated": pa.array(ones * 2),
            "ge_failed": pa.array((failed | degraded).astype(np.int32)),
            "ge_failed_hard": pa.array(failed.astype(np.int32)),
            "ge_errored": pa.array(ones * 0),
            "risks_total": pa.array(ones),
            "sensitive_written": pa.array(ones),
        },
    )


class _Runs:
    """The columns that every row of a run begins with."""

    def __init__(self, numbers: Any, pipeline: Any, turn: Any, size: Size) -> None:
        turns = size.runs // size.pipelines
        jitter = (numbers * 2_654_435_761) % (YEAR_MICROS // turns // 4)
        micros = END_MICROS - YEAR_MICROS + (turn + 1) * (YEAR_MICROS // turns) - jitter
        # The first 48 bits of a UUIDv7 are its time; the rest is at random.
        self._ids = pa.array(
            [
                f"{micro // 1000:012x}7{hashlib.md5(b'%d' % number, usedforsecurity=False).hexdigest()[:19]}"
                for number, micro in zip(numbers.tolist(), micros.tolist(), strict=True)
            ]
        )
        self._ts = pa.array(micros).cast(pa.timestamp("us", "UTC"))
        names = np.array(
            [f"team-{number % 25:02}.pipeline-{number:04}" for number in range(size.pipelines)]
        )
        self._pipeline = _taken(names, pipeline)

    def keys(self, _rows: int) -> dict[str, Any]:
        return {
            "run_id": self._ids,
            "pipeline": self._pipeline,
            "ts": self._ts,
            EMISSION_COLUMN: self._ids,
        }


def _contexts(pipeline: Any, turn: Any, offset: int) -> dict[str, Any]:
    n = len(pipeline)
    revision = (turn + pipeline % RUNS_OF_A_REVISION + 13 * offset) // RUNS_OF_A_REVISION
    impl = (pipeline * 31 + offset) * 1_000 + revision
    risk = (pipeline * 31 + offset) * 1_000 + revision - (revision % RISKY_CHANGE == 0)
    return {
        "context_label": _constant(f"step {offset}", n),
        "purpose": _constant("", n),
        "impl_hash": _hashes(impl),
        "risk_hash": _hashes(risk),
        "has_risks": pa.array(pipeline >= 0),
        "n_steps": pa.array(np.full(n, 3, dtype=np.int32)),
    }


def _hashes(values: Any) -> Any:
    distinct, inverse = np.unique(values, return_inverse=True)
    return _taken(np.array([f"{value:016x}" for value in distinct.tolist()]), inverse)


def _taken(values: Any, index: Any) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), pa.array(values))


def _constant(value: str, length: int) -> Any:
    return pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(length, dtype=np.int32)), pa.array([value])
    )

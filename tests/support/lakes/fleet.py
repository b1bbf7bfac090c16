"""A fleet written by hand, of whose runs a test says only what it is about; and views over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake
from pyspark.sql import SparkSession

from conformare_schemas import GRAINS, acknowledgements_table, arrow_schema, row_fields
from conformare_sink.lake.views.sources import tables_of_folder
from conformare_sink.lake.views.statements import VIEWS, view_statements
from support.lakes.handmade import HandmadeLake
from support.lakes.landed import tables_in
from support.messages.records import Record

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Run:
    """One run; what is not said is nothing."""

    run_id: str
    pipeline: str = "p"
    minute: int = 0
    """Of its time, counted from the fleet's beginning."""
    env: str | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    """Other columns of `runs`."""
    rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """Rows of the other grains."""
    emission: str = ""
    """Which emission of the run it is, where there are several."""

    @property
    def ts(self) -> datetime:
        """Its time."""
        return BEGIN + timedelta(minutes=self.minute)

    @property
    def record(self) -> Record:
        """The run as a record."""
        key = {
            "run_id": self.run_id,
            "pipeline": self.pipeline,
            "ts": self.ts.isoformat(),
            "emission_id": f"{self.pipeline}/{self.run_id}/{self.emission}",
        }
        given = {**self.rows, "runs": [{"env": self.env, **self.columns}]}
        return {
            grain: [{**key, **_nothing(grain), **row} for row in given.get(grain, ())]
            for grain in GRAINS
        }


def _nothing(grain: str) -> dict[str, Any]:
    return {column.name: _empty(column.avro_type) for column in row_fields(grain)}


def _empty(avro_type: Any) -> Any:
    if isinstance(avro_type, list):
        return None
    if isinstance(avro_type, dict):
        return [] if avro_type["type"] == "array" else {}
    return {"string": "", "int": 0, "boolean": False}[avro_type]


def context(label: str, impl: str, risk: str, *risk_ids: str) -> dict[str, Any]:
    """A row of `contexts`."""
    return {
        "context_label": label,
        "impl_hash": impl,
        "risk_hash": risk,
        "has_risks": bool(risk_ids),
        "risk_ids": list(risk_ids),
    }


def owner(name: str, ref: str, scope: str = "context") -> dict[str, Any]:
    """A row of `owners`."""
    return {"owner": name, "ref": ref, "scope": scope, "role": f"{scope}_owner"}


def at(*locations: str) -> list[dict[str, Any]]:
    """Rows of `sources` or `sinks`."""
    return [{"location": location} for location in locations]


class Fleet:
    """A lake written by hand, and the views over it.

    Args:
        spark: The session that is asked.
        root: Folder of the lake.
    """

    def __init__(self, spark: SparkSession, root: Path) -> None:
        self.root = root
        self._spark = spark
        self._lake = HandmadeLake(root)

    def land(self, *runs: Run) -> None:
        """Land runs."""
        self._lake.append(*(run.record for run in runs))

    def leave(self, run: Run) -> None:
        """Leave the rows of a run that has not landed: all but that in `runs`."""
        children = [grain for grain, rows in run.record.items() if rows and grain != "runs"]
        self._lake.append(run.record, grains=children)

    def acknowledge(self, run: Run, label: str) -> None:
        """Acknowledge the drift of a context."""
        schema = arrow_schema(acknowledgements_table().columns)
        key = {"run_id": run.run_id, "pipeline": run.pipeline, "ts": run.ts}
        row = dict.fromkeys(schema.names) | key | {"context_label": label}
        rows = pa.Table.from_pylist([row], pa.schema([one.with_nullable(True) for one in schema]))
        write_deltalake(str(self.root / "acknowledgements"), rows, mode="append")

    def create(self) -> None:
        """Create the views, for this session."""
        tables = tables_of_folder(tables_in(self.root))
        for statement in view_statements(tables, None).values():
            self._spark.sql(statement)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query finds, in any order."""
        found = self._spark.sql(sql).toArrow()
        return [tuple(row.values()) for row in found.to_pylist()]

    def drop(self) -> None:
        """Drop the views."""
        for view in VIEWS:
            self._spark.catalog.dropTempView(view.name)

"""What people acknowledge is in the lake: the sink keeps the table, and purges it with its runs."""

from __future__ import annotations

import shutil
from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from support.lakes.landed import land, tables_in
from support.messages.records import make_record

from conformare_schemas import acknowledgements_table, arrow_schema
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.maintenance import Maintenance
from conformare_sink.lake.purge import Purge

TABLE = acknowledgements_table()
WHEN = datetime(2026, 3, 1, tzinfo=timezone.utc)


def acknowledge(lake: Path, run_id: str) -> None:
    """Write as people do, past the sink."""
    row = dict.fromkeys((column.name for column in TABLE.columns), "x")
    times = {"ts": WHEN, "acknowledged_at": WHEN}
    rows = pa.Table.from_pylist(
        [{**row, **times, "run_id": run_id, "pipeline": "p"}], arrow_schema(TABLE.columns)
    )
    write_deltalake(lake / TABLE.name, rows, mode="append")


def acknowledged(lake: Path) -> list[str]:
    """The runs in the table."""
    rows = DeltaTable(lake / TABLE.name).to_pyarrow_table(columns=["run_id"])
    return sorted(row["run_id"] for row in rows.to_pylist())


def test_the_table_begins_with_the_runs_key_and_says_who_reviewed_what() -> None:
    """Its columns are those that the contract names, and it is marked as ours."""
    assert TABLE.schema_ddl.startswith("`run_id` STRING COMMENT 'Identity of the run")
    assert [(column.name, column.sql_type) for column in TABLE.columns] == [
        ("run_id", "STRING"),
        ("pipeline", "STRING"),
        ("ts", "TIMESTAMP"),
        ("context_label", "STRING"),
        ("impl_hash", "STRING"),
        ("risk_hash", "STRING"),
        ("acknowledged_by", "STRING"),
        ("acknowledged_at", "TIMESTAMP"),
        ("note", "STRING"),
    ]
    assert TABLE.properties["conformare.table"] == "acknowledgements"


def test_a_lake_that_has_no_such_table_gets_one(tmp_path: Path) -> None:
    """It was made by a sink that did not know it."""
    with open_for_writing(tables_in(tmp_path), "a test"):
        pass
    shutil.rmtree(tmp_path / TABLE.name)
    with open_for_writing(tables_in(tmp_path), "a test"):
        assert acknowledged(tmp_path) == []


def test_a_purged_run_takes_what_was_acknowledged_of_it_along(tmp_path: Path) -> None:
    """What people write beside an open sink is purged and compacted with the rest."""
    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        land(lake, *(make_record(run_id, pipeline="p") for run_id in ("kept", "doomed")))
        for run_id in ("kept", "doomed", "kept"):
            acknowledge(tmp_path, run_id)
        lake.purge(Purge(run_ids=("doomed",)))
        assert acknowledged(tmp_path) == ["kept", "kept"]
        assert not Maintenance(lake, 168).run_once().faults
        assert len(DeltaTable(tmp_path / TABLE.name).file_uris()) == 1
        assert acknowledged(tmp_path) == ["kept", "kept"]

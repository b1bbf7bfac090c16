"""What a lake holds and waits for: read from Delta tables, however much waits, and without Spark."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from conformare.cli import main
from conformare_schemas import RUN_GRAINS, Column, arrow_schema, table_columns
from conformare_sink import status
from conformare_sink.errors import NoLakeError
from conformare_sink.lake.tables.own import PENDING, QUARANTINE
from conformare_sink.lake.tables.places import folder_tables
from conformare_sink.lake.tables.tables import LakeTables, select_rows
from conformare_sink.options import StorageSettings
from conformare_sink.status import read_status

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A lake of five runs, in which nothing waits."""
    outcomes = ["healthy", "failed", "healthy", "degraded", "healthy"]
    for grain in RUN_GRAINS:
        rows = [{"run_id": f"r{n}", "pipeline": "p"} for n in range(5)]
        if grain == "runs":
            rows = [{**row, "status": told} for row, told in zip(rows, outcomes, strict=True)]
        append(tmp_path, grain, table_columns(grain), rows)
    return tmp_path


def tables_of(lake: Path) -> LakeTables:
    """The tables of a lake, to be looked at."""
    return folder_tables(str(lake), StorageSettings())


def append(lake: Path, table: str, columns: tuple[Column, ...], rows: list[dict[str, Any]]) -> None:
    """Append rows to a table, whose other columns are empty."""
    schema = pa.schema([field.with_nullable(True) for field in arrow_schema(columns)])
    write_deltalake(lake / table, pa.Table.from_pylist(rows, schema), mode="append")


def message(
    run_id: str, grain: str, first_row: int, n_rows: int, *, after: int = 0, **more: Any
) -> dict[str, Any]:
    """Return a row of `pending`."""
    return {
        "run_id": run_id,
        "pipeline": "p",
        "emission_id": f"e-{run_id}",
        "grain": grain,
        "first_row": first_row,
        "n_rows": n_rows,
        "timestamp": BEGAN + timedelta(seconds=after),
        "value": b"what it says " * 1000,
        **more,
    }


def wait(lake: Path, *messages: dict[str, Any]) -> None:
    """Let messages wait in a lake."""
    append(lake, "pending", PENDING.columns, list(messages))


def test_an_emission_is_told_with_what_is_missing_and_since_when(lake: Path) -> None:
    """Its first message counts, and one that is kept twice is one."""
    counts = [("runs", 1), ("contexts", 5), ("risks", 2)]
    wait(
        lake,
        message("a", "contexts", 0, 3, after=2),
        message("a", "runs", 0, 1, after=7, row_counts=counts),
        message("a", "risks", 0, 2, after=3),
    )
    wait(lake, message("a", "contexts", 0, 3, after=2))
    (found,) = read_status(tables_of(lake)).incomplete
    assert (found.pipeline, found.run_id, found.emission_id) == ("p", "a", "e-a")
    assert (found.missing, found.messages) == ({"contexts": 2}, 4)
    assert found.waiting_since == BEGAN + timedelta(seconds=2)


def test_the_longest_waiting_are_named_and_all_are_counted(lake: Path) -> None:
    """Of those that have waited as long, the first by name."""
    ages = {f"w{n}": n % 7 for n in range(30)}
    wait(lake, *(message(run_id, "risks", 0, 1, after=-age) for run_id, age in ages.items()))
    found = read_status(tables_of(lake), limit=6)
    assert [one.run_id for one in found.incomplete] == ["w13", "w20", "w27", "w6", "w12", "w19"]
    assert found.incomplete_total == 30
    assert len(read_status(tables_of(lake)).incomplete) == 20
    assert len(read_status(tables_of(lake), limit=50).incomplete) == 30


def test_a_run_that_has_landed_waits_no_more(lake: Path) -> None:
    """One of the same id in another pipeline does."""
    wait(lake, message("r1", "risks", 0, 1), message("r1", "risks", 0, 1, pipeline="q"))
    found = read_status(tables_of(lake))
    assert [(one.pipeline, one.run_id) for one in found.incomplete] == [("q", "r1")]
    assert found.incomplete_total == 1


def test_of_very_many_messages_is_told_how_many(
    lake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are not looked at, and do not keep others from it."""
    monkeypatch.setattr(status, "MOST_MESSAGES", 3)
    wait(lake, *(message("many", "risks", row, 1) for row in range(4)))
    wait(lake, *(message("few", "risks", row, 1) for row in range(3)))
    found = {
        one.run_id: (one.messages, one.missing) for one in read_status(tables_of(lake)).incomplete
    }
    assert found == {"many": (4, None), "few": (3, {"runs": 1})}
    looked_at = select_rows(tables_of(lake), status._longest_waiting_sql(20), "pending", "runs")
    assert len(looked_at) == 1 + 3
    assert main(["status", "--lake", str(lake)]) == 0
    assert "not looked at: 4 messages" in capsys.readouterr().out


def test_no_value_is_read(lake: Path) -> None:
    """What waits may be a megabyte a message; here it cannot be read at all."""
    wait(lake, *(message(f"w{n}", "risks", 0, 1) for n in range(3)))
    (file,) = DeltaTable(lake / "pending").file_uris()
    spoil(Path(file), "value")
    found = read_status(tables_of(lake))
    assert ([one.run_id for one in found.incomplete], found.incomplete_total) == (
        ["w0", "w1", "w2"],
        3,
    )


def spoil(file: Path, column: str) -> None:
    """Overwrite a column of a Parquet file."""
    group = pq.read_metadata(file).row_group(0)
    chunk = next(
        chunk
        for chunk in map(group.column, range(group.num_columns))
        if chunk.path_in_schema == column
    )
    begin = min(filter(None, (chunk.dictionary_page_offset, chunk.data_page_offset)))
    with file.open("r+b") as opened:
        opened.seek(begin)
        opened.write(b"\xff" * chunk.total_compressed_size)
    with pytest.raises(OSError, match=r"(?i)page|thrift|deserialize"):
        pq.read_table(file, columns=[column])


def test_rows_are_counted_without_their_files(lake: Path) -> None:
    """Delta's log has how many there are: nothing of a large lake is read."""
    for file in DeltaTable(lake / "contexts").file_uris():
        Path(file).unlink()
    assert read_status(tables_of(lake)).rows_by_grain == {
        **dict.fromkeys(RUN_GRAINS, 5),
        "source_risks": 0,
    }


def test_a_table_of_runs_that_is_gone_is_not_told_to_be_empty(lake: Path) -> None:
    """Only those may be missing that an older sink, or a job, has not made."""
    (lake / "contexts").rename(lake / "elsewhere")
    with pytest.raises(NoLakeError):
        read_status(tables_of(lake))


def test_statuses_and_causes_are_limited_too(
    lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Anybody may send as many as they like: the most frequent are named, the others counted."""
    causes = [f"cause {n // 2}" for n in range(9)]
    rows = [{"cause": cause, "topic": "t", "value": b"x"} for cause in causes]
    append(lake, "quarantine", QUARANTINE.columns, rows)
    found = read_status(tables_of(lake), limit=2)
    assert found.runs_by_status == {"healthy": 3, "degraded": 1}
    assert found.quarantined_by_cause == {"cause 0": 2, "cause 1": 2}
    assert found.quarantined_total == 9
    assert main(["status", "--lake", str(lake), "--limit", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "and 1 with another status" in lines
    assert "and 5 with another cause" in lines


def test_a_lake_that_only_jobs_have_written_to_waits_for_nothing(lake: Path) -> None:
    """It has no tables of the sink's own."""
    found = read_status(tables_of(lake))
    assert found.runs_by_status == {"healthy": 3, "degraded": 1, "failed": 1}
    assert (found.incomplete, found.incomplete_total) == ((), 0)
    assert (found.quarantined_by_cause, found.quarantined_total) == ({}, 0)
    assert found.lag_by_topic is None

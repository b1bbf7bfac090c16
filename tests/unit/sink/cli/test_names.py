"""Names are anybody's: whatever they are, commands show them and say the same of them as of others."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given
from hypothesis import strategies as st

from conformare.cli import main
from conformare_schemas import RUN_GRAINS, arrow_schema, table_columns
from conformare_sink.cli import maintain, purge, status
from conformare_sink.cli._console import printable
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.maintenance import MaintenanceReport, TableReport
from conformare_sink.lake.purge import Purged
from conformare_sink.lake.tables.own import PENDING, QUARANTINE
from conformare_sink.lake.tables.places import folder_tables
from conformare_sink.messages.emission import RunKey
from conformare_sink.options import StorageSettings
from conformare_sink.status import IncompleteEmission, LakeStatus

NAMES = [
    "[/boom]",
    "[/]",
    "etl [daily]",
    "a:bug:b",
    "[link=https://example.org]x[/link]",
    "\x1b]0;owned\x07\x1b[2J\x9b31m",
    "a\nb\r\u2028c",
    "\u202egnp\u2066",
    "{0} %s ${x} \\",
    "отчёт 日報 🦊",
    "n" * 500,
    "0\u0300 ",
    "0\u0300\xa0",
]
"""Tables take a while to lay out where the machine does something else as well."""
SINCE = datetime(2026, 1, 2, tzinfo=timezone.utc)
TEXTS = st.text(st.characters(exclude_categories=())) | st.sampled_from(NAMES)
COUNTS = st.integers(min_value=1, max_value=2**40)
BY_NAME = st.dictionaries(TEXTS, COUNTS, max_size=3)
TIMES = st.datetimes(timezones=st.just(timezone.utc))
EMISSIONS = st.builds(
    IncompleteEmission,
    pipeline=TEXTS,
    run_id=TEXTS,
    emission_id=TEXTS,
    messages=COUNTS,
    missing=st.none() | BY_NAME,
    waiting_since=TIMES,
)
STATUSES = st.builds(
    LakeStatus,
    lake=TEXTS,
    runs_by_status=BY_NAME,
    rows_by_grain=st.fixed_dictionaries(dict.fromkeys(RUN_GRAINS, COUNTS)),
    incomplete=st.lists(EMISSIONS, max_size=3).map(tuple),
    incomplete_total=COUNTS,
    quarantined_by_cause=BY_NAME,
    quarantined_total=COUNTS,
    lag_by_topic=st.none() | BY_NAME,
)


def printed_by(show: Any, *what: Any, **how: Any) -> list[str]:
    """Return the lines that a command prints, none of which holds what a terminal obeys."""
    with redirect_stdout(io.StringIO()) as out:
        show(*what, **how)
    lines = out.getvalue().split("\n")
    assert [line for line in lines if printable(line) != line] == []
    return lines


@given(STATUSES)
def test_status_prints_any_names(found: LakeStatus) -> None:
    """Each whole, and those of one emission on one line."""
    lines = printed_by(status._print, found)
    assert lines[0] == f"Lake {printable(found.lake)}"
    for name, count in found.runs_by_status.items():
        assert any(printable(name) in line and f"{count:,}" in line for line in lines)
    for one in found.incomplete:
        names = [one.pipeline, one.run_id]
        assert any(all(printable(name) in line for name in names) for line in lines)


@given(st.builds(Purged, runs=BY_NAME, rows=BY_NAME, quarantined=COUNTS), st.booleans())
def test_purge_prints_any_names(found: Purged, dry_run: bool) -> None:
    """It must not end in an error after it has deleted."""
    lines = printed_by(purge._print, found, dry_run=dry_run)
    for name, count in found.runs.items():
        assert any(printable(name) in line and f"{count:,}" in line for line in lines)


@given(TEXTS)
def test_maintain_prints_any_names(name: str) -> None:
    """Those of tables are ours, but for a prefix."""
    lines = printed_by(maintain._print, MaintenanceReport([TableReport(name, 1, 2, 3, 4)]))
    assert any(printable(name) in line for line in lines)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A lake in whose every column of names is every name, and whose own is one of them."""
    root = tmp_path_factory.mktemp("lakes") / "lake"
    for grain in RUN_GRAINS:
        named = {"status": NAMES} if grain == "runs" else {}
        table = rows(table_columns(grain), run_id=NAMES, pipeline=NAMES, **named)
        write_deltalake(root / grain, table)
    waiting = [f"{name}!" for name in NAMES]
    pending = rows(
        PENDING.columns,
        run_id=waiting,
        pipeline=waiting,
        emission_id=waiting,
        grain=["risks"] * len(NAMES),
        first_row=[0] * len(NAMES),
        n_rows=[1] * len(NAMES),
        timestamp=[SINCE] * len(NAMES),
    )
    write_deltalake(root / "pending", pending)
    quarantined = rows(
        QUARANTINE.columns,
        key=[name.encode() for name in NAMES],
        topic=NAMES,
        partition=[0] * len(NAMES),
        offset=[0] * len(NAMES),
        timestamp=[SINCE] * len(NAMES),
        cause=NAMES,
        quarantined_at=[SINCE] * len(NAMES),
    )
    write_deltalake(root / "quarantine", quarantined)
    return str(root.rename(root.with_name("l (b) a:bug:b лес")))


def rows(columns: Any, **values: list[Any]) -> pa.Table:
    """Return rows that hold these values and otherwise nothing."""
    schema = arrow_schema(columns)
    nothing = [None] * len(NAMES)
    return pa.table(
        [pa.array(values.get(field.name, nothing), field.type) for field in schema],
        schema=pa.schema([field.with_nullable(True) for field in schema]),
    )


@pytest.mark.parametrize("command", ["status", "quarantine list", "quarantine show"])
def test_commands_print_every_name_of_a_lake(
    command: str, lake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whole and on one line each, so that they can be searched for."""
    assert main([*command.split(), "--lake", lake]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert [line for line in lines if printable(line) != line] == []
    for name in NAMES:
        assert any(printable(name) in line for line in lines)


def test_json_has_every_name_as_it_is(lake: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is what programs read."""

    def read(*command: str) -> Any:
        assert main([*command, "--lake", lake, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    found = read("status")
    assert found["lake"] == lake
    assert found["runs_by_status"] == dict.fromkeys(NAMES, 1)
    assert found["quarantined_by_cause"] == dict.fromkeys(NAMES, 1)
    waiting = {(one["pipeline"], one["run_id"], one["emission_id"]) for one in found["incomplete"]}
    assert waiting == {(f"{name}!",) * 3 for name in NAMES}
    assert {one["cause"] for one in read("quarantine", "list")} == {*NAMES}
    assert {one["topic"] for one in read("quarantine", "show")} == {*NAMES}


def test_runs_of_any_name_are_purged_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One by one, and then all that are left."""
    keys: dict[str, list[Any]] = {
        "run_id": NAMES,
        "pipeline": NAMES,
        "ts": [SINCE] * len(NAMES),
    }
    landed = rows(table_columns("runs"), **keys)
    tables = folder_tables(str(tmp_path), StorageSettings())
    with open_for_writing(tables, "a test") as lake:
        lake.land({"runs": landed}, [*map(RunKey, NAMES, NAMES)])
    first, second, *others = NAMES
    command = ["purge", "--lake", str(tmp_path)]
    assert main([*command, "--pipeline", first]) == 0
    assert f"│ {first} " in capsys.readouterr().out
    assert main([*command, "--run-id", second]) == 0
    assert f"│ {second} " in capsys.readouterr().out
    for dry_run in (["--dry-run"], []):
        assert main([*command, "--before", "2026-02-01", *dry_run]) == 0
        lines = capsys.readouterr().out.split("\n")
        assert [line for line in lines if printable(line) != line] == []
        for name in others:
            assert any(f"│ {printable(name)} " in line for line in lines)
    assert DeltaTable(tmp_path / "runs").to_pyarrow_table().num_rows == 0


@pytest.mark.parametrize("name", ["{bold}", ":bug:b", "лес"])
def test_an_error_shows_the_name_of_a_lake(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which is what a script gave it."""
    assert main(["status", "--lake", f"{tmp_path}/{name}"]) == 1
    told = f"error: there is no conformare lake at {tmp_path}/{name}\n"
    assert capsys.readouterr().err == told


def test_an_error_is_one_line_whatever_the_name_of_a_lake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No terminal obeys it."""
    assert main(["status", "--lake", f"{tmp_path}/a\n\x1b[2J"]) == 1
    told = capsys.readouterr().err
    assert r"a\n\x1b[2J" in told
    assert printable(told[:-1]) == told[:-1]

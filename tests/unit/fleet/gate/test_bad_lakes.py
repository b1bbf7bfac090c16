"""Lakes that are empty, damaged or of a later release, through every command: one line, no traceback."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from support.fleet.lake import FleetLake
from support.fleet.small import context, recorded
from support.jobs.spool_command import Answer, Run
from support.lakes.handmade import HandmadeLake

from conformare_schemas import CONTRACT_VERSION, arrow_schema, table_columns

NOTIFY = ["notify", "--slack", "http://127.0.0.1:1/x"]
ACKNOWLEDGE = ["acknowledge", "o-1", "clean", "--by", "amy", "--note", "fine"]
COMMANDS = [
    ["status"],
    ["drift"],
    ["owners"],
    ["impact", "--location", "s3://lake/raw"],
    ["sensitive"],
    ["expectations"],
    ["show", "o-1"],
    ["check"],
    ["report", "-o", "/dev/null"],
    NOTIFY,
    ACKNOWLEDGE,
]
NOBODY = 65_534


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lake with one run, named by the environment."""
    record = recorded(
        "orders", "o-1", "2026-11-27T06:00:00Z", contexts=[context("clean", "code-1")]
    )
    HandmadeLake(tmp_path / "made").append(record, emission_id="e-1")
    monkeypatch.setenv("CONFORMARE_LAKE", str(tmp_path / "made"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "made"


def refusal(answer: Answer) -> str:
    """Return the one line that was told instead of an answer."""
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1
    return answer.err


def test_an_empty_lake_has_nothing_to_tell(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gate does not pass it, and nobody is told that all is resolved."""
    made = tmp_path / "empty"
    FleetLake(made)
    monkeypatch.setenv("CONFORMARE_LAKE", str(made))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for command in (["status"], ["drift"], ["owners"], ["sensitive"], ["expectations"]):
        answer = run(*command)
        assert (answer.code, answer.err, answer.out.count("\n")) == (0, "", 1)
        assert run(*command, "--json").code == 0
    assert run("status").out == f"{made} has no runs\n"
    assert f"{made} has no runs: nothing was checked" in refusal(run("check"))
    assert f"{made} has no runs: nothing was reported" in refusal(run(*NOTIFY))
    assert "has no run 'o-1'" in refusal(run("show", "o-1"))
    assert "has no run 'o-1'" in refusal(run(*ACKNOWLEDGE))
    assert "no newest run reads or writes" in refusal(run("impact", "--location", "s3://lake/raw"))


def _later(lake: Path) -> None:
    run = {column.name: None for column in table_columns("runs")}
    rows = [{**run, "run_id": "r", "pipeline": "p", "schema_version": CONTRACT_VERSION + 1}]
    table = pa.Table.from_pylist(rows, schema=arrow_schema(table_columns("runs")))
    write_deltalake(str(lake / "runs"), table, mode="append")


def _missing(lake: Path) -> None:
    shutil.rmtree(lake / "owners")


def _unreadable_log(lake: Path) -> None:
    (lake / "contexts/_delta_log/00000000000000000000.json").write_text("{ not json")


def _not_there(lake: Path) -> None:
    shutil.rmtree(lake)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_later, f"version {CONTRACT_VERSION + 1} of the contract"),
        (_missing, "has no table owners: restore it"),
        (_unreadable_log, "the log of its table contexts is damaged"),
        (_not_there, "is not a lake: it has no table runs; correct --lake"),
    ],
)
def test_a_lake_that_cannot_be_opened_is_one_line_of_every_command(
    run: Run, made: Path, harm: Callable[[Path], None], told: str
) -> None:
    """Which says what is wrong, and what to do."""
    harm(made)
    for command in COMMANDS:
        assert told in refusal(run(*command))


def test_a_damaged_table_is_one_line_of_those_that_ask_it(run: Run, made: Path) -> None:
    """What does not need it answers."""
    for file in (made / "contexts").glob("*.parquet"):
        file.write_bytes(file.read_bytes()[:200])
    for command in (["drift"], ["show", "o-1"], ["check"], ACKNOWLEDGE):
        assert "is damaged or missing: restore it" in refusal(run(*command))
    assert run("status").code == 0


def test_a_lake_that_may_not_be_read_is_one_line(run: Run, made: Path) -> None:
    """Which says that it is one of permission."""
    with tempfile.TemporaryDirectory() as name:
        lake = Path(shutil.copytree(made, Path(name, "lake")))
        Path(name).chmod(0o755)
        for file in lake.rglob("*"):
            file.chmod(0o755 if file.is_dir() else 0)
        try:
            if os.geteuid() == 0:  # who may read everything
                os.seteuid(NOBODY)
            answer = run("status", "--lake", lake)
        finally:
            os.seteuid(os.getuid())
    assert "ermission denied" in refusal(answer)


def test_an_unknown_run_is_one_line(run: Run, made: Path) -> None:
    """Whatever stands in its id."""
    assert made.exists()
    for run_id in ("nothing", "it's", "\x00", "\x1b[2J", "--"):
        for command in (["show"], ["impact", "--run"], ["acknowledge"]):
            more = ["clean", "--by", "a", "--note", "b"] if command == ["acknowledge"] else []
            assert refusal(run(*command, run_id, *more)).removesuffix("\n").isprintable()
    assert "has no run 'nothing': correct the run_id" in refusal(run("show", "nothing"))
    assert "has no pipeline 'bills': correct the name" in refusal(
        run("show", "o-1", "--pipeline", "bills")
    )

"""The commands over every kind of store: the same answers, byte for byte."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from deltalake import DeltaTable
from support.jobs.spool_command import Answer, Run
from support.lakes.handmade import HandmadeLake

from conformare.fleet import make_writer

COMMANDS = [
    ["status", "--max-age", "26h"],
    ["drift"],
    ["owners"],
    ["impact", "--pipeline", "orders"],
    ["sensitive", "--as-of", "2026-11-28T09:00Z"],
    ["expectations"],
    ["show", "o-2"],
]


@pytest.fixture
def places(lake: Path, tmp_path: Path) -> dict[str, list[object]]:
    """The same runs in a folder of JSON, in one of Parquet, in a lake, and at a catalog's tables."""
    records = [json.loads(file.read_text()) for file in sorted(lake.glob("*/*.json"))]
    parquet = make_writer({"writer": "parquet", "path": str(tmp_path / "parquet")})
    for record in records:
        parquet.write(record)
    for folder in ("delta", "schema.db"):
        made = HandmadeLake(tmp_path / folder)
        for number, record in enumerate(records):
            made.append(record, emission_id=f"e-{number}")
    for table in (tmp_path / "schema.db").iterdir():
        table.rename(table.with_name(f"conformare_{table.name}"))
    return {
        "json": ["--lake", lake],
        "parquet": ["--lake", tmp_path / "parquet"],
        "lake": ["--lake", tmp_path / "delta"],
        "catalog": ["--lake", tmp_path / "schema.db", "--table-prefix", "conformare_"],
    }


def test_every_store_gives_the_same_answers(run: Run, places: dict[str, list[object]]) -> None:
    """As tables, as JSON, and by the gate."""
    for command in COMMANDS:
        for form in ([], ["--json"]):
            answers = {name: run(*command, *form, *place) for name, place in places.items()}
            assert answers["json"].code == 0
            for answer in answers.values():
                assert answer == answers["json"]
    gates = {name: run("check", *place) for name, place in places.items()}
    assert gates["json"].code == 1
    assert set(gates.values()) == {gates["json"]}


@pytest.mark.parametrize("kind", ["json", "parquet", "lake", "catalog"])
def test_an_acknowledgement_is_kept_by_every_store(
    run: Run, places: dict[str, list[object]], kind: str
) -> None:
    """For whoever asks next; a lake has it as a row of its own table."""
    place = places[kind]
    assert run("acknowledge", "o-2", "clean", "--by", "amy", "--note", "it's fine", *place) == (
        Answer(0, "acknowledged: clean in run o-2 of orders\n", "")
    )
    assert run("drift", *place).out == "no open drift\n"
    if kind == "lake":
        table = DeltaTable(str(place[1]) + "/acknowledgements").to_pyarrow_table()
        (row,) = table.to_pylist()
        assert (row["run_id"], row["acknowledged_by"], row["note"]) == ("o-2", "amy", "it's fine")


PROGRAM = """
import sys
from importlib.metadata import EntryPoint
from conformare.cli import _entry_points, main
entry = EntryPoint("fleet", "conformare.cli.fleet:app [fleet]", _entry_points.COMMAND_GROUP)
_entry_points.entry_points = lambda **_group: (entry,)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.usefixtures("lake")
def test_an_answer_that_cannot_be_written_is_one_line() -> None:
    """A gate whose report is lost has not passed."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, "fleet", "check", "--format", "junit"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 2
    assert ended.stderr == "error: the answer cannot be written: No space left on device\n"

"""`conformare views create --print`: statements for another session; no Spark is started for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformare.cli import main
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.layout import CATALOG_NOTE
from conformare_sink.lake.tables.places import folder_tables
from conformare_sink.lake.views.statements import VIEWS
from conformare_sink.options import StorageSettings

CREATE = ["views", "create", "--print", "--lake"]


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A lake that a sink has made, and whose name has to be quoted."""
    root = tmp_path / "a `lake`"
    with open_for_writing(folder_tables(str(root), StorageSettings()), "a test"):
        pass
    return root


def statements(text: str) -> list[str]:
    """What is printed, as docs/howto/query-with-sql.md takes it apart."""
    return [one for one in text.split(";\n") if one.strip()]


def test_temporary_views_are_printed_over_the_folders(
    lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the whole path: a session elsewhere has another working folder."""
    assert main([*CREATE, str(lake)]) == 0
    printed = statements(capsys.readouterr().out)
    assert len(printed) == len(VIEWS)
    for view, statement in zip(VIEWS, printed, strict=True):
        assert statement.strip().startswith(f"CREATE OR REPLACE TEMPORARY VIEW `{view.name}`\n")
        assert "TBLPROPERTIES" not in statement
    quoted = str(lake).replace("`", "``")
    assert f"acknowledgements AS (TABLE delta.`file:{quoted}/acknowledgements`)" in printed[1]


def test_views_of_a_schema_are_printed(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are known by a property, so that the command replaces none of somebody else's."""
    place = ["--catalog", "my`catalog", "--schema", "s", "--table-prefix", "cf_"]
    assert main([*CREATE, str(lake), *place]) == 0
    drift = statements(capsys.readouterr().out)[1]
    assert "CREATE OR REPLACE VIEW `my``catalog`.`s`.`cf_drift`\n" in drift
    assert "TBLPROPERTIES ('conformare.table' = 'drift')" in drift


def test_a_table_that_is_not_there_counts_as_empty(
    lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An older sink has made none for acknowledgements."""
    (lake / "acknowledgements").rename(lake / "elsewhere")
    assert main([*CREATE, str(lake)]) == 0
    drift = statements(capsys.readouterr().out)[1]
    assert "acknowledgements AS (SELECT CAST(NULL AS STRING) AS `run_id`" in drift
    assert not (lake / "acknowledgements").exists()


def test_where_the_tables_are_in_a_catalog_is_told(
    lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As for every command."""
    (lake / CATALOG_NOTE).write_text(json.dumps({"catalog": "c", "schema_name": "s"}))
    assert main([*CREATE, str(lake)]) == 1
    told = capsys.readouterr().err
    assert told == f"error: the tables of {lake} are in a catalog: give --catalog c --schema s\n"

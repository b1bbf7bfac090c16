"""`conformare views create`: in a catalog that keeps the views, and in none that does not."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from contextlib import nullcontext
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from support.lakes.fleet import Run
from support.lakes.handmade import HandmadeLake
from support.lakes.landed import tables_in

from conformare.cli import main
from conformare_sink.lake.tables.catalog.note import write_note
from conformare_sink.lake.views.statements import VIEWS
from conformare_sink.options import CatalogOptions

IN_A_METASTORE = """
import sys
from conformare_sink.cli.submit.program import app
from conformare_sink.spark.session import build_session

def create(schema):
    command = ["views", "create", "--lake", sys.argv[1], "--schema", schema]
    print("exit code", app(command, standalone_mode=False), flush=True)

spark = build_session("somebody's", master="local[1]")
spark.sql("CREATE SCHEMA theirs")
spark.sql("CREATE VIEW theirs.drift AS SELECT 1 AS theirs")
spark.stop()
create("default")
create("default")
create("theirs")
create("nowhere")
spark = build_session("a reader", master="local[1]")
print(*spark.sql("SELECT run_id, health FROM default.runs_latest").head())
print(spark.table("theirs.drift").columns, spark.catalog.listTables("theirs")[0].name)
spark.stop()
"""


@pytest.fixture
def lake(tmp_path: Path) -> str:
    """A lake with one run."""
    root = tmp_path / "lake"
    HandmadeLake(root).append(Run("1", columns={"status": "healthy"}).record)
    return str(root)


@pytest.mark.long
def test_a_metastore_keeps_the_views(lake: str, tmp_path: Path) -> None:
    """Named in Spark's own settings; the command replaces its own views, and no others."""
    settings = {
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": str(tmp_path / "warehouse"),
        "spark.hadoop.javax.jdo.option.ConnectionURL": (
            f"jdbc:derby:;databaseName={tmp_path / 'metastore'};create=true"
        ),
    }
    lines = "\n".join(f"{name} {value}" for name, value in settings.items())
    (tmp_path / "spark-defaults.conf").write_text(lines, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-c", IN_A_METASTORE, lake],
        env={**os.environ, "SPARK_CONF_DIR": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    created = [f"created `default`.`{view.name}`" for view in VIEWS]
    assert ended.stdout.splitlines() == [
        *[*created, "exit code None"] * 2,
        "exit code 1",
        "exit code 1",
        "1 unknown",
        "['theirs'] drift",
    ], ended.stderr
    errors = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert [error.partition(": ")[2].partition(":")[0] for error in errors] == [
        "`theirs`.`drift` exists and is not a view of conformare",
        "the views cannot be created",
    ]
    assert "SCHEMA_NOT_FOUND" in errors[1]
    assert "Traceback" not in ended.stderr


def test_a_catalog_in_memory_is_refused(
    spark: SparkSession,
    lake: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its views would end with the command."""
    monkeypatch.setattr("conformare_sink.cli.views.spark_session", lambda: nullcontext(spark))
    assert main(["views", "create", "--lake", lake, "--schema", "default"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: Spark's own catalog is in memory here")
    assert not any(spark.catalog.tableExists(f"default.{view.name}") for view in VIEWS)
    assert main(["views", "create", "--schema", "s", "--catalog", "nowhere"]) == 1
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith("error: `nowhere`.`s`.`runs` cannot be read: ")


def test_what_is_printed_makes_the_views(
    spark: SparkSession,
    lake: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Those of a schema as well, where the lake's folder has notes only."""
    monkeypatch.setattr("conformare_sink.cli.views.spark_session", lambda: nullcontext(spark))
    schema = f"printed_{uuid.uuid4().hex[:8]}"
    spark.sql(f"CREATE SCHEMA {schema}")
    spark.sql(f"CREATE TABLE {schema}.cf_runs USING delta AS TABLE delta.`{lake}/runs`")
    notes = tables_in(f"{lake} beside").storage
    write_note(notes, CatalogOptions(catalog="spark_catalog", schema_name=schema))
    place = ["--schema", schema, "--table-prefix", "cf_"]
    for arguments, made in (
        (["--lake", lake], "runs_latest"),
        (["--lake", lake, "--schema", schema], f"{schema}.runs_latest"),
        (["--lake", notes.root, *place], f"{schema}.cf_runs_latest"),
        (place, f"{schema}.cf_runs_latest"),
    ):
        assert main(["views", "create", "--print", *arguments]) == 0
        for statement in capsys.readouterr().out.split(";\n"):
            if statement.strip():
                spark.sql(statement)
        assert [row["run_id"] for row in spark.table(made).collect()] == ["1"]
    for view in VIEWS:
        spark.catalog.dropTempView(view.name)
    spark.sql(f"DROP SCHEMA {schema} CASCADE")

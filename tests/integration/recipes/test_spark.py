"""Recipes of Spark, on a real session: a job, a stream, a job and a notebook of Databricks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from support.recipes.recipe import COUNTED, RECIPES, loaded, put_orders, recorded

import conformare as cf


@pytest.fixture(autouse=True)
def json_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A store of the json writer, named by the environment."""
    monkeypatch.setenv("CONFORMARE_WRITER", "json")
    monkeypatch.setenv("CONFORMARE_PATH", str(tmp_path / "store"))
    return tmp_path / "store"


def require_daily(spark: SparkSession, folder: Path) -> None:
    """Raise unless the job has counted."""
    rows = spark.read.parquet(f"{folder}/daily").collect()
    assert {row[0]: row[1] for row in rows} == COUNTED


def test_a_job_that_is_repeated_is_one_run(
    spark: SparkSession, tmp_path: Path, json_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where its scheduler gives it an id."""
    folder = put_orders(tmp_path / "shop")
    monkeypatch.setenv("JOB_RUN_ID", "nightly-7")
    for _ in range(2):
        loaded("spark/daily_orders.py").main(str(folder))
    (record,) = recorded(json_store)
    assert record["runs"][0]["run_id"] == "nightly-7"
    assert record["runs"][0]["tags"] == {"spark_app_id": spark.sparkContext.applicationId}
    assert [row["location"] for row in record["sources"]] == [f"{folder}/orders.csv"]
    assert [row["context_label"] for row in record["contexts"]] == ["Orders per day"]
    require_daily(spark, folder)


def test_a_stream_records_each_batch_that_has_rows(
    spark: SparkSession, tmp_path: Path, json_store: Path
) -> None:
    """And a batch that is repeated is one run."""
    recipe = loaded("spark/orders_stream.py")
    cf.configure_store()
    cf.trackSpark()
    incoming = tmp_path / "incoming"
    for number in range(2):
        cf.store.clear()  # the job is started anew
        put_orders(incoming).joinpath("orders.csv").rename(incoming / f"{number}.csv")
        recipe.start(spark, str(tmp_path)).awaitTermination()
    runs = [record["runs"][0]["run_id"] for record in recorded(json_store)]
    assert runs == ["orders-0", "orders-1"]
    last = recorded(json_store)[-1]
    assert [row["location"] for row in last["sinks"]] == [f"{tmp_path}/landed"]
    assert spark.read.parquet(f"{tmp_path}/landed").count() == 6


def test_a_databricks_job_is_recorded_under_its_own_ids(
    spark: SparkSession, tmp_path: Path, json_store: Path
) -> None:
    """The parameters are what Databricks puts in their place."""
    folder = put_orders(tmp_path / "shop")
    recipe = loaded("databricks/job.py")
    written = re.findall(r"--([\w-]+) (\{\{[\w.]+\}\}|/\S+)", recipe.__doc__)
    ids = {"job-id": 11, "run-id": 22, "task": "count", "try": 2, "workspace": "dbc.example.org"}
    assert [name for name, _ in written] == ["folder", *ids]
    told = {**ids, "folder": folder}
    recipe.main([part for name in told for part in (f"--{name}", str(told[name]))])
    (run,) = recorded(json_store)[0]["runs"]
    assert run["run_id"] == "22/count/2"
    assert run["report_uri"] == "https://dbc.example.org/jobs/11/runs/22"
    assert run["tags"] == {"job_id": "11", "run_id": "22", "try_number": "2"}
    require_daily(spark, folder)


class Widgets:
    """What Databricks gives a notebook."""

    def __init__(self, **values: str) -> None:
        self.widgets = self
        self.get: Callable[[str], str] = values.__getitem__


def test_the_cells_of_a_notebook(spark: SparkSession, tmp_path: Path, json_store: Path) -> None:
    """Run one after the other, twice in one process: each run has only its own steps."""
    folder = put_orders(tmp_path / "shop")
    source = (RECIPES / "databricks/notebook.py").read_text()
    _install, *cells = source.split("# COMMAND ----------")
    for number in ("1", "2"):
        known: dict[str, Any] = {
            "spark": spark,
            "dbutils": Widgets(folder=str(folder), run_id=number),
        }
        for cell in cells:
            exec(compile(cell, "notebook", "exec"), known)  # noqa: S102 - as Databricks does
    first, second = recorded(json_store)
    assert [len(record["sinks"]) for record in (first, second)] == [1, 1]
    assert second["runs"][0]["run_id"] == "2"
    require_daily(spark, folder)

"""Recipes of Airflow, Dagster and dbt, and spark-submit itself: `make test-recipes`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.recipes.recipe import RECIPES, ROOT, called, put_orders, recorded

ENVIRONMENTS = os.environ.get("RECIPES_ENVIRONMENTS")
"""Folder of the environments `.venv-airflow` and so on."""

pytestmark = pytest.mark.skipif(
    ENVIRONMENTS is None, reason="needs environments of its own: make test-recipes"
)


def program(tool: str, name: str) -> Path:
    """Return a program of the environment of a tool."""
    return Path(ENVIRONMENTS or "", f".venv-{tool}/bin", name)


def test_airflow_records_the_tries_of_tasks(tmp_path: Path) -> None:
    """One that neither reads nor writes is left out; one that has failed says what it has read."""
    home = tmp_path / "airflow"
    for kind, file in (("plugins", "conformare_plugin.py"), ("dags", "orders_dag.py")):
        (home / kind).mkdir(parents=True)
        shutil.copy(RECIPES / "airflow" / file, home / kind)
    env = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "SHOP_DATA": str(tmp_path / "shop"),
    }
    store, airflow = tmp_path / "store", program("airflow", "airflow")
    called("db", "migrate", store=store, python=airflow, **env)
    put_orders(tmp_path / "shop")
    called("dags", "test", "orders", store=store, python=airflow, **env)
    (record,) = recorded(store)
    (run,) = record["runs"]
    assert run["pipeline"] == "orders.count"
    tags = run["tags"]
    assert (tags["dag_id"], tags["task_id"], tags["try_number"]) == ("orders", "count", "1")
    assert tags["state"] == "success"
    assert run["run_id"].startswith(tags["run_id"])
    assert "/dags/orders/runs/" in tags["log_url"]
    assert run["report_uri"].endswith("/tasks/count")
    assert [row["columns"] for row in record["sinks"]] == [["day", "orders"]]

    (tmp_path / "shop/orders.csv").unlink()
    shutil.rmtree(store)
    subprocess.run(
        [airflow, "dags", "test", "orders"],
        env={**os.environ, **env, "CONFORMARE_WRITER": "json", "CONFORMARE_PATH": str(store)},
        capture_output=True,
        check=False,
    )
    (failed,) = recorded(store)
    assert failed["runs"][0]["tags"]["state"] == "failed"
    assert failed["runs"][0]["tags"]["error"] == "FileNotFoundError"
    assert (len(failed["sources"]), len(failed["sinks"])) == (1, 0)


def test_dagster_knows_the_run_of_its_asset(tmp_path: Path) -> None:
    """By what the process has told it through Pipes."""
    folder, store = put_orders(tmp_path / "shop"), tmp_path / "store"
    program_text = (
        "import definitions, dagster as dg\n"
        "done = dg.materialize([definitions.daily_orders], resources=definitions.defs.resources)\n"
        "(made,) = done.asset_materializations_for_node('daily_orders')\n"
        "print(made.metadata['conformare_run_id'].value)"
    )
    told = called(
        *("-c", program_text),
        store=store,
        python=program("dagster", "python"),
        PYTHONPATH=f"{RECIPES / 'dagster'}:{os.environ.get('PYTHONPATH', '')}",
        SHOP_DATA=str(folder),
    )
    (record,) = recorded(store)
    (run,) = record["runs"]
    assert run["run_id"] in told.splitlines()
    assert run["run_id"].startswith(run["tags"]["dagster_run_id"])
    assert run["pipeline"] == "dagster.daily_orders"


def test_dbt_is_recorded_after_it_has_ended(tmp_path: Path) -> None:
    """Whether it has succeeded or not, from what it has just written."""
    project, store = tmp_path / "shop", tmp_path / "store"
    shutil.copytree(ROOT / "tests/support/recipes/shop", project)
    for status in ("degraded", "failed"):
        if status == "failed":
            (project / "models/broken.sql").write_text("select nothing from {{ ref('daily') }}")
        subprocess.run(
            [program("dbt", "dbt"), "--no-send-anonymous-usage-stats", "build"],
            cwd=project,
            env={**os.environ, "DBT_PROFILES_DIR": "."},
            capture_output=True,
            check=status == "degraded",
        )
        called(
            *(RECIPES / "dbt/record_dbt.py", project / "target"),
            store=store,
            python=program("dbt", "python"),
        )
        record = recorded(store)[-1]
        assert record["runs"][0]["status"] == status
        assert [row["location"] for row in record["sinks"]][1:] == [
            "shop.main.orders",
            "shop.main.daily",
        ]
    assert len(recorded(store)) == 2


def test_spark_submit(tmp_path: Path) -> None:
    """The job as it is submitted."""
    folder, store = put_orders(tmp_path / "shop"), tmp_path / "store"
    submit = Path(sys.executable).with_name("spark-submit")
    arguments = ("--master", "local[1]", RECIPES / "spark/daily_orders.py", folder)
    pythons = {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    called(*arguments, store=store, python=submit, **pythons)
    (record,) = recorded(store)
    assert record["runs"][0]["pipeline"] == "daily_orders"
    assert (len(record["sources"]), len(record["sinks"])) == (1, 1)

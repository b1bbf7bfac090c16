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


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of an Airflow that has the plugin and the DAGs."""
    home = tmp_path_factory.mktemp("airflow")
    for kind, file in (
        ("plugins", RECIPES / "airflow/conformare_plugin.py"),
        ("dags", RECIPES / "airflow/orders_dag.py"),
        ("dags", ROOT / "tests/support/recipes/endings_dag.py"),
    ):
        (home / kind).mkdir(exist_ok=True)
        shutil.copy(file, home / kind)
    assert ran(home, "db", "migrate").returncode == 0
    return home


def ran(home: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Call Airflow, which ends with 1 where a task has failed."""
    return subprocess.run(
        [program("airflow", "airflow"), *command],
        env={
            **os.environ,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            **env,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_airflow_records_the_tries_of_tasks(airflow: Path, tmp_path: Path) -> None:
    """One that neither reads nor writes is left out; one that has failed says what it has read."""
    store, shop = tmp_path / "store", put_orders(tmp_path / "shop")
    env = {
        "SHOP_DATA": str(shop),
        "CONFORMARE_WRITER": "json",
        "CONFORMARE_PATH": str(store),
    }
    assert ran(airflow, "dags", "test", "orders", **env).returncode == 0
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

    (shop / "orders.csv").unlink()
    shutil.rmtree(store)
    ran(airflow, "dags", "test", "orders", **env)
    (failed,) = recorded(store)
    assert failed["runs"][0]["tags"]["state"] == "failed"
    assert failed["runs"][0]["tags"]["error"] == "FileNotFoundError"
    assert (len(failed["sources"]), len(failed["sinks"])) == (1, 0)


def test_airflow_records_every_ending_of_a_task(airflow: Path, tmp_path: Path) -> None:
    """Also of one that was mapped, and of each try of one that was tried twice."""
    store = tmp_path / "store"
    env = {"CONFORMARE_WRITER": "json", "CONFORMARE_PATH": str(store)}
    ran(airflow, "dags", "test", "endings", **env)
    found = [record["runs"][0] for record in recorded(store)]
    assert sorted(
        (run["tags"]["task_id"], run["run_id"].split("/", 1)[1], run["tags"]["state"])
        for run in found
    ) == [
        ("exits", "-1/1", "failed"),
        ("flaky", "-1/1", "failed"),
        ("flaky", "-1/2", "success"),
        ("mapped", "0/1", "success"),
        ("mapped", "1/1", "success"),
        ("skipped", "-1/1", "skipped"),
    ]
    assert "S3CRET" not in str(found)


@pytest.mark.parametrize(
    "broken",
    [
        {"CONFORMARE_WRITER": ""},
        {"CONFORMARE_WRITER": "json", "CONFORMARE_PATH": "/dev/null/none"},
        {"CONFORMARE_WRITER": "kafka", "CONFORMARE_BOOTSTRAP_SERVERS": "127.0.0.1:9"},
    ],
    ids=["no store", "no folder", "no broker"],
)
def test_a_fault_of_ours_fails_no_task_of_airflow(
    airflow: Path, tmp_path: Path, broken: dict[str, str]
) -> None:
    """It is in the log of the task."""
    env = {**broken, "SHOP_DATA": str(put_orders(tmp_path / "shop"))}
    env["CONFORMARE_SPOOL_DIR"] = str(tmp_path / "spool")
    done = ran(airflow, "dags", "test", "orders", **env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "shop/daily.csv").exists()


def test_a_plugin_that_cannot_be_imported_fails_no_task_of_airflow(
    airflow: Path, tmp_path: Path
) -> None:
    """As where conformare is missing."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/conformare_plugin.py").write_text("import conformare_that_is_missing")
    env = {"AIRFLOW__CORE__PLUGINS_FOLDER": str(tmp_path / "plugins")}
    shop = put_orders(tmp_path / "shop")
    done = ran(airflow, "dags", "test", "orders", SHOP_DATA=str(shop), **env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No module named 'conformare_that_is_missing'" in done.stdout + done.stderr


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

"""Recipes that need nothing but Python: a job without Spark, dbt's files, tests of a pipeline."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from support.recipes.recipe import RECIPES, ROOT, called, loaded, put_orders, recorded

import conformare as cf

ARTEFACTS = ROOT / "tests/support/recipes/dbt"


@pytest.fixture(autouse=True)
def json_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A store of the json writer, named by the environment."""
    monkeypatch.setenv("CONFORMARE_WRITER", "json")
    monkeypatch.setenv("CONFORMARE_PATH", str(tmp_path / "store"))
    return tmp_path / "store"


def test_a_job_without_spark(tmp_path: Path, json_store: Path) -> None:
    """What it declares is recorded."""
    folder = put_orders(tmp_path / "shop")
    called(RECIPES / "plain/daily_orders.py", folder, store=json_store)
    (record,) = recorded(json_store)
    assert [row["location"] for row in record["sources"]] == [f"{folder}/orders.csv"]
    assert [row["columns"] for row in record["sinks"]] == [["day", "orders"]]
    assert [row["risk_id"] for row in record["sink_risks"]] == ["quality.duplicates"]
    assert (folder / "daily.csv").read_text() == "day,orders\nmon,2\ntue,1\n"


def test_a_test_of_a_pipeline(json_store: Path) -> None:
    """With the plugin of `conformare.testing`; nothing reaches a store."""
    told = called(
        *("-m", "pytest", "-p", "no:cacheprovider", "-c", os.devnull, RECIPES / "tested"),
        store=json_store,
        PYTHONPATH=os.pathsep.join([*sys.path, str(RECIPES / "plain")]),
    )
    assert "2 passed" in told
    assert recorded(json_store) == []


def test_an_invocation_of_dbt(json_store: Path) -> None:
    """From the files that dbt itself has written: models, tests, owners and risks."""
    record_dbt = loaded("dbt/record_dbt.py").record_dbt
    assert record_dbt(ARTEFACTS) == record_dbt(ARTEFACTS)
    (record,) = recorded(json_store)
    (run,) = record["runs"]
    assert (run["pipeline"], run["status"]) == ("dbt.shop", "failed")
    assert run["tags"] == {"command": "build", "dbt_version": "1.10.23"}
    assert [row["location"] for row in record["sinks"]] == [
        "shop.main.raw_orders",
        "shop.main.orders",
        "shop.main.daily",
    ]
    assert ("sales@example.org", "orders") in [(o["owner"], o["ref"]) for o in record["owners"]]
    assert {row["risk_id"] for row in record["sink_risks"]} == {
        "privacy.pii_exposure",
        "quality.missing_values",
    }
    failed = [
        (row["node"], row["expectation"], row["column"], row["hard"])
        for row in record["expectations"]
        if not row["success"]
    ]
    assert failed == [("orders", "not_null", "email", False), ("broken", "builds", None, True)]


def test_all_that_dbt_builds(tmp_path: Path, json_store: Path) -> None:
    """Unit tests are tests; a part of a model was written; a dashboard is only listed."""
    target = Path(shutil.copytree(ARTEFACTS, tmp_path / "target"))
    results, manifest = (
        json.loads((target / name).read_text()) for name in ("run_results.json", "manifest.json")
    )
    unit_test = {
        "name": "counts_days",
        "resource_type": "unit_test",
        "depends_on": {"nodes": ["model.shop.daily"]},
        "config": {},
    }
    manifest["unit_tests"] = {"unit_test.shop.daily.counts_days": unit_test}
    (orders,) = (one for one in results["results"] if one["unique_id"] == "model.shop.orders")
    orders["status"] = "partial success"
    for name, status in (
        ("unit_test.shop.daily.counts_days", "fail"),
        ("exposure.shop.b", "no-op"),
    ):
        results["results"].append({"unique_id": name, "status": status, "failures": 1})
    (target / "run_results.json").write_text(json.dumps(results))
    (target / "manifest.json").write_text(json.dumps(manifest))
    loaded("dbt/record_dbt.py").record_dbt(target)
    (record,) = recorded(json_store)
    checks = [
        (row["node"], row["expectation"], row["hard"])
        for row in record["expectations"]
        if not row["success"]
    ]
    assert ("daily", "counts_days", True) in checks
    assert ("orders", "builds", True) in checks
    assert "shop.main.orders" in [row["location"] for row in record["sinks"]]


@pytest.mark.parametrize(
    ("left", "why"),
    [
        (None, "No such file or directory"),
        ('{"metadata": {', "is not whole: dbt was stopped while it wrote it"),
    ],
)
def test_an_invocation_that_left_no_results_is_told(
    tmp_path: Path, json_store: Path, left: str | None, why: str
) -> None:
    """In one line."""
    if left is not None:
        (tmp_path / "run_results.json").write_text(left)
    with pytest.raises(AssertionError) as caught:
        called(RECIPES / "dbt/record_dbt.py", tmp_path, store=json_store)
    assert "nothing was recorded: " in str(caught.value)
    assert why in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert recorded(json_store) == []


def test_files_of_two_invocations_of_dbt_are_refused(tmp_path: Path, json_store: Path) -> None:
    """As a hook at the end of a run would find them."""
    target = Path(shutil.copytree(ARTEFACTS, tmp_path / "target"))
    manifest = json.loads((target / "manifest.json").read_text())
    manifest["metadata"]["invocation_id"] = "another"
    (target / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="has files of two invocations"):
        loaded("dbt/record_dbt.py").record_dbt(target)
    assert recorded(json_store) == []
    assert cf.lineage() == []

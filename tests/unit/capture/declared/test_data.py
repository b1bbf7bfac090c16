"""`source` and `sink`: reads and writes that are declared by hand, as the record has them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.jobs.location_forms import FORMS, Form

import conformare as cf
from conformare.testing import InMemoryWriter

SECRET = "hunter2xyz"  # noqa: S105 - looked for in what is recorded
HOLDING = [form for forms in FORMS.values() for form in forms if form.places]


def record() -> dict[str, list[dict[str, Any]]]:
    """What would be recorded now."""
    return cf.to_run_record(cf.store, "p", run_id="1", ts="2026-01-01")


def test_a_read_is_recorded_as_a_tracked_one_is() -> None:
    """Its location is in the one spelling that all locations have."""
    cf.source("s3a://shop/orders.parquet/", format="Parquet", columns=["id", "email"])
    (row,) = record()["sources"]
    assert (row["node"], row["location"]) == ("orders", "s3://shop/orders.parquet")
    assert (row["format"], row["reader"]) == ("parquet", "declared")
    assert row["columns"] == ["id", "email"]
    assert record()["runs"][0]["backends"] == ["declared"]


def test_a_write_counts_its_sensitive_columns() -> None:
    """By their names, as those of a tracked one."""
    cf.sink(Path("/out/daily.csv"), columns=["day", "email"])
    (row,) = record()["sinks"]
    assert (row["node"], row["location"]) == ("daily.csv", "/out/daily.csv")
    assert (row["format"], row["writer"], row["n_sensitive"]) == ("unknown", "declared", 1)
    assert record()["runs"][0]["sensitive_written"] == 1


def test_a_table_is_called_by_its_own_name() -> None:
    """The session's own catalog is left out."""
    cf.source("spark_catalog.sales.orders")
    (row,) = record()["sources"]
    assert (row["node"], row["location"]) == ("orders", "sales.orders")


def test_risks_reach_the_sink_from_its_sources() -> None:
    """Those on the write are direct, those of the process come last."""
    cf.describe_process(risks=["ops.manual_step"])
    with cf.describe("orders", risks=["quality.duplicates"]):
        orders = cf.source("/in/orders")
    with cf.risk("compliance.gdpr"):
        customers = cf.source("/in/customers")
    with cf.describe("report"), cf.risk("privacy.pii_exposure", owner="ana"):
        cf.sink("/out/report", sources=[orders, customers])
    found = {
        row["risk_id"]: (row["kind"], row["distance"], row["context_label"])
        for row in record()["sink_risks"]
    }
    assert found == {
        "privacy.pii_exposure": ("direct", 0, "report"),
        "quality.duplicates": ("indirect", 1, "orders"),
        "compliance.gdpr": ("indirect", 1, None),
        "ops.manual_step": ("process", None, "(process)"),
    }


def test_a_loop_declares_each_place_once() -> None:
    """However often it runs; another place and other columns are another one."""
    for _ in range(50):
        for table in ("a", "b"):
            read = cf.source(f"raw.{table}", columns=["id"])
            cf.sink(f"clean.{table}", columns=["id"], sources=[read])
        cf.sink("made.of_nothing")
    cf.source("raw.a", columns=["id", "day"])
    found = record()
    assert [row["location"] for row in found["sources"]] == ["raw.a", "raw.b", "raw.a"]
    assert [row["location"] for row in found["sinks"]] == ["clean.a", "clean.b", "made.of_nothing"]


def test_one_source_may_stand_without_a_list() -> None:
    """It is what is meant."""
    cf.sink("b", sources=cf.source("a"))  # type: ignore[arg-type]  # one, not a list
    assert cf.build_model()["edges"][-1] == {
        "from": 1,
        "to": 2,
        "op": "sink",
        "contexts": [],
        "risks": [],
    }


@pytest.mark.parametrize("form", HOLDING, ids=str)
def test_no_secret_of_a_location_is_kept(form: Form) -> None:
    """Nor shown of what is returned."""
    location = form.holding(SECRET)
    read = cf.source(location)
    cf.sink(location, sources=[read])
    assert SECRET not in json.dumps([record(), cf.build_model()]) + repr(read)


def test_addresses_in_names_of_columns_are_hidden() -> None:
    """As a pivot makes them."""
    cf.sink("a", columns=["day", "bob@example.org"], sources=[cf.source("b", columns=["x@y.org"])])
    assert "example.org" not in json.dumps(record())
    assert "y.org" not in json.dumps(record())


class Row:
    """A value that a mistaken caller hands over as the name of a column."""

    def __repr__(self) -> str:
        return SECRET


@pytest.mark.parametrize("columns", ["email", b"email", [Row()], [1]])
def test_columns_must_be_names(columns: Any) -> None:
    """What was handed over is not shown, for it may be data."""
    with pytest.raises(ValueError, match="columns must be names of columns") as told:
        cf.source("a", columns=columns)
    assert SECRET not in str(told.value)
    with pytest.raises(ValueError, match="columns must be names of columns"):
        cf.sink("a", columns=columns)
    assert record()["runs"][0]["n_nodes"] == 0


@pytest.mark.parametrize("location", ["", "  ", None, 3, "x" * 2_001])
def test_a_location_is_needed(location: Any) -> None:
    """And one that a record can carry."""
    for declare in (cf.source, cf.sink):
        with pytest.raises(ValueError, match=r"^location "):
            declare(location)


@pytest.mark.parametrize("format_", ["", None, "a=b", "https://u:p@host"])
def test_a_format_is_a_word(format_: Any) -> None:
    """It is recorded as it is."""
    for declare in (cf.source, cf.sink):
        with pytest.raises(ValueError, match="format must be a word"):
            declare("a", format=format_)


def test_sources_of_a_sink_are_declared_ones() -> None:
    """A location is not taken for one."""
    with pytest.raises(TypeError, match=r"what conformare\.source returned, not str"):
        cf.sink("a", sources=["b"])  # type: ignore[list-item]  # the mistake


@pytest.mark.expects_guarded_fault
def test_a_fault_of_ours_reaches_no_job(
    monkeypatch: pytest.MonkeyPatch, swallowed_faults_fail: list[Exception]
) -> None:
    """It is swallowed and counted."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(cf.store, "add_source", broken)
    monkeypatch.setattr(cf.store, "add_sink", broken)
    cf.sink("b", sources=[cf.source("a")])
    assert [str(fault) for fault in swallowed_faults_fail] == ["ours", "ours"]


def test_a_read_is_warned_of_where_its_place_carries_risks(tmp_path: Path) -> None:
    """As a tracked read is."""
    cf.configure_store(writer="json", path=str(tmp_path), warn_on_source=True)
    cf.record_source_risk("/in/orders", "privacy.pii_exposure")
    with pytest.warns(cf.UpstreamRiskWarning, match="/in/orders carries 1 recorded risk: 1 static"):
        cf.source("/in/orders")
    cf.fleet.reset_store_config()


def test_the_record_is_the_same_in_any_process() -> None:
    """Byte by byte."""
    program = (
        "import conformare as cf, json\n"
        "with cf.describe('c', risks=['x', 'y']):\n"
        "    reads = [cf.source(f'raw.{n}', columns={'b': 1, 'a': 2}) for n in 'zyx']\n"
        "cf.sink('out', sources=reads)\n"
        "print(json.dumps(cf.to_run_record(cf.store, 'p', run_id='1', ts='2026-01-01')))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
    assert [row["node"] for row in json.loads(said.pop())["sources"]] == ["z", "y", "x"]


def test_pandas_names_its_columns(tmp_path: Path) -> None:
    """A job without Spark, from read to record."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"day": ["2026-01-01"], "revenue": [1]})
    store = InMemoryWriter()
    orders = cf.source("/in/orders.csv", format="csv", columns=frame.columns)
    frame.to_csv(tmp_path / "daily.csv")
    cf.sink(tmp_path / "daily.csv", format="csv", columns=frame.columns, sources=[orders])
    cf.record_run("daily", dest=store)
    assert store.last("sources")[0]["columns"] == ["day", "revenue"]
    assert store.last("sinks")[0]["location"] == str(tmp_path / "daily.csv")

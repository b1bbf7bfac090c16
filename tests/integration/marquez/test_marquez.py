"""Runs as a real Marquez shows them: `make test-marquez` says where its source is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fleet.lake import FleetLake
from support.fleet.small import put_run
from support.marquez.server import Marquez, running_marquez
from support.openlineage.exported import NAMING, full_emission, whole_emissions

from conformare.fleet.stores import open_store
from conformare.openlineage import Exported, export_runs, openlineage_run_id, sent_runs
from conformare.openlineage.targets import HttpTarget

CHECKOUT = os.environ.get("MARQUEZ_CHECKOUT")

pytestmark = pytest.mark.skipif(
    not CHECKOUT, reason="needs a checkout of Marquez: make test-marquez"
)

SCHEMA = "api/v1/lineage"


@pytest.fixture(scope="module")
def marquez(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marquez]:
    """A Marquez, which keeps what all tests have sent."""
    with running_marquez(Path(CHECKOUT or ""), tmp_path_factory.mktemp("marquez")) as server:
        yield server


def exported(marquez: Marquez, root: Path, state: Path) -> Exported:
    """Export what is in the folder `runs`."""
    target = HttpTarget(marquez.url, SCHEMA)
    try:
        with sent_runs(state, {}) as sent:
            return export_runs(open_store(str(root / "runs")), sent, target, NAMING)
    finally:
        target.close()


def place(location: str, **columns: Any) -> dict[str, Any]:
    """A row of a source or a sink."""
    return {"node": location, "location": location, "format": "delta", **columns}


def put_day(root: Path, pipeline: str, day: int, **grains: Any) -> None:
    """Put a run of a day, whose run_id is the day."""
    put_run(root / "runs", pipeline, str(day), f"2026-11-0{day}T00:00:00Z", **grains)


def put_days(root: Path, days: int) -> None:
    """Put runs of three pipelines, of which each reads what the one before has written."""
    read, written = {"reader": "spark.read"}, {"writer": "spark"}
    raw, clean, gold = "s3://shop/raw/orders", "sales.orders", "/gold/daily"
    customers = "jdbc:postgresql://db/crm#public.orders"
    steps = (("ingest", customers, raw), ("clean", raw, clean), ("report", clean, gold))
    for day in range(1, days + 1):
        for pipeline, source, sink in steps:
            is_failed = (pipeline, day) == ("clean", 2)
            put_day(
                root,
                pipeline,
                day,
                run={"env": "test", "status": "failed" if is_failed else "healthy"},
                sources=[place(source, columns=["id", "day"], **read)],
                sinks=[place(sink, columns=["day", "n"], n_sensitive=1, **written)],
            )


def named(datasets: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """What datasets are called."""
    return {(one["namespace"], one["name"]) for one in datasets}


def test_jobs_have_their_runs_and_their_data(marquez: Marquez, tmp_path: Path) -> None:
    """With states, times and our own ids, however often a run is sent."""
    put_days(tmp_path, 3)
    for state in ("first", "lost"):
        assert exported(marquez, tmp_path, tmp_path / state) == Exported(runs=9)
    jobs = {
        job["name"]: job for job in marquez.ask("namespaces", "conformare.test", "jobs")["jobs"]
    }
    assert {name: (named(job["inputs"]), named(job["outputs"])) for name, job in jobs.items()} == {
        "ingest": ({("postgres://db:5432", "crm.public.orders")}, {("s3://shop", "raw/orders")}),
        "clean": ({("s3://shop", "raw/orders")}, {("catalog", "sales.orders")}),
        "report": ({("catalog", "sales.orders")}, {("file", "/gold/daily")}),
    }
    assert {job["type"] for job in jobs.values()} == {"BATCH"}
    found = marquez.ask("namespaces", "conformare.test", "jobs", "clean", "runs")
    assert found["totalCount"] == 3
    assert [
        (
            run["facets"]["conformare_record"]["runId"],
            run["state"],
            run["startedAt"],
            run["endedAt"],
        )
        for run in found["runs"]
    ] == [
        ("3", "COMPLETED", "2026-11-03T00:00:00Z", "2026-11-03T00:00:00Z"),
        ("2", "FAILED", "2026-11-02T00:00:00Z", "2026-11-02T00:00:00Z"),
        ("1", "COMPLETED", "2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z"),
    ]


def test_a_dataset_has_each_column_once(marquez: Marquez, tmp_path: Path) -> None:
    """However many runs have read it; and what stands in our own facet."""
    put_days(tmp_path, 3)
    exported(marquez, tmp_path, tmp_path / "sent")
    read = marquez.ask("namespaces", "postgres://db:5432", "datasets", "crm.public.orders")
    assert sorted(field["name"] for field in read["fields"]) == ["day", "id"]
    written = marquez.ask("namespaces", "catalog", "datasets", "sales.orders")
    assert written["facets"]["conformare_risks"]["sensitiveColumns"] == 1
    assert written["facets"]["storage"]["storageLayer"] == "delta"


def test_lineage_goes_from_the_first_source_to_the_last_sink(
    marquez: Marquez, tmp_path: Path
) -> None:
    """Over all pipelines in between."""
    put_days(tmp_path, 1)
    exported(marquez, tmp_path, tmp_path / "sent")
    graph = marquez.ask("lineage", nodeId="dataset:catalog:sales.orders", depth="9")["graph"]
    assert {node["id"] for node in graph} == {
        "dataset:postgres://db:5432:crm.public.orders",
        "job:conformare.test:ingest",
        "dataset:s3://shop:raw/orders",
        "job:conformare.test:clean",
        "dataset:catalog:sales.orders",
        "job:conformare.test:report",
        "dataset:file:/gold/daily",
    }


def test_every_facet_arrives(marquez: Marquez, tmp_path: Path) -> None:
    """Of a run that has everything."""
    lake = FleetLake(tmp_path / "runs")
    lake.land([full_emission()])
    assert exported(marquez, tmp_path, tmp_path / "sent") == Exported(runs=1)
    run_id = str(openlineage_run_id("orders", "nightly-1"))
    facets = marquez.ask("jobs", "runs", run_id, "facets", type="run")["facets"]
    assert set(facets) == {
        *("conformare_record", "conformare_risks", "conformare_contexts"),
        *("processing_engine", "tags", "test", "errorMessage"),
    }
    of_job = marquez.ask("jobs", "runs", run_id, "facets", type="job")["facets"]
    assert [owner["name"] for owner in of_job["ownership"]["owners"]] == ["ana", "bo"]
    source = marquez.ask("namespaces", "s3://shop", "datasets", "raw/orders")["facets"]
    (check,) = source["dataQualityAssertions"]["assertions"]
    assert (check["assertion"], check["column"], check["success"]) == ("not_null", "id", False)


def test_runs_of_any_kind_are_taken(marquez: Marquez, tmp_path: Path) -> None:
    """Each has ended as its status says."""
    lake = FleetLake(tmp_path / "runs")
    emissions = whole_emissions(seed=3, count=60)
    lake.land(emissions)
    assert exported(marquez, tmp_path, tmp_path / "sent") == Exported(runs=len(emissions))
    for run in (emission.run for emission in emissions):
        assert run is not None
        run_id = openlineage_run_id(run["pipeline"], run["run_id"])
        state = "FAILED" if run["status"] == "failed" else "COMPLETED"
        assert marquez.ask("jobs", "runs", str(run_id))["state"] == state


def test_what_marquez_cannot_hold_holds_up_no_other(marquez: Marquez, tmp_path: Path) -> None:
    """And it still lists all that it has: it takes some names that it cannot read again."""
    several = "jdbc:postgresql://a,b/db#s.t"
    put_day(tmp_path, "wide", 1, sources=[place("s3://b/wide", columns=["c" * 300])])
    put_day(tmp_path, "several", 2, sources=[place(several, columns=["id"])])
    put_day(tmp_path, "blank", 3, sources=[place("s3://b/blank", columns=["", "id"])])
    put_day(tmp_path, "far", 4, run={"env": "e" * 2_000})
    put_day(tmp_path, "odd\0\n\x1b[1m", 5, run={"tags": {"\0": "\0"}})
    assert exported(marquez, tmp_path, tmp_path / "sent") == Exported(
        runs=3,
        refused=["wide 1: the server answered 500", "several 2: the server answered 400"],
    )
    spaces = [one["name"] for one in marquez.ask("namespaces")["namespaces"]]
    assert f"conformare.{'e' * 1_013}" in spaces
    jobs = [one["name"] for one in marquez.ask("jobs", limit="1000")["jobs"]]
    assert "odd\N{REPLACEMENT CHARACTER}\n\x1b[1m" in jobs

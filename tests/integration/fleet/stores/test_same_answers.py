"""The same runs give the same answers, whichever store they are in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from support.fleet.asked import answers, differences, expected
from support.fleet.invented import PLACES, START, Invention
from support.fleet.lake import FleetLake
from support.fleet.written import records, write_files
from support.servers.object_store import s3proxy

from conformare.fleet import (
    Fleet,
    Tables,
    last_healthy_run,
    merge_records,
    owner_pipelines,
    read_store,
    review_report,
    sinks_as_of,
    upstream_risks,
)
from conformare.fleet.stores import FleetStore, open_store

NOW = START + timedelta(days=9)
AS_OF = (START + timedelta(days=1),)
EMISSIONS = Invention(Random(5), pipelines=8).emissions(150)  # noqa: S311 - the same fleet each time
PREFIX = "conformare_"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of each kind."""
    root = tmp_path_factory.mktemp("the störes")
    FleetLake(root / "lake").land(EMISSIONS)
    FleetLake(root / "catalog", PREFIX).land(EMISSIONS)
    write_files("json", root / "json", EMISSIONS)
    write_files("parquet", root / "parquet", EMISSIONS)
    return root


@pytest.fixture(params=["lake", "catalog", "json", "parquet"])
def store(request: pytest.FixtureRequest, folder: Path) -> FleetStore:
    """A store of each kind."""
    prefix = PREFIX if request.param == "catalog" else ""
    return open_store(str(folder / request.param), table_prefix=prefix)


@pytest.fixture(scope="module")
def wanted(folder: Path) -> dict[str, Any]:
    """What plain Python answers."""
    lake = FleetLake(folder / "another lake")
    lake.landed = EMISSIONS
    return expected(lake.history, AS_OF, NOW)


def test_every_store_gives_the_same_answers(store: FleetStore, wanted: dict[str, Any]) -> None:
    assert not differences(answers(Fleet(store, now=NOW), AS_OF), wanted)


def test_a_lake_in_an_object_store_gives_them_too(tmp_path: Path, wanted: dict[str, Any]) -> None:
    with s3proxy(tmp_path) as running:
        url, options = running.url("lake"), running.storage_options
        lake = FleetLake(url, **options)
        lake.land(EMISSIONS[:-9])
        fleet = Fleet(open_store(url, options), now=NOW)
        answers(fleet, AS_OF)
        lake.land(EMISSIONS[-9:])
        assert fleet.refresh()
        assert not differences(answers(fleet, AS_OF), wanted)


def test_rows_are_those_of_the_records_whatever_store_they_were_read_from(
    store: FleetStore,
) -> None:
    found, recorded = Tables(store), merge_records(records(EMISSIONS))
    for grain in found:
        assert sorted(map(repr, map(_ordered, found[grain]))) == sorted(
            map(repr, map(_ordered, recorded[grain]))
        )


def test_every_call_over_rows_answers_as_over_the_records(store: FleetStore) -> None:
    recorded = merge_records(records(EMISSIONS))
    assert _calls(Tables(store)) == _calls(recorded)


def test_the_configuration_of_a_writer_says_where_its_runs_are(folder: Path) -> None:
    for writer in ("json", "parquet"):
        tables = read_store({"writer": writer, "path": str(folder / writer)}, ["runs"])
        assert list(tables) == ["runs"]
        assert tables["runs"] == read_store(folder / "lake")["runs"]


def _calls(tables: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    names = sorted({run["pipeline"] for run in tables["runs"]})
    return {
        "reviews": [review_report(tables), *(review_report(tables, name) for name in names)],
        "healthy": [last_healthy_run(tables), *(last_healthy_run(tables, name) for name in names)],
        "owners": owner_pipelines(tables),
        "sinks": [sorted(map(repr, sinks_as_of(tables, name, AS_OF[0]))) for name in names],
        "risks": upstream_risks(tables, PLACES),
    }


def _ordered(row: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(row.items())

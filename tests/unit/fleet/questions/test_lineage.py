"""Lineage and impact, with the answer beside each small fleet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from support.fleet.small import fleet_of, owner, recorded

from conformare._errors import FleetError
from conformare.capture.locations import BETWEEN
from conformare.fleet import Fleet, PipelineKey
from conformare.fleet.questions import Lineage, Reached, impact, place_of

RAW, CLEAN, MART, DASH = (f"s3://lake/{name}" for name in ("raw", "clean", "mart", "dash"))


def run(
    pipeline: str,
    reads: Iterable[str] = (),
    writes: Iterable[str] = (),
    day: int = 1,
    env: str | None = None,
) -> dict[str, Any]:
    """A run that reads some places and writes others."""
    return recorded(
        pipeline,
        f"{pipeline}-{day}" if env is None else f"{pipeline}-{day}-{env}",
        f"2026-02-0{day}",
        run={"env": env},
        sources=[{"location": location} for location in reads],
        sinks=[{"location": location} for location in writes],
        owners=[owner(f"{pipeline}'s", "clean")],
    )


def chain() -> Fleet:
    """Raw → ingest → clean → mart → dash, and a short way from clean to dash."""
    return fleet_of(
        run("ingest", [RAW], [CLEAN]),
        run("build", [CLEAN], [MART]),
        run("show", [MART, CLEAN], [DASH]),
        run("mail", [DASH]),
        run("apart", ["s3://lake/other"], ["s3://lake/another"]),
    )


def told(found: Iterable[Reached]) -> list[tuple[int, str, str | None]]:
    """Distance, pipeline and location, nearest first."""
    return [(one.distance, one.pipeline, one.location) for one in found]


def test_impact_goes_over_several_hops_by_the_shortest_way() -> None:
    """A place has the distance of the pipeline that writes it."""
    found = impact(chain(), pipeline="ingest")
    assert told(found) == [
        (0, "ingest", CLEAN),
        (1, "build", None),
        (1, "show", None),
        (1, "build", MART),
        (1, "show", DASH),
        (2, "mail", None),
    ]
    assert found[1] == Reached(1, "build", None, None, CLEAN, ("build's",))
    assert found[-1].via == DASH


def test_a_location_begins_at_its_readers() -> None:
    """And so does what a run wrote."""
    expected = [(1, "show", None), (1, "show", DASH), (2, "mail", None)]
    assert told(impact(chain(), location=MART)) == expected
    assert told(impact(chain(), run_id="build-1")) == expected


def test_upstream_is_the_way_back() -> None:
    """A place has the distance of the pipeline that reads it."""
    assert told(impact(chain(), location=MART, direction="up")) == [
        (1, "build", None),
        (1, "build", CLEAN),
        (2, "ingest", None),
        (2, "ingest", RAW),
    ]


def test_the_newest_run_says_where_a_pipeline_reads_and_writes() -> None:
    """Whenever the older one came; and each environment has one of its own."""
    fleet = fleet_of(
        run("ingest", [], [CLEAN], day=2),
        run("ingest", [], [MART], day=1),
        run("ingest", [], [RAW], day=1, env="dev"),
        *(run(f"reads-{name}", [f"s3://lake/{name}"]) for name in ("raw", "clean", "mart")),
    )
    assert told(impact(fleet, pipeline="ingest"))[2:] == [
        (1, "reads-clean", None),
        (1, "reads-raw", None),
    ]
    assert told(impact(fleet, pipeline="ingest", env="dev")) == [
        (0, "ingest", RAW),
        (1, "reads-raw", None),
    ]
    # A run says for itself what it wrote.
    assert told(impact(fleet, run_id="ingest-1", pipeline="ingest")) == [(1, "reads-mart", None)]


@pytest.mark.parametrize("start", ["a", "b", "c"])
def test_a_circle_ends(start: str) -> None:
    """Everything in it is told once, and where it begins not at all."""
    fleet = fleet_of(run("a", ["z"], ["x"]), run("b", ["x"], ["y"]), run("c", ["y"], ["z"]))
    found = impact(fleet, pipeline=start)
    names = [(one.distance, one.pipeline) for one in found if one.location is None]
    after = {"a": "bc", "b": "ca", "c": "ab"}[start]
    assert names == [(1, after[0]), (2, after[1])]
    assert len(found) == 5


def test_a_pipeline_that_reads_what_it_writes_is_not_downstream_of_itself() -> None:
    """But it is of the place."""
    fleet = fleet_of(run("merge", [MART], [MART]))
    assert told(impact(fleet, pipeline="merge")) == [(0, "merge", MART)]
    assert told(impact(fleet, location=MART)) == [(1, "merge", None)]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("s3://lake/orders", "s3a://lake/orders/"),
        ("S3N://Lake/orders", " s3://lake/orders"),
        ("abfss://box@acc.dfs/x", "abfs://box@acc.dfs/x/"),
        ("/data/orders", "file:///data/orders"),
        ("/data/orders/", "file:/data/orders"),
        ("hdfs:/data/orders", "hdfs:///data/orders/"),
        ("dbfs:/mnt/orders", "dbfs:///mnt/orders"),
        ("Sales.Orders", "`sales`.`orders`"),
        ("s3://lake/orders", f"s3://lake/old{BETWEEN}s3://lake/orders"),
    ],
)
def test_spellings_of_one_place_are_one(written: str, read: str) -> None:
    """A read may be of several places."""
    fleet = fleet_of(run("writer", [], [written]), run("reader", [read]))
    assert told(impact(fleet, location=written)) == [(1, "reader", None)]
    assert (1, "reader", None) in told(impact(fleet, pipeline="writer"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("s3://lake/orders", "s3://lake/Orders"),
        ("s3://lake/orders", "gs://lake/orders"),
        ("s3://lake/orders", "s3://lake/orders2"),
        ("s3://lake/a", "s3://other/a"),
        ("/data/orders", "hdfs:///data/orders"),
        ("hdfs:///orders", "hdfs://orders"),
        ("sales.orders", "sales/orders"),
        ("jdbc:postgresql://db/Sales", "jdbc:postgresql://db/sales"),
    ],
)
def test_other_places_are_others(one: str, other: str) -> None:
    """However alike they look."""
    assert place_of(one) != place_of(other)


@pytest.mark.parametrize(
    ("start", "text"),
    [
        ({"location": "s3://lake/none"}, "no newest run reads or writes 's3://lake/none'"),
        ({"pipeline": "none"}, "has no pipeline 'none'"),
        ({"run_id": "none"}, "has no run 'none'"),
        ({}, "give one of"),
        ({"location": RAW, "pipeline": "ingest"}, "give one of"),
    ],
)
def test_what_is_not_there_is_told(start: dict[str, Any], text: str) -> None:
    """It is not one on which nothing depends."""
    with pytest.raises(FleetError, match=text):
        impact(chain(), **start)


def test_a_drawing_has_what_is_near_both_ways_and_the_nearest_first() -> None:
    """A hop is a step from pipeline to pipeline."""
    lineage = Lineage(chain())

    def around(start: PipelineKey | str, hops: int, most: int = 300) -> list[tuple[str, str]]:
        return [(one.pipeline.pipeline, one.place) for one in lineage.around(start, hops, most)]

    assert around(PipelineKey("build", None), 1) == [
        ("build", CLEAN),
        ("build", MART),
        ("ingest", CLEAN),
        ("show", CLEAN),
        ("show", MART),
    ]
    assert around(CLEAN, 1) == [("build", CLEAN), ("ingest", CLEAN), ("show", CLEAN)]
    assert len(around(CLEAN, 3)) == 8
    assert around(PipelineKey("build", None), 3, most=3) == [("build", CLEAN), ("build", MART)]

"""What was read and written: location, real format, columns, and nobody's credentials."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest
from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from support.jobs.lineage import Grain

from conformare.capture import lineage, untracked

COLUMNS = ["id", "email", "g"]


@pytest.fixture
def table(spark: SparkSession, people: DataFrame) -> Iterator[str]:
    """A Delta table of the session's catalog."""
    with untracked():
        people.write.format("delta").saveAsTable("people_of_capture")
    yield "people_of_capture"
    spark.sql("drop table people_of_capture")


@pytest.fixture
def folder(people: DataFrame, tmp_path: Path) -> str:
    """A folder of the frame in several formats."""
    with untracked():
        for name in ("parquet", "csv", "json", "orc", "delta"):
            people.write.format(name).option("header", True).save(f"{tmp_path}/{name}")
    return str(tmp_path)


def test_every_way_to_read_files_tells_where_and_in_which_format(
    folder: str, tracked: SparkSession, grain: Grain
) -> None:
    read = tracked.read
    reads = [
        read.parquet(f"{folder}/parquet"),
        read.csv(path=f"{folder}/csv", header=True),
        read.json([f"{folder}/json", f"{folder}/json"]),
        read.orc(f"{folder}/orc"),
        read.text(f"{folder}/csv"),
        tracked.read.format("delta").load(f"{folder}/delta"),
        tracked.read.load(f"{folder}/csv", format="csv", header=True),
        tracked.read.format("parquet").option("path", f"{folder}/parquet").load(),
        tracked.read.options(path=f"{folder}/json").format("json").load(),
        tracked.read.load(f"{folder}/parquet"),
        tracked.read.parquet(f"{folder}/parquet", f"{folder}/parquet"),
    ]
    assert [(row["location"].replace(folder, ""), row["format"]) for row in grain("sources")] == [
        ("/parquet", "parquet"),
        ("/csv", "csv"),
        ("/json, /json", "json"),
        ("/orc", "orc"),
        ("/csv", "text"),
        ("/delta", "delta"),
        ("/csv", "csv"),
        ("/parquet", "parquet"),
        ("/json", "json"),
        ("/parquet", "parquet"),
        ("/parquet, /parquet", "parquet"),
    ]
    assert {row["reader"] for row in grain("sources")} == {"spark.read"}
    assert [row["columns"] for row in grain("sources")] == [frame.columns for frame in reads]
    assert grain("sources")[0]["node"] == "parquet"


@pytest.mark.parametrize("written", ["{}", "{}/", "file:{}", "file://{}"])
def test_files_have_one_location_however_their_path_is_written(
    folder: str, tracked: SparkSession, people: DataFrame, grain: Grain, written: str
) -> None:
    path = written.format(f"{folder}/delta")
    tracked.read.format("DELTA").load(path)
    tracked.read.format("delta").option("path", path).load()
    tracked.readStream.format("delta").load(path)
    tracked.sql(f"select * from delta.`{path}`")  # noqa: S608 - a folder of the test
    table = DeltaTable.forPath(tracked, path)
    table.toDF()
    people.write.format("Delta").mode("append").save(path)
    people.write.format("delta").mode("append").option("path", path).save()
    table.delete("id = 1")
    tracked.sql(f"delete from delta.`{path}` where id = 2")  # noqa: S608 - a folder of the test
    for name, count in (("sources", 5), ("sinks", 4)):
        assert [(row["location"], row["format"]) for row in grain(name)] == [
            (f"{folder}/delta", "delta")
        ] * count


def test_tables_and_queries_tell_what_they_read(
    table: str, tracked: SparkSession, grain: Grain
) -> None:
    frames = [
        tracked.table(table),
        tracked.read.table(table),
        tracked.sql(f"-- first\nselect * from {table} where id in (select id from {table})"),  # noqa: S608 - a table of the test
        tracked.sql("select 'secret' as s"),
    ]
    tracked.sql("show tables")
    rows = grain("sources")
    names = ("node", "location", "format", "reader")
    assert [tuple(row[name] for name in names) for row in rows[:3]] == [
        (table, table, "delta", "spark.table"),
        (table, table, "delta", "spark.read"),
        ("<df3>", table, "delta", "spark.sql"),
    ]
    assert rows[3]["location"].startswith("query:")
    assert "secret" not in str(rows)
    assert len(rows) == len(frames)


def test_frames_made_in_memory_are_sources(tracked: SparkSession, grain: Grain) -> None:
    made = tracked.createDataFrame([(1,)], "email int")
    numbers = tracked.range(3)
    assert grain("sources") == [
        {
            "node": "made",
            "location": "(memory)",
            "format": "memory",
            "reader": "spark.createDataFrame",
            "columns": made.columns,
        },
        {
            "node": "numbers",
            "location": "(memory)",
            "format": "memory",
            "reader": "spark.range",
            "columns": numbers.columns,
        },
    ]


@pytest.mark.usefixtures("tracked")
def test_every_way_to_write_files_tells_where_and_in_which_format(
    people: DataFrame, tmp_path: Path, grain: Grain
) -> None:
    people.write.parquet(f"{tmp_path}/a")
    people.write.csv(path=f"{tmp_path}/b.csv")
    people.write.json(f"{tmp_path}/c")
    people.write.orc(f"{tmp_path}/d")
    people.select("email").write.text(f"{tmp_path}/e")
    people.write.format("delta").save(f"{tmp_path}/f")
    people.write.save(f"{tmp_path}/g", format="json")
    people.write.save(f"{tmp_path}/h")
    people.write.format("csv").option("path", f"{tmp_path}/i").save()
    rows = grain("sinks")
    assert [(row["node"], row["location"], row["format"]) for row in rows] == [
        (name, f"{tmp_path}/{name}", format_)
        for name, format_ in {
            "a": "parquet",
            "b.csv": "csv",
            "c": "json",
            "d": "orc",
            "e": "text",
            "f": "delta",
            "g": "json",
            "h": "parquet",
            "i": "csv",
        }.items()
    ]
    assert {row["writer"] for row in rows} == {"spark"}
    assert [row["columns"] for row in rows if row["node"] != "e"] == [sorted(COLUMNS)] * 8


@pytest.mark.usefixtures("tracked")
def test_writes_to_tables_tell_which_and_their_format(
    table: str, people: DataFrame, grain: Grain
) -> None:
    people.write.mode("append").format("delta").saveAsTable(table)
    people.write.insertInto(table)
    assert [(row["node"], row["location"], row["format"]) for row in grain("sinks")] == [
        (table, table, "delta")
    ] * 2


@pytest.mark.skipif(pyspark.__version__ < "4.1", reason="the older Spark has no connector here")
def test_topics_have_their_cluster(tracked: SparkSession, grain: Grain) -> None:
    for reader in (tracked.read, tracked.readStream):
        for servers in ("b:9092,a:9092", "A:9092, b:9092"):
            kafka = reader.format("kafka").option("kafka.bootstrap.servers", servers)
            kafka.option("subscribe", "orders").load()
    assert [(row["node"], row["location"], row["format"]) for row in grain("sources")] == [
        ("orders", "kafka://a:9092,b:9092/orders", "kafka")
    ] * 2  # in a loop, what is read from one place is one


def test_a_relative_path_is_where_it_lies(
    tracked: SparkSession, people: DataFrame, grain: Grain, tmp_path: Path
) -> None:
    path = os.path.relpath(tmp_path / "x")
    people.write.parquet(path)
    tracked.read.parquet(f"./{path}")
    tracked.read.format("parquet").load(path)
    tracked.sql(f"select * from parquet.`{path}`")  # noqa: S608 - a folder of the test
    for name, count in (("sources", 3), ("sinks", 1)):
        assert [row["location"] for row in grain(name)] == [f"{tmp_path}/x"] * count


@pytest.mark.usefixtures("tracked")
def test_a_write_that_failed_is_none(people: DataFrame, tmp_path: Path, grain: Grain) -> None:
    people.write.parquet(str(tmp_path / "a"))
    with pytest.raises(Exception, match="PATH_ALREADY_EXISTS"):
        people.write.parquet(str(tmp_path / "a"))
    assert len(grain("sinks")) == len(lineage()) == 1


def test_credentials_in_locations_never_show(tracked: SparkSession) -> None:
    reader = tracked.read.format("jdbc").option(
        "url", "jdbc:postgresql://u:secret@h/d?password=secret"
    )
    with pytest.raises(Exception, match=r"(?i)driver|ClassNotFound"):
        reader.option("dbtable", "public.people").load()
    from conformare.capture.spark._places import place_of
    from conformare.capture.spark._reads import options_of

    assert place_of(options_of(reader)) == "jdbc:postgresql://h/d#public.people"

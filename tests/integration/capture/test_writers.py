"""Writes of the second kind, merges and Delta's own interface."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from support.jobs.lineage import Grain

from conformare.capture import describe, lineage, untracked

COLUMNS = ["email", "g", "id"]


@pytest.fixture
def target(spark: SparkSession, people: DataFrame) -> Iterator[str]:
    """A Delta table."""
    with untracked():
        people.write.format("delta").saveAsTable("target_of_writers")
    yield "target_of_writers"
    with untracked():
        for name in ("target_of_writers", "made_by_writers"):
            spark.sql(f"drop table if exists {name}")


@pytest.mark.usefixtures("tracked")
def test_every_way_to_write_to_a_table(target: str, people: DataFrame, grain: Grain) -> None:
    people.writeTo("made_by_writers").using("delta").create()
    people.writeTo("made_by_writers").using("delta").createOrReplace()
    people.writeTo("made_by_writers").using("delta").replace()
    people.writeTo(target).append()
    people.writeTo(target).overwrite(F.lit(True))
    people.writeTo(target).overwritePartitions()
    rows = grain("sinks")
    assert [(row["node"], row["format"]) for row in rows] == [("made_by_writers", "delta")] * 3 + [
        (target, "delta")
    ] * 3
    assert {tuple(row["columns"]) for row in rows} == {tuple(COLUMNS)}
    assert [event.op for event in lineage()] == [
        "create",
        "createOrReplace",
        "replace",
        "append",
        "overwrite",
        "overwritePartitions",
    ]


@pytest.mark.usefixtures("tracked")
def test_a_merge_into_a_table_is_a_step_and_a_sink(
    target: str, people: DataFrame, grain: Grain
) -> None:
    if not hasattr(people, "mergeInto"):
        pytest.skip("Spark 3.5 has no mergeInto")
    source = people.withColumn("id", F.col("id") + 10).alias("news")
    with describe("merge"):
        writer = source.mergeInto(target, F.expr(f"news.id = {target}.id"))
        writer.whenMatched().updateAll().whenNotMatched().insertAll().merge()
    assert [(event.op, event.kind) for event in lineage()] == [
        ("withColumn", "op"),
        ("alias", "op"),
        ("merge", "op"),
        ("merge", "sink"),
    ]
    logic = lineage()[2].logic
    assert logic is not None
    assert [part.get("clause") for part in logic["clauses"]] == [
        None,
        "whenMatched",
        "updateAll",
        "whenNotMatched",
        "insertAll",
    ]
    (row,) = grain("sinks")
    assert (row["location"], row["format"], row["columns"]) == (target, "delta", COLUMNS)


@pytest.mark.usefixtures("tracked")
def test_tables_of_delta_are_read_and_changed(
    target: str, tracked: SparkSession, people: DataFrame, grain: Grain, tmp_path: Path
) -> None:
    folder = str(tmp_path / "orders")
    with untracked():
        people.write.format("delta").save(folder)
    by_name, by_path = DeltaTable.forName(tracked, target), DeltaTable.forPath(tracked, folder)
    read = by_path.toDF()
    news = read.filter("id > 1")
    with describe("merge"):
        merge = by_name.alias("t").merge(news.alias("n"), "t.id = n.id")
        merge.whenMatchedUpdateAll().whenNotMatchedInsert(values={"id": "n.id"}).execute()
    by_path.update("id = 1", {"g": F.lit("secret")})
    by_path.delete(F.col("id") == 2)
    assert [(row["location"], row["format"], row["reader"]) for row in grain("sources")] == [
        (folder, "delta", "DeltaTable")
    ]
    assert [
        (row["node"], row["location"], row["format"], row["columns"]) for row in grain("sinks")
    ] == [
        (target, target, "delta", COLUMNS),
        ("orders", folder, "delta", COLUMNS),
        ("orders", folder, "delta", COLUMNS),
    ]
    assert [event.op for event in lineage() if event.kind == "op"] == [
        "filter",
        "alias",
        "merge",
        "update",
        "delete",
    ]
    assert grain("contexts")[0]["n_steps"] == 2
    assert "secret" not in str(grain("sinks"))
    assert read.count() == 2


def test_a_table_of_delta_that_a_builder_or_a_conversion_has_made_is_known(
    tracked: SparkSession, people: DataFrame, grain: Grain, tmp_path: Path
) -> None:
    with untracked():
        people.write.parquet(f"{tmp_path}/converted")
    builder = DeltaTable.createIfNotExists(tracked).tableName("built").addColumns(people.schema)
    merge = builder.execute().alias("t").merge(people.alias("n"), "t.id = n.id")
    merge.whenNotMatchedInsertAll().execute()
    DeltaTable.convertToDelta(tracked, f"parquet.`{tmp_path}/converted`").delete("id = 1")
    assert [(row["node"], row["location"], row["format"]) for row in grain("sinks")] == [
        ("built", "built", "delta"),
        ("converted", f"{tmp_path}/converted", "delta"),
    ]
    with untracked():
        tracked.sql("drop table built")


@pytest.mark.skipif(not hasattr(DeltaTable, "clone"), reason="new in Delta 4")
def test_a_clone_is_a_sink(
    target: str, tracked: SparkSession, grain: Grain, tmp_path: Path
) -> None:
    table = DeltaTable.forName(tracked, target)
    table.clone("cloned", isShallow=True)
    table.cloneAtVersion(0, f"{tmp_path}/cloned", isShallow=True)
    with untracked():
        tracked.sql("drop table cloned")
    sources, sinks = grain("sources"), grain("sinks")
    assert [(row["location"], row["format"]) for row in sources] == [(target, "delta")] * 2
    assert [(row["node"], row["location"], row["format"]) for row in sinks] == [
        ("cloned", "cloned", "delta"),
        ("cloned", f"{tmp_path}/cloned", "delta"),
    ]
    assert [row["columns"] for row in sinks] == [["email", "g", "id"]] * 2
    assert [event.op for event in lineage() if event.kind == "sink"] == ["clone"] * 2


def test_a_table_of_delta_that_returns_to_an_older_version_is_a_sink(
    target: str, tracked: SparkSession, grain: Grain
) -> None:
    DeltaTable.forName(tracked, target).restoreToVersion(0)
    assert [(event.op, event.kind) for event in lineage()] == [
        ("restore", "op"),
        ("restore", "sink"),
    ]
    assert [(row["location"], row["columns"]) for row in grain("sinks")] == [(target, COLUMNS)]

"""SQL: queries are steps and sources, statements that change tables are sinks, views are links."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from support.jobs.dropped import drop_tables
from support.jobs.lineage import Grain, flow

from conformare.capture import describe, lineage, store, untracked


@pytest.fixture
def tables(spark: SparkSession, people: DataFrame) -> Iterator[SparkSession]:
    """Two Delta tables, `incoming` and `kept`; what else a test makes is dropped as well."""
    with untracked():
        people.write.format("delta").saveAsTable("incoming")
        people.write.format("delta").saveAsTable("kept")
    yield spark
    with untracked():
        drop_tables(spark)


def places(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return location and format of each row."""
    return [(row["location"], row["format"]) for row in rows]


@pytest.mark.usefixtures("tracked")
def test_statements_that_change_a_table_are_sinks(tables: SparkSession, grain: Grain) -> None:
    with describe("load"):
        tables.sql("insert into kept select * from incoming where id > 1")
    tables.sql(
        "merge into kept k using incoming i on k.id = i.id "
        "when matched then update set * when not matched then insert *"
    )
    tables.sql("update kept set g = 'secret' where id = 1")
    tables.sql("delete from kept where email = 'secret@example.org'")
    tables.sql("create table made using parquet as select id, email from incoming")
    tables.sql("create table empty (id int) using delta")
    read, changed = [("sql", "op"), ("spark.sql", "source")], [("sql", "op")]
    assert [(event.op, event.kind) for event in lineage()] == [
        *read,
        ("insert", "sink"),
        *read,
        ("merge", "sink"),
        *changed,
        ("update", "sink"),
        *changed,
        ("delete", "sink"),
        *read,
        ("create", "sink"),
    ]
    rows = grain("sinks")
    assert places(rows) == [("kept", "delta")] * 4 + [("made", "parquet")]
    assert [row["columns"] for row in rows] == [["email", "g", "id"]] * 4 + [["email", "id"]]
    assert [row["n_sensitive"] for row in rows] == [1] * 5
    assert {row["writer"] for row in rows} == {"spark.sql"}
    assert places(grain("sources")) == [("incoming", "delta")] * 3
    assert grain("contexts")[0]["n_steps"] == 1
    for name in ("sinks", "sources", "contexts", "runs"):
        assert "secret" not in str(grain(name))


@pytest.mark.usefixtures("tracked")
def test_a_query_is_a_step_whose_layout_does_not_count(tables: SparkSession, grain: Grain) -> None:
    with describe("one"):
        tables.sql("select id from incoming where id > 1")
    with describe("two"):
        tables.sql(
            """
            select id   -- the key
            from incoming
            where id > 1
            """
        )
    with describe("three"):
        tables.sql("select id from incoming where id > 2")
    one, two, three = (row["impl_hash"] for row in grain("contexts"))
    assert one == two
    assert two != three


@pytest.mark.usefixtures("tracked")
def test_a_view_stands_for_the_frame_behind_it(
    tables: SparkSession, people: DataFrame, grain: Grain
) -> None:
    kept = people.filter("id > 1")
    kept.createOrReplaceTempView("Lately")
    by_name = tables.table("lately")
    by_query = tables.sql("select l.id from lately l join incoming i on l.id = i.id")
    tables.sql("create temporary view later as select id from lately")
    tables.sql("select * from later")
    assert flow() == [
        ("filter", ("people",), "kept"),
        ("table", ("kept",), "by_name"),
        ("sql", ("kept",), "by_query"),
        ("spark.sql", (), "by_query"),
        ("sql", ("kept",), "kept.c1"),
        ("sql", ("kept.c1",), "kept.c2"),
    ]
    assert places(grain("sources")) == [("incoming", "delta")]
    assert by_name.columns == ["id", "email", "g"]
    assert by_query.columns == ["id"]
    tables.catalog.dropTempView("lately")
    assert sorted(store.views) == ["later"]


@pytest.mark.usefixtures("tracked")
def test_frames_given_to_a_query_are_its_parents(
    tables: SparkSession, people: DataFrame, grain: Grain
) -> None:
    made = tables.sql("select id from {people} where id > 1", people=people)
    assert flow() == [("sql", ("<df1>",), "made")]
    assert grain("sources") == []
    assert made.count() == 2


@pytest.mark.usefixtures("tracked")
def test_comments_and_words_in_literals_mislead_nobody(tables: SparkSession, grain: Grain) -> None:
    tables.sql(
        """
        -- every night
        insert into kept select * from incoming
        """
    )
    tables.sql("with i as (select * from incoming where g = 'insert') select * from i")
    with describe("one"):
        tables.sql("select id /* the key */ from incoming where g = 'x--1'")
    with describe("two"):
        tables.sql("select id from incoming where g = 'x--1' -- or so")
    with describe("three"):
        tables.sql("select id from incoming where g = 'x--2'")
    assert places(grain("sinks")) == [("kept", "delta")]
    assert len(grain("sources")) == 5
    one, two, three = (row["impl_hash"] for row in grain("contexts"))
    assert one == two
    assert two != three


@pytest.mark.usefixtures("tracked")
def test_a_function_called_with_different_queries_makes_different_frames(
    tables: SparkSession, grain: Grain
) -> None:
    def query(text: str) -> DataFrame:
        return tables.sql(text)

    joined = query("select id from incoming").join(query("select id, g from kept"), "id")
    assert [row["location"] for row in grain("sources")] == ["incoming", "kept"]
    assert len(lineage()[-1].parents) == 2
    assert joined.columns == ["id", "g"]


@pytest.mark.usefixtures("tracked")
def test_a_function_that_makes_different_frames_makes_different_sources(
    tables: SparkSession, grain: Grain
) -> None:
    def made(rows: list[tuple[int]], schema: str) -> DataFrame:
        return tables.createDataFrame(rows, schema)

    for _ in range(3):
        made([(1,)], "id int").join(made([(1,)], "email int"), how="cross")
    assert [row["columns"] for row in grain("sources")] == [["id"], ["email"]]

"""A view that stands for a frame is a link to it, wherever a statement reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest
from pyspark.sql import DataFrame, SparkSession
from support.jobs.lineage import Recorded, flow

from conformare.capture import store, untracked

pytestmark = [pytest.mark.sessions("classic", "connect")]


@pytest.fixture
def recent(session: SparkSession, people: DataFrame) -> Iterator[str]:
    """A temporary view of a frame, `recent`."""
    kept = people.filter("id > 1")
    kept.createOrReplaceTempView("recent")
    yield "recent"
    with untracked():
        session.catalog.dropTempView("recent")


@pytest.mark.parametrize(
    ("query", "others"),
    [
        ("select * from Recent", []),
        ("with recent as (select * from recent) select * from recent", []),
        ("select * from recent where id in (select id from orders)", ["orders"]),
        ("select * from orders where id in (select id from recent)", ["orders"]),
        ("with orders as (select * from recent) select * from orders", []),
    ],
)
def test_a_query_is_linked_to_the_frame(
    session: SparkSession, recent: str, recorded: Recorded, query: str, others: list[str]
) -> None:
    made = session.sql(query)
    assert recent == "recent"
    assert ("sql", ("kept",), "made") in flow()
    assert [location for location, _ in recorded()[0]] == others
    assert made.columns


def test_a_name_of_a_with_hides_the_view(
    session: SparkSession, recent: str, recorded: Recorded
) -> None:
    session.sql(f"with {recent} as (select * from orders) select * from {recent}")
    assert ("sql", (), "<df3>") in flow()
    assert recorded()[0] == [("orders", "delta")]


def test_a_statement_that_changes_a_table_is_linked_to_the_frame(
    session: SparkSession, recent: str, recorded: Recorded
) -> None:
    session.sql(f"insert into kept select id, email from {recent}")
    assert recorded() == ([], [("kept", "delta")])
    assert ("sql", ("kept",), "kept.c1") in flow()


def test_views_of_all_kinds(session: SparkSession, recorded: Recorded) -> None:
    session.sql("create or replace temporary view one as select id from orders")
    session.sql("create or replace global temporary view two as select id from orders")
    session.sql("create or replace view sales.three as select id from sales.clients")
    session.sql("cache table four as select id from orders")
    assert sorted(store.views) == ["four", "global_temp.two", "one", "spark_catalog.sales.three"]
    made = len(recorded()[0])
    session.sql("select * from one")
    session.table("global_temp.two")
    session.sql("select * from sales.three")
    session.sql("use sales")
    session.table("three")
    session.sql("select * from four")
    assert len(recorded()[0]) == made == 4
    assert all(parents for op, parents, _ in flow()[-5:] if op in ("sql", "table"))
    session.sql("drop view three")
    session.sql("drop view if exists global_temp.two")
    session.sql("drop view one")
    with untracked():
        session.sql("uncache table four")
    assert sorted(store.views) == ["four"]


def test_a_view_that_becomes_one_of_files_is_no_link(
    session: SparkSession, recent: str, people: DataFrame, tmp_path: Path
) -> None:
    with untracked():
        people.write.parquet(f"{tmp_path}/p")
    session.sql(
        f"create or replace temporary view {recent} (id int) using parquet options (path '{tmp_path}/p')"
    )
    assert store.views == {}


@pytest.mark.sessions("classic")
def test_a_view_that_was_made_of_rows_before_tracking_began(
    session: SparkSession, recorded: Recorded, people: DataFrame
) -> None:
    with untracked():
        people.createOrReplaceTempView("older")
    session.table("older")
    assert recorded()[0] == [("(unknown)", "table")]
    with untracked():
        session.catalog.dropTempView("older")


@pytest.mark.skipif(
    pyspark.__version__ < "4", reason="pyspark 3.5 itself raises a TypeError on Connect"
)
def test_only_frames_that_a_query_names_are_its_parents(
    session: SparkSession, people: DataFrame, recorded: Recorded
) -> None:
    with untracked():
        other = people.limit(1)
    session.sql("select p.id from {people} p join orders using (id)", people=people, other=other)
    assert flow()[0] == ("sql", ("<df1>",), "<df1>.c1")
    assert recorded()[0] == [("orders", "delta")]

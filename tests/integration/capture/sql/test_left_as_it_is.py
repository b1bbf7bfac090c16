"""What is told to leave what is there as it is has written nothing, and is no sink."""

from __future__ import annotations

from pathlib import Path

import pyspark
import pytest
from pyspark.sql import DataFrame, SparkSession
from support.jobs.lineage import Recorded

from conformare.capture import lineage, store, untracked
from conformare.capture.sql._catalogs import is_connect

pytestmark = [pytest.mark.sessions("classic", "connect")]


@pytest.mark.parametrize("provider", ["delta", "parquet"])
@pytest.mark.parametrize("name", ["made_once", "sales.made_once", "`made_once`"])
def test_a_table_is_made_once(
    session: SparkSession, recorded: Recorded, provider: str, name: str
) -> None:
    statement = f"""
        create table -- only once
        if not exists {name} using {provider} as select * from orders"""
    session.sql(statement)
    made = name.strip("`")
    assert recorded() == ([("orders", "delta")], [(made, provider)])
    session.sql(statement)
    if pyspark.__version__ >= "4" or not is_connect(session):  # else it fails by itself
        session.table("orders").write.mode("ignore").saveAsTable(made)
        session.table("orders").write.saveAsTable(made, mode="ignore", format=provider)
    assert [sink[0] for sink in recorded()[1]] == [made]
    with untracked():
        session.sql(f"drop table {name}")
    session.sql(statement)
    assert [sink[0] for sink in recorded()[1]] == [made] * 2
    with untracked():
        session.sql(f"drop table {name}")


def test_a_temporary_view_of_this_name_is_no_table(
    session: SparkSession, recorded: Recorded
) -> None:
    with untracked():
        for name in ("hidden", "unhidden"):
            session.sql(f"create temporary view {name} as select 1 as id")
    session.sql("create table if not exists hidden using delta as select * from orders")
    session.table("orders").write.mode("ignore").format("delta").saveAsTable("unhidden")
    assert [sink[0] for sink in recorded()[1]] == ["hidden", "unhidden"]
    with untracked():
        for name in ("hidden", "unhidden"):
            session.catalog.dropTempView(name)
            session.sql(f"drop table {name}")


def test_a_view_is_made_once(session: SparkSession) -> None:
    session.sql("create view sales.once as select * from orders")
    made = store.views
    session.sql("create view if not exists sales.once as select * from plain")
    assert store.views == made
    with untracked():
        session.sql("drop view sales.once")


@pytest.mark.sessions("classic")
def test_files_are_written_once(
    session: SparkSession, recorded: Recorded, people: DataFrame, tmp_path: Path
) -> None:
    people.write.mode("overwrite").mode("ignore").parquet(f"{tmp_path}/x")
    people.write.parquet(f"{tmp_path}/x", mode="ignore")
    people.write.format("delta").mode("ignore").save(f"{tmp_path}/d")
    people.write.format("delta").option("path", f"{tmp_path}/d").mode("ignore").save()
    create = (
        f"create table if not exists delta.`{tmp_path}/{{}}` using delta as select * from orders"
    )
    session.sql(create.format("d"))
    session.sql(create.format("e"))
    assert recorded()[1] == [
        (f"{tmp_path}/x", "parquet"),
        (f"{tmp_path}/d", "delta"),
        (f"{tmp_path}/e", "delta"),
    ]
    assert len([event for event in lineage() if event.kind == "sink"]) == 3

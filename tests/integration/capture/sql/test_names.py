"""A table has one name, whoever reads or writes it and whichever schema is current."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from support.jobs.lineage import Grain, Recorded

from conformare.capture import untracked

JDBC = "org.apache.spark.sql.execution.datasources.v2.jdbc.JDBCTableCatalog"
DRIVER = "org.apache.derby.jdbc.EmbeddedDriver"
URL = "jdbc:derby:memory:conformare;create=true"
NAME = "`my-cat`.APP.`od-d`"


pytestmark = [pytest.mark.sessions("classic", "connect")]


@pytest.fixture
def catalog(session: SparkSession) -> Iterator[str]:
    """A table in a catalog whose name, and whose table's name, must be quoted."""
    session.conf.set("spark.sql.catalog.my-cat", JDBC)
    session.conf.set("spark.sql.catalog.my-cat.url", URL)
    session.conf.set("spark.sql.catalog.my-cat.driver", DRIVER)
    with untracked():
        session.sql(f"create table {NAME} (id int, email varchar(20))")
    yield NAME
    with untracked():
        session.sql(f"drop table {NAME}")


def test_the_current_schema_is_that_of_the_call(
    session: SparkSession, recorded: Recorded, grain: Grain
) -> None:
    session.sql("use sales")
    session.sql("insert into clients select * from default.orders")
    session.table("clients")
    session.sql("select * from clients")
    # A frame of Connect is analysed whenever it is used.
    frame = session.sql("select * from sales.clients where id > 1")
    frame.write.format("delta").mode("append").saveAsTable("clients")
    frame.write.insertInto("clients")
    frame.writeTo("clients").append()
    session.sql("use default")
    session.table("clients")
    sales = ("sales.clients", "delta")
    assert recorded() == (
        [("orders", "delta"), sales, sales, sales, ("clients", "delta")],
        [sales] * 4,
    )
    assert [row["columns"] for row in grain("sinks")] == [["email", "id"]] * 4
    assert [row["n_sensitive"] for row in grain("sinks")] == [1] * 4
    assert {row["node"] for row in grain("sinks")} == {"clients"}


@pytest.mark.parametrize(
    "name",
    [
        "orders",
        "Orders",
        "default.orders",
        "`spark_catalog`.default.`orders`",
        "SPARK_CATALOG.Default.Orders",
    ],
)
def test_a_table_has_one_name(session: SparkSession, recorded: Recorded, name: str) -> None:
    session.table(name)
    session.read.table(name)
    session.sql(f"select * from {name}")
    frame = session.sql(f"select * from {name} where id > 1")
    frame.write.insertInto(name)
    frame.writeTo(name).append()
    orders = ("orders", "delta")
    assert recorded() == ([orders] * 4, [orders] * 2)


def test_a_table_of_another_catalog_has_one_name(
    catalog: str, session: SparkSession, recorded: Recorded, grain: Grain
) -> None:
    session.sql(f"insert into {catalog} select id, email from orders")
    session.sql(f"select * from {catalog}")
    session.table(catalog)
    session.table("orders").writeTo(catalog).append()
    jdbc = (catalog, "jdbc")
    assert recorded() == ([("orders", "delta"), jdbc, jdbc, ("orders", "delta")], [jdbc, jdbc])
    assert [row["columns"] for row in grain("sinks")] == [["email", "id"]] * 2
    assert {row["node"] for row in grain("sinks")} == {"od-d"}


def test_a_table_of_another_catalog_may_be_named_like_a_path(
    catalog: str, session: SparkSession, recorded: Recorded
) -> None:
    name = "`my-cat`.APP.`a/b`"
    with untracked():
        session.sql(f"create table {name} (id int)")
    session.sql(f"insert into {name} select id from {catalog}")
    session.table(name)
    assert recorded() == ([(catalog, "jdbc"), (name, "jdbc")], [(name, "jdbc")])
    with untracked():
        session.sql(f"drop table {name}")


def test_a_schema_of_another_catalog_is_no_format(
    catalog: str, session: SparkSession, recorded: Recorded, tmp_path: Path
) -> None:
    with untracked():
        session.sql(f"create table {catalog.replace('od-d', 'a/b')} (id int)")
        orders = session.table("spark_catalog.default.orders").select("id")
        orders.write.parquet(f"{tmp_path}/p")
        session.sql("use `my-cat`.APP")
    orders.writeTo("APP.`a/b`").append()
    orders.write.insertInto("APP.`a/b`")
    orders.write.mode("append").saveAsTable("APP.`a/b`")
    session.table("APP.`a/b`")
    session.sql("select * from APP.`a/b`")
    session.sql(f"select * from parquet.`{tmp_path}/p`")
    table = ("`my-cat`.APP.`a/b`", "jdbc")
    assert recorded() == ([table, table, (f"{tmp_path}/p", "parquet")], [table] * 3)
    with untracked():
        session.sql("drop table `a/b`")
        session.sql("use spark_catalog.default")


def test_a_table_that_is_dropped_and_made_anew_had_the_format_of_the_call(
    session: SparkSession, recorded: Recorded
) -> None:
    session.sql("create table staged using parquet as select * from orders")
    frame = session.table("staged")
    frame.write.insertInto("plain")
    session.table("orders").write.insertInto("staged")
    session.sql("truncate table staged")
    session.sql("select * from staged")
    session.sql("drop table staged")
    session.sql("create table staged using delta as select * from orders")
    session.table("orders").writeTo("staged").append()
    old, new = ("staged", "parquet"), ("staged", "delta")
    orders = ("orders", "delta")
    assert recorded() == (
        [orders, old, orders, old, orders, orders],
        [old, ("plain", "parquet"), old, old, new, new],
    )
    with untracked():
        session.sql("drop table staged")


def test_a_stream_names_its_tables_as_others_do(
    session: SparkSession, recorded: Recorded, tmp_path: Path
) -> None:
    with untracked():
        session.sql("create table sales.copies (id int, email string) using delta")
    session.sql("use sales")
    rows = session.readStream.table("default.orders")
    writer = rows.writeStream.option("checkpointLocation", f"{tmp_path}/c").format("delta")
    writer.trigger(availableNow=True).toTable("copies").awaitTermination()
    assert recorded() == ([("orders", "delta")], [("sales.copies", "delta")])
    with untracked():
        session.sql("drop table sales.copies")


def test_a_view_that_the_catalog_keeps_stands_for_its_tables(
    session: SparkSession, recorded: Recorded
) -> None:
    with untracked():
        session.sql("use sales")
        session.sql("create view regulars as select * from clients")
        session.sql("use default")
    session.sql("select * from sales.regulars")
    session.table("sales.regulars")
    assert recorded()[0] == [("sales.clients", "delta")] * 2
    with untracked():
        session.sql("drop view sales.regulars")

"""Every statement tells what it reads and what it changes, in a classic and in a Connect session."""

from __future__ import annotations

from pathlib import Path

import pyspark
import pytest
from pyspark.sql import SparkSession
from support.jobs.lineage import Grain, Places, Recorded

from conformare.capture import lineage, untracked

ORDERS = ("orders", "delta")
KEPT = ("kept", "delta")
PLAIN = ("plain", "parquet")
BOTH = ["email", "id"]
SPARK_4 = pytest.mark.skipif(pyspark.__version__ < "4", reason="new in Spark 4")

pytestmark = [pytest.mark.sessions("classic", "connect")]

MERGE = (
    "merge into kept k using (select * from orders) o on k.id = o.id and k.email = 'a\nb' "
    "when matched then update set * when not matched then insert *"
)
MERGE_OF_A_WITH = (
    "with o as (select * from orders) merge into kept k using o on k.id = o.id "
    "when matched then delete"
)
REPLACE = (
    "create or replace table made using delta comment 'a\nb' tblproperties ('a' = 'b\nc') "
    "as select * from orders"
)
CHANGES = [
    ("insert into kept select * from orders", [ORDERS], [KEPT], "insert"),
    ("insert into KEPT (email) select email from Orders", [ORDERS], [KEPT], "insert"),
    ("insert into kept values (1, 'x')", [], [KEPT], "insert"),
    ("insert into kept table orders", [ORDERS], [KEPT], "insert"),
    ("insert overwrite kept select * from plain;", [PLAIN], [KEPT], "insert"),
    ("insert into plain select * from orders", [ORDERS], [PLAIN], "insert"),
    ("insert overwrite table plain select * from orders", [ORDERS], [PLAIN], "insert"),
    ("insert into kept replace where id = 1 select 1, 'x'", [], [KEPT], "insert"),
    ("update kept set email = 'a\nb' where id = 1", [], [KEPT], "update"),
    ("update kept set email = 'a\rb' where id = 1", [], [KEPT], "update"),
    ("update kept set email = 'a\u2028b' where id = 1", [], [KEPT], "update"),
    ("delete from kept where email = 'a\nb'", [], [KEPT], "delete"),
    (MERGE, [ORDERS], [KEPT], "merge"),
    (REPLACE, [ORDERS], [("made", "delta")], "replace"),
    (
        "with o as (select * from orders) insert into kept select * from o",
        [ORDERS],
        [KEPT],
        "insert",
    ),
    (MERGE_OF_A_WITH, [ORDERS], [KEPT], "merge"),
    (
        "insert into kept with orders as (select * from orders) select * from orders",
        [ORDERS],
        [KEPT],
        "insert",
    ),
    ("insert into kept select * from identifier('or' || 'ders')", [ORDERS], [KEPT], "insert"),
    pytest.param(
        "execute immediate 'insert into kept select * from orders'",
        [ORDERS],
        [KEPT],
        "insert",
        marks=SPARK_4,
    ),
    ("truncate table plain", [], [PLAIN], "truncate"),
]


@pytest.mark.parametrize(("statement", "sources", "sinks", "operation"), CHANGES)
def test_a_statement_that_changes_a_table(
    session: SparkSession,
    recorded: Recorded,
    grain: Grain,
    statement: str,
    sources: Places,
    sinks: Places,
    operation: str,
) -> None:
    session.sql(statement)
    # A source that is one place has its own format.
    assert recorded() == (sources, sinks)
    assert [(event.op, event.kind) for event in lineage() if event.kind != "source"] == [
        ("sql", "op"),
        (operation, "sink"),
    ]
    assert [row["columns"] for row in grain("sinks")] == [BOTH]
    assert [row["n_sensitive"] for row in grain("sinks")] == [1]


def test_several_tables_in_one_statement(session: SparkSession, recorded: Recorded) -> None:
    session.sql("from orders insert into kept select * insert into plain select * where id = 1")
    assert recorded() == ([ORDERS], [KEPT, PLAIN])


def test_a_folder_whose_format_has_no_names(
    session: SparkSession, grain: Grain, tmp_path: Path
) -> None:
    session.sql(f"insert overwrite directory '{tmp_path}/out' using csv select * from orders")
    assert [(row["format"], row["columns"]) for row in grain("sinks")] == [("csv", BOTH)]


def test_a_clone_that_is_restored(session: SparkSession, recorded: Recorded, grain: Grain) -> None:
    session.sql("create table copied shallow clone orders")
    with untracked():
        session.sql("insert into copied values (2, 'x')")
    session.sql("restore table copied to version as of 0")
    assert recorded() == ([ORDERS], [("copied", "delta")] * 2)
    assert [row["columns"] for row in grain("sinks")] == [BOTH] * 2
    assert [event.op for event in lineage() if event.kind == "sink"] == ["create", "restore"]
    with untracked():
        session.sql("drop table copied")


def test_a_clone_that_is_made_at_a_path(
    session: SparkSession, recorded: Recorded, tmp_path: Path
) -> None:
    session.sql(f"create table delta.`{tmp_path}/copy` shallow clone orders")
    assert recorded() == ([ORDERS], [(f"{tmp_path}/copy", "delta")])


@pytest.mark.sessions("classic")
def test_a_table_that_is_restored_to_what_it_is(session: SparkSession) -> None:
    with untracked():
        session.sql("insert into kept values (1, 'x')")
        version = session.sql("describe history kept limit 1").collect()[0]["version"]
    session.sql(f"restore table kept to version as of {version}")
    assert lineage() == []


@SPARK_4
def test_a_script(session: SparkSession) -> None:
    session.sql(
        "begin insert into kept select * from orders where id = 0; select * from orders; end"
    )
    assert lineage() == []


@pytest.mark.sessions("classic")
def test_files_that_a_pattern_names(
    session: SparkSession, recorded: Recorded, tmp_path: Path
) -> None:
    with untracked():
        for day in (1, 2):
            session.table("orders").write.parquet(f"{tmp_path}/p/day={day}")
    days, all_ = f"parquet.`{tmp_path}/p/*`", f"parquet.`file:{tmp_path}/p/day=?/*.parquet`"
    session.sql(f"select * from {days}")
    session.sql(f"with d as (select * from {days}) select * from d join orders using (id)")
    session.sql(f"select * from orders where id in (select id from {all_})")
    session.sql(f"insert into kept select * from {all_}")
    session.sql(f"select * from parquet.`{tmp_path}/p/day=1`")
    session.sql(f"create temporary view days using parquet options (path '{tmp_path}/p/*')")
    session.table("days")
    session.catalog.dropTempView("days")
    pattern, files = f"{tmp_path}/p/*", f"{tmp_path}/p/day=?/*.parquet"
    assert [location for location, _ in recorded()[0]] == [
        pattern,
        f"{pattern}, orders",
        f"orders, {files}",
        files,
        f"{tmp_path}/p/day=1",
        pattern,
    ]


@SPARK_4
def test_a_variable_that_is_set_from_a_table(session: SparkSession, recorded: Recorded) -> None:
    session.sql("declare or replace variable most int")
    session.sql("set variable most = (select max(id) from orders)")
    assert recorded() == ([ORDERS], [])


def test_a_new_table(session: SparkSession, recorded: Recorded, grain: Grain) -> None:
    session.sql("create table new_one using parquet as select id, email as mail from orders")
    assert recorded() == ([ORDERS], [("new_one", "parquet")])
    assert [row["columns"] for row in grain("sinks")] == [["id", "mail"]]
    with untracked():
        session.sql("drop table new_one")


def test_files(session: SparkSession, recorded: Recorded, grain: Grain, tmp_path: Path) -> None:
    with untracked():
        session.table("orders").write.format("delta").save(f"{tmp_path}/d")
    session.sql(f"insert overwrite directory '{tmp_path}/out' using parquet select * from orders")
    session.sql(f"insert into delta.`{tmp_path}/d` select * from parquet.`{tmp_path}/out`")
    session.sql(f"delete from delta.`{tmp_path}/d` where id = 1")
    session.sql(f"select * from delta.`{tmp_path}/d` version as of 0")
    out, lake = (f"{tmp_path}/out", "parquet"), (f"{tmp_path}/d", "delta")
    assert recorded() == ([ORDERS, out, lake], [out, lake, lake])
    assert [row["columns"] for row in grain("sinks")] == [BOTH] * 3
    assert [row["node"] for row in grain("sinks")] == ["out", "d", "d"]


HIDDEN_INSIDE = (
    "select * from plain where id in (with orders as (select * from orders) select id from orders)"
)
LONG = "with c0 as (select * from orders)"
LONG += "".join(f", c{number} as (select * from c{number - 1})" for number in range(1, 26))
LONG += " select * from c25"
QUERIES = [
    ("( (SELECT * FROM orders) )", "orders"),
    ("table orders", "orders"),
    ("from orders select id", "orders"),
    ("WITH Recent AS (SELECT * FROM orders) SELECT * FROM recent", "orders"),
    ("with orders as (select * from plain) select * from orders", "plain"),
    ("with a as (select * from orders), b as (select * from plain) select * from b", "plain"),
    (HIDDEN_INSIDE, "plain, orders"),
    (
        "select * from orders where id in (with orders as (select 1 as id) select id from orders)",
        "orders",
    ),
    ("select (select max(id) from plain) as m from orders", "orders, plain"),
    (
        "select * from orders o where exists (select 1 from plain p where p.id = o.id)",
        "orders, plain",
    ),
    (
        "select * from orders o, lateral (select id as i from plain p where p.id = o.id)",
        "orders, plain",
    ),
    ("select id from orders union all select id from plain", "orders, plain"),
    ("select * from orders version as of 0", "orders"),
    ("select 'x\n+- UnresolvedRelation [secret], [], false' as a, id from orders", "orders"),
    ('select id from orders where email = "x\n+- \'UnresolvedRelation [secret], []"', "orders"),
    ("select * from identifier('sales' || '.clients')", "sales.clients"),
    ("select * from `default`.`orders`", "orders"),
    ("select * from spark_catalog.default.orders", "orders"),
    ("select * from SALES.Clients", "sales.clients"),
    (LONG, "orders"),
]


@pytest.mark.parametrize(("query", "location"), QUERIES)
def test_a_query_reads_tables(
    session: SparkSession, grain: Grain, query: str, location: str
) -> None:
    frame = session.sql(query)
    rows = grain("sources")
    assert [row["location"] for row in rows] == [location]
    assert [row["columns"] for row in rows] == [frame.columns]
    assert "secret" not in str(rows)
    if ", " not in location:
        assert rows[0]["format"] == ("parquet" if location == "plain" else "delta")


def test_settings_of_printed_plans_change_nothing(
    session: SparkSession, recorded: Recorded
) -> None:
    settings = {"spark.sql.debug.maxToStringFields": "2", "spark.sql.maxPlanStringLength": "200"}
    for name, value in settings.items():
        session.conf.set(name, value)
    columns = ", ".join(f"id as id{number}" for number in range(30))
    session.sql(f"with a as (select {columns} from orders) select * from a")
    session.sql(f"insert into kept select id1, 'x' from (select {columns} from orders)")
    for name in settings:
        session.conf.unset(name)
    assert recorded() == ([ORDERS, ORDERS], [KEPT])


@pytest.mark.parametrize(
    "statement",
    [
        "show tables",
        "describe orders",
        "use default",
        "set a.b = c",
    ],
)
def test_a_statement_that_neither_reads_nor_changes_data(
    session: SparkSession, statement: str
) -> None:
    session.sql(statement)
    session.sql("create table e (id int) using delta")
    session.sql("alter table e add columns (n int)")
    session.sql("create table f like orders using delta")
    for name in "ef":
        session.sql(f"drop table {name}")
    assert lineage() == []


@pytest.mark.skipif(
    pyspark.__version__ >= "4", reason="Delta's parser for Spark 4.1 hands no parameters on"
)
def test_parameters(session: SparkSession, recorded: Recorded, grain: Grain) -> None:
    session.sql("select * from identifier(:t) where id = :id", args={"t": "orders", "id": 7})
    session.sql("insert into kept select :id, 'x' from plain", args={"id": 7})
    assert recorded() == ([ORDERS, PLAIN], [KEPT])
    assert "7" not in str(grain("sources") + grain("sinks"))

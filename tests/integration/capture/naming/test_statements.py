"""Columns of statements and of what they make: named after expressions, without their literals."""

from __future__ import annotations

from collections.abc import Callable

import pyspark
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from support.jobs.lineage import Grain

from conformare.capture import untracked
from conformare.capture.sql._catalogs import is_connect

from .conftest import all_that_is_told, columns_of, is_bob

pytestmark = [pytest.mark.sessions("classic", "connect"), pytest.mark.usefixtures("tracked")]

STATEMENTS: list[tuple[str, str, list[str], list[str] | None]] = [
    ("eq", "select id, name = 'Bob Smith' from staff", ["(name = ?)", "id"], None),
    ("word", "select 'Smith', id from staff", ["?", "id"], None),
    (
        "own",
        "select 'EUR' as EUR from staff",
        ["EUR"],
        None,
    ),
    (
        "day",
        "select DATE '1999-12-31', n = 91234 from staff",
        ["(n = ?)", "?"],
        ["(expression)", "(n = ?)"],
    ),
    (
        "with",
        "with c as (select name = 'Bob Smith', id from staff) select * from c",
        ["(name = ?)", "id"],
        ["(expression)", "id"],
    ),
    ("below", "select *, 1 from (select 'Smith', id from staff)", ["1", "?", "id"], None),
    ("union", "select name = 'Bob Smith' from staff union all select true", ["(name = ?)"], None),
    (
        "cube",
        "select name = 'Bob Smith', count(*) from staff group by cube(name = 'Bob Smith')",
        ["(name = ?)", "count(1)"],
        ["(expression)"],
    ),
    (
        "aggregate",
        "select count(distinct name), max(if(name = 'Bob Smith', 1, 0)) from staff",
        ["count(DISTINCT name)", "max((IF((name = ?), 1, 0)))"],
        ["(expression)", "count(DISTINCT name)"],
    ),
    ("values", "values ('Bob Smith')", ["col1"], None),
    ("stack", "select stack(2, 'Bob Smith', 'x')", ["col0"], None),
    (
        "having",
        "select id, max(n) from staff group by id having max(name) = 'Bob Smith'",
        ["id", "max(n)"],
        None,
    ),
    (
        "pivot",
        "select * from (select id, name, n from staff) pivot (count(case when id = 91234 then 1 end), max(n) for name in ('x', 'y'))",
        [
            "x_count(CASE WHEN (id = ?) THEN 1 END)",
            "x_max(n)",
            "y_count(CASE WHEN (id = ?) THEN 1 END)",
            "y_max(n)",
        ],
        ["(expression)"],
    ),
]


@pytest.mark.parametrize(
    ("query", "on_classic", "on_connect"),
    [s[1:] for s in STATEMENTS],
    ids=[s[0] for s in STATEMENTS],
)
def test_a_literal_in_the_name_of_a_column_of_a_query_is_hidden(
    spark: SparkSession,
    staff: DataFrame,
    grain: Grain,
    query: str,
    on_classic: list[str],
    on_connect: list[str] | None,
) -> None:
    staff.createOrReplaceTempView("staff")
    expected = on_connect if is_connect(spark) and on_connect is not None else on_classic
    assert columns_of(spark.sql(query), grain) == expected


def test_views_and_tables_that_a_statement_makes(
    spark: SparkSession, staff: DataFrame, grain: Grain
) -> None:
    staff.createOrReplaceTempView("staff")
    query = "select id, name = 'Bob Smith', 'Smith' from staff"
    spark.sql(f"create or replace temporary view of_bob as {query}")
    seen = columns_of(spark.table("of_bob").filter("id > 0"), grain)
    expected = ["(expression)", "?", "id"] if is_connect(spark) else ["(name = ?)", "?", "id"]
    assert seen == expected
    try:
        spark.sql(f"create table of_bob_kept using parquet as {query}")
        all_that_is_told()
        assert grain("sinks")[-1]["columns"] == expected
        assert "Smith" not in all_that_is_told()
    finally:
        with untracked():
            spark.sql("drop table if exists of_bob_kept")


@pytest.mark.sessions("classic")
@pytest.mark.parametrize("reader", ["table", "read.table", "sql", "global", "cached", "stated"])
def test_a_view_that_was_made_before_tracking_began(
    spark: SparkSession, staff: DataFrame, grain: Grain, reader: str
) -> None:
    query = "select id, name = 'Bob Smith', 'Smith' from staff"
    with untracked():
        made = staff.select("id", is_bob(), F.lit("Smith"))
        made.createOrReplaceTempView("of_somebody")
        made.createOrReplaceGlobalTempView("of_somebody")
        staff.createOrReplaceTempView("staff")
        spark.sql("drop view if exists cached")
        spark.sql(f"cache table cached as {query}")
        spark.sql(f"create or replace temporary view stated as {query}")
    reads: dict[str, Callable[[], DataFrame]] = {
        "table": lambda: spark.table("of_somebody"),
        "read.table": lambda: spark.read.table("of_somebody"),
        "sql": lambda: spark.sql("select * from of_somebody"),
        "global": lambda: spark.table("global_temp.of_somebody"),
        "cached": lambda: spark.table("cached"),
        "stated": lambda: spark.table("stated"),
    }
    assert columns_of(reads[reader](), grain) == ["(name = ?)", "?", "id"]
    assert grain("sources")[-1]["columns"] == ["id", "(name = ?)", "?"]


@pytest.mark.skipif(pyspark.__version__ < "4", reason="scripts are new in Spark 4")
@pytest.mark.parametrize("begin", ["begin", "/* it's */ BEGIN"])
def test_the_rows_that_a_script_leaves(
    spark: SparkSession, staff: DataFrame, grain: Grain, begin: str
) -> None:
    staff.createOrReplaceTempView("staff")
    query = "select id, name = 'Bob Smith', 'Smith', 91234 from staff"
    left = spark.sql(f"{begin} {query}; end")
    assert columns_of(left, grain) == ["(expression)", "?", "id"]
    assert columns_of(left.filter("id > 0").select("id", "Smith"), grain) == ["?", "id"]


@pytest.mark.skipif(pyspark.__version__ < "4", reason="EXECUTE IMMEDIATE is new in Spark 4")
@pytest.mark.parametrize("quote", ["\\'", "''"])
def test_a_statement_in_a_literal(
    spark: SparkSession, staff: DataFrame, grain: Grain, quote: str
) -> None:
    staff.createOrReplaceTempView("staff")
    query = "select id, name = 'Bob Smith', 'Smith' from staff".replace("'", quote)
    made = columns_of(spark.sql(f"execute immediate '{query}'"), grain)
    assert made in (["(name = ?)", "?", "id"], ["(expression)", "?", "id"])


# Each is the one word Smith, which Spark makes the column's name.
ONE_WORD = [
    "'Smi' 'th'",
    "'\\u0053mith'",
    "'Sm\\151th'",
    "r'Smith'",
    "\"Smi\" /* */ 'th'",
    "'S\\mith'",
]


@pytest.mark.parametrize("word", ONE_WORD)
@pytest.mark.parametrize("form", ["{}", "script", "literal", "variable"])
def test_a_word_that_is_written_in_another_way(
    spark: SparkSession, staff: DataFrame, grain: Grain, word: str, form: str
) -> None:
    if form != "{}" and pyspark.__version__ < "4":
        pytest.skip("scripts and EXECUTE IMMEDIATE are new in Spark 4")
    staff.createOrReplaceTempView("staff")
    query = "select id, WORD from staff".replace("WORD", word)
    literal = query.replace("\\", "\\\\").replace('"', '\\"')
    if form == "variable":
        spark.sql(f'declare or replace variable said string = "{literal}"')
    statement = {
        "script": f"begin {query}; end",
        "literal": f'execute immediate "{literal}"',
        "variable": "execute immediate said",
    }.get(form, query)
    made = columns_of(spark.sql(statement), grain)
    assert made in (["?", "id"], ["?"])

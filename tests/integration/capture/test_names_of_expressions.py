"""A column without an alias is named after its expression: its literals stay in the process."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pyspark
import pytest
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from support.jobs.lineage import Grain

from conformare.capture import describe, store, untracked
from conformare.capture.spark.sql._catalogs import is_connect
from conformare.record import build_model, describe_run, to_run_record

pytestmark = [pytest.mark.sessions("classic", "connect"), pytest.mark.usefixtures("tracked")]

BOB = "Bob Smith"
NUMBER = 91234
DAY = "1999-12-31"
SCHEMA = """
    id int, name string, n int, m map<string, int>, arr array<string>, s struct<email: string>,
    `(name = Al)` boolean
"""


@pytest.fixture
def staff(spark: SparkSession) -> DataFrame:
    """A person and a column that merely looks like an expression; nothing has been captured."""
    with untracked():
        row = (1, BOB, NUMBER, {BOB: 1}, [BOB], ("a@b",), True)
        return spark.createDataFrame([row], SCHEMA)


def columns_of(frame: DataFrame, grain: Grain) -> list[str]:
    """Return the columns that the record shows of a frame that is written."""
    writer = frame.write.format("noop").mode("overwrite")
    writer.save()
    told = all_that_is_told()
    for secret in (BOB, "Bob", "Smith", str(NUMBER), DAY):
        assert secret not in told, told
    found: list[str] = grain("sinks")[-1]["columns"]
    return found


def all_that_is_told() -> str:
    """Return the record, the model and the tree of what was captured."""
    shown = io.StringIO()
    describe_run(store, file=shown)
    record = to_run_record(store, "p", run_id="r", ts="2026-01-01")
    return json.dumps([record, build_model(store)]) + shown.getvalue()


Make = Callable[[DataFrame], DataFrame]


def is_bob() -> Column:
    """Return a condition with a literal."""
    return F.col("name") == BOB


FORMS: list[tuple[str, Make, list[str]]] = [
    ("eq", lambda df: df.select("id", is_bob()), ["(name = ?)", "id"]),
    ("lit", lambda df: df.select("id", F.lit(BOB)), ["?", "id"]),
    ("word", lambda df: df.select("id", F.lit("Smith")), ["?", "id"]),
    ("number", lambda df: df.select(F.col("n") == NUMBER), ["(n = ?)"]),
    ("and", lambda df: df.select(is_bob() & (df.n > NUMBER)), ["((name = ?) AND (n > ?))"]),
    ("concat", lambda df: df.select(F.concat("name", F.lit(BOB))), ["concat(name, ?)"]),
    ("in", lambda df: df.select(df.name.isin(BOB, "x")), ["(name IN (?, ?))"]),
    ("like", lambda df: df.select(df.name.like(f"{BOB}%")), ["name LIKE ?"]),
    ("contains", lambda df: df.select(df.name.contains(BOB)), ["contains(name, ?)"]),
    ("map", lambda df: df.select(df.m[BOB]), ["m[?]"]),
    ("field", lambda df: df.select(df.s["email"], df.arr[0]), ["arr[0]", "s.email"]),
    (
        "case",
        lambda df: df.agg(F.count(F.when(is_bob(), 1))),
        ["count(CASE WHEN (name = ?) THEN 1 END)"],
    ),
    (
        "grouped",
        lambda df: df.groupBy(is_bob()).agg(F.sum("n"), F.max(F.lit(BOB)).alias("who")),
        ["(name = ?)", "sum(n)", "who"],
    ),
    ("counted", lambda df: df.groupBy(F.lit("Smith")).count(), ["?", "count"]),
    (
        "cube",
        lambda df: df.cube(is_bob(), F.upper("name")).count(),
        ["(name = ?)", "count", "upper(name)"],
    ),
    (
        "expr",
        lambda df: df.select("*", F.expr(f"name = '{BOB}'")).drop("arr", "m", "s"),
        ["(name = ?)", "(name = Al)", "id", "n", "name"],
    ),
    (
        "aliased",
        lambda df: df.select(F.expr(f"name = '{BOB}' as b"), is_bob().alias("c")),
        ["b", "c"],
    ),
    (
        "selectExpr",
        lambda df: df.selectExpr("id", f"name = '{BOB}'", "upper(name)"),
        ["(name = ?)", "id", "upper(name)"],
    ),
    (
        "cast",
        lambda df: df.select(is_bob().cast("string"), df.n.cast("string")),
        ["CAST((name = ?) AS STRING)", "n"],
    ),
    (
        "harmless",
        lambda df: df.agg(F.count("*"), F.sum("n"), F.max(F.upper("name"))),
        ["count(1)", "max(upper(name))", "sum(n)"],
    ),
    (
        "pivoted",
        lambda df: df.groupBy(is_bob()).pivot("name").sum("n"),
        ["(name = ?)", "pivot(name)"],
    ),
    (
        "named below",
        lambda df: df.select(
            F.when(is_bob(), 5).otherwise(7).alias("flag").cast("string"),
            F.lit("eur").alias("eur").cast("binary"),
        ),
        ["eur", "flag"],
    ),
    (
        "named in text",
        lambda df: df.groupBy(F.expr("n % 7 as k")).agg(F.expr("sum(n + 5) as total")),
        ["k", "total"],
    ),
    ("nvl", lambda df: df.select(F.nvl("name", F.lit(BOB))), ["nvl(name, ?)"]),
    ("dict", lambda df: df.agg({"name": "max"}), ["max(name)"]),
    (
        "pivot",
        lambda df: df.groupBy("id").pivot("name", ["x", "y"]).agg(F.max("n")),
        ["id", "x", "y"],
    ),
]


@pytest.mark.parametrize(("make", "columns"), [f[1:] for f in FORMS], ids=[f[0] for f in FORMS])
def test_a_literal_in_the_name_of_a_column_is_hidden(
    staff: DataFrame, grain: Grain, make: Make, columns: list[str]
) -> None:
    shown = columns_of(make(staff), grain)
    if pyspark.__version__ < "4" and is_connect(staff) and columns[0].startswith("CAST"):
        columns = ["(expression)", *columns[1:]]  # it leaves the cast out of the name
    assert shown == columns


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


def test_what_is_made_from_such_a_column_does_not_show_it_either(
    staff: DataFrame, grain: Grain
) -> None:
    name = "(name = Bob Smith)"
    made = staff.select("id", is_bob()).filter("id > 0")
    quoted = F.col(f"`{name}`")
    assert columns_of(made, grain) == ["(name = ?)", "id"]
    assert columns_of(made.select(F.max(quoted)), grain) == ["max((name = ?))"]
    assert columns_of(made.groupBy(quoted).count(), grain) == ["(name = ?)", "count"]
    assert columns_of(made.join(staff.select("id", "n"), "id"), grain) == [
        "(name = ?)",
        "id",
        "n",
    ]
    assert columns_of(made.union(made).withColumn("k", F.lit(BOB)), grain) == [
        "(name = ?)",
        "id",
        "k",
    ]
    made.createOrReplaceTempView("made")
    spark = made.sparkSession
    assert columns_of(spark.table("made"), grain) == ["(name = ?)", "id"]
    assert columns_of(spark.sql("select * from made"), grain) == ["(name = ?)", "id"]
    assert columns_of(made.crosstab(name, "id"), grain) == [
        "(name = ?)_id",
        "crosstab(id)",
    ]
    assert columns_of(made.groupBy("id").pivot(name).count(), grain) == [
        "id",
        "pivot((name = ?))",
    ]


def test_another_name_is_the_authors(staff: DataFrame, grain: Grain) -> None:
    name = "(name = Bob Smith)"
    made = staff.select("id", is_bob(), F.lit("x"))
    for frame in (
        made.withColumnRenamed(name, "b").withColumnRenamed("x", "x_1"),
        made.toDF("id", "b", "x_1"),
        made.select("id", F.col(f"`{name}`").alias("b"), F.col("x").alias("x_1")),
        staff.select("id", is_bob().alias("b"), F.lit("x_1").alias("x_1")),
        staff.withColumn("b", is_bob())
        .withColumn("x_1", F.lit("x_1"))
        .select("id", "b", F.col("x_1")),
    ):
        assert columns_of(frame, grain) == ["b", "id", "x_1"]


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
ONE_WORD = ["'Smi' 'th'", "'\\u0053mith'", "'Sm\\151th'", "r'Smith'", "\"Smi\" /* */ 'th'", "'S\\mith'"]


@pytest.mark.parametrize("word", ONE_WORD)
@pytest.mark.parametrize("form", ["{}", "script", "literal", "variable"])
def test_a_word_that_is_written_in_another_way(
    spark: SparkSession, staff: DataFrame, grain: Grain, word: str, form: str
) -> None:
    if form != "{}" and pyspark.__version__ < "4":
        pytest.skip("scripts and EXECUTE IMMEDIATE are new in Spark 4")
    staff.createOrReplaceTempView("staff")
    query = f"select id, {word} from staff"
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


def test_rows_that_are_taken_into_the_process_and_made_a_frame_again(
    spark: SparkSession, staff: DataFrame, grain: Grain
) -> None:
    made = staff.select("id", is_bob(), F.lit("Smith"))
    pivoted = staff.groupBy("id").pivot("name").count()
    for taken in (made.toPandas(), made.collect()):
        assert columns_of(spark.createDataFrame(taken), grain) == ["(name = ?)", "?", "id"]
    assert columns_of(spark.createDataFrame([], made.schema), grain) == ["(name = ?)", "?", "id"]
    assert columns_of(spark.createDataFrame(pivoted.toPandas()), grain) == ["id", "pivot(name)"]
    shown = {"id", "(name = ?)", "?", "pivot(name)"}
    assert {name for source in grain("sources") for name in source["columns"]} <= shown


def test_where_an_expression_was_rewritten_no_literal_is_shown(
    staff: DataFrame, grain: Grain
) -> None:
    aliased = staff.agg(F.max(F.struct(F.lit(BOB).alias("a"))))
    assert columns_of(aliased, grain) in (["max(struct(?))"], ["(expression)"])
    twice = staff.select(F.lit(BOB).alias("own").cast("string").cast("binary"))
    assert columns_of(twice, grain) in (["own"], ["(expression)"])
    values = staff.groupBy("id").pivot("n", [5]).agg(F.max("name"), F.max(F.lit(BOB)))
    assert "id" in columns_of(values, grain)


def test_a_loop_over_literals_shows_none_of_them(staff: DataFrame, grain: Grain) -> None:
    for who in ("Bob Smith", "Smith", "Bob"):
        chosen = staff.select("id", F.col("name") == who)
        chosen.filter("id > 0").write.format("noop").mode("overwrite").save()
    for number, who in enumerate(("Bob Smith", "Smith")):
        told = staff.select("id", F.col("name") == who, F.lit(who)).withColumn("k", F.lit(1))
        told.write.format("noop").option("path", f"/{number}").mode("overwrite").save()
    assert "Smith" not in all_that_is_told()
    store.clear()
    for who in ("Bob Smith", "Smith", "Bob"):
        chosen = staff.select("id", F.col("name") == who)
        chosen.filter("id > 0").write.format("noop").mode("overwrite").save()
    for column in (F.col("n"), is_bob()):
        staff.select(column).distinct().write.format("noop").mode("overwrite").save()
    assert set(grain("sinks")[0]["columns"]) <= {"(expression)", "(name = ?)", "id"}
    assert grain("sinks")[1]["columns"] in (["(name = ?)", "n"], ["(expression)", "n"])
    assert "Smith" not in all_that_is_told()


def test_windows_and_functions_of_the_authors(staff: DataFrame, grain: Grain) -> None:
    window = Window.partitionBy("name").orderBy("id")
    total = F.sum("n").over(window)
    with describe("windows"):
        frame = staff.select(
            F.lag("n", 5, NUMBER).over(window), total, F.transform("arr", lambda x: x == BOB)
        )
    shown = columns_of(frame, grain)
    assert len(shown) >= 2
    assert any(name.startswith("sum(n) OVER (PARTITION BY name") for name in shown)
    named = F.udf(lambda value, _: value, "string")
    columns_of(staff.select(named("name", F.lit(BOB))), grain)


def test_fields_inside_such_a_column_are_in_what_stands_for_it(
    staff: DataFrame, grain: Grain
) -> None:
    made = staff.select(F.struct(F.lit(BOB).alias("email"), is_bob()))
    columns_of(made, grain)
    assert grain("sinks")[-1]["n_sensitive"] == 1
    assert BOB not in str(build_model(store))

"""A column without an alias is named after its expression: its literals stay in the process."""

from __future__ import annotations

from collections.abc import Callable

import pyspark
import pytest
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from support.jobs.lineage import Grain

from conformare.capture import describe, store
from conformare.capture.sql._catalogs import is_connect
from conformare.record import build_model

from .conftest import BOB, NUMBER, all_that_is_told, columns_of, is_bob

pytestmark = [pytest.mark.sessions("classic", "connect"), pytest.mark.usefixtures("tracked")]

Make = Callable[[DataFrame], DataFrame]


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

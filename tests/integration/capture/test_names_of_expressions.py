"""A column without an alias is named after its expression: its literals stay in the process."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyspark
import pytest
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from support.jobs.lineage import Grain

from conformare.capture import describe, store, untracked
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


def columns_of(frame: DataFrame, grain: Grain, path: Path) -> list[str]:
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
IS_BOB: Callable[[], Column] = lambda: F.col("name") == BOB

FORMS: list[tuple[str, Make, list[str]]] = [
    ("eq", lambda df: df.select("id", IS_BOB()), ["(name = ?)", "id"]),
    ("lit", lambda df: df.select("id", F.lit(BOB)), ["?", "id"]),
    ("word", lambda df: df.select("id", F.lit("Smith")), ["?", "id"]),
    ("number", lambda df: df.select(F.col("n") == NUMBER), ["(n = ?)"]),
    ("and", lambda df: df.select(IS_BOB() & (df.n > NUMBER)), ["((name = ?) AND (n > ?))"]),
    ("concat", lambda df: df.select(F.concat("name", F.lit(BOB))), ["concat(name, ?)"]),
    ("in", lambda df: df.select(df.name.isin(BOB, "x")), ["(name IN (?, ?))"]),
    ("like", lambda df: df.select(df.name.like(f"{BOB}%")), ["name LIKE ?"]),
    ("contains", lambda df: df.select(df.name.contains(BOB)), ["contains(name, ?)"]),
    ("map", lambda df: df.select(df.m[BOB]), ["m[?]"]),
    ("field", lambda df: df.select(df.s["email"], df.arr[0]), ["arr[0]", "s.email"]),
    (
        "case",
        lambda df: df.agg(F.count(F.when(IS_BOB(), 1))),
        ["count(CASE WHEN (name = ?) THEN 1 END)"],
    ),
    (
        "grouped",
        lambda df: df.groupBy(IS_BOB()).agg(F.sum("n"), F.max(F.lit(BOB)).alias("who")),
        ["(name = ?)", "sum(n)", "who"],
    ),
    ("counted", lambda df: df.groupBy(F.lit("Smith")).count(), ["?", "count"]),
    (
        "cube",
        lambda df: df.cube(IS_BOB(), F.upper("name")).count(),
        ["(name = ?)", "count", "upper(name)"],
    ),
    ("expr", lambda df: df.select("*", F.expr(f"name = '{BOB}'")).drop("arr", "m", "s"), [
        "(name = ?)", "(name = Al)", "id", "n", "name"
    ]),
    ("aliased", lambda df: df.select(F.expr(f"name = '{BOB}' as b"), IS_BOB().alias("c")), ["b", "c"]),
    ("selectExpr", lambda df: df.selectExpr("id", f"name = '{BOB}'", "upper(name)"), [
        "(name = ?)", "id", "upper(name)"
    ]),
    ("cast", lambda df: df.select(IS_BOB().cast("string"), df.n.cast("string")), [
        "CAST((name = ?) AS STRING)", "n"
    ]),
    ("harmless", lambda df: df.agg(F.count("*"), F.sum("n"), F.max(F.upper("name"))), [
        "count(1)", "max(upper(name))", "sum(n)"
    ]),
    ("nvl", lambda df: df.select(F.expr(f"nvl(name, '{BOB}')")), ["nvl(name, ?)"]),
    ("dict", lambda df: df.agg({"name": "max"}), ["max(name)"]),
    (
        "pivot",
        lambda df: df.groupBy("id").pivot("name", ["x", "y"]).agg(F.max("n")),
        ["id", "x", "y"],
    ),
]


@pytest.mark.parametrize(("make", "columns"), [f[1:] for f in FORMS], ids=[f[0] for f in FORMS])
def test_a_literal_in_the_name_of_a_column_is_hidden(
    staff: DataFrame, grain: Grain, tmp_path: Path, make: Make, columns: list[str]
) -> None:
    assert columns_of(make(staff), grain, tmp_path) == columns

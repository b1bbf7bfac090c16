"""A literal that nobody could guess, at every place of an expression, is seen nowhere."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from conformare.capture import lineage, store, untracked
from conformare.record import build_model, describe_run, to_run_record

pytestmark = [pytest.mark.sessions("classic", "connect"), pytest.mark.usefixtures("tracked")]

MARK = "Q9Z"
SCHEMA = (
    "id int, name string, n bigint, d date, m map<string, int>, arr array<string>, p decimal(20,2)"
)
SECRETS = st.text("Q9Z ab'\"`\\%$.(){}[]=,?#-+\n", max_size=12).map(lambda rest: MARK + rest)
NUMBERS = st.integers(10**9, 10**10)


@pytest.fixture
def frame(spark: SparkSession) -> DataFrame:
    """No rows; nothing of it has been captured."""
    with untracked():
        return spark.createDataFrame([], SCHEMA)


def day_of(number: int) -> date:
    """Return a day after the year 999: pyspark cannot give an earlier one to Java."""
    return date(1000, 1, 1) + timedelta(days=number % 3_000_000)


def conditions(text: str, number: int) -> Iterator[Column]:
    """Yield expressions with the text or the number at every kind of place."""
    name, n = F.col("name"), F.col("n")
    day = day_of(number)
    window = Window.partitionBy("id").orderBy("n")
    literal = F.lit(text)
    yield from (name == text, name != text, name > text, name.isin(text, "x"), name.like(text))
    yield from (name.rlike("a").alias("author"), name.contains(text), name.startswith(text))
    yield from (n + number, n % number, n.between(number, number + 1), -F.lit(number), n == -number)
    yield from (literal, F.lit(number), F.lit(day), F.lit(Decimal(number) / 100), F.col("d") == day)
    yield from (F.concat("name", literal), F.coalesce("name", literal), F.nvl("name", literal))
    yield from (F.when(name == text, number).otherwise(text), literal.cast("string"))
    yield from (F.regexp_replace("name", "a", literal), F.concat_ws("", name, literal))
    yield from (
        F.col("m")[text],
        F.element_at("m", text),
        F.array(literal),
        F.create_map(literal, n),
    )
    yield from (F.struct(literal.alias("field"), name), F.named_struct(F.lit("a"), literal))
    yield from (F.transform("arr", lambda x: x == text), F.exists("arr", lambda x: x == text))
    yield from (F.lag("name", 1, text).over(window), F.sum("n").over(window.rowsBetween(-7, 0)))
    yield from (F.to_date(literal), F.date_add("d", number % 9_999), F.split("name", "Q9Z"))


def aggregates(text: str, number: int) -> Iterator[Column]:
    """Yield aggregations with the text or the number."""
    yield from (F.count(F.when(F.col("name") == text, number)), F.max(F.lit(text)))
    yield from (F.sum(F.col("n") + number), F.count_distinct(F.concat("name", F.lit(text))))
    yield F.first(F.expr(f"n = {number}"))


def frames(frame: DataFrame, text: str, number: int) -> Iterator[DataFrame]:
    """Yield frames whose columns Spark names after the text or the number."""
    is_one = F.col("name") == text
    for condition in conditions(text, number):
        yield frame.select(condition)
    yield frame.select("*", *conditions(text, number))
    for aggregate in aggregates(text, number):
        yield frame.agg(aggregate)
    yield frame.groupBy(is_one).agg(*aggregates(text, number))
    yield frame.groupBy(is_one, F.lit(text)).count()
    yield frame.rollup(is_one).sum("n")
    yield frame.groupBy(is_one).pivot("id").agg(*aggregates(text, number))
    yield frame.groupBy("id").pivot("name", ["x", "y"]).agg(*aggregates(text, number))
    yield frame.selectExpr(f"n = {number}", f"{number}", f"nvl(n, {number})", "id")
    frame.createOrReplaceTempView("every_place")
    query = f"select n = {number}, {number}, n % {number} as own, id from every_place"  # noqa: S608 - a frame's own view
    yield frame.sparkSession.sql(query)
    nested = f"with c as ({query}) select * from (select * from c) union {query}"  # noqa: S608 - as above
    yield frame.sparkSession.sql(nested)


def all_that_is_told() -> str:
    """Return everything that is said of what was captured."""
    shown = io.StringIO()
    describe_run(store, file=shown)
    record = to_run_record(store, "p", run_id="r", ts="2026-01-01")
    told = json.dumps([record, build_model(store)], ensure_ascii=False) + shown.getvalue()
    return told + repr([store.snapshot(), lineage(), store.sources, store.sinks, store.cols])


@settings(
    max_examples=2,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=SECRETS, number=NUMBERS)
@pytest.mark.parametrize("together", [False, True])
def test_no_literal_gets_out(
    frame: DataFrame,
    caplog: pytest.LogCaptureFixture,
    text: str,
    number: int,
    together: bool,
) -> None:
    """Neither where each frame is alone, nor where those of one place in the source are one."""
    store.clear()
    told = []
    with caplog.at_level(logging.DEBUG, "conformare"):
        for made in frames(frame, text, number):
            for written in (made, made.limit(1)):
                store.add_sink(
                    written, location="/out", format="x", writer="w", label="l", op="save"
                )
            if not together:
                told.append(all_that_is_told())
                store.clear()
        told.append(all_that_is_told())
    for secret in (MARK, str(number), str(Decimal(number) / 100), str(day_of(number))):
        assert [one for one in (*told, caplog.text) if secret in one] == []
    for name in ("author", "own"):
        assert any(name in one for one in told)

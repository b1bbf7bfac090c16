"""What trackSpark records of a pipeline: its steps, what they were asked to do, and their flow."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from support.jobs.lineage import Grain, flow

from conformare.capture import describe, lineage, mark_sensitive, restore, risk, store, trackSpark
from conformare.capture._lineage import Node

pytestmark = pytest.mark.usefixtures("tracked")


def logic_of(op: str) -> list[Any]:
    """Return what the steps of one operation were asked to do."""
    return [event.logic for event in lineage() if event.op == op]


def test_a_pipeline_is_recorded_as_it_was_written(people: DataFrame) -> None:
    kept = people.filter(people.id > 1).withColumn("n", F.lit(1)).na.fill("?")
    sums = kept.groupBy("g").agg(F.sum("n").alias("total"))
    joined = kept.join(sums, on="g", how="left")
    total = joined.agg({"n": "sum"})
    assert flow() == [
        ("filter", ("people",), "people.c1"),
        ("withColumn", ("people.c1",), "people.c2"),
        ("fillna", ("people.c2",), "kept"),
        ("group_by.agg", ("kept",), "sums"),
        ("join", ("kept", "sums"), "joined"),
        ("group_by.agg", ("joined",), "total"),
    ]
    assert [event.logic for event in lineage()] == [
        {"args": ["_frame_.id > 1"], "kwargs": {}},
        {"args": ["'n'", "F.lit(1)"], "kwargs": {}},
        {"args": ["'?'"], "kwargs": {}},
        {
            "args": ["F.sum('n').alias('total')"],
            "kwargs": {},
            "group_keys": {"args": ["'g'"], "kwargs": {}},
        },
        {"args": ["_frame_"], "kwargs": {"how": "'left'", "on": "'g'"}},
        {"args": ["{'n': 'sum'}"], "kwargs": {}, "group_keys": {"args": [], "kwargs": {}}},
    ]
    assert total.columns == ["sum(n)"]
    assert list(store.cols.values()) == [
        ("id", "email", "g"),
        ("id", "email", "g"),
        ("id", "email", "g", "n"),
        ("id", "email", "g", "n"),
        ("g", "total"),
        ("g", "id", "email", "n", "total"),
        ("sum(n)",),
    ]


def test_frames_passed_by_keyword_are_linked(people: DataFrame) -> None:
    small = people.select("id")
    joined = people.join(on="id", other=small)
    assert flow() == [("select", ("people",), "small"), ("join", ("people", "small"), "joined")]
    assert joined.columns == ["id", "email", "g"]


@pytest.mark.skipif(
    sys.version_info < (3, 11), reason="Python 3.10 does not know the columns of code"
)
def test_a_subscript_is_known_by_its_source(people: DataFrame) -> None:
    small = people[["id"]]
    assert flow() == [("select", ("people",), "small")]
    assert logic_of("select") == [{"args": ["['id']"], "kwargs": {}}]
    assert small.columns == ["id"]


@pytest.mark.filterwarnings("ignore:The copy keyword is deprecated")  # pyspark's own toPandas
def test_debugging_leaves_no_step(people: DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    people.show()
    people.first()
    people.head(2)
    people.take(1)
    people.collect()
    people.toPandas()
    people.count()
    assert people.cache().unpersist() is people
    assert flow() == []
    assert "a@example.org" in capsys.readouterr().out


def test_groupings_keep_their_kind_their_keys_and_their_pivot(people: DataFrame) -> None:
    people.rollup("g").count()
    people.cube("g", "id").count()
    people.groupby(people.g).pivot("id", [1, 2]).max("id")
    keys = [
        {"group_keys": {"args": ["'g'"], "kwargs": {}}, "grouping": "rollup"},
        {"group_keys": {"args": ["'g'", "'id'"], "kwargs": {}}, "grouping": "cube"},
    ]
    assert logic_of("group_by.count") == [{"args": [], "kwargs": {}, **key} for key in keys]
    assert logic_of("group_by.max") == [
        {
            "args": ["'id'"],
            "kwargs": {},
            "group_keys": {"args": ["_frame_.g"], "kwargs": {}},
            "pivot": {"args": ["'id'", "[1, 2]"], "kwargs": {}},
        }
    ]


def test_functions_over_groups_are_steps(people: DataFrame) -> None:
    def same(part: Any) -> Any:
        return part

    schema = "id int, email string, g string"
    alone = people.groupBy("g").applyInPandas(same, schema)
    both = people.groupBy("g").cogroup(alone.groupBy("g")).applyInPandas(lambda a, _: a, schema)
    mapped = people.mapInPandas(lambda parts: parts, schema)
    assert flow() == [
        ("group_by.applyInPandas", ("people",), "alone"),
        ("group_by.cogroup.applyInPandas", ("people", "alone"), "both"),
        ("mapInPandas", ("people",), "mapped"),
    ]
    assert both.columns == mapped.columns


def test_a_step_with_several_results_makes_several_frames(people: DataFrame) -> None:
    one, two = people.randomSplit([0.5, 0.5], seed=1)
    assert flow() == [("randomSplit", ("people",), "people.c1")] * 2
    assert store.node_of(one) != store.node_of(two)


def test_the_steps_of_a_transformation_are_recorded_inside_it(people: DataFrame) -> None:
    def clean(frame: DataFrame) -> DataFrame:
        return frame.dropna().distinct()

    done = people.transform(clean)
    assert [op for op, _, _ in flow()] == ["dropna", "distinct"]
    assert store.node_of(done) is not None


def test_other_spellings_of_one_step_are_one_step(people: DataFrame) -> None:
    people.fillna("?")
    people.na.fill("?")
    people.na.drop()
    people.dropna()
    assert logic_of("fillna")[0] == logic_of("fillna")[1]
    assert logic_of("dropna")[0] == logic_of("dropna")[1]


def fingerprints(grain: Grain) -> list[str]:
    """Return the impl_hash of every context so far."""
    return [row["impl_hash"] for row in grain("contexts")]


def test_a_fingerprint_is_blind_to_names_layout_repetition_and_debugging(
    people: DataFrame, grain: Grain
) -> None:
    with describe("a"):
        one = people.filter(people["id"] > 1).select("id", F.col("g"))
        one.join(people, on="id", how="left")
    frame = people
    with describe("b"):
        for _ in range(3):
            two = frame.filter(
                frame["id"] > 1  # the grown-ups
            ).select("id", F.col("g"))
            two.take(1)
            two.join(frame, how="left", on="id")
    first, second = fingerprints(grain)
    assert first == second
    assert [row["n_steps"] for row in grain("contexts")] == [3, 3]


Step = Callable[[DataFrame], DataFrame]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # Two lines for each pair: Python 3.10 knows code by its lines alone.
        (
            lambda d: d.filter(d.id > 1),
            lambda d: d.filter(d.id > 2),
        ),
        (
            lambda d: d.filter(d.id > 1),
            lambda d: d.where(d.id > 1),
        ),
        (
            lambda d: d.agg({"id": "sum"}),
            lambda d: d.agg({"id": "max"}),
        ),
        (
            lambda d: d.na.fill("a"),
            lambda d: d.na.fill("b"),
        ),
        (
            lambda d: d.na.drop("any"),
            lambda d: d.na.drop("all"),
        ),
        (
            lambda d: d.groupBy("g").count(),
            lambda d: d.groupBy("id").count(),
        ),
        (
            lambda d: d.groupBy("g").count(),
            lambda d: d.rollup("g").count(),
        ),
        (
            lambda d: d.select("id", "g"),
            lambda d: d.select("g", "id"),
        ),
    ],
)
def test_a_fingerprint_moves_with_what_the_code_does(
    people: DataFrame, grain: Grain, one: Step, other: Step
) -> None:
    for label, step in (("one", one), ("other", other)):
        with describe(label):
            step(people)
    assert len(set(fingerprints(grain))) == 2


def test_code_without_source_is_known_by_its_expressions(people: DataFrame, grain: Grain) -> None:
    for source in ("d.filter(d.id > 1)", "x.filter(x.id > 1)", "d.filter(d.id > 2)"):
        with describe(source):
            exec(source, {"d": people, "x": people})  # noqa: S102 - the case
    one, renamed, changed = fingerprints(grain)
    assert one == renamed != changed
    assert [row["n_steps"] for row in grain("contexts")] == [1, 1, 1]


def test_no_literal_of_an_expression_leaves(people: DataFrame, grain: Grain) -> None:
    with describe("d"), risk("r"):
        for email in ("loop@example.org",):
            people.filter(people.email == email).filter("email = 'literal@example.org'")
    names = ("runs", "contexts", "risks", "sources", "sinks", "owners", "sink_risks")
    assert "example.org" not in str([grain(name) for name in names])


def test_sensitive_columns_are_counted_where_they_go(
    people: DataFrame, grain: Grain, tmp_path: Any
) -> None:
    mark_sensitive("g")
    people.write.parquet(str(tmp_path / "all"))
    people.drop("email").write.parquet(str(tmp_path / "less"))
    assert [row["n_sensitive"] for row in grain("sinks")] == [2, 1]
    (run,) = grain("runs")
    assert (run["sensitive_columns"], run["sensitive_written"]) == (2, 2)


def test_steps_that_began_before_tracking_go_on(people: DataFrame) -> None:
    restore()
    grouped = people.groupBy("g")
    trackSpark()
    counts = grouped.count()
    assert flow() == [("group_by.count", ("<df1>",), "counts")]
    assert counts.columns == ["g", "count"]


def columns() -> Iterator[Column]:
    """Yield a column from a place that is no call."""
    yield F.col("id")


def test_unpacked_arguments_are_kept_as_written(people: DataFrame) -> None:
    people.select(*columns())
    ((unpacked,),) = [logic["args"] for logic in logic_of("select")]
    assert re.fullmatch(r"\*function:[0-9a-f]{16}\(\)", unpacked)


def test_the_end_of_a_session_comes_after_the_last_look_up(
    people: DataFrame, spark: SparkSession
) -> None:
    kept = people.selectExpr("id")
    stopped: list[bool] = []

    class Gateway:
        """Stand for a session whose end can be watched."""

        def stop(self) -> None:
            """Note the end."""
            stopped.append(True)

    # The session of the run has to live on: the wrapper is what is tried, not the end itself.
    from conformare.capture.spark._patches import _before_stop
    from conformare.capture.spark._table import Kind, Tracked

    wrapped = _before_stop(Tracked(("m",), "o", "stop", Kind.STOP), Gateway.stop)
    wrapped(Gateway())
    assert stopped == [True]
    node = store.node_of(kept)
    assert node is not None
    assert node.columns == ("id",)
    assert spark.version


def introduced_by(node: Node) -> tuple[str, ...]:
    """Return the names of columns that a step has said it introduces."""
    return node.introduces.names if node.introduces else ()


def test_what_a_step_says_of_its_columns_is_what_spark_says(people: DataFrame) -> None:
    with_name = people.withColumn("N", F.lit(1)).withColumns({"m": F.lit(1), "ID": F.lit(2)})
    frames = [
        with_name,
        with_name.drop("M").select("id", "Email", F.col("G"), people.g.alias("h")),
        with_name.groupBy("G", F.col("Email")).agg(F.sum("n").alias("total")),
        with_name.groupBy(with_name.g).count(),
        with_name.agg(F.max("n").alias("n")),
        people.join(with_name.select("ID", "n"), "id").unionByName(
            people, allowMissingColumns=True
        ),
        people.toDF("x", "y", "z"),
    ]
    said = store.snapshot().nodes
    for frame in frames:
        node = store.node_of(frame)
        assert node is not None
        known = said[node.number - 1]
        assert known.columns is None  # nobody had to ask
        assert set(introduced_by(known)) <= set(frame.columns)
    names = {name for node in said for name in introduced_by(node) or node.columns or ()}
    assert names == {name for columns in store.cols.values() for name in columns}

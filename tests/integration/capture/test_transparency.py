"""Tracking changes nothing for the user: no result, plan, exception, signature or Spark job."""

from __future__ import annotations

import inspect
import re
import traceback
import uuid
from collections.abc import Callable
from typing import Any

import pyspark
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from conformare.capture import lineage, restore, store, trackSpark, untracked
from conformare.capture.spark._patches import _class_of
from conformare.capture.spark._table import TRACKED
from conformare.record import to_run_record


def function_of(method: Any) -> Any:
    """Return the function behind a property or a method of the class."""
    if isinstance(method, property):
        return method.fget
    return method.__func__ if isinstance(method, classmethod) else method


def methods() -> dict[str, Any]:
    """Return every tracked method as it now stands in its class."""
    found = {}
    for tracked in TRACKED:
        owner = _class_of(tracked)
        if owner is not None:
            found[f"{owner.__module__}.{tracked.owner}.{tracked.method}"] = (
                tracked.method in owner.__dict__,
                inspect.getattr_static(owner, tracked.method, None),
            )
    return found


def test_the_originals_are_put_back_identically(spark: SparkSession) -> None:
    before = methods()
    trackSpark()
    trackSpark()
    during = methods()
    assert not [name for name in before if during[name] == before[name] and before[name][1]]
    trackSpark(enable=False)
    assert methods() == before
    restore()
    assert methods() == before
    assert spark.version


@pytest.mark.skipif(pyspark.__version__ < "4.1", reason="the table is that of Spark 4.1")
def test_every_tracked_method_exists_in_this_spark() -> None:
    assert [name for name, (_, method) in methods().items() if method is None] == []


def test_a_tracked_method_looks_like_the_original() -> None:
    before = methods()
    trackSpark()
    for name, (_, replacement) in methods().items():
        if replacement is None:  # of a later Spark
            continue
        method, original = function_of(replacement), function_of(before[name][1])
        assert inspect.signature(method) == inspect.signature(original), name
        assert (method.__doc__, method.__name__) == (original.__doc__, original.__name__)


def test_a_method_replaced_after_ours_is_left_to_its_owner(
    people: DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    trackSpark()
    ours = type(people).filter
    seen: list[str] = []

    def theirs(self: DataFrame, condition: Any) -> DataFrame:
        seen.append("theirs")
        return ours(self, condition)

    monkeypatch.setattr(type(people), "filter", theirs)
    restore()
    assert type(people).filter is theirs
    assert people.filter("id > 1").count() == 2
    assert (seen, lineage()) == (["theirs"], [])
    monkeypatch.undo()
    # What the monkeypatch put back is ours, which nobody has on record any more.
    type(people).filter = inspect.unwrap(ours)  # type: ignore[method-assign]


def pipeline(people: DataFrame) -> DataFrame:
    """Return a frame of some steps of every kind."""
    kept = people.filter(people.id > 0).withColumn("n", F.lit(2)).na.fill("?").alias("k")
    sums = kept.groupBy("g").agg(F.sum("n").alias("s"))
    return kept.join(sums, "g").orderBy("id").select("id", "g", "s").limit(10)


def plan_of(frame: DataFrame) -> str:
    """Return the analysed plan without the ids that differ each time."""
    return str(frame._jdf.queryExecution().analyzed().canonicalized().toString())


def test_results_and_plans_are_the_same(people: DataFrame) -> None:
    plain = pipeline(people)
    trackSpark()
    tracked = pipeline(people)
    assert tracked.sameSemantics(plain)
    assert plan_of(tracked) == plan_of(plain)
    assert tracked.collect() == plain.collect()
    assert type(people.groupBy("g")) is type(plain.groupBy("g"))


FAILING: list[Callable[[Any], Any]] = [
    lambda d: d.filter(d.nothing),
    lambda d: d.select("nothing"),
    lambda d: d.filter(1),
    lambda d: d.join(d, on=[d.id > 1, "g"]),
    lambda d: d.groupBy("g").agg({"nothing": "sum"}),
    lambda d: d.groupBy("nothing").count(),
    lambda d: d.withColumn(),
    lambda d: d.fillna({"id": object()}),
    lambda d: d.na.replace({"a": 1, 2: "b"}),
    lambda d: d.sparkSession.read.csv("/nowhere/at/all"),
    lambda d: d.sparkSession.table("nothing"),
    lambda d: d.sparkSession.sql("select from where"),
    lambda d: d.write.format("nothing").save("/nowhere"),
    lambda d: d.drop(d.id + {"no": "column"}),
    lambda d: d.dropna(how="some"),
    lambda d: d.select(F.col("id") / "x" + d.nothing),
]


@pytest.mark.parametrize("fail", FAILING)
def test_exceptions_are_the_same(people: DataFrame, fail: Callable[[DataFrame], Any]) -> None:
    def raised() -> tuple[type[Exception], str, list[str]]:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever Spark raises
            fail(people)
        places = traceback.extract_tb(caught.value.__traceback__)
        users = [place.name for place in places if place.filename == __file__]
        message = re.sub(r"#\d+|\bo\d+\.", "", str(caught.value))
        return caught.type, message.partition("\n\tat ")[0], users

    plain = raised()
    trackSpark()
    assert raised() == plain
    assert lineage() == []


def test_tracking_and_recording_start_no_job(tracked: SparkSession, people: DataFrame) -> None:
    context = tracked.sparkContext
    group = uuid.uuid4().hex
    context.setJobGroup(group, "tracked")
    pipeline(people)
    to_run_record(store, "p")
    jobs = context.statusTracker().getJobIdsForGroup(group)
    assert lineage()
    assert list(jobs) == []


def test_tracking_asks_spark_for_nothing_per_step(
    people: DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline(people)  # what py4j asks about a class, it asks once
    trackSpark()
    asked: list[str] = []
    gateway = type(people._jdf._gateway_client)
    send = gateway.send_command

    def counting(self: Any, command: str, *args: Any, **kwargs: Any) -> Any:
        # "m" commands free objects whenever the garbage collector comes by.
        if not command.startswith("m"):
            asked.append(command)
        return send(self, command, *args, **kwargs)

    monkeypatch.setattr(gateway, "send_command", counting)
    pipeline(people)
    with_tracking = len(asked)
    restore()
    asked.clear()
    pipeline(people)
    assert with_tracking == len(asked)


def test_our_own_work_is_not_captured(
    tracked: SparkSession, people: DataFrame, tmp_path: Any
) -> None:
    with untracked():
        tracked.range(3).filter("id > 1").write.parquet(str(tmp_path / "own"))
    assert lineage() == []
    people.filter("id > 1")
    assert len(lineage()) == 1


@pytest.mark.expects_guarded_fault
def test_a_fault_of_ours_reaches_nobody(
    tracked: SparkSession,
    people: DataFrame,
    monkeypatch: pytest.MonkeyPatch,
    swallowed_faults_fail: list[Exception],
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(store, "add_step", broken)
    assert people.filter("id > 1").count() == 2
    assert [str(fault) for fault in swallowed_faults_fail] == ["ours"]
    assert tracked.version

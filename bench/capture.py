"""What tracking costs: `make bench` prints it, docs/howto/record-a-spark-job.md keeps what was seen.

Ratios of one run on one machine: tracked and untracked rounds take turns, so that whatever else the
machine does meets both.
"""

from __future__ import annotations

import linecache
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from conformare.capture import Store, describe, restore, store, trackSpark
from conformare.capture._content import MOST_AT_ONE_PLACE
from conformare.record import to_run_record
from conformare_sink.spark.session import build_session

OPERATIONS = 240
STATEMENTS = 60
RECORDED_STEPS = 5_000
REPETITIONS = 1_000_000
WARM_UP_ROUNDS = 2
ROUNDS = 5
ROWS = 100_000


def pipeline(spark: SparkSession) -> int:
    """Run 240 operations, each written down once, and two actions; return the rows left."""
    scope: dict[str, object] = {"F": F, "frame": spark.range(ROWS).withColumn("k", F.col("id") % 7)}
    exec(_PROGRAM, scope)  # noqa: S102 - a program of 240 lines that we have just made
    frame = scope["frame"]
    assert isinstance(frame, DataFrame)  # noqa: S101 - for the type checker
    frame.write.mode("overwrite").format("noop").save()
    return frame.count()


def sql_pipeline(spark: SparkSession) -> int:
    """Run 60 statements of SQL, each written down once, ten of them inserts, and one action."""
    scope: dict[str, object] = {"spark": spark}
    exec(_STATEMENTS, scope)  # noqa: S102 - a program of 60 lines that we have just made
    frame = scope["frame"]
    assert isinstance(frame, DataFrame)  # noqa: S101 - for the type checker
    return frame.count()


def _program(operations: int) -> str:
    """Return the source of a pipeline: filters, new columns, selections, aggregations, joins."""
    lines = []
    for number in range(operations):
        kind = number % 12
        if kind < 4:  # noqa: PLR2004 - a third of the steps
            lines.append(f"frame = frame.filter(F.col('id') >= {number // 12})")
        elif kind < 8:  # noqa: PLR2004 - another third
            lines.append(f"frame = frame.withColumn('c{kind}', F.col('id') + {number})")
        elif kind < 10:  # noqa: PLR2004 - a sixth
            lines.append(f"frame = frame.select('id', 'k', F.lit({number}).alias('x'))")
        elif kind == 10:  # noqa: PLR2004 - a twelfth
            lines.append(f"frame = frame.where('k < 7').dropDuplicates(['id', 'k'])  # {number}")
        else:
            lines.append(f"frame = frame.withColumnRenamed('x', 'x{number}').drop('x{number}')")
    return "\n".join(lines)


def _statements(number: int) -> str:
    """Return the source of a pipeline of SQL: queries, views, subqueries, names of WITH, inserts."""
    kinds = (
        "select o.id, c.k from orders o join clients c on o.k = c.k where o.id >= {n}",
        "with orders as (select * from orders where id > {n}) select id, k from orders",
        "create or replace temporary view part{n} as select id, k from orders where k = {n} % 7",
        "select id from part{v} where k in (select k from clients where k < {n})",
        "select id, k from orders where id = {n} union all select id, k from clients",
        "insert into kept select id, k from orders where id = {n}",
    )
    texts = (kinds[n % len(kinds)].format(n=n, v=n - 1) for n in range(number))
    return "\n".join(f'frame = spark.sql("{text}")' for text in texts)


def compiled(name: str, source: str) -> CodeType:
    """Return a program under a name of its own, with its source where tracebacks look for it."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    return compile(source, name, "exec")


_PROGRAM = compiled("<pipeline>", _program(OPERATIONS))
_STATEMENTS = compiled("<statements>", _statements(STATEMENTS))


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long some work takes, in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@contextmanager
def tracking() -> Iterator[None]:
    """Track Spark, and forget what was captured."""
    trackSpark()
    try:
        yield
    finally:
        restore()
        store.clear()


def cost_of_tracking(spark: SparkSession, work: Callable[[SparkSession], int], what: str) -> None:
    """Print the time of a pipeline tracked against untracked."""
    untracked_seconds, tracked_seconds = [], []
    for round_ in range(WARM_UP_ROUNDS + ROUNDS):
        plain = seconds_of(lambda: work(spark))
        with tracking(), describe("pipeline"):
            tracked = seconds_of(lambda: work(spark))
        if round_ >= WARM_UP_ROUNDS:
            untracked_seconds.append(plain)
            tracked_seconds.append(tracked)
    plain, tracked = statistics.median(untracked_seconds), statistics.median(tracked_seconds)
    print(f"{what}, median of {ROUNDS} rounds")
    print(f"  untracked {plain:.2f} s, tracked {tracked:.2f} s: {tracked / plain:.3f} times")


def make_tables(spark: SparkSession) -> None:
    """Make the tables that the statements read and write."""
    for name, rows in (("orders", ROWS), ("clients", 7), ("kept", 0)):
        frame = spark.range(rows).withColumn("k", F.col("id") % 7)
        frame.write.format("delta").saveAsTable(name)


def cost_of_a_record(spark: SparkSession) -> None:
    """Print how long the record of a long pipeline takes, schemas looked up for the first time."""
    frame = spark.range(10).withColumn("k", F.col("id") % 7)
    with tracking(), describe("pipeline"):
        count = 0
        while count < RECORDED_STEPS:
            # Another file each time, so that every step is a step of its own.
            scope: dict[str, object] = {"F": F, "frame": frame}
            exec(compiled(f"<part {count}>", _program(OPERATIONS)), scope)  # noqa: S102 - made by us
            count = sum(event.kind == "op" for event in store.events)
        first = seconds_of(lambda: to_run_record(store, "bench"))
        again = seconds_of(lambda: to_run_record(store, "bench"))
    print(f"record of {count} distinct steps")
    print(f"  first {first:.2f} s, again {again:.2f} s")


class _Frame:
    """Stands for a frame of which nothing but its identity matters."""

    columns = ("id",)


def memory_of_repetitions() -> None:
    """Print how much a store holds after a loop whose every step starts from the one before."""
    captured, place = Store(), ("file.py", "loop", 1, 2)
    frame = _Frame()
    tracemalloc.start()
    sizes = []
    for number in range(1, REPETITIONS + 1):
        child = _Frame()
        captured.add_step("filter", [frame], child, logic={"args": ["x"]}, place=place)
        frame = child
        if number in (2 * MOST_AT_ONE_PLACE, REPETITIONS):
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    print(f"a loop of {REPETITIONS:,} steps that feeds itself")
    print(
        f"  {len(captured.events):,} steps kept; {sizes[0] / 1e6:.2f} MB after "
        f"{2 * MOST_AT_ONE_PLACE:,} repetitions, {sizes[1] / 1e6:.2f} MB at the end"
    )


def main() -> None:
    """Run all four."""
    with tempfile.TemporaryDirectory() as folder:
        spark = build_session(
            "conformare-bench",
            master="local[2]",
            driver_memory="2g",
            extra_conf={"spark.sql.warehouse.dir": f"{folder}/warehouse"},
        )
        try:
            cost_of_tracking(spark, pipeline, f"{OPERATIONS} operations")
            make_tables(spark)
            cost_of_tracking(spark, sql_pipeline, f"{STATEMENTS} statements of SQL")
            cost_of_a_record(spark)
        finally:
            spark.stop()
    memory_of_repetitions()


if __name__ == "__main__":
    main()

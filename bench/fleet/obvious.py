"""The questions as anybody would ask them in SQL: of the engine of deltalake, and of Spark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.fleet.used import Used, python_used
from bench.spread.cpu import cpu_seconds, peak_mb
from deltalake import DeltaTable, QueryBuilder

_NEWEST = (
    "newest AS (SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY pipeline, env ORDER BY ts DESC, "
    "run_id DESC) AS nth FROM runs) AS n WHERE nth = 1)"
)


def _of_newest(grain: str) -> str:
    return f"{grain} AS g JOIN newest AS n ON g.emission_id = n.emission_id"


SQL = {
    "health": (
        "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY pipeline, env ORDER BY ts DESC, run_id "
        "DESC) AS nth FROM runs) AS n WHERE nth <= 30"
    ),
    "drift": (
        "SELECT * FROM (SELECT *, lag(impl_hash) OVER w AS impl_before, lag(risk_hash) OVER w AS "
        "risk_before, lag(run_id) OVER w AS run_before FROM (SELECT c.*, r.env, r.git_sha FROM contexts AS "
        "c JOIN runs AS r ON c.emission_id = r.emission_id) AS c WINDOW w AS (PARTITION BY pipeline, env, "
        "context_label ORDER BY ts, run_id)) AS d "
        "WHERE impl_before <> impl_hash AND risk_before = risk_hash"
    ),
    "owners": (
        "SELECT g.owner, g.pipeline, max(g.ts) AS last_ts FROM owners AS g JOIN runs AS r ON "
        "g.emission_id = r.emission_id GROUP BY g.owner, g.pipeline"
    ),
    "impact": (
        f"WITH {_NEWEST}, written AS (SELECT g.location, g.pipeline FROM {_of_newest('sinks')}), read_at AS "  # noqa: S608 - our own words
        f"(SELECT g.location, g.pipeline FROM {_of_newest('sources')}) SELECT DISTINCT w.pipeline AS "
        "writer, r.pipeline AS reader FROM written AS w JOIN read_at AS r ON w.location = r.location"
    ),
    "sensitive": f"WITH {_NEWEST} SELECT g.* FROM {_of_newest('sinks')} WHERE g.n_sensitive > 0",  # noqa: S608 - our own words
    "expectations": f"WITH {_NEWEST} SELECT g.* FROM {_of_newest('expectations')}",  # noqa: S608 - our own words
}
"""Not all that our questions tell: impact over one hop, no rates of failure, no streaks."""
GRAINS = ("runs", "contexts", "owners", "sources", "sinks", "expectations")


def by_deltalake(lake: Path, question: str) -> Used:
    """Return what a question takes in the engine of deltalake, all tables opened before."""
    engine = QueryBuilder()
    for grain in GRAINS:
        engine.register(grain, DeltaTable(str(lake / grain)))
    return python_used(lambda: engine.execute(SQL[question]).read_all())


def by_spark(lake: Path, question: str) -> Used:
    """Return what a question takes in Spark on two cores, all tables opened before."""
    with _session(lake) as (java, ask):
        before = cpu_seconds(java)
        rows = ask(SQL[question])
        return Used(cpu_seconds(java) - before, peak_mb(java), rows)


@contextmanager
def _session(lake: Path) -> Iterator[tuple[int, Callable[[str], int]]]:
    from conformare_sink.spark.session import build_session

    with TemporaryDirectory() as folder:
        spark = build_session(
            master="local[2]", app_name="bench", extra_conf={"spark.sql.warehouse.dir": folder}
        )
        try:
            for grain in GRAINS:
                spark.read.format("delta").load(str(lake / grain)).createOrReplaceTempView(grain)
            java = spark.sparkContext._gateway.proc.pid  # type: ignore[union-attr]  # noqa: SLF001 - no public name
            yield java, lambda query: len(spark.sql(query).collect())
        finally:
            spark.stop()

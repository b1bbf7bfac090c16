"""The views over a lake: each starts from `runs`, and says of small fleets what is beside them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from support.lakes.fleet import Fleet, Run, at, context, owner

from conformare.writers._spark_table import SparkTableOptions, SparkTableWriter
from conformare_sink.errors import NoLakeError
from conformare_sink.lake.views.sources import tables_of_catalog
from conformare_sink.lake.views.statements import view_statements
from conformare_sink.options import CatalogOptions

DOCS = Path(__file__).parents[4] / "docs" / "howto" / "query-with-sql.md"

Found = Sequence[tuple[Any, ...]]


@pytest.fixture
def fleet(spark: SparkSession, tmp_path: Path) -> Iterator[Fleet]:
    """A fleet without any run, in a folder whose name has to be quoted."""
    fleet = Fleet(spark, tmp_path / "a 'lake` #é")
    yield fleet
    fleet.drop()


def test_the_newest_run_of_each_pipeline_and_environment_is_found_by_its_time(
    fleet: Fleet,
) -> None:
    """Not by when it landed; of two at the same time, by run_id."""
    fleet.land(
        Run("a", minute=9),
        Run("in prod", minute=2, env="prod"),
        Run("in an environment without a name", env=""),
        Run("a", "another pipeline", minute=1),
        Run("x2", "twice at once", minute=3),
        Run("x10", "twice at once", minute=3),
        Run("late", minute=1),
    )
    fleet.create()
    assert set(fleet.ask("SELECT pipeline, env, run_id FROM runs_latest")) == {
        ("p", None, "a"),
        ("p", "prod", "in prod"),
        ("p", "", "in an environment without a name"),
        ("another pipeline", None, "a"),
        ("twice at once", None, "x2"),
    }


def test_a_healthy_run_in_which_nothing_gave_an_answer_is_unknown(fleet: Fleet) -> None:
    """All other columns are those of `runs`."""
    runs = {
        "failed": {"status": "failed", "ge_evaluated": 0},
        "degraded": {"status": "degraded", "ge_evaluated": 2, "ge_errored": 2},
        "never evaluated": {"status": "healthy", "ge_evaluated": 0},
        "only errors": {"status": "healthy", "ge_evaluated": 2, "ge_errored": 2},
        "healthy": {"status": "healthy", "ge_evaluated": 2, "ge_errored": 1, "git_sha": "abc"},
    }
    fleet.land(*(Run(name, name, columns=columns) for name, columns in runs.items()))
    fleet.create()
    assert dict(fleet.ask("SELECT run_id, health FROM runs_latest")) == {
        "failed": "failed",
        "degraded": "degraded",
        "never evaluated": "unknown",
        "only errors": "unknown",
        "healthy": "healthy",
    }
    healthy = "SELECT status, ge_evaluated, git_sha, ts FROM runs_latest WHERE health = 'healthy'"
    assert fleet.ask(healthy) == [("healthy", 2, "abc", Run("any").ts)]


def test_rows_without_their_run_do_not_count(fleet: Fleet) -> None:
    """Nor do those of another emission of a run that has landed."""
    fleet.land(
        Run("1", rows={"contexts": [context("c", "A", "R")]}),
        Run("2", minute=1, rows={"contexts": [context("c", "A", "R")]}),
    )
    rows: Mapping[str, Any] = {
        "contexts": [context("c", "B", "R")],
        "owners": [owner("nobody", "c")],
        "sources": at("s3://b/x"),
        "sinks": at("s3://b/x"),
        "expectations": [{"expectation": "none"}],
    }
    fleet.leave(Run("3", minute=2, rows=rows))
    fleet.leave(Run("2", minute=1, rows=rows, emission="another"))
    fleet.leave(Run("2", "another pipeline", minute=1, rows=rows))
    fleet.create()
    assert fleet.ask("SELECT run_id FROM runs_latest") == [("2",)]
    views = ("drift", "owners_now", "impact", "expectations_latest")
    found = {view: fleet.ask(f"SELECT * FROM {view}") for view in views}  # noqa: S608 - our own
    assert not any(found.values()), found


Prints = Sequence[tuple[str, str]] | None
"""Fingerprints of the contexts of one label in a run; None where the run has none of that label."""

HISTORIES: dict[str, tuple[list[Prints], Found]] = {
    "nothing changes": ([[("A", "R")], [("A", "R")]], []),
    "the code changes": ([[("A", "R")], [("B", "R")]], [("1", "2", "A", "B", "R", True)]),
    "the risks change, too": ([[("A", "R")], [("B", "S")]], []),
    "the risks change alone": ([[("A", "R")], [("A", "S")]], []),
    "it is reviewed later": (
        [[("A", "R")], [("B", "R")], [("B", "R")], [("B", "S")]],
        [("1", "2", "A", "B", "R", False)],
    ),
    "the risks change and change back": (
        [[("A", "R")], [("B", "R")], [("B", "S")], [("B", "R")]],
        [("1", "2", "A", "B", "R", False)],
    ),
    "the code changes and changes back": (
        [[("A", "R")], [("B", "R")], [("A", "R")]],
        [("1", "2", "A", "B", "R", True), ("2", "3", "B", "A", "R", True)],
    ),
    "it drifts again after a review": (
        [[("A", "R")], [("B", "R")], [("B", "S")], [("C", "S")]],
        [("1", "2", "A", "B", "R", False), ("3", "4", "B", "C", "S", True)],
    ),
    "a run without that label is passed over": (
        [[("A", "R")], None, [("B", "R")], None],
        [("1", "3", "A", "B", "R", True)],
    ),
    "contexts of one label are not compared with each other": (
        [[("A", "R"), ("B", "S")], [("B", "S"), ("A", "R"), ("A", "R")]],
        [],
    ),
    "one of that label comes": (
        [[("B", "R")], [("B", "R"), ("A", "R")]],
        [("1", "2", "B", "A+B", "R", True)],
    ),
    "one of several changes": (
        [[("A", "R"), ("B", "S")], [("C", "S"), ("A", "R")]],
        [("1", "2", "A+B", "A+C", "R+S", True)],
    ),
    "one context alone": ([[("A", "R")]], []),
}


def test_a_drift_is_a_change_of_code_that_left_the_risks_as_they_were(fleet: Fleet) -> None:
    """Whenever its runs landed; it is open until the risks change."""
    runs = [
        Run(
            str(number),
            name,
            number,
            rows={"contexts": [context("c", *prints) for prints in of_run or ()]},
        )
        for name, (history, _) in HISTORIES.items()
        for number, of_run in enumerate(history, 1)
    ]
    fleet.land(*reversed(runs))
    fleet.create()
    found = fleet.ask(
        "SELECT pipeline, from_run, to_run, from_impl_hash, to_impl_hash, risk_hash, open FROM drift"
    )
    for name, (_, expected) in HISTORIES.items():
        assert sorted(row[1:] for row in found if row[0] == name) == expected, name
    assert {row[0] for row in found} <= {*HISTORIES}


def test_environments_pipelines_and_labels_drift_apart(fleet: Fleet) -> None:
    """An environment that was not said is one of its own."""
    fleet.land(
        *(
            Run(str(number), pipeline, number, env, rows={"contexts": [context(label, impl, "R")]})
            for number, (pipeline, env, label, impl) in enumerate(
                [
                    ("p", "prod", "c", "A"),
                    ("p", "dev", "c", "B"),
                    ("p", None, "c", "C"),
                    ("p", "", "c", "D"),
                    ("q", "prod", "c", "E"),
                    ("p", "prod", "C", "F"),
                    ("p", None, "c", "G"),
                ]
            )
        )
    )
    fleet.create()
    found = fleet.ask(
        "SELECT pipeline, env, context_label, from_impl_hash, to_impl_hash FROM drift"
    )
    assert found == [("p", None, "c", "C", "G")]


def test_a_drift_has_commit_risks_and_owners_of_its_second_run(fleet: Fleet) -> None:
    """By the very run, also where another pipeline has one of the same id; names are anybody's."""
    label = 'o\'clock `x` "y" \\ ${z} %'
    rows = {
        "contexts": [
            context(label, "B", "R", "pii", "bias"),
            context(label, "B", "R", "bias"),
            context("beside", "B", "R", "none of it"),
        ],
        "owners": [
            owner("zoë", label),
            owner("ana", label),
            owner("ana", label),
            owner("of something else", "beside"),
            owner("of a risk", label, scope="risk"),
        ],
    }
    before, after = (
        context(label, "A", "R", "old"),
        Run("2", "p'`\\", 1, "prod", {"git_sha": "b"}, rows),
    )
    fleet.land(
        Run("1", after.pipeline, 0, "prod", {"git_sha": "a"}, {"contexts": [before]}),
        after,
        Run("2", "q", rows={"owners": [owner("of another pipeline", label)]}),
    )
    fleet.acknowledge(Run("2", "q"), label)
    fleet.acknowledge(after, "beside")
    fleet.create()
    drift = {
        "pipeline": after.pipeline,
        "env": "prod",
        "context_label": label,
        "from_run": "1",
        "to_run": "2",
        "from_ts": Run("1").ts,
        "to_ts": after.ts,
        "from_impl_hash": "A",
        "to_impl_hash": "B",
        "risk_hash": "R",
        "has_risks": True,
        "risk_ids": ["bias", "pii"],
        "git_sha": "b",
        "owners": ["ana", "zoë"],
        "open": True,
    }
    assert fleet.ask(f"SELECT {', '.join(drift)} FROM drift") == [(*drift.values(),)]  # noqa: S608 - names of columns
    assert fleet.ask("SELECT * FROM drift") == [(*drift.values(),)]
    fleet.acknowledge(after, label)
    fleet.acknowledge(after, label)
    assert fleet.ask("SELECT open, owners FROM drift") == [(False, ["ana", "zoë"])]


def test_owners_and_expectations_are_those_of_the_newest_runs(fleet: Fleet) -> None:
    """Who owned something earlier is not told."""
    fleet.land(
        Run("1", minute=1, rows={"owners": [owner("former", "c")]}),
        Run(
            "2",
            minute=2,
            rows={
                "owners": [owner("ana", "c"), owner("ana", "pii", "risk")],
                "expectations": [{"expectation": "unique", "success": None, "error": "no"}],
            },
        ),
        Run("2", "q", 0, "prod", rows={"owners": [owner("bob", "c")]}),
    )
    fleet.create()
    assert set(fleet.ask("SELECT * FROM owners_now")) == {
        ("ana", "p", None, "context", "c", "context_owner"),
        ("ana", "p", None, "risk", "pii", "risk_owner"),
        ("bob", "q", "prod", "context", "c", "context_owner"),
    }
    expectations = (
        "SELECT pipeline, env, run_id, expectation, success, error FROM expectations_latest"
    )
    assert fleet.ask(expectations) == [("p", None, "2", "unique", None, "no")]


SPELLINGS: list[tuple[Any, ...]] = [  # what one pipeline writes, what another one reads, and the place, if it is one
    ("s3a://Bucket/raw/Orders/", "s3://bucket/raw/Orders", "s3://bucket/raw/Orders"),
    ("S3N://bucket/a", " s3://BUCKET/a// ", "s3://bucket/a"),
    ("s3://bucket/A", "s3://bucket/a", None),
    ("s3://bucket/a", "gs://bucket/a", None),
    ("HDFS://Node:8020/User", "hdfs://node:8020/User/", "hdfs://node:8020/User"),
    ("/data/x", "file:///data/x/", "/data/x"),
    ("file:/data/X", "/data/X", "/data/X"),
    ("/data/x", "/data/X", None),
    ("sales.Orders", "`sales`.orders", "sales.orders"),
    ("sales.orders", "returns, sales.orders", "sales.orders"),
    ("/data/a, b", "/data/a, b", "/data/a, b"),
    ("abfss://box@Account.dfs.core.windows.net/x", "abfs://box@account.dfs.core.windows.net/x",
     "abfs://box@account.dfs.core.windows.net/x"),
    ("jdbc:postgresql://host/db#t", "jdbc:postgresql://host/db#t", "jdbc:postgresql://host/db#t"),
    ("(memory)", "(memory)", None),
    ("(unknown)", "(unknown)", None),
    ("/", "/", "/"),
]  # fmt: skip


def test_spellings_of_one_place_are_matched(fleet: Fleet) -> None:
    """The case of a path counts, as in most stores; that of a host or of a table does not."""
    for grain, place in (("sinks", 0), ("sources", 1)):
        fleet.land(
            *(
                Run(str(number), grain, number, str(number), rows={grain: at(spelling[place])})
                for number, spelling in enumerate(SPELLINGS)
            )
        )
    fleet.create()
    found = fleet.ask("SELECT from_env, location FROM impact WHERE from_env = to_env")
    expected = [(str(n), place) for n, (_, _, place) in enumerate(SPELLINGS) if place is not None]
    assert sorted(found) == sorted(expected)


CHAIN = [  # pipeline, what it reads, what it writes
    ("orders", ["/raw"], ["/a", "/a"]),
    ("clean", ["/a", "/c"], ["/b", "/b2"]),
    ("report", ["/b", "/b2"], ["/c"]),
    ("mail", ["/c"], []),
]


def test_impact_is_one_hop_of_the_newest_runs(fleet: Fleet) -> None:
    """A pipeline that reads what it writes itself is told, too."""
    fleet.land(
        Run("old", "orders", 0, rows={"sinks": at("/b")}),
        *(
            Run("1", pipeline, 1, rows={"sources": at(*reads), "sinks": at(*writes)})
            for pipeline, reads, writes in CHAIN
        ),
        Run("1", "itself", 1, "prod", rows={"sources": at("/own"), "sinks": at("/own/")}),
    )
    fleet.create()
    assert sorted(fleet.ask("SELECT * FROM impact"), key=str) == [
        ("clean", None, "/b", "report", None),
        ("clean", None, "/b2", "report", None),
        ("itself", "prod", "/own", "itself", "prod"),
        ("orders", None, "/a", "clean", None),
        ("report", None, "/c", "clean", None),
        ("report", None, "/c", "mail", None),
    ]
    (downstream,) = re.findall(
        r"```sql\n(WITH RECURSIVE.*?)```", DOCS.read_text("utf-8"), re.DOTALL
    )
    assert sorted(fleet.ask(downstream)) == [
        ("clean", None, 1),
        ("mail", None, 3),
        ("report", None, 2),
    ]


@pytest.mark.long
def test_views_of_a_schema_are_beside_its_tables(spark: SparkSession) -> None:
    """Under the same prefix; a table that nobody has made yet counts as empty."""
    schema = f"views_{uuid.uuid4().hex[:8]}"
    place = CatalogOptions(schema_name=schema, table_prefix="cf_")
    spark.sql(f"CREATE SCHEMA {schema}")
    with pytest.raises(NoLakeError, match=f"there is no table `{schema}`.`cf_runs`: correct"):
        tables_of_catalog(spark, place)
    options = SparkTableOptions(spark=spark, schema_=schema, table_prefix="cf_")
    writer = SparkTableWriter(options)
    writer.write(Run("1", rows={"contexts": [context("c", "A", "R")]}).record)
    writer.write(Run("2", minute=1, rows={"contexts": [context("c", "B", "R")]}).record)
    statements = view_statements(tables_of_catalog(spark, place), place)
    for statement in [*statements.values(), *statements.values()]:
        spark.sql(statement)
    drifts = spark.sql(f"SELECT to_run, open FROM {schema}.cf_drift").collect()  # noqa: S608 - a name of this test
    assert [tuple(row) for row in drifts] == [("2", True)]
    spark.sql(f"DROP SCHEMA {schema} CASCADE")

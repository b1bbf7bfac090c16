"""The views over a fleet that nobody has thought of: plain Python and `conformare.fleet` agree."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import astuple, replace
from itertools import pairwise
from typing import Any

import pytest
from pyspark.sql import SparkSession
from support.fleet.invented import PLACES as PLACE_NUMBERS
from support.lakes.fleet import Fleet, Run, at, context, owner

from conformare.fleet import Fleet as RecordedFleet
from conformare.fleet import open_store
from conformare.fleet.questions import Lineage, drift, health_of_run

RUNS = 300
PLACES = [*PLACE_NUMBERS]

Key = tuple[str, str | None]


def any_run(chance: random.Random, pipeline: str, run_id: str) -> Run:
    """A run among so few pipelines, times, labels and fingerprints that all cases come."""

    def some(most: int) -> range:
        return range(chance.randint(0, most))

    contexts = [
        context(chance.choice("cd"), chance.choice("AAAB"), chance.choice("RRRRRRRRS"), "risk")
        for _ in some(3)
    ]
    asked = chance.randint(0, 2)
    return Run(
        run_id,
        pipeline,
        chance.randint(0, RUNS // 4),
        chance.choice([None, "", "prod"]),
        {
            "status": chance.choice(["healthy", "healthy", "degraded", "failed"]),
            "ge_evaluated": asked,
            "ge_errored": chance.randint(0, asked),
            "git_sha": run_id,
        },
        {
            "contexts": contexts,
            "owners": [owner(chance.choice(["ana", "bob"]), chance.choice("cd")) for _ in some(3)],
            "sources": at(*(chance.choice(PLACES) for _ in some(3))),
            "sinks": at(*(chance.choice(PLACES) for _ in some(2))),
            "expectations": [{"expectation": run_id} for _ in range(asked)],
        },
    )


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    """All that has landed, in the order in which it did."""
    chance = random.Random(19)  # noqa: S311 - the same fleet each time
    return [any_run(chance, "pqr"[number % 3], f"{number // 3}") for number in range(RUNS)]


@pytest.fixture(scope="module")
def landed(
    spark: SparkSession, runs: list[Run], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """A lake of them, and of rows whose runs have not landed."""
    fleet = Fleet(spark, tmp_path_factory.mktemp("fleet") / "lake")
    fleet.land(*runs)
    chance = random.Random(20)  # noqa: S311 - the same fleet every time
    for run in newest(runs):
        fleet.leave(any_run(chance, run.pipeline, f"{run.run_id} is lost"))
        fleet.leave(replace(any_run(chance, run.pipeline, run.run_id), emission="another"))
    fleet.create()
    yield fleet
    fleet.drop()


def in_order(runs: list[Run]) -> dict[Key, list[Run]]:
    """The runs of each pipeline and environment, oldest first."""
    found: dict[Key, list[Run]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: (run.ts, run.run_id)):
        found[run.pipeline, run.env].append(run)
    return found


def newest(runs: list[Run]) -> list[Run]:
    """The newest run of each pipeline and environment."""
    return [history[-1] for history in in_order(runs).values()]


def health(run: Run) -> str:
    """How a run is."""
    answers = run.columns["ge_evaluated"] - run.columns["ge_errored"]
    return (
        "unknown" if run.columns["status"] == "healthy" and not answers else run.columns["status"]
    )


def in_any_order(rows: Any) -> list[tuple[Any, ...]]:
    """Rows as they can be compared."""
    return sorted(rows, key=repr)


def test_newest_runs_owners_and_expectations(landed: Fleet, runs: list[Run]) -> None:
    """As plain Python finds them."""
    latest = "SELECT pipeline, env, run_id, health FROM runs_latest"
    assert in_any_order(landed.ask(latest)) == in_any_order(
        (run.pipeline, run.env, run.run_id, health(run)) for run in newest(runs)
    )
    assert in_any_order(
        landed.ask("SELECT owner, pipeline, env, ref FROM owners_now")
    ) == in_any_order(
        (row["owner"], run.pipeline, run.env, row["ref"])
        for run in newest(runs)
        for row in run.rows["owners"]
    )
    expectations = "SELECT pipeline, env, run_id, expectation FROM expectations_latest"
    assert in_any_order(landed.ask(expectations)) == in_any_order(
        (run.pipeline, run.env, run.run_id, row["expectation"])
        for run in newest(runs)
        for row in run.rows["expectations"]
    )


def places(run: Run, grain: str) -> set[int]:
    """The places that a run reads or writes, by number."""
    return {PLACE_NUMBERS[row["location"]] for row in run.rows[grain]}


def test_impact(landed: Fleet, runs: list[Run]) -> None:
    """Each place once, however often it is read or written, and in whatever spellings."""
    edges = {
        (*(writer.pipeline, writer.env, reader.pipeline, reader.env), len(shared))
        for writer in newest(runs)
        for reader in newest(runs)
        if (shared := places(writer, "sinks") & places(reader, "sources"))
    }
    ends = "from_pipeline, from_env, to_pipeline, to_env"
    found = landed.ask(f"SELECT {ends}, count(*) FROM impact GROUP BY {ends}")  # noqa: S608 - names of columns
    assert in_any_order(found) == in_any_order(edges)


def prints(run: Run, label: str, name: str) -> list[str]:
    """The fingerprints of a run's contexts of a label."""
    return sorted({row[name] for row in run.rows["contexts"] if row["context_label"] == label})


def drifts(runs: list[Run]) -> Iterator[tuple[Any, ...]]:
    """Every drift, and whether it is open."""
    for (pipeline, env), history in in_order(runs).items():
        for label in "cd":
            those = [run for run in history if prints(run, label, "impl_hash")]
            for number, (before, after) in enumerate(pairwise(those), 1):
                impls = [prints(run, label, "impl_hash") for run in (before, after)]
                risks = prints(after, label, "risk_hash")
                if impls[0] == impls[1] or prints(before, label, "risk_hash") != risks:
                    continue
                owners = {row["owner"] for row in after.rows["owners"] if row["ref"] == label}
                is_open = all(prints(run, label, "risk_hash") == risks for run in those[number:])
                yield (
                    *(pipeline, env, label, before.run_id, after.run_id, before.ts, after.ts),
                    *map("+".join, [*impls, risks]),
                    *(after.run_id, sorted(owners), is_open),
                )


def test_drift(landed: Fleet, runs: list[Run]) -> None:
    """In a fleet that has open ones and others."""
    expected = in_any_order(drifts(runs))
    assert {row[-1] for row in expected} == {False, True}
    found = landed.ask(
        "SELECT pipeline, env, context_label, from_run, to_run, from_ts, to_ts, from_impl_hash, "
        "to_impl_hash, risk_hash, git_sha, owners, open FROM drift"
    )
    assert in_any_order(found) == expected


def test_conformare_fleet_says_the_same(landed: Fleet) -> None:
    """Over the same lake, without Spark."""
    fleet = RecordedFleet(open_store(str(landed.root)))
    assert in_any_order(landed.ask("SELECT pipeline, env, run_id, health FROM runs_latest")) == (
        in_any_order(
            (key.pipeline, key.env, run["run_id"], health_of_run(run))
            for key, run in fleet.newest().items()
        )
    )
    drifts_of_views = [
        tuple(tuple(value) if isinstance(value, list) else value for value in row)
        for row in landed.ask("SELECT * FROM drift")
    ]
    assert in_any_order(drifts_of_views) == in_any_order(
        map(astuple, drift(fleet, open_only=False))
    )
    lineage = Lineage(fleet)
    assert in_any_order(landed.ask("SELECT * FROM impact")) == in_any_order(
        (*writer, place, *reader)
        for place, writers in lineage.writers.items()
        for writer in writers
        for reader in lineage.readers.get(place, ())
    )

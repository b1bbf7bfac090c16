"""The newest runs of a lake, of which only what is recent is looked at where that suffices."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.fleet.history import row
from support.fleet.invented import START, Emission
from support.fleet.lake import FleetLake

from conformare.fleet.stores import by_pipeline, open_store

HOUR, YEAR = timedelta(hours=1), timedelta(days=365)


def runs(pipeline: str, times: Iterable[datetime]) -> list[Emission]:
    """A run at each time."""
    return [
        Emission(
            {
                "runs": [
                    row("runs", pipeline=pipeline, run_id=key, emission_id=key, env="prod", ts=ts)
                ]
            }
        )
        for number, ts in enumerate(times)
        for key in [f"{pipeline}-{number:03}"]
    ]


@pytest.mark.parametrize("until", [None, START + YEAR / 2])
def test_pipelines_whose_runs_come_in_bursts_have_all_of_their_newest(
    tmp_path: Path, until: datetime | None
) -> None:
    """Regular ones, one that stopped, one that began again after a year, several at one time."""
    of = {
        "regular": [START + n * HOUR for n in range(200)],
        "again": [*(START + n * HOUR for n in range(199)), START + YEAR],
        "at once": [START] * 200,
        "few": [START, START + YEAR],
        "one": [START],
    }
    lake = FleetLake(tmp_path)
    lake.land([one for name, times in of.items() for one in runs(name, times)])
    store = open_store(str(tmp_path))
    found = by_pipeline(store.newest_runs(30, until))
    assert {key.pipeline: [run["run_id"] for run in rows] for key, rows in found.items()} == {
        name: [
            f"{name}-{number:03}"
            for number, ts in reversed([*enumerate(times)])
            if until is None or ts <= until
        ][:30]
        for name, times in of.items()
    }
    (newest,) = (run for run in store.newest_runs(1, until) if run["pipeline"] == "again")
    assert newest["run_id"] == ("again-199" if until is None else "again-198")


def test_an_owner_of_a_run_that_has_not_landed_was_not_named_by_it(tmp_path: Path) -> None:
    """The last run that did land counts."""
    emissions = runs("orders", [START, START + HOUR])
    named = [
        Emission(
            {
                "runs": one.tables["runs"] if landed else [],
                "owners": [
                    row(
                        "owners",
                        **{k: run[k] for k in ("pipeline", "run_id", "emission_id", "ts")},
                        owner="ana",
                    )
                ],
            }
        )
        for one, landed in zip(emissions, (True, False), strict=True)
        for run in one.tables["runs"]
    ]
    FleetLake(tmp_path).land(named)
    (seen,) = open_store(str(tmp_path)).owners_seen()
    assert (seen.owner, seen.last_ts) == ("ana", START)

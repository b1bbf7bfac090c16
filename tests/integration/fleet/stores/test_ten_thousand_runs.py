"""A lake of ten thousand runs answers as plain Python does, through all that the sink does to it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from support.fleet.asked import answers, differences, expected
from support.fleet.invented import START, Emission, Invention
from support.fleet.lake import FleetLake

from conformare.fleet import Fleet
from conformare.fleet.questions import acknowledged_row, drift
from conformare.fleet.stores import open_store
from conformare_schemas import GRAINS
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.purge import Purge
from conformare_sink.lake.tables.places import folder_tables
from conformare_sink.options import StorageSettings

NOW = START + timedelta(days=60)
AS_OF = (START + timedelta(days=20),)
RUNS = 10_000
PORTIONS = 24
PURGED = 3
"""So many pipelines lose their runs."""
ACKNOWLEDGED = 5


# Of fewer runs, test_lake_over_time asks the same.
@pytest.mark.long
def test_ten_thousand_runs_late_purged_and_compacted_are_answered_as_by_plain_python(
    tmp_path: Path,
) -> None:
    tables = folder_tables(str(tmp_path), StorageSettings())
    with open_for_writing(tables, "a test"):
        pass  # it makes the tables
    lake = FleetLake(tmp_path)
    emissions = Invention(Random(7), pipelines=60, late=0.3).emissions(RUNS)  # noqa: S311 - the same fleet each time
    size = len(emissions) // PORTIONS
    portions = [emissions[n : n + size] for n in range(0, len(emissions), size)]
    for portion in portions[: PORTIONS // 2]:
        lake.land(portion)
    fleet = Fleet(open_store(str(tmp_path)), now=NOW)
    answers(fleet, AS_OF)
    for portion in portions[PORTIONS // 2 : -4]:
        lake.land(portion)
        fleet.refresh()
    assert not differences(answers(fleet, AS_OF), expected(lake.history, AS_OF, NOW))

    with open_for_writing(tables, "a test") as writing:
        for pipeline in sorted(_pipelines(emissions))[:PURGED]:
            writing.purge(Purge(pipeline=pipeline))
            lake.landed = [one for one in lake.landed if pipeline not in _pipelines([one])]
        for grain in GRAINS:
            writing.compact(grain)
    assert fleet.refresh()
    for one in drift(fleet)[:ACKNOWLEDGED]:
        row = acknowledged_row(
            fleet, one.to_run, one.context_label, by="ana", note="", pipeline=one.pipeline
        )
        fleet.acknowledge(row)
        lake.acknowledged.append(row)
    lake.land(portions[-4])
    lake.forget_log()
    lake.land(portions[-3])
    fleet.refresh()
    for portion in portions[-2:]:
        lake.land(portion)
    fleet.refresh()
    wanted = expected(lake.history, AS_OF, NOW)
    assert not differences(answers(fleet, AS_OF), wanted)
    afterwards = Fleet(open_store(str(tmp_path)), now=NOW)
    assert not differences(answers(afterwards, AS_OF), wanted)


def _pipelines(emissions: list[Emission]) -> set[str]:
    return {
        one["pipeline"]
        for emission in emissions
        for rows in emission.tables.values()
        for one in rows
    }

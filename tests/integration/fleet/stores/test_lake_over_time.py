"""A fleet that stays open answers as one that is opened afterwards, whatever befalls the lake."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from support.fleet.asked import Answers, answers, differences, expected
from support.fleet.invented import START, Emission, Invention
from support.fleet.lake import FleetLake

from conformare.fleet import Fleet
from conformare.fleet.stores import open_store

NOW = START + timedelta(days=9)
AS_OF = (START + timedelta(days=1),)
RUNS = 90
FIRST = 60
"""So many are there when the fleet is opened; most others come later."""
LAST = 5
"""The last ones come when all is over."""


class Scene:
    """A lake with some runs, a fleet that has answered everything, and runs that are to come."""

    def __init__(self, root: Path, seed: int = 3) -> None:
        emissions = Invention(Random(seed), pipelines=5, late=0.3).emissions(RUNS)  # noqa: S311 - the same fleet each time
        self.root = root
        self.before, self.to_come = emissions[:FIRST], emissions[FIRST:-LAST]
        self.last = emissions[-LAST:]
        self.lake = FleetLake(root)
        self.lake.land(self.before[: FIRST // 2])
        self.lake.land(self.before[FIRST // 2 :])
        self.fleet = Fleet(open_store(str(root)), now=NOW)
        self.found()

    def found(self) -> Answers:
        """Return what the fleet answers."""
        return answers(self.fleet, AS_OF)

    def wanted(self) -> Answers:
        """Return what it should answer."""
        return expected(self.lake.history, AS_OF, NOW)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def _lands(scene: Scene) -> None:
    scene.lake.land(scene.to_come)


def _lands_run_by_run(scene: Scene) -> None:
    for emission in scene.to_come[:8]:
        scene.lake.land([emission])


def _is_compacted(scene: Scene) -> None:
    scene.lake.compact()


def _lands_and_is_compacted(scene: Scene) -> None:
    scene.lake.land(scene.to_come[:5])
    scene.lake.land(scene.to_come[5:])
    scene.lake.compact()  # the files that the commits have added are gone


def _is_purged(scene: Scene) -> None:
    scene.lake.purge(_newest_runs(scene.before))


def _lands_and_is_purged(scene: Scene) -> None:
    scene.lake.land(scene.to_come)
    scene.lake.purge(_newest_runs(scene.to_come))


def _is_restored(scene: Scene) -> None:
    versions = scene.lake.versions()
    scene.lake.land(scene.to_come)
    scene.fleet.refresh()
    scene.found()
    scene.lake.restore(versions, scene.before)


def _is_replaced_by_less(scene: Scene) -> None:
    scene.lake.replace(scene.to_come)


def _is_replaced_by_as_many_commits(scene: Scene) -> None:
    scene.lake.replace(scene.to_come[:4])
    scene.lake.land(scene.to_come[4:])


def _is_replaced_by_more(scene: Scene) -> None:
    scene.lake.replace(scene.to_come[:4])
    for emission in scene.to_come[4:14]:
        scene.lake.land([emission])


def _forgets_its_log(scene: Scene) -> None:
    scene.lake.forget_log()


def _lands_and_forgets_its_log(scene: Scene) -> None:
    scene.lake.land(scene.to_come[:5])
    scene.lake.land(scene.to_come[5:])
    scene.lake.forget_log()


def _loses_contexts(scene: Scene) -> None:
    scene.lake.lose("contexts", scene.before[0])


def _newest_runs(emissions: list[Emission]) -> list[tuple[str, str]]:
    newest = [one.run for one in emissions[-20:] if one.run is not None]
    return [(run["pipeline"], run["run_id"]) for run in newest]


@pytest.mark.parametrize(
    "befall",
    [
        _lands,
        _lands_run_by_run,
        _is_compacted,
        _lands_and_is_compacted,
        _is_purged,
        _lands_and_is_purged,
        _is_restored,
        _is_replaced_by_less,
        _is_replaced_by_as_many_commits,
        _is_replaced_by_more,
        _forgets_its_log,
        _lands_and_forgets_its_log,
        _loses_contexts,
    ],
)
def test_a_fleet_is_right_after_the_next_refresh_when_a_lake(
    scene: Scene, befall: Callable[[Scene], None]
) -> None:
    befall(scene)
    scene.fleet.refresh()
    assert not differences(scene.found(), scene.wanted())
    assert not scene.fleet.refresh()
    scene.lake.land(scene.last)
    assert scene.fleet.refresh()
    assert not differences(scene.found(), scene.wanted())

"""The reader can fail: whatever becomes visible in a lake by hand, even for a moment, it sees."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.reader import Reader, Seen
from support.lakes.handmade import HandmadeLake
from support.messages.records import TYPICAL_ROWS, make_record

from conformare_schemas import CHILD_GRAINS, RUN_GRAINS

RECORD = make_record("run")
RUN = ("pipeline", "run")
ROWS = {**TYPICAL_ROWS, "runs": 1}


@pytest.fixture
def lake(tmp_path: Path) -> HandmadeLake:
    """A lake in a folder whose name has to be quoted in some places."""
    return HandmadeLake(tmp_path / "a lake, 100 %")


@pytest.fixture
def reader(lake: HandmadeLake) -> Reader:
    """A reader that knows the emissions `e` and `e2`, and has looked at the lake once."""
    reader = Reader(lake.root, {"e": ROWS, "e2": ROWS}.get)
    reader.look()
    return reader


def faults(seen: Seen) -> dict[str, set[tuple[str, str]]]:
    """Return what it has seen that nobody must see."""
    return {name: runs for name, runs in vars(seen).items() if isinstance(runs, set) and runs}


def test_a_run_that_lands_as_it_must_is_no_fault(lake: HandmadeLake, reader: Reader) -> None:
    """Children before their run, and files that are written anew without a change."""
    lake.append(RECORD, grains=CHILD_GRAINS)
    reader.look()
    assert reader.waiting == 1
    lake.append(RECORD, grains=["runs"])
    lake.append(make_record("another"), emission_id="e2")
    reader.look()
    assert reader.waiting == 0
    lake.compact()
    reader.look()
    reader.look()
    assert faults(reader.seen) == {}
    assert (reader.seen.polls, reader.seen.changes) == (5, 4)


def test_what_a_crash_left_may_be_removed_and_land_again(
    lake: HandmadeLake, reader: Reader
) -> None:
    """As long as the run was not in `runs`."""
    lake.append(RECORD, grains=["risks"])
    reader.look()
    lake.remove("risks", "run_id = 'run'")
    lake.append(RECORD, emission_id="e2")
    reader.look()
    assert faults(reader.seen) == {}


def test_a_lake_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    """Its tables come one after another."""
    reader = Reader(tmp_path / "lake", {"e": ROWS}.get)
    reader.look()
    HandmadeLake(tmp_path / "lake").append(RECORD)
    reader.look()
    assert faults(reader.seen) == {}
    assert reader.seen.changes == 1


def test_a_run_without_the_rows_of_any_grain_is_partial(lake: HandmadeLake, reader: Reader) -> None:
    """Even if they come a moment later."""
    records = {grain: make_record(grain) for grain in CHILD_GRAINS}
    lake.append(RECORD, *({**record, grain: []} for grain, record in records.items()))
    reader.look()
    for grain, record in records.items():
        lake.append(record, grains=[grain])
    reader.look()
    assert faults(reader.seen) == {"partial": {("pipeline", grain) for grain in CHILD_GRAINS}}


def test_rows_that_are_there_twice_are_duplicated(lake: HandmadeLake, reader: Reader) -> None:
    """In `runs` or in any other table, and though they are removed again."""
    lake.append(RECORD, *map(make_record, RUN_GRAINS))
    for grain in RUN_GRAINS:
        lake.append(make_record(grain), grains=[grain])
    reader.look()
    for grain in CHILD_GRAINS:
        lake.remove(grain, f"run_id = '{grain}'")
        lake.append(make_record(grain), grains=[grain])
    reader.look()
    assert faults(reader.seen) == {"duplicated": {("pipeline", grain) for grain in RUN_GRAINS}}


def test_rows_of_another_emission_are_mixed(lake: HandmadeLake, reader: Reader) -> None:
    """Instead of the run's own, or beside them."""
    lake.append(RECORD)
    lake.append(RECORD, emission_id="e2", grains=["owners"])
    reader.look()
    assert faults(reader.seen) == {"mixed": {RUN}}


def test_a_run_of_an_emission_that_was_never_whole_is_foreign(
    lake: HandmadeLake, reader: Reader
) -> None:
    """However whole it looks."""
    lake.append(RECORD, emission_id="unknown")
    reader.look()
    assert faults(reader.seen) == {"foreign": {RUN}}


@pytest.mark.parametrize("emission_id", [None, "e2"])
def test_a_run_that_vanishes_or_changes_is_seen(
    lake: HandmadeLake, reader: Reader, emission_id: str | None
) -> None:
    """What was in `runs` once stays, as it is."""
    lake.append(RECORD)
    reader.look()
    for grain in ("runs", *CHILD_GRAINS):
        lake.remove(grain, "run_id = 'run'")
    if emission_id is not None:
        lake.append(RECORD, emission_id=emission_id)
    reader.look()
    assert faults(reader.seen) == {"vanished": {RUN}}


def test_what_keeps_the_reader_from_looking_is_raised(lake: HandmadeLake) -> None:
    """A reader that died early must not be taken for one that saw nothing."""
    reader = Reader(lake.root, {"e": ROWS}.get)
    reader.look()
    (lake.root / "runs" / "_delta_log" / f"{1:020}.json").write_text("{no json", encoding="utf-8")
    reader.start()
    reader._thread.join(30)
    with pytest.raises(Exception, match="Json error"):
        reader.stop()

"""The checker can fail: whatever is broken in a lake by hand, it finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.lakes.checker import (
    KeyAndValue,
    Place,
    QuarantineVerdict,
    Verdict,
    check,
    check_quarantine,
    waiting_runs,
)
from support.lakes.handmade import HandmadeLake
from support.messages.records import Record, make_record

from conformare_schemas import CHILD_GRAINS, RUN_GRAINS

FIRST = make_record("run")
SECOND = make_record("run", content="second")
RUN = ("pipeline", "run")
OF_EACH_GRAIN = {grain: make_record(f"run of {grain}") for grain in CHILD_GRAINS}
RUN_OF_EACH_GRAIN = [("pipeline", f"run of {grain}") for grain in CHILD_GRAINS]


@pytest.fixture
def lake(tmp_path: Path) -> HandmadeLake:
    """An empty lake."""
    return HandmadeLake(tmp_path / "lake")


@pytest.mark.parametrize("record", [FIRST, SECOND])
def test_either_record_of_a_run_is_sound(lake: HandmadeLake, record: Record) -> None:
    """Whole, and of one emission."""
    lake.append(record)
    assert check(lake.root, [FIRST, SECOND]).is_sound


def test_a_run_that_is_nowhere_is_lost(lake: HandmadeLake) -> None:
    """And so is one that has rows, but not in `runs`."""
    assert check(lake.root, [FIRST]) == Verdict(lost=[RUN])
    lake.append(FIRST, grains=CHILD_GRAINS)
    assert check(lake.root, [FIRST]) == Verdict(lost=[RUN])


def test_a_run_that_is_there_twice_is_duplicated(lake: HandmadeLake) -> None:
    """By another emission as well."""
    lake.append(FIRST)
    lake.append(SECOND, emission_id="e2")
    assert check(lake.root, [FIRST, SECOND]) == Verdict(duplicated=[RUN])


def test_rows_of_any_grain_that_are_there_twice_are_found(lake: HandmadeLake) -> None:
    """With the runs themselves there once."""
    lake.append(FIRST, *OF_EACH_GRAIN.values())
    for grain, record in OF_EACH_GRAIN.items():
        lake.append(record, grains=[grain])
    verdict = check(lake.root, [FIRST, *OF_EACH_GRAIN.values()])
    assert verdict == Verdict(duplicated=RUN_OF_EACH_GRAIN)


@pytest.mark.parametrize("left", [0, 1])
def test_rows_of_any_grain_that_are_missing_are_found(lake: HandmadeLake, left: int) -> None:
    """All of them, or all but one."""
    broken = [{**one, grain: one[grain][:left]} for grain, one in OF_EACH_GRAIN.items()]
    lake.append(FIRST, *broken)
    verdict = check(lake.root, [FIRST, *OF_EACH_GRAIN.values()])
    assert verdict == Verdict(partial=RUN_OF_EACH_GRAIN)


def test_rows_of_two_emissions_are_mixed(lake: HandmadeLake) -> None:
    """Even where both have the same content."""
    lake.append(FIRST, grains=set(RUN_GRAINS) - {"risks"})
    lake.append(FIRST, emission_id="e2", grains=["risks"])
    assert check(lake.root, [FIRST]) == Verdict(mixed=[RUN])


def test_rows_of_two_records_are_mixed(lake: HandmadeLake) -> None:
    """Even where they claim to be of one emission."""
    lake.append({**FIRST, "risks": SECOND["risks"]})
    assert check(lake.root, [FIRST, SECOND]) == Verdict(mixed=[RUN])


def test_a_changed_value_is_found(lake: HandmadeLake) -> None:
    """Counts alone would not tell it."""
    lake.append({**FIRST, "owners": [{**row, "owner": "somebody"} for row in FIRST["owners"]]})
    assert check(lake.root, [FIRST]) == Verdict(mixed=[RUN])


def test_rows_of_a_run_that_was_never_whole_are_foreign(lake: HandmadeLake) -> None:
    """Those of one grain are enough."""
    lake.append(FIRST)
    lake.append(make_record("never"), grains=["sinks"])
    assert check(lake.root, [FIRST]) == Verdict(foreign=[("pipeline", "never")])


def test_quarantine_is_compared_place_by_place(lake: HandmadeLake) -> None:
    """Missing, repeated, altered, and good messages among them."""
    unusable: dict[Place, KeyAndValue] = {("t", 0, 0): (b"key", b"a"), ("t", 0, 1): (b"key", None)}
    lake.quarantine(("t", 0, 0), b"a")
    lake.quarantine(("t", 0, 1), None)
    assert check_quarantine(lake.root, unusable).is_sound

    lake.quarantine(("t", 0, 0), b"a")
    lake.quarantine(("t", 0, 7), b"good")
    unusable[("t", 0, 1)] = (b"key", b"bytes")
    unusable[("u", 1, 0)] = (None, b"c")
    assert check_quarantine(lake.root, unusable) == QuarantineVerdict(
        missing=[("u", 1, 0)],
        repeated=[("t", 0, 0)],
        altered=[("t", 0, 1)],
        usable=[("t", 0, 7)],
    )


def test_a_run_waits_as_long_as_it_is_not_in_runs(lake: HandmadeLake) -> None:
    """What is kept of one that has landed is of no interest."""
    lake.keep(RUN)
    lake.keep(("pipeline", "other"))
    lake.append(FIRST)
    assert waiting_runs(lake.root) == {("pipeline", "other")}

"""Which runs a purge chooses, and the note by which it is finished after a crash."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from conformare_sink.lake.purge import Purge, PurgingNote

WHEN = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    "purge",
    [
        Purge(run_ids=("a", 'b"', "ü")),
        Purge(pipeline="p", before=WHEN),
        Purge(run_ids=("a",), pipeline="", before=WHEN),
        Purge(location='s3://"ü'),
        Purge(location="/data", before=WHEN),
    ],
)
def test_the_note_says_all_that_is_to_be_deleted(purge: Purge) -> None:
    """To the microsecond."""
    note = PurgingNote(purge=purge, purged_at=WHEN)
    assert PurgingNote.model_validate_json(note.as_json()) == note


def test_an_older_sink_reads_the_note_of_a_purge_of_runs() -> None:
    """It would take one that it cannot read for one that was not finished, and forget it."""
    note = PurgingNote(purge=Purge(run_ids=("a",)), purged_at=WHEN)
    assert json.loads(note.as_json())["purge"] == {"run_ids": ["a"]}


@pytest.mark.parametrize("text", ["", "{", '{"purge": {"run_ids": ["a"]}', '{"purge": {}}'])
def test_a_note_that_was_not_finished_is_none(text: str) -> None:
    """It is recognised."""
    with pytest.raises(ValueError, match="PurgingNote"):
        PurgingNote.model_validate_json(text)


def test_only_run_ids_alone_reach_the_quarantine() -> None:
    """Of a message there nobody knows the pipeline or the time."""
    assert Purge(run_ids=("a",)).is_of_run_ids_alone
    assert not Purge(pipeline="p").is_of_run_ids_alone
    assert not Purge(run_ids=("a",), pipeline="p").is_of_run_ids_alone
    assert not Purge(run_ids=("a",), before=WHEN).is_of_run_ids_alone


def test_of_a_location_alone_the_quarantine_goes_too() -> None:
    """Of a message there nobody knows the time."""
    assert Purge(location="/data").keys == ("/data",)
    assert Purge(location="/data", before=WHEN).keys == ()
    assert Purge(run_ids=("a", "b")).keys == ("a", "b")


@pytest.mark.parametrize("runs", [{"run_ids": ("a",)}, {"pipeline": "p"}])
def test_a_location_is_of_no_run(runs: dict[str, Any]) -> None:
    """Nothing meets both conditions."""
    with pytest.raises(ValueError, match="belong to no run and no pipeline"):
        Purge(location="/data", **runs)


def test_without_a_condition_there_is_no_purge() -> None:
    """It would delete everything."""
    with pytest.raises(ValueError, match="needs a condition"):
        Purge()

"""A sink notes where it begins and how far it has read, and resumes there."""

from __future__ import annotations

import copy

import pytest
from support.lakes.memory_place import BrokenOffError
from support.lakes.memory_source import Broker, Notes, begin, land

from conformare_sink.errors import ContinuityError


def test_a_new_lake_reads_from_the_beginning_and_notes_where_that_is(
    notes: Notes, broker: Broker
) -> None:
    """So that nobody takes for lost what was gone before the lake was there."""
    broker.first["t.runs", 1] = 3
    course = begin(notes, broker)
    assert course.starts == broker.first
    assert notes.read == {f"{broker.ids['t.runs']}:1": 3}
    assert begin(notes, broker).starts == broker.first


def test_a_start_that_broke_off_takes_nothing_for_lost(notes: Notes, broker: Broker) -> None:
    """Wherever it did."""
    broker.first["t.runs", 1] = 3
    for steps in range(2):
        notes.steps_left = steps
        with pytest.raises(BrokenOffError):
            begin(notes, broker)
    assert begin(notes, broker).starts == broker.first


def test_only_what_a_batch_has_added_is_noted(notes: Notes, broker: Broker) -> None:
    """A commit should not name hundreds of partitions in which nothing happens."""
    course = begin(notes, broker)
    ends = {**broker.first, ("t.runs", 0): 4}
    assert course.new_to_note(ends) == {f"{broker.ids['t.runs']}:0": 4}
    course.noted(ends)
    assert course.new_to_note(ends) == {}


def test_a_batch_that_failed_is_noted_when_it_lands(notes: Notes, broker: Broker) -> None:
    """Nothing is taken for noted before."""
    course = begin(notes, broker)
    assert course.new_to_note(broker.end) == course.new_to_note(broker.end) != {}


def test_partitions_that_come_while_the_stream_runs_are_noted_like_the_others(
    notes: Notes, broker: Broker
) -> None:
    """What a deleted topic had beyond is told; and what expires of them later was read."""
    course = begin(notes, broker)
    broker.first["t.runs", 4] = 0
    broker.end["t.runs", 4] = 7
    broker.first["t.runs", 2] = broker.end["t.runs", 2] = 0
    broker.first["t.runs", 3] = broker.end["t.runs", 3] = 0
    land(notes, course, broker.end)
    noted, notes.noted = notes.noted, None
    broker.produce()
    land(notes, course, broker.end)
    assert notes.noted is None  # once was enough
    notes.noted = noted
    deleted = copy.deepcopy(broker)
    deleted.delete("t.runs")
    with pytest.raises(ContinuityError) as told:
        begin(notes, deleted)
    assert ("t.runs", 4, 12, None) in told.value.lost
    broker.first["t.runs", 4] = 12
    assert begin(notes, broker).starts == broker.end

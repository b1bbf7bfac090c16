"""A log is the same as before by the identity of its topic and of its cluster."""

from __future__ import annotations

import pytest
from support.lakes.memory_source import Broker, Notes, accepted, begin, land


def test_a_log_is_known_by_the_identity_of_its_topic(notes: Notes, broker: Broker) -> None:
    """Also where somebody has deleted the note of the topics; a topic made again is read anew."""
    land(notes, begin(notes, broker), broker.end)
    assert begin(notes, broker).starts == broker.end
    notes.noted = None
    assert begin(notes, broker).starts == broker.end
    notes.noted = {"topics": "damaged"}
    assert begin(notes, broker).starts == broker.end
    broker.make("t.runs")
    broker.produce(9)
    found, course = accepted(notes, broker)
    assert found == ("topic re-created",)
    assert course.starts == broker.first | {("t.risks", 0): 5, ("t.risks", 1): 5}


def test_brokers_that_learn_to_tell_identities_change_nothing(notes: Notes, broker: Broker) -> None:
    """Nor such as tell them no more."""
    broker.tells_ids = False
    land(notes, begin(notes, broker), broker.end)
    assert begin(notes, broker).starts == broker.end
    for tells_ids in (True, False, True):
        broker.tells_ids = tells_ids
        assert begin(notes, broker).starts == broker.end
        broker.first |= {("t.runs", 0): broker.end["t.runs", 0]}
        broker.produce()
        course = begin(notes, broker)
        assert course.starts["t.runs", 0] == broker.end["t.runs", 0] - 5
        land(notes, course, broker.end)
    broker.tells_ids = False
    begin(notes, broker)
    broker.tells_ids = True
    broker.make("t.risks")
    assert accepted(notes, broker)[0] == ("topic re-created",)


@pytest.mark.parametrize("tells_ids", [True, False])
def test_another_cluster_is_read_from_its_beginning(
    notes: Notes, broker: Broker, *, tells_ids: bool
) -> None:
    """Though its topics have the same names; and so is the first one, when it is back."""
    broker.tells_ids = tells_ids
    land(notes, begin(notes, broker), broker.end)
    other = Broker("other")
    other.tells_ids = tells_ids
    other.create_those_of_runs()
    other.produce(9)
    found, course = accepted(notes, other)
    assert (found, course.starts) == (("another cluster",), other.first)
    land(notes, course, other.end)
    assert begin(notes, other).starts == other.end
    found, course = accepted(notes, broker)
    assert found == ("another cluster",)
    land(notes, course, broker.end)
    notes.noted = None
    third = Broker("third")
    third.tells_ids = tells_ids
    third.create_those_of_runs()
    third.produce(9)
    assert begin(notes, third).starts == third.first

"""Does the sink go on where it ended: properties of the comparison, without Kafka and Spark."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

from hypothesis import given
from hypothesis import strategies as st

from conformare_sink.kafka.cluster import PartitionOffsets
from conformare_sink.kafka.topics import TopicLogs
from conformare_sink.stream.resume.continuity import (
    Finding,
    Kind,
    Loss,
    Reading,
    code,
    compare,
    tell,
)

CLUSTER = "cluster"
TOPICS = ("a.risks", "a.runs")
IDS = {topic: f"id of {topic}" for topic in TOPICS}

places = st.tuples(st.sampled_from(TOPICS), st.integers(min_value=0, max_value=2))
offsets = st.integers(min_value=0, max_value=40)


@st.composite
def some_logs(draw: st.DrawFn) -> TopicLogs:
    """What a cluster may hold of topics of up to three partitions."""
    first: PartitionOffsets = {}
    end: PartitionOffsets = {}
    for topic in TOPICS:
        for partition in range(draw(st.integers(min_value=1, max_value=3))):
            low, high = sorted((draw(offsets), draw(offsets)))
            first[topic, partition], end[topic, partition] = low, high
    return TopicLogs(CLUSTER, IDS, first, end)


@st.composite
def some_readings(draw: st.DrawFn) -> Reading:
    """How far a sink may have read, and a batch that it had begun."""
    read = draw(st.dictionaries(places, offsets, min_size=1))
    begun = {place: offset + draw(offsets) for place, offset in read.items()}
    return Reading(read=read, begun=begun, cluster_id=CLUSTER, topic_ids=IDS)


def kinds(findings: list[Finding]) -> list[Kind]:
    """What was found."""
    return [finding.kind for finding in findings]


@given(logs=some_logs(), data=st.data())
def test_nothing_stands_against_going_on_within_what_the_logs_hold(
    logs: TopicLogs, data: st.DataObject
) -> None:
    """Wherever in them; a partition that is new is read from its beginning."""
    read, begun = {}, {}
    for place, end in logs.end.items():
        within = st.integers(min_value=logs.first[place], max_value=end)
        read[place], begun[place] = sorted((data.draw(within), data.draw(within)))
    known = data.draw(st.sets(st.sampled_from(sorted(read))))
    new = {place for place in read if place not in known and logs.first[place] == 0}
    reading = Reading(
        read={place: offset for place, offset in read.items() if place not in new},
        begun={place: offset for place, offset in begun.items() if place not in new},
        cluster_id=CLUSTER,
        topic_ids=IDS,
    )
    assert compare(reading, logs) == []


@given(reading=some_readings(), logs=some_logs())
def test_every_message_is_landed_or_held_or_told_to_be_lost(
    reading: Reading, logs: TopicLogs
) -> None:
    """None is forgotten, and none is told that is there."""
    told = {
        (loss.topic, loss.partition): loss
        for finding in compare(reading, logs)
        if finding.kind is Kind.EXPIRED
        for loss in finding.losses
    }
    for place, end in logs.end.items():
        lost = range(told[place].first, told[place].end or 0) if place in told else range(0)
        for offset in range(end):
            landed = offset < (reading.read or {}).get(place, 0)
            held = offset >= logs.first[place]
            assert (offset in lost) is not (landed or held)


@given(reading=some_readings(), logs=some_logs())
def test_a_log_that_ends_before_what_was_read_of_it_is_another_one(
    reading: Reading, logs: TopicLogs
) -> None:
    """Also where a batch had only been begun. What came after is lost, as far as it was landed."""
    cut = {
        (loss.topic, loss.partition): loss
        for finding in compare(reading, logs)
        if finding.kind is Kind.CUT
        for loss in finding.losses
    }
    assert set(cut) == {
        place for place, end in logs.end.items() if end < reading.begun.get(place, 0)
    }
    for place, loss in cut.items():
        assert loss.first == max((reading.read or {})[place], logs.end[place])
        assert loss.end is None
        assert loss.first + loss.at_least == reading.begun[place]


LOGS = TopicLogs(
    CLUSTER,
    IDS,
    first={("a.risks", 0): 0, ("a.runs", 0): 3},
    end={("a.risks", 0): 9, ("a.runs", 0): 9},
)
READING = Reading(
    read={("a.risks", 0): 5, ("a.runs", 0): 7},
    begun={("a.risks", 0): 5, ("a.runs", 0): 9},
    cluster_id=CLUSTER,
    topic_ids=IDS,
    last_batch=datetime(2026, 8, 3, 12, 0, 5, tzinfo=timezone.utc),
)


def test_a_topic_of_the_same_name_is_another_topic() -> None:
    """Though its offsets would fit: what the old one had beyond is lost, the new one's past too."""
    logs = replace(LOGS, topic_ids={**IDS, "a.runs": "another"})
    found = compare(READING, logs)
    assert kinds(found) == [Kind.TOPIC_RECREATED, Kind.EXPIRED]
    assert found[0].losses == (Loss("a.runs", 0, first=7, end=None, seen=9),)
    assert found[1].losses == (Loss("a.runs", 0, first=0, end=3, seen=3),)
    assert tell(found, READING.last_batch) == (
        "deleted and created again: a.runs (lost: a.runs[0] from 7; at least 2 message(s), nobody "
        "can tell how many; the last batch was at 2026-08-03 12:00:05 UTC); messages expired "
        "before they were read (lost: at most 3 message(s), a.runs[0] 0-2)"
    )


def test_a_topic_that_is_gone_is_told_even_if_nothing_was_read_of_it() -> None:
    """Only of a topic that the sink has never known is nothing said."""
    gone = TopicLogs(CLUSTER, {}, {}, {})
    fresh = replace(READING, read=None, begun={})
    (found,) = compare(fresh, gone)
    assert (found.kind, found.losses) == (Kind.TOPIC_DELETED, ())
    assert tell([found], None) == "deleted: a.risks, a.runs (nothing of it had been read)"
    assert compare(Reading(), gone) == []
    assert compare(Reading(), LOGS) == []


def test_another_cluster_is_told_as_such() -> None:
    """And not as eight topics that were created again."""
    elsewhere = TopicLogs("other", dict.fromkeys(TOPICS, "x"), LOGS.first, LOGS.end)
    (found,) = compare(READING, elsewhere)
    assert found.kind is Kind.OTHER_CLUSTER
    assert [(loss.topic, loss.first) for loss in found.losses] == [("a.risks", 5), ("a.runs", 7)]
    assert compare(replace(READING, cluster_id=None, topic_ids={}), elsewhere) == []


def test_a_topic_whose_identity_is_not_known_is_the_one_that_it_was() -> None:
    """Brokers that are older than the identities of topics do not tell."""
    assert compare(READING, replace(LOGS, topic_ids={})) == []


def test_many_partitions_are_told_by_topic() -> None:
    """A line has to be read by somebody; the error has them all."""
    many = tuple(Loss("a.runs", partition, 2, 12, 12) for partition in range(32))
    told = tell([Finding(Kind.EXPIRED, "expired", many)], None)
    assert told == "expired (lost: at most 320 message(s), a.runs (32 partitions: 320))"


def test_a_code_accepts_what_was_told_and_nothing_else() -> None:
    """The same in every process; another one for one message more, or another checkpoint."""
    found = [Finding(Kind.EXPIRED, "expired", (Loss("a.runs", 0, 2, 12, 12),))]
    more = [Finding(Kind.EXPIRED, "expired", (Loss("a.runs", 0, 2, 13, 13),))]
    assert code("checkpoint", found) == "ec61974c"
    assert len({code("checkpoint", found), code("checkpoint", more), code("other", found)}) == 3

"""Does the sink go on where it ended: properties of the comparison, without Kafka and Spark."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

from hypothesis import given
from hypothesis import strategies as st

from conformare_sink.kafka.offsets import PartitionOffsets
from conformare_sink.kafka.topics import TopicLogs
from conformare_sink.stream.resume.continuity import (
    Finding,
    Happened,
    Loss,
    Reading,
    code,
    compare,
    starts,
    tell,
)
from conformare_sink.stream.resume.source import Source

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


def source(partitions: int = 1, **ids: str | None) -> Source:
    """Where a lake has read."""
    topics = {
        name: {"topic_id": ids.get(name.removeprefix("a."), IDS[name]), "partitions": partitions}
        for name in TOPICS
    }
    return Source.model_validate({"cluster_id": CLUSTER, "topics": topics})


some_readings = st.builds(
    Reading, read=st.dictionaries(places, offsets, min_size=1), source=st.just(source(partitions=3))
)


def kinds(findings: list[Finding]) -> list[Happened]:
    """What was found."""
    return [finding.kind for finding in findings]


@given(logs=some_logs(), data=st.data())
def test_nothing_stands_against_going_on_within_what_the_logs_hold(
    logs: TopicLogs, data: st.DataObject
) -> None:
    """Wherever in them: there the stream begins. A partition that is new is read from its beginning."""
    read = {
        place: data.draw(st.integers(min_value=logs.first[place], max_value=end))
        for place, end in logs.end.items()
    }
    known = data.draw(st.sets(st.sampled_from(sorted(read))))
    new = {place for place in read if place not in known and logs.first[place] == 0}
    reading = Reading({place: read[place] for place in read if place not in new}, source())
    assert compare(reading, logs, TOPICS) == []
    assert starts(reading, logs) == read | dict.fromkeys(new, 0)


@given(reading=some_readings, logs=some_logs())
def test_every_message_is_landed_or_read_or_told_to_be_lost(
    reading: Reading, logs: TopicLogs
) -> None:
    """None is forgotten, and none is told that is there."""
    told = {
        (loss.topic, loss.partition): loss
        for finding in compare(reading, logs, TOPICS)
        if finding.kind is Happened.EXPIRED
        for loss in finding.losses
    }
    begun = starts(reading, logs)
    for place, end in logs.end.items():
        lost = range(told[place].first, told[place].end or 0) if place in told else range(0)
        assert logs.first[place] <= begun[place] <= end
        for offset in range(end):
            landed = offset < reading.read.get(place, 0)
            held = offset >= logs.first[place]
            assert (offset in lost) is not (landed or held)
            assert landed or not held or offset >= begun[place]


@given(reading=some_readings, logs=some_logs())
def test_a_log_that_ends_before_what_was_read_of_it_is_another_one(
    reading: Reading, logs: TopicLogs
) -> None:
    """It is read from its beginning; what came after, nobody knows."""
    cut = {
        (loss.topic, loss.partition): loss
        for finding in compare(reading, logs, TOPICS)
        if finding.kind is Happened.CUT
        for loss in finding.losses
    }
    assert set(cut) == {
        place for place, end in logs.end.items() if end < reading.read.get(place, 0)
    }
    for place, loss in cut.items():
        assert (loss.first, loss.end) == (logs.end[place], None)
        assert starts(reading, logs)[place] == logs.first[place]


LOGS = TopicLogs(
    CLUSTER,
    IDS,
    first={("a.risks", 0): 0, ("a.runs", 0): 3},
    end={("a.risks", 0): 9, ("a.runs", 0): 9},
)
READING = Reading({("a.risks", 0): 5, ("a.runs", 0): 7}, source())
YOUNGEST = datetime(2026, 8, 3, 12, 0, 5, tzinfo=timezone.utc)


def test_a_topic_of_the_same_name_is_another_topic() -> None:
    """Though its offsets would fit: what the old one had beyond is lost, the new one's past too."""
    logs = replace(LOGS, topic_ids={**IDS, "a.runs": "another"})
    found = compare(READING, logs, TOPICS)
    assert kinds(found) == [Happened.TOPIC_RECREATED, Happened.EXPIRED]
    assert found[0].losses == (Loss("a.runs", 0, first=7, end=None),)
    assert found[1].losses == (Loss("a.runs", 0, first=0, end=3),)
    assert tell(found, YOUNGEST) == (
        "deleted and created again: a.runs (lost: a.runs[0] from 7; nobody can tell how many; the "
        "youngest run in the lake was recorded at 2026-08-03 12:00:05 UTC); messages expired "
        "before they were read (lost: at most 3 message(s), a.runs[0] 0-2)"
    )
    assert starts(READING, logs) == {("a.risks", 0): 5, ("a.runs", 0): 3}


def test_a_partition_of_which_nothing_was_read_may_have_held_something() -> None:
    """It is told with the others of its topic."""
    gone = TopicLogs(CLUSTER, {}, {}, {})
    (found,) = compare(Reading({("a.risks", 0): 5}, source(partitions=2)), gone, TOPICS)
    assert found.losses == (Loss("a.risks", 0, 5, None), Loss("a.risks", 1, 0, None))


def test_a_topic_that_is_gone_is_told_even_if_nothing_was_read_of_it() -> None:
    """Only of a topic that the lake has never known is nothing said."""
    gone = TopicLogs(CLUSTER, {}, {}, {})
    (found,) = compare(Reading({}, source()), gone, TOPICS)
    assert (found.kind, found.losses) == (Happened.TOPIC_DELETED, ())
    assert tell([found], None) == "deleted: a.risks, a.runs (it had never been read)"
    for logs in (gone, LOGS):
        assert compare(Reading({}, Source()), logs, TOPICS) == []


def test_another_cluster_is_told_as_such() -> None:
    """And not as eight topics that were created again; nothing on it was read, whatever its ids."""
    for ids in (dict.fromkeys(TOPICS, "x"), IDS, {}):
        elsewhere = TopicLogs("other", ids, LOGS.first, LOGS.end)
        (found,) = compare(READING, elsewhere, TOPICS)
        assert found.kind is Happened.OTHER_CLUSTER
        assert [(loss.topic, loss.first) for loss in found.losses] == [
            ("a.risks", 5),
            ("a.runs", 7),
        ]
        assert starts(READING, elsewhere) == LOGS.first


def test_other_topics_are_told_as_such() -> None:
    """A wrong prefix would otherwise make a second set of topics, and leave the first one unread."""
    (found,) = compare(READING, LOGS, ("b.risks", "b.runs"))
    assert (found.kind, found.losses) == (Happened.OTHER_TOPICS, ())
    assert tell([found], None) == (
        "the lake has read other topics: a.risks, a.runs (nothing is lost)"
    )


def test_a_topic_whose_identity_is_not_known_is_the_one_that_it_was() -> None:
    """Brokers that are older than the identities of topics do not tell, before or after."""
    for reading, logs in (
        (READING, replace(LOGS, topic_ids={})),
        (Reading(READING.read, source(risks=None, runs=None)), LOGS),
    ):
        assert compare(reading, logs, TOPICS) == []
        assert starts(reading, logs) == READING.read


def test_what_is_known_of_no_note_is_compared_all_the_same() -> None:
    """Somebody has deleted the note of the topics: the lake still names their logs by identity."""
    expired = replace(LOGS, first={**LOGS.first, ("a.risks", 0): 7})
    reading = Reading(READING.read, Source())
    assert starts(reading, LOGS) == READING.read
    (found,) = compare(reading, expired, TOPICS)
    assert (found.kind, found.losses) == (Happened.EXPIRED, (Loss("a.risks", 0, 5, 7),))


def test_many_partitions_are_told_by_topic() -> None:
    """A line has to be read by somebody; the error has them all."""
    many = tuple(Loss("a.runs", partition, 2, 12) for partition in range(32))
    told = tell([Finding(Happened.EXPIRED, "expired", many)], None)
    assert told == "expired (lost: at most 320 message(s), a.runs (32 partitions: 320))"


def test_a_code_accepts_what_was_told_and_nothing_else() -> None:
    """The same in every process; another one for one message more, or another lake."""
    found = [Finding(Happened.EXPIRED, "expired", (Loss("a.runs", 0, 2, 12),))]
    more = [Finding(Happened.EXPIRED, "expired", (Loss("a.runs", 0, 2, 13),))]
    assert code("lake", found) == "b06c5e58"
    assert len({code("lake", found), code("lake", more), code("other", found)}) == 3

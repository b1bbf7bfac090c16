"""The topics: whether they are there, and whether a run is safe in them."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta

from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_schemas.findings import Finding
from conformare_sink.doctor.asked import SinkAsked
from conformare_sink.doctor.names import named
from conformare_sink.errors import BrokerRefusedError
from conformare_sink.kafka.topic_check import Difference, TopicState, differences
from conformare_sink.kafka.topics import Topics

PART = "topics"

_HOW: Mapping[str, str] = {
    "partitions": "add some by `kafka-topics --alter --partitions`",
    "replication factor": "add replicas by `kafka-reassign-partitions`",
    "leader": "start the brokers that are away",
    "in-sync replicas": "start the brokers that are away",
}
"""How what is no setting of a topic is changed."""


def look(asked: SinkAsked) -> Iterator[Finding]:
    """Look at the topics; their settings are told to those alone who may describe them."""
    topics = Topics(asked.bootstrap_servers or "", asked.topic_prefix, asked.access)
    try:
        states, n_brokers = topics.states()
    except BrokerRefusedError as exc:
        yield from _without_settings(asked, topics, exc)
        return
    yield from judge(asked, states, n_brokers)


def judge(asked: SinkAsked, states: Sequence[TopicState], n_brokers: int) -> Iterator[Finding]:
    """Yield what is wrong with the topics, or how they are.

    Args:
        asked: Where they are.
        states: What the cluster says of each.
        n_brokers: How many brokers it has.
    """
    found = differences(states, n_brokers)
    for one in found:
        state = Finding.mend if one.is_fault else Finding.advice
        yield state(PART, _told(asked, one))
    if not any(one.is_fault for one in found):
        yield Finding.good(PART, _summary(asked, states))


def create_command(asked: SinkAsked) -> str:
    """Return the command that makes the topics."""
    words = ["conformare", "topics", "create", "--bootstrap-servers", asked.bootstrap_servers or ""]
    if asked.access.file is not None:
        words += ["--kafka-settings", str(asked.access.file)]
    if asked.topic_prefix != DEFAULT_TOPIC_PREFIX:
        words += ["--topic-prefix", asked.topic_prefix]
    return shlex.join(words)


def _without_settings(
    asked: SinkAsked, topics: Topics, refused: BrokerRefusedError
) -> Iterator[Finding]:
    partitions = topics.partitions()
    if missing := [name for name in topics.names if name not in partitions]:
        yield Finding.mend(PART, _missing(asked, missing))
    if partitions:
        counts = " or ".join(map(str, sorted(set(partitions.values()))))
        yield Finding.good(PART, f"{named(partitions)}: {counts} partition(s) each")
        yield Finding.unchecked(PART, f"how long they keep messages, and by whose clock: {refused}")


def _missing(asked: SinkAsked, names: Collection[str]) -> str:
    return (
        f"{asked.bootstrap_servers} has no topic {named(names)}: call `{create_command(asked)}`, "
        "correct --topic-prefix, or, where there are ACLs, let this user Describe them"
    )


def _told(asked: SinkAsked, one: Difference) -> str:
    if one.setting == "topic":
        return _missing(asked, one.topics)
    how = _HOW.get(one.setting) or f"change it by `{_alter_command(asked, one)}`"
    if one.setting not in _HOW and len(one.topics) > 1:
        how += ", and so for each of them"
    return (
        f"{one.setting} of {named(one.topics)} is {one.found}, and must be {one.needed}. Otherwise "
        f"{one.why}: {how}"
    )


def _alter_command(asked: SinkAsked, one: Difference) -> str:
    """Return the command of Kafka's that changes a setting of the first of the topics."""
    words = ["kafka-configs", "--bootstrap-server", asked.bootstrap_servers or "", "--alter"]
    words += ["--entity-type", "topics", "--entity-name", min(one.topics)]
    return shlex.join([*words, "--add-config", f"{one.setting}={one.value}"])


def _summary(asked: SinkAsked, states: Sequence[TopicState]) -> str:
    partitions = Counter(len(topic.replicas) for topic in states)
    settings = [topic.settings or {} for topic in states]
    kept = {_kept(one.get("retention.ms", "")) for one in settings}
    clocks = {one.get("message.timestamp.type", "unknown") for one in settings}
    return (
        f"{len(states)} topics {asked.topic_prefix}*: {_each(map(str, sorted(partitions)))} "
        f"partition(s) each, kept {_each(sorted(kept))}, {_each(sorted(clocks))}"
    )


def _kept(milliseconds: str) -> str:
    if not milliseconds.isdigit():
        return "for ever"
    return f"for {timedelta(milliseconds=int(milliseconds)) // timedelta(days=1)} day(s)"


def _each(texts: Iterator[str] | Sequence[str]) -> str:
    return " or ".join(texts)

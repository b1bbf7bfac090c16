"""What topics must be like so that no run is lost or kept out, and what of that they are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from conformare_schemas import LARGEST_MESSAGE_BYTES, USUAL_MESSAGE_BYTES

NEW_TOPIC = {
    "cleanup.policy": "delete",
    # By the producers' clocks, one that is wrong would keep messages for ever, or not at all.
    "message.timestamp.type": "LogAppendTime",
}
"""Settings of every topic that we create."""

REPLICAS = 3
IN_SYNC_REPLICAS = 2
FEWEST_PARTITIONS = 2
SHORTEST_RETENTION = timedelta(days=7)
_FOR_EVER = -1


@dataclass(frozen=True)
class TopicState:
    """What a cluster says of a topic.

    Attributes:
        name: The topic.
        replicas: For each partition, how many replicas it has; nothing where there is no such topic.
        in_sync: For each partition, how many replicas have all its messages.
        leaderless: The partitions that no broker leads.
        settings: The settings that hold for it, wherever they come from.
    """

    name: str
    replicas: Sequence[int] = ()
    in_sync: Sequence[int] = ()
    leaderless: Sequence[int] = ()
    settings: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Difference:
    """Something that topics are not as they must be.

    Attributes:
        setting: What it is about: a setting of Kafka's, or a word for what is none.
        found: How it is.
        needed: How it must be.
        why: What happens otherwise.
        is_fault: Whether runs are lost or kept out by it; it is advice otherwise.
        topics: Those that are so.
        value: What mends it, for a setting of Kafka's.
    """

    setting: str
    found: str
    needed: str
    why: str
    is_fault: bool
    topics: tuple[str, ...] = ()
    value: str = ""


def differences(topics: Sequence[TopicState], brokers: int) -> list[Difference]:
    """Return what must be changed, faults first; each is told once, with all topics that are so.

    Args:
        topics: The topics of a prefix, with those that do not exist.
        brokers: How many brokers the cluster has.
    """
    by_difference: dict[Difference, list[str]] = {}
    for topic in topics:
        for found in _of_topic(topic, brokers):
            by_difference.setdefault(found, []).append(topic.name)
    told = [replace(d, topics=tuple(names)) for d, names in by_difference.items()]
    return sorted(told, key=lambda difference: not difference.is_fault)


def _of_topic(topic: TopicState, brokers: int) -> Iterator[Difference]:
    if not topic.replicas:
        yield Difference(
            "topic",
            "missing",
            "there",
            "what jobs write to it waits in their spools",
            is_fault=True,
        )
        return
    settings = topic.settings or {}
    yield from _of_partitions(topic)
    yield from _of_replicas(min(topic.replicas), brokers, int(settings["min.insync.replicas"]))
    yield from _of_servers(topic, int(settings["min.insync.replicas"]))
    for rule in _RULES:
        value = settings.get(rule.setting)
        if value is not None and not rule.holds(value):
            # What is needed begins with the value, before any words.
            mended = rule.needed.partition(" ")[0]
            yield Difference(
                rule.setting, value, rule.needed, rule.why, rule.is_fault, value=mended
            )


def _of_partitions(topic: TopicState) -> Iterator[Difference]:
    if len(topic.replicas) < FEWEST_PARTITIONS:
        yield Difference(
            "partitions",
            str(len(topic.replicas)),
            f"{FEWEST_PARTITIONS} or more",
            "one broker takes all that is written, and all of it waits while it is away",
            is_fault=False,
        )


def _of_replicas(replicas: int, brokers: int, least_in_sync: int) -> Iterator[Difference]:
    if replicas < REPLICAS:
        # A trial on one machine cannot have more.
        more = "" if brokers >= REPLICAS else f"; the cluster has {brokers} broker(s)"
        yield Difference(
            "replication factor",
            str(replicas),
            f"{REPLICAS}{more}",
            "a disk that is lost takes runs with it that jobs no longer have",
            is_fault=brokers >= REPLICAS,
        )
    # One replica fewer than there are, so that one broker may be away.
    mended = str(min(IN_SYNC_REPLICAS, max(1, replicas - 1)))
    if least_in_sync > replicas:
        yield Difference(
            "min.insync.replicas",
            str(least_in_sync),
            f"at most the replication factor, {replicas}",
            "brokers take no message at all",
            is_fault=True,
            value=mended,
        )
    elif replicas > 1 and least_in_sync == replicas:
        yield Difference(
            "min.insync.replicas",
            str(least_in_sync),
            f"less than the replication factor, {replicas}",
            "runs wait in their jobs' spools while one broker is away",
            is_fault=False,
            value=mended,
        )
    elif replicas > 1 and least_in_sync < IN_SYNC_REPLICAS:
        yield Difference(
            "min.insync.replicas",
            str(least_in_sync),
            str(IN_SYNC_REPLICAS),
            "a run counts as delivered when one broker has it, and is lost with that broker's disk",
            is_fault=True,
            value=mended,
        )


def _of_servers(topic: TopicState, least_in_sync: int) -> Iterator[Difference]:
    if topic.leaderless:
        yield Difference(
            "leader",
            f"none of partition {', '.join(map(str, topic.leaderless))}",
            "a broker that leads each partition",
            "what is written to it waits in the jobs' spools, and the sink waits for it",
            is_fault=True,
        )
    elif least_in_sync <= min(topic.replicas) and min(topic.in_sync) < least_in_sync:
        yield Difference(
            "in-sync replicas",
            str(min(topic.in_sync)),
            f"min.insync.replicas, {least_in_sync}",
            "brokers take no message until more replicas are back",
            is_fault=True,
        )


@dataclass(frozen=True)
class _Rule:
    setting: str
    needed: str
    holds: Callable[[str], bool]
    why: str
    is_fault: bool = True


def _lasts(milliseconds: str) -> bool:
    kept = int(milliseconds)
    return kept == _FOR_EVER or kept >= SHORTEST_RETENTION.total_seconds() * 1000


_RULES = (
    _Rule(
        "cleanup.policy",
        NEW_TOPIC["cleanup.policy"],
        lambda value: value == NEW_TOPIC["cleanup.policy"],
        "compaction keeps one message of a run's, and a run may have several on a topic",
    ),
    _Rule(
        "retention.ms",
        f"{SHORTEST_RETENTION // timedelta(milliseconds=1)} ({SHORTEST_RETENTION.days} days) or more",
        _lasts,
        "what the sink has not read by then is lost, and nothing older can be replayed",
    ),
    _Rule(
        "retention.bytes",
        str(_FOR_EVER),
        lambda value: int(value) == _FOR_EVER,
        "many runs at once push others out that the sink may not have read",
        is_fault=False,
    ),
    _Rule(
        "message.timestamp.type",
        NEW_TOPIC["message.timestamp.type"],
        lambda value: value == NEW_TOPIC["message.timestamp.type"],
        "a job whose clock is wrong has its runs refused, deleted at once, or kept for ever",
    ),
    _Rule(
        "max.message.bytes",
        f"{USUAL_MESSAGE_BYTES} or more",
        lambda value: int(value) >= USUAL_MESSAGE_BYTES,
        "runs with larger messages are rejected, unless jobs have a smaller max_message_bytes",
    ),
    _Rule(
        "max.message.bytes",
        f"{LARGEST_MESSAGE_BYTES} or less",
        lambda value: int(value) <= LARGEST_MESSAGE_BYTES,
        "the sink puts larger messages into quarantine without reading them",
        is_fault=False,
    ),
    _Rule(
        "unclean.leader.election.enable",
        "false",
        lambda value: value == "false",
        "a broker that lacks messages may come to lead, and they are gone",
    ),
    _Rule(
        "compression.type",
        "producer",
        lambda value: value in ("producer", "zstd"),
        "brokers unpack all that jobs send and pack it again",
        is_fault=False,
    ),
)

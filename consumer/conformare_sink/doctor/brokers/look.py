"""A Kafka cluster from end to end: reached, and then its topics, this user's rights and its clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial

from confluent_kafka.admin._metadata import ClusterMetadata

from conformare_schemas import topic_names
from conformare_schemas.findings import Finding
from conformare_sink.doctor.asked import SinkAsked
from conformare_sink.doctor.brokers import clock, rights, topics
from conformare_sink.doctor.brokers.questions import SECONDS, Questions
from conformare_sink.doctor.brokers.wire import Release, release
from conformare_sink.errors import BrokerUnreachableError, SinkError
from conformare_sink.kafka.access import KafkaAccess
from conformare_sink.kafka.listener import addresses

OLDEST = (3, 3)
"""The oldest release of Kafka that is tested."""

_PARTS = ("broker", "topics", "permissions", "clock of the broker")


def look(asked: SinkAsked) -> Iterator[Finding]:
    """Look at the cluster; what needs an answer of a broker is left out where there is none."""
    broker, *others = _PARTS
    if asked.bootstrap_servers is None:
        for part in _PARTS:
            yield Finding.unchecked(part, "no broker is named: give --bootstrap-servers")
        return
    try:
        cluster = Questions(asked.bootstrap_servers, asked.access)
        found = cluster.metadata(SECONDS)
    except SinkError as exc:
        yield Finding.mend(broker, _with_advice(exc))
        for part in others:
            yield Finding.unchecked(part, "no broker lets us in: mend the line of the broker first")
        return
    yield Finding.good(
        broker,
        f"{asked.bootstrap_servers} answers: cluster {found.cluster_id}, {len(found.brokers)} "
        f"broker(s); {_login(asked.access)}",
    )
    yield _release(_found_release(asked))
    newest: dict[tuple[str, int], datetime | None] = {}
    try:
        newest.update(cluster.newest(_places(asked, found)))
        if newest:
            yield Finding.good(broker, f"it answers for all {len(newest)} partitions of the topics")
    except SinkError as exc:
        yield Finding.mend(broker, _with_advice(exc))
    steps: tuple[Callable[[], Iterator[Finding]], ...] = (
        partial(topics.look, asked),
        partial(rights.look, asked, cluster),
        partial(clock.look, asked, max(filter(None, newest.values()), default=None)),
    )
    for part, step in zip(others, steps, strict=True):
        yield from _survived(part, step)


def _survived(part: str, step: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield what a step finds; where it fails, the next one is still made."""
    try:
        yield from step()
    except SinkError as exc:
        yield Finding.mend(part, _with_advice(exc))


def _places(asked: SinkAsked, found: ClusterMetadata) -> list[tuple[str, int]]:
    """The partitions of the topics, for the topics that exist."""
    names = topic_names(asked.topic_prefix).values()
    there = [name for name in names if name in found.topics]
    return [(name, number) for name in there for number in found.topics[name].partitions]


def _with_advice(error: SinkError) -> str:
    if isinstance(error, BrokerUnreachableError):
        return f"{error}: start the broker, or correct --bootstrap-servers"
    return str(error)


def _login(access: KafkaAccess) -> str:
    tls = " over TLS" if access.speaks_tls else ""
    if access.logs_in:
        return f"we are let in by {access.mechanism}{tls}"
    if access.certificate is not None:
        return f"we show the certificate {access.certificate}{tls}"
    return f"nobody is asked who they are{tls}"


def _found_release(asked: SinkAsked) -> Release | None:
    context = asked.access.files.context() if asked.access.speaks_tls else None
    for address in addresses(asked.bootstrap_servers or ""):
        with suppress(OSError):
            return release(address, context)
    return None


def _release(found: Release | None) -> Finding:
    part = _PARTS[0]
    if found is None:
        return Finding.unchecked(part, "it does not tell what it can do, and so not its release")
    oldest = ".".join(map(str, OLDEST))
    if found.is_exact and found.oldest < OLDEST:
        return Finding.mend(part, f"it is {found}: upgrade it to {oldest} or newer")
    if found.oldest < OLDEST:
        return Finding.advice(
            part, f"it can do what {found} can: make sure that it is {oldest} or newer"
        )
    return Finding.good(part, f"it is {found}")

"""What this user may do: the broker is asked, and a message is read; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from confluent_kafka.admin._acl import AclOperation

from conformare_schemas import topic_name, topic_names
from conformare_schemas.findings import Finding, Role
from conformare_sink.doctor.asked import SinkAsked
from conformare_sink.doctor.brokers.questions import Questions
from conformare_sink.doctor.names import named
from conformare_sink.errors import BrokerRefusedError
from conformare_sink.kafka.topics import consumer_group

PART = "permissions"

NEEDED = {Role.JOB: AclOperation.WRITE, Role.SINK: AclOperation.READ}
"""What each role does with the topics."""

Rights = Mapping[str, frozenset[AclOperation] | None]


def look(asked: SinkAsked, cluster: Questions) -> Iterator[Finding]:
    """Ask what this user may do with the topics; for a sink, read a message as well."""
    rights = cluster.topic_rights(sorted(topic_names(asked.topic_prefix).values()))
    yield from judge(asked, rights)
    if asked.role is Role.SINK:
        runs = topic_name("runs", asked.topic_prefix)
        if AclOperation.READ in (rights.get(runs) or ()):
            yield from _reading(cluster, runs)
        yield from _group(asked, cluster)


def judge(asked: SinkAsked, rights: Rights) -> Iterator[Finding]:
    """Yield which of the topics may be used by a role, and which may not.

    Args:
        asked: Whose role it is.
        rights: What the broker allows with each topic; None for one that it does not show.
    """
    needed = NEEDED[asked.role]
    seen = {topic: operations for topic, operations in rights.items() if operations is not None}
    if not seen:
        yield Finding.unchecked(PART, "no topic is seen: mend the lines of the topics first")
        return
    # Who sees a topic may at least Describe it: a broker that allows nothing does not tell.
    silent = [topic for topic, operations in seen.items() if not operations]
    if silent:
        yield Finding.unchecked(
            PART, f"the broker does not tell what may be done with {named(silent)}"
        )
    refused = [
        topic for topic, operations in seen.items() if operations and needed not in operations
    ]
    if refused:
        yield Finding.mend(
            PART,
            f"this user may not {needed.name.capitalize()} {named(refused)}: {_acl(asked, needed)}",
        )
    allowed = [topic for topic, operations in seen.items() if needed in operations]
    if allowed:
        yield Finding.good(
            PART, f"this user may {needed.name.capitalize()} {named(allowed)}, the broker says"
        )


def _reading(cluster: Questions, topic: str) -> Iterator[Finding]:
    places = [(topic, number) for number in sorted(cluster.metadata().topics[topic].partitions)]
    first, end = cluster.log_ends(places)
    # One that has a message, if any has.
    place = next((one for one in places if first[one] < end[one]), places[0])
    has_message = cluster.read_one(place, first[place])
    what = "a message" if has_message else "its end, as it is empty"
    yield Finding.good(
        PART, f"partition {place[1]} of {topic} was read: {what}; no offset was committed"
    )


def _group(asked: SinkAsked, cluster: Questions) -> Iterator[Finding]:
    lake_id = _lake_id(asked)
    # A name of none: an ACL for all groups that begin so holds for it as well.
    group = consumer_group(lake_id)
    harm = "without it the sink lands runs, and only Kafka's own tools do not see its lag"
    try:
        rights = cluster.group_rights(group)
    except BrokerRefusedError as exc:
        yield Finding.advice(PART, f"{exc}; {harm}")
        return
    if not rights:
        yield Finding.unchecked(
            PART,
            f"the broker does not tell who may commit offsets to the group {group}, unused until now",
        )
    elif AclOperation.READ not in rights:
        yield Finding.advice(
            PART,
            f"this user may not commit offsets to the group {group}; {harm}: let it Read the group",
        )
    else:
        yield Finding.good(PART, f"this user may commit offsets to the group {group}")


def _lake_id(asked: SinkAsked) -> str:
    if asked.lake is None:
        return ""
    try:
        from conformare_sink.lake.tables.places import folder_tables

        return folder_tables(asked.lake, asked.storage).lake_id()
    except Exception:  # noqa: BLE001 - the lines of the lake tell what is wrong with it
        return ""


def _acl(asked: SinkAsked, operation: AclOperation) -> str:
    name = operation.name.capitalize()
    return (
        f"let it, by `kafka-acls --add --allow-principal User:… --operation {name} "
        f"--topic {asked.topic_prefix} --resource-pattern-type prefixed`"
    )

"""What docs/operation/topics.md gives users on a cluster that asks: enough for each of them, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
)
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from pyspark.sql import SparkSession
from support.kafka.rights import documented_acls
from support.lakes.checker import check_declarations
from support.lakes.store import Store
from support.messages.produce import Topic, messages_of
from support.messages.records import make_declaration, make_record
from support.servers.secured_broker import GuardedBroker, guarded_broker

from conformare_schemas import DEFAULT_TOPIC_PREFIX, topic_name
from conformare_sink.errors import BrokerRefusedError, TopicCreationError
from conformare_sink.kafka.topics import Topics, consumer_group
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.options import SinkOptions
from conformare_sink.stream.replay import Selection, replay
from conformare_sink.stream.stream import SinkStream

STRANGER = "stranger"
SECONDS = 30
GROUPS = consumer_group("")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBroker]:
    """A broker whose users have what the documentation gives them."""
    acls = documented_acls()
    users = {acl.principal.removeprefix("User:") for acl in acls}
    assert users == {"topics", "job", "sink", "replay", "status", "doctor"}
    with guarded_broker(tmp_path_factory.mktemp("guarded"), *users, STRANGER) as broker:
        admin = AdminClient({"bootstrap.servers": broker.unguarded, "log_level": 0})
        for given in admin.create_acls(acls).values():
            given.result(SECONDS)
        topics(broker, "topics").create()
        yield broker


def topics(broker: GuardedBroker, user: str) -> Topics:
    """The topics as a user sees them."""
    return Topics(broker.guarded, DEFAULT_TOPIC_PREFIX, broker.access(user))


def send(
    broker: GuardedBroker, user: str, run_id: str, *, idempotent: bool = True
) -> set[str | None]:
    """Send a run, as a job does if idempotent, and return how each message ended; None is well."""
    ends: set[str | None] = set()
    config: dict[str, Any] = {
        "bootstrap.servers": broker.guarded,
        "enable.idempotence": idempotent,
        "acks": "all",
        "log_level": 0,
        **broker.access(user).for_librdkafka(),
    }
    producer = Producer(config)
    for message in messages_of(make_record(run_id), f"emission of {run_id}"):
        producer.produce(
            topic_name(message.grain, DEFAULT_TOPIC_PREFIX),
            key=message.key,
            value=message.value,
            on_delivery=lambda error, _: ends.add(error.name() if error else None),
        )
    assert producer.flush(SECONDS) == 0
    return ends


def test_each_has_what_it_needs(broker: GuardedBroker, spark: SparkSession, lake: str) -> None:
    """A job's run lands, Kafka's tools see how far, and it can be replayed."""
    assert send(broker, "job", "run-1") == {None}
    reports: list[BatchReport] = []
    options = {"bootstrap_servers": broker.guarded, "lake": lake}
    as_sink = SinkOptions(access=broker.access("sink"), **options)
    SinkStream(spark, as_sink, reports.append).run_once()
    assert [report.emissions[Decision.LAND] for report in reports] == [1]

    (group,) = groups(broker)
    status = topics(broker, "status")
    assert sum(status.committed(group).values()) == sum(status.ends().values())

    as_replay = SinkOptions(access=broker.access("replay"), **options)
    again = replay(spark, as_replay, Selection(), on_batch=lambda _: None)
    assert (again.landed, again.repeated) == (0, 1)


def test_a_sink_that_may_not_create_the_topic_of_declarations_goes_on_without_it(
    broker: GuardedBroker, spark: SparkSession, lake: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The topics were made for a sink of an older contract; runs land as before."""
    prefix = f"{DEFAULT_TOPIC_PREFIX}older."
    older = Topics(broker.guarded, prefix, broker.access("topics"))
    older._names = sorted(older._of_runs)
    older.create()
    options = SinkOptions(
        bootstrap_servers=broker.guarded,
        lake=lake,
        topic_prefix=prefix,
        access=broker.access("sink"),
    )
    produce = Topic(broker.unguarded, prefix)
    produce.send(messages_of(make_record("run-1"), "e-1"))
    store = Store(spark, options, produce)
    assert store.catch_up()[Decision.LAND] == 1
    assert "declared risks are not read until the next start" in caplog.text
    again = replace(store, options=options.model_copy(update={"access": broker.access("replay")}))
    assert again.again(Selection()).repeated == 1

    Topics(broker.guarded, prefix, broker.access("topics")).create()
    produce.send(messages_of(make_declaration("/data"), "e-2"))
    assert store.catch_up()[Decision.LAND] == 1
    assert check_declarations(lake, [make_declaration("/data")]).is_sound


def can_read(broker: GuardedBroker, user: str) -> bool:
    """Whether a user gets a message of the runs' topic, or is refused it."""
    config: dict[str, Any] = {
        "bootstrap.servers": broker.guarded,
        "group.id": "any",
        "enable.auto.commit": False,
        "log_level": 0,
        **broker.access(user).for_librdkafka(),
    }
    consumer = Consumer(config)
    name = topic_name("runs", DEFAULT_TOPIC_PREFIX)
    consumer.assign([TopicPartition(name, partition, 0) for partition in (0, 1)])
    try:
        while True:
            message = consumer.poll(SECONDS)
            assert message is not None
            error = message.error()
            if error is None:
                return True
            if error.name() == "TOPIC_AUTHORIZATION_FAILED":
                return False
    finally:
        consumer.close()


def groups(broker: GuardedBroker) -> list[str]:
    """The consumer groups that there are."""
    admin = AdminClient({"bootstrap.servers": broker.unguarded, "log_level": 0})
    listed = admin.list_consumer_groups().result(SECONDS)
    return [group.group_id for group in listed.valid if group.group_id.startswith(GROUPS)]


def test_nobody_else_writes(broker: GuardedBroker) -> None:
    """Who reads cannot forge, and who is not a job is refused."""
    for user in ("sink", "replay", "status", "topics", STRANGER):
        ends = send(broker, user, "forged", idempotent=False)
        assert ends == {"TOPIC_AUTHORIZATION_FAILED"}, user


def test_a_job_cannot_read_what_others_have_written(broker: GuardedBroker) -> None:
    """Nor can who only looks how far the sink is."""
    readers = {user for user in ("job", "sink", "replay", "status") if can_read(broker, user)}
    assert readers == {"sink", "replay"}


def test_what_a_user_lacks_is_told(broker: GuardedBroker) -> None:
    """In one line. A cluster does not tell whether there is what one may not see."""
    sees_nothing = topics(broker, STRANGER)
    with pytest.raises(BrokerRefusedError, match="needs Describe on the topics"):
        sees_nothing.require_runs()
    with pytest.raises(
        TopicCreationError, match=r"refused to create .*Authorization failed; let .* Create it"
    ):
        sees_nothing.create()
    with pytest.raises(BrokerRefusedError, match=r"(?i)group authorization failed; .*ACL"):
        topics(broker, "topics").committed(f"{GROUPS}any")


def test_a_topic_that_is_kept_from_a_user_was_not_deleted(broker: GuardedBroker) -> None:
    """Not even the one of declared risks, without which runs land: a lake has read it before."""
    hidden = topic_name("source_risks", DEFAULT_TOPIC_PREFIX)
    seen = [name for name in topics(broker, "topics").names if name != hidden]
    rights = [
        AclBinding(
            ResourceType.TOPIC,
            name,
            ResourcePatternType.LITERAL,
            f"User:{STRANGER}",
            "*",
            AclOperation.DESCRIBE,
            AclPermissionType.ALLOW,
        )
        for name in seen
    ]
    admin = AdminClient({"bootstrap.servers": broker.unguarded, "log_level": 0})
    for given in admin.create_acls(rights).values():
        given.result(SECONDS)
    try:
        half_blind = topics(broker, STRANGER)
        assert {topic for topic, _ in half_blind.logs().end} == {*seen}
        with pytest.raises(BrokerRefusedError, match=f"needs Describe on the topics {hidden}"):
            half_blind.logs(read=[hidden])
    finally:
        everything: Any = None
        of_stranger = AclBindingFilter(
            ResourceType.TOPIC,
            everything,
            ResourcePatternType.ANY,
            f"User:{STRANGER}",
            everything,
            AclOperation.ANY,
            AclPermissionType.ANY,
        )
        for taken in admin.delete_acls([of_stranger]).values():
            taken.result(SECONDS)

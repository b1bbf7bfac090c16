"""The grain topics: created with stated partitions and retention; how far the sink has read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.cimpl import NewTopic

from conformare_schemas import topic_names
from conformare_sink.errors import (
    BrokerUnreachableError,
    TopicCreationError,
    TopicsMissingError,
)

DEFAULT_PARTITIONS = 2
DEFAULT_RETENTION_DAYS = 365
CONNECT_TIMEOUT_SECONDS = 10.0


def consumer_group(lake_id: str) -> str:
    """Return the consumer group to which a lake's sink commits what it has landed."""
    return f"conformare-sink-{lake_id}"


PartitionOffsets = dict[tuple[str, int], int]
"""(topic, partition) → offset."""


class Topics:
    """The topics of one store on one Kafka cluster.

    Args:
        bootstrap_servers: Brokers to begin with, `host:port` separated by commas.
        topic_prefix: Put in front of every grain's topic.
    """

    def __init__(self, bootstrap_servers: str, topic_prefix: str) -> None:
        self.bootstrap_servers = bootstrap_servers
        self._names = sorted(topic_names(topic_prefix).values())
        # librdkafka repeats every failed connection on stderr; ours is one error, raised.
        self._client: dict[str, str | int | float | bool] = {
            "bootstrap.servers": bootstrap_servers,
            "log_level": 0,
        }
        self._admin = AdminClient(self._client)

    @property
    def names(self) -> list[str]:
        """The topics' names, sorted."""
        return list(self._names)

    def partitions(self) -> dict[str, int]:
        """Return how many partitions each topic has, for the topics that exist.

        Raises:
            BrokerUnreachableError: No broker answered within 10 seconds.
        """
        with self._answers():
            found = self._admin.list_topics(timeout=CONNECT_TIMEOUT_SECONDS).topics
        return {name: len(found[name].partitions) for name in self._names if name in found}

    def require_all(self) -> None:
        """Make sure that every topic is there.

        Raises:
            BrokerUnreachableError: No broker answered within 10 seconds.
            TopicsMissingError: One or more are not.
        """
        existing = self.partitions()
        missing = [name for name in self._names if name not in existing]
        if missing:
            raise TopicsMissingError(
                f"{self.bootstrap_servers} has no topic {', '.join(missing)}: check the topic "
                "prefix, or create them with `conformare topics create`"
            )

    def create(
        self,
        partitions: int = DEFAULT_PARTITIONS,
        retention_days: int = DEFAULT_RETENTION_DAYS,
        replication_factor: int = -1,
    ) -> list[str]:
        """Create the topics that do not exist; those that do are left as they are.

        Args:
            partitions: Partitions per topic.
            retention_days: How long a message can be replayed, in days.
            replication_factor: Replicas per partition; -1 for the cluster's default.

        Returns:
            The topics that were created.

        Raises:
            BrokerUnreachableError: No broker answered within 10 seconds.
            TopicCreationError: The cluster refused.
        """
        existing = self.partitions()
        missing = [name for name in self._names if name not in existing]
        if not missing:
            return []
        retention_ms = int(timedelta(days=retention_days).total_seconds() * 1000)
        config = {"cleanup.policy": "delete", "retention.ms": str(retention_ms)}
        new = [NewTopic(name, partitions, replication_factor, config=config) for name in missing]
        for name, created in self._admin.create_topics(new).items():
            self._await_creation(name, created)
        return missing

    def _await_creation(self, name: str, created: Future[None]) -> None:
        try:
            created.result()
        except KafkaException as exc:
            if exc.args[0].name() != "TOPIC_ALREADY_EXISTS":
                raise TopicCreationError(
                    f"{self.bootstrap_servers} refused to create the topic {name}: "
                    f"{exc.args[0].str()}"
                ) from exc

    def committed(self, group: str) -> PartitionOffsets:
        """Return the offsets that a consumer group has committed for the topics.

        Raises:
            BrokerUnreachableError: No broker answered within 10 seconds.
        """
        request = [ConsumerGroupTopicPartitions(group)]
        with self._answers():
            (answer,) = self._admin.list_consumer_group_offsets(
                request, request_timeout=CONNECT_TIMEOUT_SECONDS
            ).values()
            found = answer.result().topic_partitions
        return {
            (p.topic, p.partition): p.offset
            for p in found
            if p.topic in self._names and p.offset >= 0
        }

    def ends(self) -> PartitionOffsets:
        """Return the offset that the next message of every partition will have.

        Raises:
            BrokerUnreachableError: No broker answered within 10 seconds.
        """
        return self._offsets(OffsetSpec.latest())  # type: ignore[no-untyped-call]  # no annotations

    def starts(self, since: datetime | None = None) -> PartitionOffsets:
        """Return the offset of the first message that every partition has, or has since some time.

        Args:
            since: Only messages that the broker took then or later; None for all.

        Raises:
            BrokerUnreachableError: No broker answered within 10 seconds.
        """
        if since is None:
            return self._offsets(OffsetSpec.earliest())  # type: ignore[no-untyped-call]  # as above
        found = self._offsets(OffsetSpec.for_timestamp(int(since.timestamp() * 1000)))
        ends = self.ends()
        return {place: offset if offset >= 0 else ends[place] for place, offset in found.items()}

    def _offsets(self, spec: OffsetSpec) -> PartitionOffsets:
        places = [
            TopicPartition(name, partition)
            for name, n_partitions in self.partitions().items()
            for partition in range(n_partitions)
        ]
        with self._answers():
            answers = self._admin.list_offsets(
                dict.fromkeys(places, spec), request_timeout=CONNECT_TIMEOUT_SECONDS
            )
            return {(p.topic, p.partition): found.result().offset for p, found in answers.items()}

    def lag(self, offsets: PartitionOffsets) -> PartitionOffsets:
        """Return how many messages of every partition are beyond some offsets.

        Raises:
            BrokerUnreachableError: No broker answered within 10 seconds.
        """
        return {place: end - offsets.get(place, 0) for place, end in self.ends().items()}

    @contextmanager
    def _answers(self) -> Iterator[None]:
        try:
            yield
        except KafkaException as exc:
            raise BrokerUnreachableError(
                f"no Kafka broker answers at {self.bootstrap_servers} "
                f"(waited {CONNECT_TIMEOUT_SECONDS:g} s)"
            ) from exc


class ShadowGroup:
    """A consumer group to which the sink commits what has landed, for Kafka's own tools to see.

    Structured Streaming has no group. A commit that gets lost is made good by the next one.

    Args:
        bootstrap_servers: Brokers to begin with, `host:port` separated by commas.
        lake_id: Identity of the lake.
    """

    def __init__(self, bootstrap_servers: str, lake_id: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "log_level": 0,
                "group.id": consumer_group(lake_id),
                "enable.auto.commit": False,
            }
        )

    def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Commit without waiting for the answer.

        Args:
            offsets: The next offset to be read, of every partition.
        """
        places = [TopicPartition(t, p, offset) for (t, p), offset in offsets.items()]
        self._consumer.commit(offsets=places, asynchronous=True)

    def close(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Commit once more and wait, for as long as it is worth waiting for."""
        places = [TopicPartition(t, p, offset) for (t, p), offset in offsets.items()]
        with suppress(KafkaException):
            if places:
                self._consumer.commit(offsets=places, asynchronous=False)
        self._consumer.close()

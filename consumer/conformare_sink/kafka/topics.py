"""The grain topics: created with stated partitions and retention; how far the sink has read them."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta

from confluent_kafka import KafkaException
from confluent_kafka.cimpl import NewTopic

from conformare_schemas import RUN_GRAINS, topic_name, topic_names
from conformare_sink.errors import TopicCreationError, TopicsMissingError
from conformare_sink.kafka.access import ANYBODY, KafkaAccess
from conformare_sink.kafka.cluster import ANSWER_SECONDS, Cluster
from conformare_sink.kafka.offsets import PartitionOffsets
from conformare_sink.kafka.topic_check import (
    IN_SYNC_REPLICAS,
    NEW_TOPIC,
    REPLICAS,
    Difference,
    TopicState,
    differences,
)

logger = logging.getLogger("conformare_sink")

DEFAULT_PARTITIONS = 2
DEFAULT_RETENTION_DAYS = 365

_POLL_SECONDS = 0.05


def consumer_group(lake_id: str) -> str:
    """Return the consumer group to which a lake's sink commits what it has landed."""
    return f"conformare-sink-{lake_id}"


@dataclass(frozen=True)
class TopicLogs:
    """What a cluster holds of the topics, for those that exist.

    Attributes:
        cluster_id: The cluster.
        topic_ids: Topic → the identity that it got when it was created.
        first: The offset of the oldest message that every partition still has.
        end: The offset that the next message of every partition will have.
    """

    cluster_id: str
    topic_ids: Mapping[str, str]
    first: PartitionOffsets
    end: PartitionOffsets


class Topics:
    """The topics of one store on one Kafka cluster.

    Args:
        bootstrap_servers: Brokers to begin with, `host:port` separated by commas.
        topic_prefix: Put in front of every grain's topic.
        access: What the brokers want of their clients.
    """

    def __init__(
        self, bootstrap_servers: str, topic_prefix: str, access: KafkaAccess = ANYBODY
    ) -> None:
        self.bootstrap_servers = bootstrap_servers
        self.access = access
        self._names = sorted(topic_names(topic_prefix).values())
        self._of_runs = [topic_name(grain, topic_prefix) for grain in RUN_GRAINS]
        self._cluster = Cluster(bootstrap_servers, access)

    def renew(self, access: KafkaAccess) -> None:
        """Reach the brokers with other settings from now on."""
        self.access = access
        self._cluster = Cluster(self.bootstrap_servers, access)

    @property
    def names(self) -> list[str]:
        """The topics' names, sorted."""
        return list(self._names)

    def partitions(self, timeout_seconds: float = ANSWER_SECONDS) -> dict[str, int]:
        """Return how many partitions each topic has, for the topics that exist.

        Args:
            timeout_seconds: How long to wait for an answer.

        Raises:
            BrokerUnreachableError: No broker answered in time.
        """
        return dict(Counter(topic for topic, _ in self._places(timeout_seconds)))

    def require_runs(self) -> None:
        """Make sure that every topic is there without which no run is whole.

        Raises:
            BrokerUnreachableError: No broker answered in time.
            BrokerRefusedError: This user may not know whether they are.
            TopicsMissingError: One or more are not.
        """
        missing = self._missing(self.partitions())
        if missing:
            raise TopicsMissingError(
                f"{self.bootstrap_servers} has no topic {', '.join(missing)}: check the topic "
                "prefix, or create them with `conformare topics create`"
            )

    def _missing(self, existing: Collection[str], needed: Collection[str] = ()) -> list[str]:
        """Return the topics that do not exist, of those without which no run is whole, and of others.

        Raises:
            BrokerRefusedError: This user may not know whether they do.
        """
        wanted = {*self._of_runs, *(name for name in needed if name in self._names)}
        missing = sorted(wanted.difference(existing))
        self._cluster.require_shown(missing)
        return missing

    def check(self) -> list[Difference]:
        """Return what the topics must be and are not, faults first.

        Raises:
            BrokerUnreachableError: No broker answered in time.
            BrokerRefusedError: It refused to tell.
        """
        return differences(*self.states())

    def states(self) -> tuple[list[TopicState], int]:
        """Return what the cluster says of each topic, and how many brokers it has.

        Raises:
            BrokerUnreachableError: No broker answered in time.
            BrokerRefusedError: It refused to tell.
        """
        cluster = self._cluster.metadata()
        there = [name for name in self._names if name in cluster.topics]
        self._missing(there)
        settings = self._cluster.settings(there)
        states = []
        for name in self._names:
            partitions = cluster.topics[name].partitions if name in settings else {}
            state = TopicState(
                name,
                replicas=[len(partition.replicas) for partition in partitions.values()],
                in_sync=[len(partition.isrs) for partition in partitions.values()],
                leaderless=[number for number, one in partitions.items() if one.leader < 0],
                settings=settings.get(name),
            )
            states.append(state)
        return states, len(cluster.brokers)

    def create(
        self,
        partitions: int = DEFAULT_PARTITIONS,
        retention_days: int = DEFAULT_RETENTION_DAYS,
        replication_factor: int = -1,
    ) -> list[str]:
        """Create the missing topics; existing ones stay as they are.

        Args:
            partitions: Partitions per topic.
            retention_days: How long a message can be replayed, in days.
            replication_factor: Replicas per partition; -1 for the cluster's default. With three or
                more, two must have a message before its job takes it for delivered.

        Returns:
            The topics that were created.

        Raises:
            BrokerUnreachableError: No broker answered in time.
            TopicCreationError: The cluster refused.
        """
        created, refusals = self._create(partitions, retention_days, replication_factor)
        for refusal in refusals.values():
            raise refusal
        return created

    def create_those_of_runs(self) -> list[str]:
        """Create the topics that do not exist, as `create` does, and go on without those of no run.

        A cluster that refuses to create one is often one that ran an older sink.

        Raises:
            BrokerUnreachableError: No broker answered in time.
            TopicCreationError: The cluster refused one without which no run is whole.
        """
        created, refusals = self._create(DEFAULT_PARTITIONS, DEFAULT_RETENTION_DAYS)
        for name, refusal in refusals.items():
            if name in self._of_runs:
                raise refusal
            logger.warning("declared risks are not read until the next start: %s", refusal)
        return created

    def _create(
        self, partitions: int, retention_days: int, replication_factor: int = -1
    ) -> tuple[list[str], dict[str, TopicCreationError]]:
        """Create the topics that do not exist; return which were, and which were refused and why."""
        existing = self.partitions()
        missing = [name for name in self._names if name not in existing]
        if not missing:
            return [], {}
        retention_ms = int(timedelta(days=retention_days).total_seconds() * 1000)
        config = {**NEW_TOPIC, "retention.ms": str(retention_ms)}
        if replication_factor >= REPLICAS:
            config["min.insync.replicas"] = str(IN_SYNC_REPLICAS)
        new = [NewTopic(name, partitions, replication_factor, config=config) for name in missing]
        refusals = {
            name: refusal
            for name, creation in self._cluster.create(new).items()
            if (refusal := self._refusal(name, creation)) is not None
        }
        created = [name for name in missing if name not in refusals]
        # The next question may come to a broker that has not heard of them yet.
        deadline = time.monotonic() + ANSWER_SECONDS
        while unseen := {*created} - self.partitions().keys():
            if time.monotonic() >= deadline:
                raise TopicCreationError(
                    f"{self.bootstrap_servers} has created {', '.join(sorted(unseen))}, and does not "
                    "show it to this user: let this user Describe it"
                )
            time.sleep(_POLL_SECONDS)
        return created, refusals

    def _refusal(self, name: str, creation: Future[None]) -> TopicCreationError | None:
        """Return why a topic was not created; None where it is there."""
        try:
            creation.result()
        except KafkaException as exc:
            error = exc.args[0]
            if error.name() == "TOPIC_ALREADY_EXISTS":
                return None
            told = f"{self.bootstrap_servers} refused to create the topic {name}: "
            told += error.str().rstrip(".")
            if "AUTHORIZATION" in error.name():
                told += "; let this user Create it"
            refusal = TopicCreationError(told)
            refusal.__cause__ = exc
            return refusal
        return None

    def logs(self, read: Collection[str] = ()) -> TopicLogs:
        """Return what the cluster holds of the topics.

        Args:
            read: Topics that a lake has read: it is told whether they are still there.

        Raises:
            BrokerUnreachableError: No broker answered in time.
            BrokerRefusedError: It refused to tell.
        """
        places = self._places()
        first, end = self._cluster.log_ends(places)
        there = sorted({topic for topic, _ in places})
        # A topic that is kept from this user is not one that was deleted.
        self._missing(there, read)
        cluster_id = str(self._cluster.metadata().cluster_id)
        return TopicLogs(cluster_id, self._cluster.topic_ids(there), first, end)

    def commit(self, group: str, offsets: PartitionOffsets) -> None:
        """Commit offsets to a consumer group, so that Kafka's own tools see the sink's lag.

        Args:
            group: The consumer group.
            offsets: The next offset to be read, of every partition.

        Raises:
            BrokerUnreachableError: The group's coordinator did not answer in time.
            BrokerRefusedError: It refused.
        """
        self._cluster.commit(group, offsets)

    def committed(self, group: str) -> PartitionOffsets:
        """Return the offsets that a consumer group has committed for the topics."""
        return self._cluster.committed(group, self._places())

    def ends(self) -> PartitionOffsets:
        """Return the offset that the next message of every partition will have."""
        _, end = self._cluster.log_ends(self._places())
        return end

    def starts(self, since: datetime | None = None) -> PartitionOffsets:
        """Return the offset of the first message that every partition has, or has since some time.

        Args:
            since: Only messages that the broker took then or later; None for all.
        """
        if since is None:
            first, _ = self._cluster.log_ends(self._places())
            return first
        return self._cluster.since(self._places(), since)

    def lag(self, offsets: PartitionOffsets) -> PartitionOffsets:
        """Return how many messages of every partition are beyond some offsets."""
        return {place: end - offsets.get(place, 0) for place, end in self.ends().items()}

    def _places(self, timeout_seconds: float = ANSWER_SECONDS) -> list[tuple[str, int]]:
        """The partitions of the topics, for the topics that exist."""
        found = self._cluster.metadata(timeout_seconds).topics
        return [(name, p) for name in self._names if name in found for p in found[name].partitions]

"""Questions to a cluster that only an examination asks; none of them leaves anything behind."""

from __future__ import annotations

import functools
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timezone
from enum import Enum

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.admin._topic import TopicDescription

from conformare_sink.kafka.cluster import Cluster

SECONDS = 4.0
"""How long each answer may take: several are asked for within the time of one check."""

_NO_MORE = "_PARTITION_EOF"
_NO_GROUP = "GROUP_AUTHORIZATION_FAILED"
_HIDDEN = ("TOPIC_AUTHORIZATION_FAILED", "UNKNOWN_TOPIC_OR_PART")


class Questions(Cluster):
    """A cluster that is examined."""

    def topic_rights(self, topics: Collection[str]) -> Mapping[str, frozenset[AclOperation] | None]:
        """Return what this user may do with each topic, as its broker judges; None where it is hidden.

        Nothing is tried: the broker is asked what it would allow.
        """

        def describe() -> dict[str, frozenset[AclOperation] | None]:
            answers = self._admin.describe_topics(
                TopicCollection([*topics]),
                include_authorized_operations=True,
                request_timeout=SECONDS,
            )
            return {topic: _operations(answer) for topic, answer in answers.items()}

        return self._ask(describe, SECONDS)

    def group_rights(self, group: str) -> frozenset[AclOperation] | None:
        """Return what this user may do with a consumer group; None where nobody has used it yet.

        Raises:
            BrokerRefusedError: This user may not even see it.
        """

        def describe() -> frozenset[AclOperation] | None:
            answers = self._admin.describe_consumer_groups(
                [group], include_authorized_operations=True, request_timeout=SECONDS
            )
            try:
                found = answers[group].result().authorized_operations
            except KafkaException as exc:
                if exc.args[0].name() != "GROUP_ID_NOT_FOUND":
                    raise
                return None
            return _known(found)

        return self._ask(describe, SECONDS, needs=f"Describe on the group {group}")

    def read_one(self, place: tuple[str, int], offset: int) -> bool:
        """Read one message, and return whether there is one; no offset is committed.

        Args:
            place: Topic and partition.
            offset: The offset to read from.
        """
        with self._consumer("conformare-look", **{"enable.partition.eof": True}) as consumer:
            consumer.assign([TopicPartition(*place, offset)])

            def poll() -> bool:
                deadline = time.monotonic() + SECONDS
                while (message := consumer.poll(max(0, deadline - time.monotonic()))) is not None:
                    if (error := message.error()) is None:
                        return True
                    if error.name() == _NO_MORE:
                        return False
                    # To read, no right to a group is needed; librdkafka looks for it all the same.
                    if error.name() != _NO_GROUP:
                        raise KafkaException(error)
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - its name

            return self._ask(poll, SECONDS, needs=f"Read on the topic {place[0]}")

    def newest(
        self, places: Collection[tuple[str, int]]
    ) -> Mapping[tuple[str, int], datetime | None]:
        """Return the time of each partition's newest message; None where it has none.

        The leader of each partition is asked, so all of them have answered when this returns.
        """
        if not places:
            return {}
        return self._ask(functools.partial(self._newest, places), SECONDS)

    def _newest(
        self, places: Collection[tuple[str, int]]
    ) -> Mapping[tuple[str, int], datetime | None]:
        newest = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call]  # it has no types
        asked = {TopicPartition(*place): newest for place in places}
        found = self._admin.list_offsets(asked, request_timeout=SECONDS)
        return {
            (str(place.topic), place.partition): _moment(answer.result().timestamp)
            for place, answer in found.items()
        }


def _operations(answer: Future[TopicDescription]) -> frozenset[AclOperation] | None:
    try:
        return _known(answer.result().authorized_operations)
    except KafkaException as exc:
        if exc.args[0].name() in _HIDDEN:
            return None
        raise


def _known(operations: Sequence[Enum] | None) -> frozenset[AclOperation]:
    return frozenset(one for one in operations or () if isinstance(one, AclOperation))


def _moment(milliseconds: int) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc) if milliseconds > 0 else None

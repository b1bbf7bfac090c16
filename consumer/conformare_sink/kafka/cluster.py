"""Questions to a Kafka cluster: each waits for a bounded time and fails with an error of ours."""

from __future__ import annotations

import functools
import re
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._metadata import ClusterMetadata
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.admin._topic import TopicDescription
from confluent_kafka.cimpl import NewTopic

from conformare_sink.errors import (
    BrokerRefusedError,
    BrokerUnreachableError,
    KafkaSettingsError,
    SinkError,
)
from conformare_sink.kafka.access import ANYBODY, KafkaAccess
from conformare_sink.kafka.diagnosis import diagnose, silent
from conformare_sink.kafka.listener import Address, addresses
from conformare_sink.kafka.offsets import PartitionOffsets

T = TypeVar("T")

ANSWER_SECONDS = 10.0

_RETRY_SECONDS = 0.1
_NO_SUCH_TOPIC = "UNKNOWN_TOPIC_OR_PART"
_NO_ID = "A" * 22
"""Zero: what a broker answers that is older than the identities of topics."""
_AWAY = {"_TIMED_OUT", "_TRANSPORT", "_ALL_BROKERS_DOWN", "_RESOLVE"}
"""What librdkafka says after it has waited as long as it was to."""
_REFUSED = ("AUTHORIZATION", "AUTHENTICATION", "UNSUPPORTED", "_SSL")
"""In the names of what is no better a moment later; all else is a broker that is not ready yet."""
_NO_TOKEN = "Failed to acquire SASL OAUTHBEARER token"  # noqa: S105 - what librdkafka says
_AWAY_AFTER_ALL = ": Local: "
_WHERE_AND_WHEN = re.compile(
    r"^\w+://\S+: (SASL authentication error: )?|  ?\(after \d+ms in state \w+\)$"
)
"""What librdkafka puts around the words of a broker."""


class Cluster:
    """A Kafka cluster, for its administration.

    Every method raises BrokerUnreachableError where no broker answers in time, and
    BrokerRefusedError where one refuses.

    Args:
        bootstrap_servers: Brokers to begin with, `host:port` separated by commas.
        access: What they want of their clients.
    """

    def __init__(self, bootstrap_servers: str, access: KafkaAccess = ANYBODY) -> None:
        self._servers = bootstrap_servers
        self._access = access
        self._admin, self._refusals = _admin(bootstrap_servers, access)
        self._named: list[Address] = []
        """Where clients were told to go on."""

    def metadata(self, timeout_seconds: float = ANSWER_SECONDS) -> ClusterMetadata:
        """Return what the brokers say of the cluster."""
        found = self._ask(lambda: self._admin.list_topics(timeout=timeout_seconds), timeout_seconds)
        self._named = [Address(str(one.host), one.port) for one in found.brokers.values()]
        return found

    def create(self, topics: list[NewTopic]) -> Mapping[str, Future[None]]:
        """Begin to create topics, and return what tells when each is there."""
        return self._admin.create_topics(topics)

    def topic_ids(self, topics: list[str]) -> dict[str, str]:
        """Return the identity that each topic got when it was created, for those that exist."""
        if not topics:
            return {}

        return self._ask(functools.partial(self._describe, topics))

    def _describe(self, topics: list[str]) -> dict[str, str]:
        wanted = TopicCollection(topics)
        answers = self._admin.describe_topics(wanted, request_timeout=ANSWER_SECONDS)
        return {name: found for name in topics if (found := _topic_id(answers[name]))}

    def require_shown(self, topics: Collection[str]) -> None:
        """Make sure that topics which are in no answer do not exist, and are not kept from this user.

        Raises:
            BrokerRefusedError: They are.
        """
        if topics:
            wanted = ", ".join(sorted(topics))
            self._ask(
                functools.partial(self._describe, sorted(topics)),
                needs=f"Describe on the topics {wanted}, or Read, which includes it",
            )

    def settings(self, topics: Collection[str]) -> dict[str, dict[str, str]]:
        """Return the settings of topics that hold, wherever they come from."""
        found = {}
        for topic in topics:
            needs = f"DescribeConfigs on the topic {topic}"
            found[topic] = self._ask(functools.partial(self._settings, topic), needs=needs)
        return found

    def _settings(self, topic: str) -> dict[str, str]:
        asked = ConfigResource(ResourceType.TOPIC, topic)
        answer = self._admin.describe_configs([asked], request_timeout=ANSWER_SECONDS)[asked]
        return {name: entry.value for name, entry in answer.result().items() if entry.value}

    def log_ends(
        self, places: Collection[tuple[str, int]]
    ) -> tuple[PartitionOffsets, PartitionOffsets]:
        """Return where the logs of some partitions begin, and where their next message goes."""
        found = {}
        with self._consumer("conformare-look") as consumer:
            for place in places:
                found[place] = self._ask(
                    functools.partial(_log_ends, consumer, place),
                    needs=f"Describe on the topic {place[0]}",
                )
        return (
            {place: first for place, (first, _) in found.items()},
            {place: end for place, (_, end) in found.items()},
        )

    def since(self, places: Collection[tuple[str, int]], time: datetime) -> PartitionOffsets:
        """Return the offset of the first message that each partition got at a time or later."""
        milliseconds = int(time.timestamp() * 1000)
        wanted = [TopicPartition(*place, milliseconds) for place in places]
        with self._consumer("conformare-look") as consumer:
            found = self._ask(lambda: consumer.offsets_for_times(wanted, timeout=ANSWER_SECONDS))
        _, ends = self.log_ends(places)
        offsets = {(p.topic, p.partition): p.offset for p in found}
        return {place: offsets[place] if offsets[place] >= 0 else ends[place] for place in places}

    def commit(self, group: str, offsets: Mapping[tuple[str, int], int]) -> None:
        """Set the offsets that a consumer group has committed."""
        places = [TopicPartition(*place, offset) for place, offset in offsets.items()]
        with self._consumer(group) as consumer:
            self._ask(
                functools.partial(_commit, consumer, places),
                needs=f"Read on the group {group}, and on the topics",
            )

    def committed(self, group: str, places: Collection[tuple[str, int]]) -> PartitionOffsets:
        """Return the offsets that a consumer group has committed, for some partitions."""
        if not places:
            return {}
        wanted = [TopicPartition(*place) for place in places]

        def look() -> PartitionOffsets:
            groups = [ConsumerGroupTopicPartitions(group, wanted)]
            asked = self._admin.list_consumer_group_offsets(groups, request_timeout=ANSWER_SECONDS)
            found = asked[group].result().topic_partitions
            for place in found:
                if place.error is not None:
                    raise KafkaException(place.error)
            return {(p.topic, p.partition): p.offset for p in found if p.offset >= 0}

        # Not as a consumer: one that is not allowed to do so would wait for a coordinator for ever.
        # Only a command asks, once, which has found the broker there.
        return self._ask(look, needs=f"Describe on the group {group}, and on the topics")

    @contextmanager
    def _consumer(self, group: str, **more: Any) -> Iterator[Consumer]:
        # A new one each time: after an outage, old ones know neither partitions nor coordinator. Not
        # the administration's client: where a broker goes away just then, librdkafka 2.x ends the
        # process (an assertion in rd_kafka_enq_once_del_source_return).
        own = {"group.id": group, "enable.auto.commit": False, **more}
        config: dict[str, Any] = {**_config(self._servers, self._access), **own}
        consumer = Consumer(config)
        try:
            yield consumer
        finally:
            consumer.close()

    def _ask(
        self,
        question: Callable[[], T],
        timeout_seconds: float = ANSWER_SECONDS,
        *,
        needs: str = "Describe on the topics",
    ) -> T:
        """Ask until there is an answer, a refusal, or no time any more.

        Args:
            question: What is asked.
            timeout_seconds: For how long.
            needs: The right that the user must have for it.
        """
        deadline = time.monotonic() + timeout_seconds
        self._heard()  # what was said about another question is no answer to this one
        while True:
            try:
                answer = question()
                self._refusals.clear()
                return answer  # noqa: TRY300 - what comes behind it is for errors
            except KafkaException as exc:
                error = exc.args[0]
                if _is_refusal(error):
                    raise self._refused(error, needs) from exc
                if error.name() in _AWAY or time.monotonic() >= deadline:
                    raise self._unanswered(timeout_seconds) from exc
            time.sleep(_RETRY_SECONDS)

    def _unanswered(self, timeout_seconds: float) -> SinkError:
        """Return why nobody answered: because of a setting, or because nobody is there."""
        first = addresses(self._servers)
        if (told := diagnose(first, self._access)) is not None:
            return BrokerRefusedError(told, at_login=True)
        if (heard := self._heard()) is not None:
            return self._refused(heard, "")
        if silent(first) == first:
            return BrokerUnreachableError(self._servers, timeout_seconds)
        if (told := diagnose(self._named, self._access)) is not None:
            return BrokerRefusedError(told, at_login=True)
        away = ", ".join(map(str, silent(self._named)))
        return BrokerUnreachableError(self._servers, timeout_seconds, away)

    def _heard(self) -> KafkaError | None:
        """Return why a broker let nobody in, if one has said so since the last time.

        To librdkafka such a broker is away like any other; what it says comes by another way. That
        the client has no token it says only once, however often it asks for one: until a question
        has an answer.
        """
        self._admin.poll(0)
        last = self._refusals[-1] if self._refusals else None
        if last is not None and _NO_TOKEN not in last.str():
            self._refusals.clear()
        return last

    def _refused(self, error: KafkaError, needs: str) -> BrokerRefusedError:
        told = _WHERE_AND_WHEN.sub("", error.str()).rstrip(".")
        if error.name() == "_AUTHENTICATION":
            told = f"does not accept {self._access.secrets_named} ({told})"
        else:
            told = f"refused: {told}"
        if "AUTHORIZATION" in error.name():
            told += f"; this user needs {needs}: docs/operation/topics.md has the ACLs"
        at_login = error.name() in ("_AUTHENTICATION", "_SSL")
        return BrokerRefusedError(f"{self._servers} {told}", at_login=at_login)


def _is_refusal(error: KafkaError) -> bool:
    return any(part in error.name() for part in _REFUSED)


def _config(bootstrap_servers: str, access: KafkaAccess) -> dict[str, str | int | float | bool]:
    return {
        **access.for_librdkafka(),
        "bootstrap.servers": bootstrap_servers,
        # librdkafka repeats every failed connection on stderr; ours is one error, raised.
        "log_level": 0,
        # A broker that is back is to be noticed at once.
        "reconnect.backoff.max.ms": 1000,
    }


@functools.lru_cache(maxsize=8)
def _admin(bootstrap_servers: str, access: KafkaAccess) -> tuple[AdminClient, deque[KafkaError]]:
    """One client for all that ask, and in what words brokers refused it, the newest last.

    A thread of librdkafka may still be at work on an answer that has been read already: destroying
    the client just then ends the process. So a client goes only when eight others came after it:
    those whose password or certificate was renewed since.

    Raises:
        KafkaSettingsError: librdkafka cannot use the settings.
    """
    refusals: deque[KafkaError] = deque(maxlen=1)

    def heard(error: KafkaError) -> None:
        # One that went away while it was asked for its mechanisms is told as a failed login, too.
        if _is_refusal(error) and _AWAY_AFTER_ALL not in error.str():
            refusals.append(error)

    config: dict[str, Any] = {**_config(bootstrap_servers, access), "error_cb": heard}
    try:
        return AdminClient(config), refusals
    except KafkaException as exc:
        told = exc.args[0].str().removeprefix("Failed to create admin client: ")
        raise KafkaSettingsError(f"Kafka's settings cannot be used: {told}") from exc


def _topic_id(answer: Future[TopicDescription]) -> str | None:
    try:
        topic_id = str(answer.result().topic_id)
    except KafkaException as exc:
        if exc.args[0].name() == _NO_SUCH_TOPIC:
            return None
        raise
    return None if topic_id == _NO_ID else topic_id


def _commit(consumer: Consumer, places: list[TopicPartition]) -> None:
    """Commit offsets, when the group's coordinator is known.

    Who may not use the group never learns of one, and would wait for a minute: that comes as an
    error in place of a message.
    """
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            consumer.committed(places[:1], timeout=_RETRY_SECONDS)
            break
        except KafkaException:
            message = consumer.poll(0)
            if message is not None and (error := message.error()) is not None:
                raise KafkaException(error) from None
            if time.monotonic() >= deadline:
                raise
    consumer.commit(offsets=places, asynchronous=False)


def _log_ends(consumer: Consumer, place: tuple[str, int]) -> tuple[int, int]:
    found = consumer.get_watermark_offsets(TopicPartition(*place), timeout=ANSWER_SECONDS)
    if found is None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - it has no other name
    return found

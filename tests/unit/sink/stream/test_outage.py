"""A broker that is away: what it is known by, and how it is waited for. Nothing is started."""

from __future__ import annotations

import itertools
import logging
import threading
import time

import pytest

from conformare_sink.errors import BrokerRefusedError, BrokerUnreachableError, StreamFailedError
from conformare_sink.kafka.rotation import Rotation
from conformare_sink.kafka.topics import Topics
from conformare_sink.stream.outage import MOST_WITHOUT_MEMORY, Restarts, _outage, await_broker
from conformare_sink.stream.refusal import Admission

NOWHERE = "127.0.0.1:1"

# What Spark 4.1.1 and Kafka's clients 3.9.1 said: a broker stopped between batches, and within one.
BETWEEN_BATCHES = (
    "[STREAM_FAILED] Query [id = 1ea4c036, runId = bfe910b9] terminated with exception: "
    "org.apache.kafka.common.errors.TimeoutException: Timed out waiting for a node assignment. "
    "Call: listNodes SQLSTATE: XXKST"
)
WITHIN_A_BATCH = (
    "An error occurred while calling o123.count.\n"
    ": org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 6.0\n"
    "Caused by: org.apache.kafka.common.errors.TimeoutException: Timeout of 5000ms expired before "
    "the position for partition x.risks-1 could be determined\n"
)
NO_NAME = (
    "org.apache.kafka.common.KafkaException: Failed to create new KafkaAdminClient\n"
    "Caused by: org.apache.kafka.common.config.ConfigException: "
    "No resolvable bootstrap urls given in bootstrap.servers\n"
)
DELETED = (
    "[STREAM_FAILED] Query [id = 73f3f6f6] terminated with exception: org.apache.kafka.common."
    "errors.UnknownTopicOrPartitionException: This server does not host this topic-partition."
)


class FromJava(Exception):  # noqa: N818 - as pyspark's exceptions are
    """An exception that came from Java, with Java's own account of it."""

    def __init__(self, message: str, story: str) -> None:
        super().__init__(message)
        self._stackTrace = story


def failed(cause: Exception) -> StreamFailedError:
    """The error of a query that ended with a fault."""
    error = StreamFailedError("the query ended")
    error.__cause__ = cause
    return error


def test_an_outage_is_known_wherever_the_error_speaks_of_it() -> None:
    """In its own line, in the fault of a batch, or in what Java says of the cause."""
    assert _outage(StreamFailedError(BETWEEN_BATCHES)) is not None
    assert _outage(failed(RuntimeError(WITHIN_A_BATCH))) is not None
    assert _outage(failed(FromJava("Failed to create new KafkaAdminClient", NO_NAME))) is not None
    assert _outage(BrokerUnreachableError(NOWHERE, 1)) is not None
    for other in (StreamFailedError(DELETED), failed(OSError("No space left on device"))):
        assert _outage(other) is None


@pytest.fixture
def nowhere() -> Topics:
    """Topics on a broker that is not there."""
    return Topics(NOWHERE, "a.")


def test_the_wait_is_told_and_ends_in_time(
    nowhere: Topics, caplog: pytest.LogCaptureFixture
) -> None:
    """Once at first, and not at every look."""
    began = time.monotonic()
    with pytest.raises(BrokerUnreachableError, match=r"127\.0\.0\.1:1 \(waited 0\.4 s\)"):
        await_broker(nowhere, 0.4, threading.Event())
    assert time.monotonic() - began < 5
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"no Kafka broker answers at {NOWHERE} for ")


def test_who_waits_for_ever_can_be_stopped(
    nowhere: Topics, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By what SIGTERM sets."""
    monkeypatch.setattr("conformare_sink.stream.outage.PROBE_SECONDS", 0.05)
    stopping = threading.Event()
    with caplog.at_level(logging.WARNING):
        threading.Timer(0.3, stopping.set).start()
        assert not await_broker(nowhere, None, stopping)


class Answering(Topics):
    """Topics on a broker that answers."""

    def partitions(self, timeout_seconds: float = 0) -> dict[str, int]:  # noqa: ARG002 - a topic's has it
        """Return nothing, at once."""
        return {}


class Query:
    """A query that ends with one error after the other, and then well."""

    def __init__(self, *errors: Exception) -> None:
        self.left = list(errors)

    def __call__(self) -> None:
        """Run it."""
        if self.left:
            raise self.left.pop(0)


def restarts(patience_seconds: float | None) -> tuple[Restarts, list[str]]:
    """Restarts beside a broker that answers, and what was asked for an explanation."""
    asked: list[str] = []
    topics = Answering(NOWHERE, "a.")

    def wait() -> bool:
        return await_broker(topics, patience_seconds, threading.Event())

    stopping = threading.Event()
    admission = Admission(topics, Rotation(topics), stopping)
    return Restarts(wait, patience_seconds, lambda: asked.append("asked"), admission), asked


def test_a_query_is_started_again_as_often_as_a_broker_goes_away() -> None:
    """However the query's end tells of it."""
    outage = StreamFailedError(BETWEEN_BATCHES)
    named = failed(FromJava("Failed to create new KafkaAdminClient", NO_NAME))
    query = Query(outage, named, BrokerUnreachableError(NOWHERE, 1), outage)
    subject, asked = restarts(None)
    subject.keep_up(query)
    assert (query.left, asked) == ([], [])


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            StreamFailedError(BETWEEN_BATCHES),
            "TimeoutException: Timed out waiting for a node assignment. Call: listNodes",
        ),
        (
            failed(RuntimeError(WITHIN_A_BATCH)),
            (
                "TimeoutException: Timeout of 5000ms expired before the position for partition "
                "x.risks-1 could be determined"
            ),
        ),
        (
            failed(FromJava("Failed to create new KafkaAdminClient", NO_NAME)),
            "No resolvable bootstrap urls given in bootstrap.servers",
        ),
        (
            BrokerUnreachableError(NOWHERE, 1),
            "no Kafka broker answers at 127.0.0.1:1 (waited 1 s)",
        ),
    ],
)
def test_an_outage_is_told_in_the_words_that_say_so(
    error: Exception, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in all those around them, which fill a page."""
    subject, _ = restarts(None)
    subject.keep_up(Query(error))
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == f"the Kafka broker was not reached: {told}"


def test_a_query_begins_again_for_want_of_memory_but_not_for_ever(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What filled it is a batch, which has landed in parts."""
    lack = StreamFailedError(
        "[STREAM_FAILED] Query [id = 73f3f6f6] terminated with exception: Java heap space"
    )
    subject, asked = restarts(None)
    subject.keep_up(Query(*[lack] * MOST_WITHOUT_MEMORY))
    told = [record.getMessage() for record in caplog.records]
    assert told == ["Java's memory did not suffice: the query begins again"] * MOST_WITHOUT_MEMORY
    subject.landed()
    with pytest.raises(StreamFailedError, match="Java heap space"):
        subject.keep_up(Query(*[lack] * (MOST_WITHOUT_MEMORY + 1)))
    assert asked == ["asked"]


def test_another_failure_is_explained_and_raised() -> None:
    """It would come again."""
    query = Query(StreamFailedError(DELETED), StreamFailedError(DELETED))
    subject, asked = restarts(None)
    with pytest.raises(StreamFailedError, match="UnknownTopicOrPartition"):
        subject.keep_up(query)
    assert (len(query.left), asked) == (1, ["asked"])


class Clock:
    """A clock on which every look takes a second."""

    def __init__(self) -> None:
        self._looks = itertools.count()

    def monotonic(self) -> float:
        """Return the time."""
        return float(next(self._looks))


def test_patience_counts_from_the_last_batch_that_landed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that answers and serves nothing does not hold up for ever who is to end."""
    monkeypatch.setattr("conformare_sink.stream.outage.time", Clock())
    outages = [StreamFailedError(BETWEEN_BATCHES)] * 20
    subject, _ = restarts(10)
    query = Query(*outages)
    with pytest.raises(StreamFailedError):
        subject.keep_up(query)
    assert 0 < len(query.left) < 19

    def landing() -> None:
        subject.landed()
        query()

    query = Query(*outages)
    subject.keep_up(landing)
    assert query.left == []


REFUSED_BY_JAVA = (
    "[STREAM_FAILED] Query [id = 1ea4c036] terminated with exception: org.apache.kafka.common."
    "errors.SaslAuthenticationException: Authentication failed during re-authentication"
)
NOT_ALLOWED = (
    "[STREAM_FAILED] Query [id = 1ea4c036] terminated with exception: org.apache.kafka.common."
    "errors.TopicAuthorizationException: Not authorized to access topics: [a.runs]"
)


class Renewing(Admission):
    """Settings that are renewed whenever they are waited for."""

    waits = 0

    def await_settings(self, refusal: BrokerRefusedError) -> bool:
        """Take note of what was refused."""
        assert refusal.at_login
        self.waits += 1
        return True


def renewing() -> tuple[Restarts, Renewing]:
    """Restarts of a sink whose settings can change."""
    topics = Answering(NOWHERE, "a.")
    admission = Renewing(topics, Rotation(topics), threading.Event())
    return Restarts(lambda: True, None, lambda: None, admission), admission


def test_a_sink_that_was_let_in_waits_for_settings_that_let_it_in_again() -> None:
    """However it learns of that: from Spark, or from its own questions."""
    subject, admission = renewing()
    subject.landed()
    of_ours = BrokerRefusedError("b does not accept sasl.username", at_login=True)
    subject.keep_up(Query(StreamFailedError(REFUSED_BY_JAVA), of_ours))
    assert admission.waits == 2


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            REFUSED_BY_JAVA,
            (
                "127.0.0.1:1 does not accept the certificate in ssl.certificate.location "
                "(Authentication failed during re-authentication)"
            ),
        ),
        (
            NOT_ALLOWED,
            (
                "127.0.0.1:1 refused: Not authorized to access topics: [a.runs]; this user needs "
                "Read on the topics: docs/operation/topics.md has the ACLs"
            ),
        ),
    ],
)
def test_a_sink_that_was_never_let_in_ends_with_one_line(error: str, told: str) -> None:
    """A wrong setting is no better a moment later."""
    subject, admission = renewing()
    with pytest.raises(BrokerRefusedError) as raised:
        subject.keep_up(Query(StreamFailedError(error)))
    assert (str(raised.value), admission.waits) == (told, 0)


def test_a_right_that_is_taken_away_is_not_waited_for() -> None:
    """It is no matter of the sink's settings."""
    subject, admission = renewing()
    subject.landed()
    with pytest.raises(BrokerRefusedError, match="needs Read"):
        subject.keep_up(Query(StreamFailedError(NOT_ALLOWED)))
    assert admission.waits == 0

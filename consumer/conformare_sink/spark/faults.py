"""What kind of fault an error of Spark's is, told from its texts: Java hands over nothing better."""

from __future__ import annotations

import contextlib
import re
from enum import Enum

from py4j.protocol import Py4JError


class Fault(Enum):
    """A kind of fault that something can be done about."""

    RESULT_TOO_LARGE = "a result is larger than spark.driver.maxResultSize"
    MEMORY = "Java's memory did not suffice"
    UNREADABLE = "a message has a time that Spark cannot hold"
    NOT_LET_IN = "the Kafka broker does not accept who the sink says it is"
    NOT_ALLOWED = "the Kafka broker does not allow what the sink asks for"
    KAFKA_AWAY = "the Kafka broker was not reached"
    JAVA_ENDED = "Spark's Java process has ended"


_SIGNS = {
    # A result that is too large aborts its job, and other faults may follow from that.
    Fault.RESULT_TOO_LARGE: r"is bigger than spark\.driver\.maxResultSize",
    # An OutOfMemoryError for want of threads or of room for classes is none: less data is no help.
    Fault.MEMORY: (
        r"java\.lang\.OutOfMemoryError: (Java heap space|GC overhead limit exceeded"
        r"|Requested array size exceeds VM limit|Required (array )?length exceeds"
        r"|Direct buffer memory|Cannot reserve \d+ bytes of direct buffer memory)"
        r"|terminated with exception: (Java heap space|GC overhead limit exceeded)"
        r"|org\.apache\.spark\.memory\.SparkOutOfMemoryError"
        r"|org\.apache\.arrow\.memory\.OutOfMemoryException"
        r"|org\.apache\.arrow\.vector\.util\.OversizedAllocationException"
        r"|io\.netty\.util\.internal\.OutOfDirectMemoryError"
        r"|Cannot grow BufferHolder by size"
        # What a task found is fetched by another thread, which tells nothing else.
        r"|TaskResultLost \(result lost from block manager\)"
        # An executor that ended itself for want of memory, or that the kernel ended.
        r"|ExecutorLostFailure[^\n]*\b(code:? 52|code:? 137|OOMKilled)\b"
    ),
    Fault.UNREADABLE: r"ArithmeticException: long overflow[\s\S]*KafkaRecordToRowConverter",
    Fault.NOT_LET_IN: (
        r"org\.apache\.kafka\.common\.errors"
        r"\.(SaslAuthentication|SslAuthentication|IllegalSaslState|UnsupportedSaslMechanism)Exception"
        # The endpoint of tokens refused, or did not answer.
        r"|javax\.security\.auth\.login\.LoginException"
    ),
    Fault.NOT_ALLOWED: (
        r"org\.apache\.kafka\.common\.errors\.(Topic|Group|Cluster)AuthorizationException"
    ),
    Fault.KAFKA_AWAY: (
        # The broker was stopped or hung: the look-up of offsets, or of a position within a batch.
        r"org\.apache\.kafka\.common\.errors\.(Timeout|Disconnect|Network)Exception"
        # Spark's own, where a fetch brings nothing in time.
        r"|java\.util\.concurrent\.TimeoutException: Cannot fetch record"
        # The name of a container that is stopped does not resolve.
        r"|No resolvable bootstrap urls"
    ),
    Fault.JAVA_ENDED: (
        r"Answer from Java side is empty"
        r"|An error occurred while trying to connect to the Java server"
        r"|does not exist in the JVM"
    ),
}


def fault_of(error: BaseException) -> Fault | None:
    """Return the kind of fault that an error of Spark's is; None for one that is no better known."""
    return told_by(story(error))


def told_by(text: str) -> Fault | None:
    """Return the kind of fault that a text tells of, the first that fits in the order of `Fault`."""
    return next((fault for fault, sign in _SIGNS.items() if re.search(sign, text)), None)


def words_of(error: BaseException, fault: Fault) -> str | None:
    """Return in which words an error tells of a fault, on one line; None where it does not."""
    text = story(error)
    found = re.search(_SIGNS[fault], text)
    return None if found is None else text[found.start() :].splitlines()[0]


def story(error: BaseException | None) -> str:
    """Return all that is known of an error: its own text and its causes', in Python and in Java."""
    parts = []
    while error is not None:
        # The text of an error of Java's is asked of Java, which may have ended.
        with contextlib.suppress(Py4JError, OSError):
            parts += [str(error), str(getattr(error, "_stackTrace", ""))]
        error = error.__cause__ or getattr(error, "_cause", None) or error.__context__
    return "\n".join(parts)

"""Faults of Spark's, told from what Spark 4.1.1 and Kafka's clients 3.9.1 really said."""

from __future__ import annotations

from typing import Any

import pytest
from py4j.protocol import Py4JError

from conformare_sink.spark.faults import Fault, fault_of, told_by

JOB = (
    "An error occurred while calling o165.getResult.\n"
    ": org.apache.spark.SparkException: Exception thrown in awaitResult: \n"
    "\tat org.apache.spark.util.SparkThreadUtils$.awaitResult(SparkThreadUtils.scala:53)\n"
    "Caused by: org.apache.spark.SparkException: Job aborted due to stage failure: "
)
TASK = f"{JOB}Task 0 in stage 0.0 failed 1 times, most recent failure: Lost task 0.0 in stage 0.0 (TID 0) (192.0.2.1 executor driver): "
TOLD = [
    (
        Fault.RESULT_TOO_LARGE,
        (
            f"{JOB}Total size of serialized results of 1 tasks (152.0 MiB) is bigger than "
            "spark.driver.maxResultSize (128.0 MiB)\n"
        ),
    ),
    (
        Fault.MEMORY,
        (
            f"{TASK}java.lang.OutOfMemoryError: Java heap space\n"
            "\tat org.apache.spark.sql.catalyst.expressions.codegen.BufferHolder.grow(BufferHolder.java:85)\n"
        ),
    ),
    (Fault.MEMORY, "java.lang.OutOfMemoryError: GC overhead limit exceeded"),
    (Fault.MEMORY, "java.lang.OutOfMemoryError: Requested array size exceeds VM limit"),
    (
        Fault.MEMORY,
        (
            "java.lang.OutOfMemoryError: Cannot reserve 16777216 bytes of direct buffer memory "
            "(allocated: 1061158912, limit: 1073741824)"
        ),
    ),
    (Fault.MEMORY, f"{TASK}TaskResultLost (result lost from block manager)\n"),
    (
        Fault.MEMORY,
        (
            f"{JOB}Task 3 in stage 7.0 failed 4 times, most recent failure: Lost task 3.3 in stage 7.0 "
            "(TID 41) (10.0.0.7 executor 2): ExecutorLostFailure (executor 2 exited caused by one of "
            "the running tasks) Reason: Command exited with code 52\n"
        ),
    ),
    (
        Fault.UNREADABLE,
        (
            f"{TASK}java.lang.ArithmeticException: long overflow\n"
            "\tat java.base/java.lang.Math.multiplyExact(Math.java:1004)\n"
            "\tat org.apache.spark.sql.kafka010.KafkaRecordToRowConverter.$anonfun$toInternalRowWithout"
            "Headers$1(KafkaRecordToRowConverter.scala:42)\n"
        ),
    ),
    (
        Fault.KAFKA_AWAY,
        (
            "An error occurred while calling o123.count.\n"
            ": org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 6.0\n"
            "Caused by: org.apache.kafka.common.errors.TimeoutException: Timeout of 5000ms expired "
            "before the position for partition x.risks-1 could be determined\n"
        ),
    ),
    (
        Fault.KAFKA_AWAY,
        (
            f"{TASK}java.util.concurrent.TimeoutException: Cannot fetch record for offset 5 in 15000 "
            "milliseconds\n"
        ),
    ),
    (
        Fault.KAFKA_AWAY,
        (
            "Caused by: org.apache.kafka.common.config.ConfigException: "
            "No resolvable bootstrap urls given in bootstrap.servers\n"
        ),
    ),
    (Fault.JAVA_ENDED, "Answer from Java side is empty"),
    (Fault.JAVA_ENDED, "org does not exist in the JVM"),
    # Less data is no help with the first two; the third is of no message; the others are no faults
    # that anything can be done about.
    (None, "java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory"),
    (None, "java.lang.OutOfMemoryError: Metaspace"),
    (
        None,
        (
            "java.lang.ArithmeticException: long overflow\n"
            "\tat org.apache.spark.sql.catalyst.util.DateTimeUtils$.millisToMicros(DateTimeUtils.scala:41)\n"
        ),
    ),
    (
        None,
        (
            "org.apache.kafka.common.errors.UnknownTopicOrPartitionException: This server does not "
            "host this topic-partition."
        ),
    ),
    (None, "java.io.IOException: No space left on device"),
]


@pytest.mark.parametrize(("fault", "text"), TOLD)
def test_a_fault_is_told_by_its_text(fault: Fault | None, text: str) -> None:
    """By the text of the error, or by what Java says of its cause."""
    assert told_by(text) is fault
    assert fault_of(RuntimeError(text)) is fault
    assert fault_of(from_java("it failed", text)) is fault
    outer = RuntimeError("the query ended")
    outer.__cause__ = from_java("it failed", text)
    assert fault_of(outer) is fault


def test_an_error_whose_text_is_gone_with_java_is_told_by_the_others() -> None:
    """The text of an error of Java's is asked of Java."""
    gone = Gone()
    gone.__context__ = RuntimeError("Answer from Java side is empty")
    assert fault_of(gone) is Fault.JAVA_ENDED


def from_java(text: str, story: str) -> Exception:
    """An exception as pyspark makes it of one of Java's."""
    error: Any = RuntimeError(text)
    error._stackTrace = story
    return error  # type: ignore[no-any-return]  # it is the error above


class Gone(Exception):  # noqa: N818 - as py4j's are
    """An error of Java's, after Java's end."""

    def __str__(self) -> str:
        """Ask for the text."""
        raise Py4JError("An error occurred while calling o860.toString")

"""The Kafka writer beside a broker that is not there, or that is librdkafka's own mock."""

from __future__ import annotations

import logging
import time

import pytest
from support.records import Record, make_record

from conformare import DeliveryError, RunEncodingError
from conformare.emission import KafkaOptions, KafkaWriter
from conformare.emission import _kafka as kafka_module

NOWHERE = "127.0.0.1:1"


def writer(**options: object) -> KafkaWriter:
    """A writer that does not hold up the end of the test run."""
    known = {"bootstrap_servers": NOWHERE, "exit_timeout_seconds": 0}
    return KafkaWriter(KafkaOptions.model_validate({**known, **options}))


def too_large() -> Record:
    """A record with a row that is larger than a message of 2,000 bytes."""
    record = make_record("run-1")
    record["runs"][0]["title"] = "x" * 2_000
    return record


def test_a_broker_that_is_away_neither_raises_nor_waits() -> None:
    """The run stays undelivered, which `flush` tells in bounded time."""
    emitter = writer()
    started = time.monotonic()
    emitter.write(make_record("run-1"))
    assert emitter.flush(timeout_seconds=0.3) == 1
    # Far from any of librdkafka's own time-outs, and from what a slow machine needs.
    assert time.monotonic() - started < 20
    assert emitter.lost() == {}


def test_a_full_queue_loses_the_run_and_counts_it(caplog: pytest.LogCaptureFixture) -> None:
    """As a whole: an emission without its `runs` message would wait in the sink for ever."""
    emitter = writer(kafka={"queue.buffering.max.messages": 10})
    emitter.write(make_record("run-1"))
    emitter.write(make_record("run-2"))
    assert emitter.lost() == {"queue full": 1}
    assert emitter.flush(timeout_seconds=0) == 1
    assert NOWHERE in caplog.text


def test_a_record_that_does_not_fit_is_counted_not_raised() -> None:
    """The job goes on."""
    emitter = writer(max_message_bytes=2_000)
    emitter.write(too_large())
    assert emitter.lost() == {"not encodable": 1}


def test_a_client_that_cannot_be_made_is_counted_not_raised(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Such as for a setting that librdkafka does not have; its value is not logged."""
    emitter = writer(kafka={"no.such.setting": "secret"})
    emitter.write(make_record("run-1"))
    assert emitter.lost() == {"client refused": 1}
    assert "secret" not in caplog.text


def test_strict_raises_what_is_swallowed_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """For those who want to know."""
    monkeypatch.setattr(kafka_module, "STRICT_TIMEOUT_SECONDS", 0.2)
    with pytest.raises(DeliveryError, match=r"run 'run-1' was not acknowledged by 127\.0\.0\.1:1"):
        writer(strict=True).write(make_record("run-1"))
    with pytest.raises(RunEncodingError):
        writer(strict=True, max_message_bytes=2_000).write(too_large())


def test_an_acknowledged_run_is_delivered() -> None:
    """All its messages are acknowledged when `flush` returns 0."""
    emitter = writer(kafka={"test.mock.num.brokers": 1}, strict=True)
    emitter.write(make_record("run-1"))
    assert emitter.flush(timeout_seconds=10) == 0


def test_undelivered_runs_are_told_at_exit(caplog: pytest.LogCaptureFixture) -> None:
    """In one line, with the broker."""
    emitter = writer()
    emitter.write(make_record("run-1"))
    with caplog.at_level(logging.WARNING, "conformare"):
        emitter._deliver_at_exit()
    assert f"1 run(s) were not delivered to {NOWHERE}" in caplog.text


def test_options_do_not_show_their_secrets() -> None:
    """Neither as text nor in an error."""
    options = KafkaOptions(bootstrap_servers="b:1", kafka={"sasl.password": "secret"})
    assert "secret" not in repr(options)
    assert "secret" not in str(options)

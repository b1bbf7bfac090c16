"""The Kafka writer beside a broker that is not there, or that is librdkafka's own mock."""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from support.jobs.writers import MOCK, NOWHERE, PATIENCE_SECONDS, MakeWriter, spooled
from support.messages.records import Record, make_record

import conformare as cf
from conformare import DeliveryError, RunEncodingError
from conformare._identity import new_emission_id
from conformare.emission import Emission, KafkaOptions, Message
from conformare.emission import _courier as courier_module
from conformare.emission import _writer as writer_module
from conformare.emission._parcel import Parcel
from conformare.emission._writers import kafka_writer
from conformare.emission.spool import _spool as spool_module


def too_large() -> Record:
    """A record with a row that is larger than a message of 2,000 bytes."""
    record = make_record("run-1", rows={})
    record["runs"][0]["title"] = "x" * 2_000
    return record


def test_a_broker_that_is_away_neither_raises_nor_waits(
    make_writer: MakeWriter, tmp_path: Path
) -> None:
    """The run is on the disk, and `flush` tells in bounded time that it is undelivered."""
    writer = make_writer()
    started = time.monotonic()
    writer.write(make_record("run-1"))
    assert len(spooled(tmp_path)) == 1
    assert writer.flush(timeout_seconds=0.3) == 1
    assert time.monotonic() - started < PATIENCE_SECONDS
    stats = writer.stats()
    assert (stats.recorded, stats.spooled, stats.waiting, stats.lost) == (1, 1, 1, {})
    assert stats.waiting_bytes > 0
    assert stats.oldest_seconds > 0


def test_an_acknowledged_run_leaves_the_spool(make_writer: MakeWriter, tmp_path: Path) -> None:
    """When `flush` returns 0, and not before."""
    writer = make_writer(kafka=MOCK)
    for number in range(3):
        writer.write(make_record(f"run-{number}"))
    assert writer.flush(PATIENCE_SECONDS) == 0
    assert spooled(tmp_path) == []
    stats = writer.stats()
    assert (stats.delivered, stats.waiting, stats.waiting_bytes) == (3, 0, 0)
    writer.close(timeout_seconds=0)
    assert [path for path in tmp_path.rglob("*") if not path.is_dir()] == []


def test_what_a_writer_left_is_delivered_by_the_next(
    make_writer: MakeWriter, tmp_path: Path
) -> None:
    """The destination is the same, whatever else the two were told."""
    first = make_writer()
    first.write(make_record("run-1"))
    first.close(timeout_seconds=0)
    second = make_writer(kafka=MOCK)
    second.write(make_record("run-2"))
    courier = second._courier
    assert courier.wait(lambda: courier.stats().delivered == 2, PATIENCE_SECONDS)
    assert second.stats().adopted == 1
    assert spooled(tmp_path) == []


def test_however_many_left_something_few_folders_are_held(
    make_writer: MakeWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is an open file; what is delivered makes room for the next ones, at once."""
    monkeypatch.setattr(spool_module, "MOST_ADOPTED", 2)
    for number in range(5):
        left = make_writer()
        left.write(make_record(f"run-{number}"))
        left.close(timeout_seconds=0)
    writer = make_writer(kafka=MOCK)
    courier = writer._courier
    courier.start()
    assert courier.wait(lambda: courier.stats().delivered == 5, PATIENCE_SECONDS)
    assert spooled(tmp_path) == []


def test_a_name_that_is_no_topic_holds_up_nothing(make_writer: MakeWriter) -> None:
    """Such as a stranger's file might have it: it waits, and the next run is delivered."""
    writer = make_writer(kafka=MOCK)
    hostile = Emission(
        "p", "r", new_emission_id(), datetime.now(timezone.utc), {}, (Message("a\0b", b"r", b""),)
    )
    courier = writer._courier
    courier.accept(Parcel(1, hostile.recorded_at, hostile, None, own=False))
    writer.write(make_record("run-1"))
    assert writer.flush(PATIENCE_SECONDS) == 0
    assert courier.wait(lambda: courier.trouble is not None, PATIENCE_SECONDS)
    assert writer.stats().waiting == 1


def test_what_is_for_another_destination_stays(make_writer: MakeWriter, tmp_path: Path) -> None:
    """Runs of a trial do not end up in production."""
    first = make_writer(topic_prefix="trial.")
    first.write(make_record("run-1"))
    first.close(timeout_seconds=0)
    second = make_writer(kafka=MOCK)
    second.write(make_record("run-2"))
    assert second.flush(PATIENCE_SECONDS) == 0
    second.close(PATIENCE_SECONDS)
    assert second.stats().adopted == 0
    assert len(spooled(tmp_path)) == 1


def test_durability_memory_writes_no_file(make_writer: MakeWriter, tmp_path: Path) -> None:
    """What the end of the job leaves is lost, counted and told."""
    writer = make_writer(durability="memory")
    writer.write(make_record("run-1"))
    assert not (tmp_path / "spool").exists()
    writer.close(timeout_seconds=0)
    assert writer.stats().lost == {"job ended": 1}


def test_memory_is_bounded(
    make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A run beyond it is lost as a whole, and counted."""
    record = make_record("run-1")
    writer = make_writer(durability="memory")
    writer.write(record)
    monkeypatch.setattr(courier_module, "MEMORY_BYTES", writer.stats().waiting_bytes * 2 - 1)
    writer.write(record)
    assert writer.stats().lost == {"memory full": 1}
    assert writer.stats().waiting == 1
    assert NOWHERE in caplog.text


def test_a_spooled_run_needs_no_memory(
    make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many wait, they are read from their files when their turn comes."""
    monkeypatch.setattr(courier_module, "MEMORY_BYTES", 1)
    writer = make_writer(kafka=MOCK)
    for number in range(3):
        writer.write(make_record(f"run-{number}"))
    assert writer.flush(PATIENCE_SECONDS) == 0
    assert writer.stats().delivered == 3


def test_a_full_queue_of_librdkafka_only_takes_longer(make_writer: MakeWriter) -> None:
    """An emission of nine messages passes through a queue of two."""
    writer = make_writer(kafka={**MOCK, "queue.buffering.max.messages": 2})
    for number in range(3):
        writer.write(make_record(f"run-{number}"))
    assert writer.flush(PATIENCE_SECONDS) == 0
    assert writer.stats().delivered == 3


def test_a_row_beyond_the_limit_is_kept_and_counted(
    make_writer: MakeWriter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody would take it as it is: it goes to `rejected`, with its cause."""
    writer = make_writer(max_message_bytes=2_000)
    writer.write(too_large())
    assert writer.stats().rejected == 1
    assert writer.stats().waiting == 0
    (file,) = (tmp_path / "spool/rejected").glob("*.emission")
    cause = file.with_name(f"{file.name}.cause").read_text("utf-8")
    assert "the grain 'runs'" in cause
    assert "max_message_bytes" in cause
    assert "run-1" in caplog.text
    assert "xxx" not in caplog.text + cause


def test_a_row_beyond_the_limit_without_a_spool_is_lost_and_counted(
    make_writer: MakeWriter,
) -> None:
    """There is nowhere to keep it."""
    writer = make_writer(max_message_bytes=2_000, durability="memory")
    writer.write(too_large())
    assert writer.stats().lost == {"too large": 1}


def test_a_record_that_cannot_be_encoded_is_counted_not_raised(make_writer: MakeWriter) -> None:
    """The job goes on."""
    record = make_record("run-1")
    record["runs"][0]["n_nodes"] = "secret"
    writer = make_writer()
    writer.write(record)
    assert writer.stats().lost == {"not encodable": 1}


@pytest.mark.parametrize("max_bytes", [10, 6_000])
def test_a_full_spool_is_told_once_and_memory_takes_over(
    make_writer: MakeWriter, max_bytes: int, caplog: pytest.LogCaptureFixture
) -> None:
    """No run is refused for it."""
    writer = make_writer(spool_max_bytes=max_bytes, kafka=MOCK)
    for number in range(3):
        writer.write(make_record(f"run-{number}"))
    stats = writer.stats()
    assert stats.spooled + stats.unspooled == 3
    assert stats.unspooled >= 2
    assert caplog.text.count("spool_max_bytes") == 1
    assert writer.flush(PATIENCE_SECONDS) == 0
    assert writer.stats().delivered == 3


def test_an_unusable_folder_is_told_and_memory_takes_over(
    make_writer: MakeWriter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Such as a file that stands where the folder should be."""
    (tmp_path / "file").write_text("")
    writer = make_writer(spool_dir=tmp_path / "file/spool", kafka=MOCK)
    writer.write(make_record("run-1"))
    assert writer.stats().unspooled == 1
    assert caplog.text.count("runs wait in memory only") == 1
    assert writer.flush(PATIENCE_SECONDS) == 0


def test_without_a_home_memory_takes_over(
    make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As in some containers; the warning says what to set."""

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("conformare.emission.settings._options.default_spool_folder", no_home)
    writer = make_writer(spool_dir=None, kafka=MOCK)
    writer.write(make_record("run-1"))
    assert writer.flush(PATIENCE_SECONDS) == 0
    assert "set spool_dir" in caplog.text


def test_what_is_too_old_is_given_up_and_counted(
    make_writer: MakeWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where an age was set, and only after it was tried in vain."""
    monkeypatch.setattr(courier_module, "SCAN_SECONDS", 0.1)
    monkeypatch.setattr(courier_module, "GIVE_UP_SECONDS", 0.2)
    first = make_writer()
    first.write(make_record("run-1"))
    first.close(timeout_seconds=0)
    second = make_writer(spool_max_age=1e-6)
    second._courier.start()
    assert second._courier.wait(lambda: bool(second.stats().lost), PATIENCE_SECONDS)
    assert second.stats().lost == {"too old": 1}
    assert spooled(tmp_path) == []


def test_a_damaged_file_is_put_aside(
    make_writer: MakeWriter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It holds up nothing, and its operator can look at it."""
    first = make_writer()
    first.write(make_record("run-1"))
    first.close(timeout_seconds=0)
    (file,) = spooled(tmp_path)
    file.write_bytes(file.read_bytes()[:-1])
    second = make_writer(kafka=MOCK)
    second.write(make_record("run-2"))
    courier = second._courier
    assert courier.wait(lambda: courier.stats().rejected == 1, PATIENCE_SECONDS)
    assert second.flush(PATIENCE_SECONDS) == 0
    assert (tmp_path / "spool/rejected" / file.name).exists()
    assert "damaged" in caplog.text


def test_strict_raises_what_is_swallowed_otherwise(
    make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For those who want to know."""
    monkeypatch.setattr(writer_module, "STRICT_TIMEOUT_SECONDS", 0.2)
    with pytest.raises(DeliveryError, match=r"run 'run-1' was not acknowledged by 127\.0\.0\.1:1"):
        make_writer(strict=True).write(make_record("run-1"))
    with pytest.raises(RunEncodingError, match="'runs'"):
        make_writer(strict=True, max_message_bytes=2_000).write(too_large())


def test_strict_returns_when_the_run_is_acknowledged(make_writer: MakeWriter) -> None:
    """And not before."""
    writer = make_writer(strict=True, kafka=MOCK)
    writer.write(make_record("run-1"))
    assert writer.stats().delivered == 1


def test_undelivered_runs_are_told_at_the_end_in_one_line(
    make_writer: MakeWriter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With their number, the broker, the folder and what to do."""
    writer = make_writer()
    for number in range(2):
        writer.write(make_record(f"run-{number}"))
    with caplog.at_level(logging.WARNING, "conformare"):
        writer.close(timeout_seconds=0)
    (line,) = (text for text in caplog.messages if "spool send" in text)
    assert f"2 run(s) for {NOWHERE} wait in the spool {tmp_path / 'spool'}" in line


def test_a_run_after_the_end_stays_in_the_spool(make_writer: MakeWriter, tmp_path: Path) -> None:
    """Such as one that another hook of the interpreter's end records."""
    writer = make_writer(kafka=MOCK)
    writer.close(timeout_seconds=0)
    writer.write(make_record("run-1"))
    assert len(spooled(tmp_path)) == 1


def test_a_run_is_known_to_its_process_and_to_the_spool(make_writer: MakeWriter) -> None:
    """Of its own pipeline only; what another process left counts too."""
    first = make_writer()
    assert not first.has_run("pipeline", "run-1")
    first.write(make_record("run-1"))
    assert first.has_run("pipeline", "run-1")
    assert not first.has_run("another", "run-1")
    first.close(timeout_seconds=0)
    assert make_writer().has_run("pipeline", "run-1")
    assert not make_writer().has_run("another", "run-1")


def test_a_delivered_run_is_known_to_its_process(make_writer: MakeWriter) -> None:
    """It may not have landed yet."""
    writer = make_writer(kafka=MOCK, strict=True)
    writer.write(make_record("run-1"))
    assert writer.has_run("pipeline", "run-1")


def test_many_threads_share_one_writer(make_writer: MakeWriter, tmp_path: Path) -> None:
    """And one courier."""
    writer = make_writer(kafka=MOCK)

    def record(thread: int) -> None:
        for number in range(10):
            writer.write(make_record(f"run-{thread}-{number}", rows={}))

    threads = [threading.Thread(target=record, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert writer.flush(PATIENCE_SECONDS) == 0
    assert writer.stats().delivered == 80
    assert spooled(tmp_path) == []


def test_the_same_store_has_one_writer(tmp_path: Path) -> None:
    """However often a notebook's cell is run."""
    config: dict[str, Any] = {
        "writer": "kafka",
        "bootstrap_servers": NOWHERE,
        "spool_dir": str(tmp_path),
        "kafka": MOCK,
    }
    first = kafka_writer(KafkaOptions.model_validate(config))
    assert kafka_writer(KafkaOptions.model_validate(config)) is first
    other = KafkaOptions.model_validate({**config, "topic_prefix": "other."})
    assert kafka_writer(other) is not first
    before = cf.delivery_stats().recorded
    first.write(make_record("run-1"))
    assert cf.delivery_stats().recorded == before + 1
    assert cf.flush(PATIENCE_SECONDS) == 0

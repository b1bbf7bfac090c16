"""The courier under faults: no answers, strangers, faults of its own, threads at the end."""

from __future__ import annotations

import itertools
import math
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.jobs.writers import MOCK, PATIENCE_SECONDS, MakeWriter, spooled
from support.messages.records import make_record

from conformare import DeliveryError
from conformare.emission import KafkaOptions, KafkaWriter
from conformare.emission import _courier as courier_module
from conformare.emission._client import Client


def test_a_batch_without_an_answer_is_told(
    make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A broker that accepts connections and says nothing: librdkafka itself has no word for it."""
    monkeypatch.setattr(courier_module, "GIVE_UP_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        writer = make_writer(bootstrap_servers=f"127.0.0.1:{silent.getsockname()[1]}")
        writer.write(make_record("run-1"))
        courier = writer._courier
        assert courier.wait(lambda: courier.trouble is not None, PATIENCE_SECONDS)
    assert "no answer within 0.2 s" in caplog.text
    assert writer.stats().waiting == 1


def test_strict_does_not_take_a_refusal_for_a_delivery(
    make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is kept, and the caller is told that it was not delivered."""
    settings = KafkaOptions.as_librdkafka
    monkeypatch.setattr(
        KafkaOptions,
        "as_librdkafka",
        lambda options: {**settings(options), "queue.buffering.max.kbytes": 1},
    )
    writer = make_writer(strict=True, kafka=MOCK)
    record = make_record("run-1", rows={})
    record["runs"][0]["title"] = "x" * 5_000
    with pytest.raises(DeliveryError, match=r"run 'run-1' for 127\.0\.0\.1:1 was rejected"):
        writer.write(record)
    assert writer.stats().rejected == 1


def test_a_fault_in_the_courier_holds_up_no_run(
    make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was in its hands is sent later."""
    faults = iter([RuntimeError("no client"), None])

    def make_client(*args: Any) -> Any:
        fault = next(faults, None)
        if fault is not None:
            raise fault
        return Client(*args)

    monkeypatch.setattr("conformare.emission._courier.Client", make_client)
    monkeypatch.setattr(courier_module, "PAUSE_AFTER_FAULT_SECONDS", 0.05)
    writer = make_writer(kafka=MOCK)
    writer.write(make_record("run-1"))
    assert writer.flush(PATIENCE_SECONDS) == 0
    assert writer.stats().delivered == 1


def test_a_spool_that_was_moved_away_is_noticed(make_writer: MakeWriter, tmp_path: Path) -> None:
    """The next run is where the next process looks."""
    writer = make_writer()
    writer.write(make_record("run-1"))
    (tmp_path / "spool").rename(tmp_path / "elsewhere")
    writer.write(make_record("run-2"))
    assert len(spooled(tmp_path / "spool")) == 1
    assert len(spooled(tmp_path / "elsewhere")) == 1


def test_a_run_of_another_destination_is_not_sent(make_writer: MakeWriter, tmp_path: Path) -> None:
    """However its file has come here."""
    stranger = make_writer(topic_prefix="trial.")
    stranger.write(make_record("run-1"))
    stranger.close(timeout_seconds=0)
    own = make_writer(kafka=MOCK)
    (folder,) = (tmp_path / "spool").iterdir()
    folder.rename(tmp_path / "spool" / own.options.destination.folder_name)
    own._courier.start()
    assert own._courier.wait(lambda: own.stats().rejected == 1, PATIENCE_SECONDS)
    assert own.stats().delivered == 0
    assert len(list((tmp_path / "spool/rejected").glob("*.emission"))) == 1


def test_threads_that_record_at_the_end_lose_nothing(
    make_writer: MakeWriter, tmp_path: Path
) -> None:
    """Whenever the end comes: what was recorded is delivered, or in the spool."""
    for _ in range(20):
        writer = make_writer(kafka=MOCK)
        recorded = itertools.count()
        begun = threading.Event()

        def record(writer: KafkaWriter, recorded: Iterator[int], begun: threading.Event) -> None:
            for _ in range(5):
                writer.write(make_record(f"run-{next(recorded)}", rows={}))
                begun.set()

        threads = [
            threading.Thread(target=record, args=(writer, recorded, begun)) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        begun.wait(PATIENCE_SECONDS)
        writer.close(timeout_seconds=0.01)
        for thread in threads:
            thread.join()
        stats = writer.stats()
        left = spooled(tmp_path)
        assert stats.recorded == stats.spooled == 15
        assert stats.delivered + len(left) >= 15
        for file in left:
            file.unlink()


@pytest.mark.parametrize("seconds", [math.inf, 1e300])
def test_for_ever_is_a_time_to_wait(make_writer: MakeWriter, seconds: float) -> None:
    """Python's locks know none such; the end of a job must not lose what waits in memory for it."""
    writer = make_writer(kafka=MOCK, durability="memory")
    writer.write(make_record("run-1"))
    writer.close(seconds)
    assert writer.flush(seconds) == 0
    assert writer.stats().delivered == 1


def test_runs_may_be_older_than_the_calendar(make_writer: MakeWriter) -> None:
    writer = make_writer(spool_max_age="P999999D")
    writer.write(make_record("run-1"))
    writer._courier._expire()
    assert writer.stats().waiting == 1

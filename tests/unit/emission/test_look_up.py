"""Whether the lake has a run, as a job without Spark finds out."""

from __future__ import annotations

import threading
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from conformare.emission import KafkaOptions
from conformare.emission import _look_up as look_up
from conformare.emission._look_up import lake_has_run

RUNS = [("orders", "run-1"), ("it's", "x' OR '1'='1")]


@pytest.fixture
def options(tmp_path: Path) -> KafkaOptions:
    """Name a lake whose table `runs` has two runs."""
    pipelines, run_ids = zip(*RUNS, strict=True)
    write_deltalake(
        str(tmp_path / "lake/runs"),
        pa.table({"run_id": pa.array(run_ids), "pipeline": pa.array(pipelines)}),
    )
    return KafkaOptions(bootstrap_servers="b:1", lake=str(tmp_path / "lake"))


def test_a_run_is_found_within_its_pipeline(options: KafkaOptions) -> None:
    """Whatever characters its names have."""
    for pipeline, run_id in RUNS:
        assert lake_has_run(options, pipeline, run_id)
        assert not lake_has_run(options, "another", run_id)
        assert not lake_has_run(options, pipeline, "another")
    assert not lake_has_run(options, "orders", "' OR '1'='1")


def test_without_a_lake_no_run_is_known() -> None:
    """The sink keeps the first record of a run."""
    assert not lake_has_run(KafkaOptions(bootstrap_servers="b:1"), "orders", "run-1")


def test_a_lake_that_is_not_there_yet_has_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Which is nothing to warn of."""
    options = KafkaOptions(bootstrap_servers="b:1", lake=str(tmp_path / "none"))
    assert not lake_has_run(options, "orders", "run-1")
    assert caplog.text == ""


def test_a_lake_that_cannot_be_read_is_told_and_has_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Without its location, which may hold a credential."""
    log = tmp_path / "secret/runs/_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020}.json").write_text("no JSON")
    broken = KafkaOptions(bootstrap_servers="b:1", lake=str(tmp_path / "secret"))
    assert not lake_has_run(broken, "orders", "run-1")
    assert "run 'run-1'" in caplog.text
    assert "secret" not in caplog.text
    no_session = KafkaOptions(bootstrap_servers="b:1", lake="main.governance")
    assert not lake_has_run(no_session, "orders", "run-2")
    assert "run 'run-2'" in caplog.text


def test_a_lake_that_does_not_answer_does_not_hold_up_the_job(
    options: KafkaOptions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """For longer than a bounded time."""
    answer = threading.Event()
    monkeypatch.setattr(look_up, "LOOK_UP_SECONDS", 0.05)
    monkeypatch.setattr(look_up, "_by_deltalake", lambda *_: answer.wait())
    assert not lake_has_run(options, "orders", "run-1")
    answer.set()
    assert "did not answer for run 'run-1' within 0.05 s" in caplog.text

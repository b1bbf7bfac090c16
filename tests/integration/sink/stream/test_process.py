"""`conformare sink` as its supervisor sees it: a process, its signals, its exit code, its pages."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.request import OpenerDirector, ProxyHandler, build_opener

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.lakes.checker import check, read_table
from support.messages.produce import Topic, messages_of
from support.messages.records import Record, make_record

from conformare_schemas import GRAINS
from conformare_sink.options import SinkOptions

PROGRAM = Path(sys.executable).with_name("conformare")
PATIENCE_SECONDS = 240.0
LOOK_SECONDS = 0.05
RUNS = 1_500
"""Enough for a batch of some seconds."""


@contextmanager
def running(options: SinkOptions, log: IO[str], *more: str) -> Iterator[subprocess.Popen[str]]:
    """A sink of the test's topics and lake, which is there when the block begins, and then not."""
    command = [
        *(str(PROGRAM), "sink", "--bootstrap-servers", options.bootstrap_servers),
        *("--lake", options.lake, "--topic-prefix", options.topic_prefix, *more),
    ]
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str], log: Path) -> None:
    """Wait for what a process does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert process.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
        time.sleep(LOOK_SECONDS)


def ended(process: subprocess.Popen[str], log: Path) -> str:
    """Ask a process to end, and return what it has said; its exit code must be 0."""
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 0, log.read_text(encoding="utf-8")
    return log.read_text(encoding="utf-8")


@pytest.fixture
def opener() -> OpenerDirector:
    """Asks over HTTP, through no proxy."""
    return build_opener(ProxyHandler({}))


def test_a_batch_that_is_under_way_is_finished_and_the_pages_tell_what_was_done(
    topic: Topic, options: SinkOptions, opener: OpenerDirector, tmp_path: Path
) -> None:
    """A supervisor sees exit code 0, whatever the moment; the next start goes on."""
    record = make_record("run", rows={"risks": 1, "owners": 1})
    records: list[Record] = []
    for number in range(RUNS):
        key = {"run_id": f"run-{number}"}
        records.append({grain: [row | key for row in rows] for grain, rows in record.items()})
    topic.send(m for n, one in enumerate(records) for m in messages_of(one, f"e{n}"))
    log = tmp_path / "log"
    commits = Path(options.lake, "risks", "_delta_log")

    def has_written() -> bool:
        return any('"add":' in one.read_text(encoding="utf-8") for one in commits.glob("*.json"))

    with log.open("w") as file, running(options, file) as process:
        wait_until(has_written, process, log)
        said = ended(process, log)
    assert "Traceback" not in said
    assert len(read_table(options.lake, "runs")) == RUNS

    topic.send(messages_of(make_record("run-0"), "again"))
    with (
        log.open("w") as file,
        running(options, file, "--metrics-port", "0", "--log-format", "json") as process,
    ):
        wait_until(lambda: "metrics on http" in log.read_text(encoding="utf-8"), process, log)
        found = re.search(r"metrics on (http://\S+)/metrics", log.read_text(encoding="utf-8"))
        assert found is not None

        def figures() -> dict[str, float]:
            with opener.open(f"{found[1]}/metrics", timeout=10) as answer:
                families = [*text_string_to_metric_families(answer.read().decode())]
            samples = [sample for family in families for sample in family.samples]
            lags = [sample.value for sample in samples if sample.name == "conformare_sink_lag"]
            return {s.name: s.value for s in samples} | {"lags": len(lags), "lag": sum(lags)}

        wait_until(lambda: figures()["conformare_sink_duplicates_dropped_total"] >= 1, process, log)
        wait_until(
            lambda: figures()["lags"] == 2 * len(GRAINS) and figures()["lag"] == 0, process, log
        )
        with opener.open(f"{found[1]}/health", timeout=10) as answer:
            assert json.load(answer)["status"] == "ok"
        last = figures()
        said = ended(process, log)
    assert check(options.lake, records).is_sound
    batches = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert last["conformare_sink_batches_total"] == len(batches)
    assert last["conformare_sink_messages_total"] == sum(b["messages"] for b in batches)
    assert last["conformare_sink_runs_landed_total"] == sum(
        batch["emissions"]["landed"] for batch in batches
    )
    assert last["conformare_sink_seconds_since_last_commit"] < PATIENCE_SECONDS

"""A sink that runs, as its users start it, and a job beside it that records."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.emission.broker import Broker
from bench.landing.checkout import HERE, Checkout
from bench.live.arrivals import Arrivals
from support.lakes.view import LakeView
from support.messages.typical import typical_store

from conformare import to_run_record
from conformare._identity import new_emission_id
from conformare.emission import KafkaOptions, KafkaWriter
from conformare_schemas import RUN_GRAINS

START_SECONDS = 120.0
READY = "landing runs from"
"""What a sink says when Spark is up and the lake is about to be opened."""

_TABLES = (*RUN_GRAINS, "pending", "quarantine", "purged")
_LOOK_SECONDS = 0.005


class LiveSink:
    """A running `conformare sink`; made by `live_sink`.

    Attributes:
        batches: What it has told of each batch.
        ready: When Spark was up, as `time.monotonic()`; None before that.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.batches: list[dict[str, Any]] = []
        self.ready: float | None = None
        self._readers = [
            threading.Thread(target=reads, daemon=True)
            for reads in (self._read_reports, self._read_messages)
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """The sink's process; Spark's Java is its child."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process.poll() is not None

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(START_SECONDS)
        for reader in self._readers:
            reader.join()
        return code

    def _read_reports(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        for line in self._process.stdout:
            if line.startswith("{"):
                self.batches.append(json.loads(line))

    def _read_messages(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - it was asked for
        for line in self._process.stderr:
            if READY in line:
                self.ready = time.monotonic()
            sys.stderr.write(line)


@contextmanager
def live_sink(
    broker: Broker, prefix: str, lake: LakeView, *options: str, checkout: Checkout = HERE
) -> Iterator[LiveSink]:
    """Run a sink for the time of a block.

    Args:
        broker: Where from.
        prefix: Its topics.
        lake: Where to.
        options: More options of the command.
        checkout: Whose sink.
    """
    command = [
        *(str(Path(sys.executable).with_name("conformare")), "sink", "--log-format", "json"),
        *("--bootstrap-servers", broker.servers, "--lake", lake.root, "--topic-prefix", prefix),
        *options,
    ]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**checkout.environment, **lake.storage_options},
    )
    sink = LiveSink(process)
    try:
        yield sink
    finally:
        if not sink.has_ended:
            sink.stop()


def record_at(broker: Broker, prefix: str, per_second: float, seconds: float) -> dict[str, float]:
    """Record typical runs at a steady pace, as a job does.

    Returns:
        run_id → when `record_run` was called, as `time.time()`.
    """
    writer = KafkaWriter(KafkaOptions(bootstrap_servers=broker.servers, topic_prefix=prefix))
    store = typical_store()
    recorded: dict[str, float] = {}
    start = time.monotonic()
    for number in range(round(per_second * seconds)):
        time.sleep(max(0.0, start + number / per_second - time.monotonic()))
        run_id = new_emission_id()
        recorded[run_id] = time.time()
        writer.write(to_run_record(store, "bench", run_id=run_id))
    if writer.flush(timeout_seconds=60):
        raise RuntimeError("not all runs were delivered")
    return recorded


def await_arrival(arrivals: Arrivals, recorded: dict[str, float]) -> list[float]:
    """Wait until all runs are visible, and return how long each was on its way, in seconds."""
    deadline = time.monotonic() + START_SECONDS
    while not recorded.keys() <= arrivals.seen.keys():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(recorded.keys() - arrivals.seen.keys())} runs did not land")
        time.sleep(0.1)
    return [arrivals.seen[run_id] - when for run_id, when in recorded.items()]


def await_lake(sink: LiveSink, lake: LakeView) -> float:
    """Wait until a sink has made its lake, and return how long that took when Spark was up."""
    deadline = time.monotonic() + START_SECONDS
    missing = list(_TABLES)
    while missing or sink.ready is None:
        if sink.has_ended or time.monotonic() > deadline:
            raise RuntimeError("the sink does not start")
        time.sleep(_LOOK_SECONDS)
        if sink.ready is not None:
            missing = [table for table in missing if lake.version(table) < 0]
    return time.monotonic() - sink.ready


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process and its children, in MB."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = dict(
                line.split(":", 1) for line in (folder / "status").read_text().splitlines()
            )
            if pid in (int(folder.name), int(fields["PPid"])):
                total += int(fields.get("VmRSS", "0 kB").split()[0])
    return total / 1024

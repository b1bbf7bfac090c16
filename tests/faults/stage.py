"""Where a series takes place: a broker, topics, a lake, and the sinks that are started on them."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

from conformare_sink.broker.broker import EmbeddedBroker, free_port
from conformare_sink.errors import BrokerNotRunningError
from conformare_sink.kafka.topics import Topics
from faults.sink_process import SinkProcess

TOPIC_PREFIX = "faults."

_BROKER_SECONDS = 120.0


class Stage:
    """A folder with a running broker and everything else that a series needs.

    Args:
        folder: An empty folder.

    Attributes:
        broker: The broker.
        lake: The lake, which is not there yet.
        checkpoint: The checkpoint of the next sink.
        sinks: Every sink that was started.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.broker = EmbeddedBroker(folder / "broker", free_port())
        self.lake = folder / "lake"
        self.checkpoint = folder / "checkpoint-1"
        self.sinks: list[SinkProcess] = []

    def open(self) -> None:
        """Start the broker and create the topics."""
        self.broker.start(_BROKER_SECONDS)
        Topics(self.broker.bootstrap_servers, TOPIC_PREFIX).create()

    def close(self) -> None:
        """End everything."""
        for sink in self.sinks:
            sink.end()
        with suppress(BrokerNotRunningError):
            self.broker.stop()

    def start_sink(self, *options: str) -> SinkProcess:
        """Start a sink.

        Args:
            options: Of its command line, beside what says from where and to where.
        """
        arguments = [
            *("--bootstrap-servers", self.broker.bootstrap_servers),
            *("--topic-prefix", TOPIC_PREFIX),
            *("--lake", str(self.lake)),
            *("--checkpoint", str(self.checkpoint)),
            *options,
        ]
        sink = SinkProcess(arguments, self._folder, f"sink-{len(self.sinks) + 1:03}")
        self.sinks.append(sink)
        return sink

    def begin_checkpoint(self) -> None:
        """Let the next sinks have a checkpoint of their own, which is not there yet."""
        number = int(self.checkpoint.name.rpartition("-")[2]) + 1
        self.checkpoint = self._folder / f"checkpoint-{number}"

    def kill_broker(self) -> None:
        """Send SIGKILL to the broker and return when it has ended."""
        pid = self.broker.status().pid
        if pid is None:
            raise RuntimeError("there is no broker to kill")
        os.kill(pid, signal.SIGKILL)
        with suppress(BrokerNotRunningError):
            self.broker.stop()

    def start_broker(self) -> None:
        """Start the broker again, with its data."""
        self.broker.start(_BROKER_SECONDS)


class Outage:
    """Kills the broker and starts it again, in a thread of its own.

    Args:
        stage: Whose broker.
        after: Seconds until it is killed.
        down: Seconds until it is started again.
    """

    def __init__(self, stage: Stage, after: float, down: float) -> None:
        self._stage = stage
        self._after = after
        self._down = down
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="outage", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Return when the broker is back; raises what kept it from coming back."""
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            time.sleep(self._after)
            self._stage.kill_broker()
            time.sleep(self._down)
            self._stage.start_broker()
        except Exception as exc:  # noqa: BLE001 - `end` raises it
            self._failure = exc

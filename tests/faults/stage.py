"""Where a series takes place: a broker, topics, a lake, and the sinks that are started on them."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path

from support.lakes.view import LakeView
from support.servers.network import network
from support.servers.object_store import ObjectStore

from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.broker.ports import free_port
from conformare_sink.errors import BrokerNotRunningError
from conformare_sink.kafka.topics import Topics
from conformare_sink.options import Engine
from faults.sink_process import SinkProcess

TOPIC_PREFIX = "faults."
LAKE = "lake"

PATIENT = (str(Path(sys.executable).with_name("conformare")),)
IMPATIENT = (sys.executable, "-m", "faults.impatient")
"""The command whose sinks believe a writer dead after three seconds."""

_BROKER_SECONDS = 120.0

Store = Callable[[Path], AbstractContextManager[ObjectStore]]
"""Runs an object store on an empty folder."""


class Stage:
    """A folder with a running broker and everything else that a series needs.

    Args:
        folder: An empty folder.
        run_store: Runs the object store that the lake is in; None for a lake on the disk.
        program: The command line of `conformare`.
        engine: Who processes the sinks' batches.

    Attributes:
        broker: The broker.
        lake: The lake, which is not there yet.
        files: A folder with the lake's files, if only by name: MinIO has a folder for each object.
        sinks: Every sink that was started.
    """

    def __init__(
        self,
        folder: Path,
        run_store: Store | None = None,
        program: tuple[str, ...] = PATIENT,
        engine: Engine = Engine.AUTO,
    ) -> None:
        self._folder = folder
        self._run_store = run_store
        self._program = program
        self._engine = engine
        self._store: ObjectStore | None = None
        self._running = ExitStack()
        self.broker = EmbeddedBroker(folder / "broker", free_port())
        self.lake = LakeView(str(folder / LAKE))
        self.files = folder / LAKE
        self.sinks: list[SinkProcess] = []

    @property
    def is_in_a_store(self) -> bool:
        """Whether the lake is in an object store, where a lease tells who writes."""
        return self._run_store is not None

    def open(self) -> None:
        """Start the broker and the store, and create the topics."""
        self.broker.start(_BROKER_SECONDS)
        Topics(self.broker.bootstrap_servers, TOPIC_PREFIX).create()
        if self._run_store is not None:
            folder = self._folder / "store"
            folder.mkdir()
            self._store = store = self._running.enter_context(self._run_store(folder))
            self.lake = LakeView(store.url(LAKE), store.storage_options)
            self.files = folder / "data" / store.bucket / LAKE

    def close(self) -> None:
        """End everything."""
        for sink in self.sinks:
            sink.end()
        self._running.close()
        with suppress(BrokerNotRunningError):
            self.broker.stop()

    def start_sink(self, *options: str) -> SinkProcess:
        """Start a sink.

        Args:
            options: Of its command line, beside what says from where and to where.
        """
        checkpoint = str(self._folder / "checkpoint")
        given = ("--checkpoint", checkpoint, "--engine", self._engine.value)
        return self._start("sink", *given, *options)

    def start_replay(self) -> SinkProcess:
        """Start a replay of all that the topics hold."""
        return self._start("replay")

    def _start(self, command: str, *options: str) -> SinkProcess:
        arguments = [
            command,
            *("--bootstrap-servers", self.broker.bootstrap_servers),
            *("--topic-prefix", TOPIC_PREFIX),
            *("--lake", self.lake.root),
            *options,
        ]
        way, environment = None, dict[str, str]()
        if self._store is not None:
            # Each has its own, which can be cut.
            way = self._running.enter_context(network(self._store.endpoint))
            environment = self._store.behind(way.endpoint).storage_options
        name = f"{command}-{len(self.sinks) + 1:03}"
        sink = SinkProcess([*self._program, *arguments], self._folder, name, environment, way)
        self.sinks.append(sink)
        return sink

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

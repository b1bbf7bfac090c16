"""The embedded broker's folder: its lock, its files, and what is written into them."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import time
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import BinaryIO

from conformare_sink.errors import BrokerDirectoryError

BrokerLock = BinaryIO
"""An open, locked file: whoever holds it, by inheritance too, holds the folder."""

# Somebody who only asks whether the folder is locked holds the lock for a moment.
_LOCK_PATIENCE_SECONDS = 0.5
_LOCK_POLL_SECONDS = 0.02

_LOG_LINE_CHARACTERS = 300

# With these Java takes its leave, after it has said why.
_JAVA_FAREWELL = ("Error: A fatal exception has occurred", "Error: Could not create the Java")

_CONFIGURATION = """\
# Written at every start of the embedded broker; changes here are lost.
process.roles=broker,controller
node.id={node_id}
controller.quorum.voters={node_id}@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
# Relative to the broker's folder, which it runs in: Kafka would split a path at its commas.
log.dirs={data}
auto.create.topics.enable=false
# One that was killed is known to the controller until this long after: it waits as long to be back.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
"""

_NODE_ID = 1
_DATA = "data"
_DRAFT = "data.draft"


class BrokerFolder:
    """The files of one embedded broker."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log_file = directory / "broker.log"
        self.configuration_file = directory / "server.properties"
        self._last_log_file = directory / "broker.log.1"
        self._format_file = directory / "format.properties"
        self._lock_file = directory / "broker.lock"
        self._state_file = directory / "broker.json"
        self._data = directory / _DATA
        self._draft = directory / _DRAFT

    def take(self) -> BrokerLock | None:
        """Make the folder ours and return its lock, or None where a broker holds it.

        Raises:
            BrokerDirectoryError: It holds something else, or cannot be written.
        """
        self._refuse_what_is_not_ours()
        deadline = time.monotonic() + _LOCK_PATIENCE_SECONDS
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            lock = self._lock_file.open("ab")
        except OSError as exc:
            raise BrokerDirectoryError(
                f"{self.directory} cannot be the broker's folder: {exc.strerror}"
            ) from exc
        while not _try_lock(lock, fcntl.LOCK_EX):
            if time.monotonic() >= deadline:
                lock.close()
                return None
            time.sleep(_LOCK_POLL_SECONDS)
        return lock

    def is_locked(self) -> bool:
        """Whether a broker runs on the folder, or is being started."""
        try:
            with self._lock_file.open("rb") as lock:
                return not _try_lock(lock, fcntl.LOCK_SH)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as exc:
            raise BrokerDirectoryError(f"{self._lock_file}: {exc.strerror}") from exc

    def read_state(self) -> tuple[int | None, int | None]:
        """Return the process id and the port of the broker, or two None before they are known."""
        try:
            state = json.loads(self._state_file.read_text(encoding="utf-8"))
            return int(state["pid"]), int(state["port"])
        except (OSError, ValueError, KeyError, TypeError):
            return None, None

    def write_state(self, pid: int, port: int) -> None:
        """Note whom to signal; written whole or not at all."""
        draft = self._state_file.with_suffix(".draft")
        draft.write_text(json.dumps({"pid": pid, "port": port}), encoding="utf-8")
        draft.replace(self._state_file)

    def forget_state(self) -> None:
        """Remove what `write_state` noted."""
        self._state_file.unlink(missing_ok=True)

    def write_configuration(self, host: str, port: int, controller_port: int) -> None:
        """Write Kafka's configuration, and the one that a new storage is formatted with."""
        for file, data in ((self.configuration_file, _DATA), (self._format_file, _DRAFT)):
            text = _CONFIGURATION.format(
                node_id=_NODE_ID, host=host, port=port, controller_port=controller_port, data=data
            )
            file.write_text(text, encoding="utf-8")

    def is_formatted(self) -> bool:
        """Whether there is a storage to start from."""
        return (self._data / "meta.properties").is_file()

    def prepare_format(self) -> list[str]:
        """Clear the place of a new storage and return the arguments of Kafka's StorageTool."""
        shutil.rmtree(self._draft, ignore_errors=True)
        cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        return ["format", f"--cluster-id={cluster_id}", "--config", self._format_file.name]

    def accept_format(self) -> None:
        """Give the new storage its place."""
        self._draft.replace(self._data)

    def rotate_log(self) -> None:
        """Begin a new log and keep the one of the last start."""
        if self.log_file.exists():
            self.log_file.replace(self._last_log_file)
        self.log_file.touch()

    def telling_log_line(self) -> str:
        """Return the line of the log that says most about its end, shortened."""
        text = self.log_file.read_text(encoding="utf-8", errors="replace")
        lines = [
            line.strip()
            for line in text.splitlines()
            if line.strip() and not line.startswith(_JAVA_FAREWELL)
        ]
        errors = [
            line
            for line in lines
            if re.search("ERROR|FATAL|Error|Exception", line) and not line.startswith("at ")
        ]
        line = (errors or lines or ["(nothing)"])[-1]
        return line[:_LOG_LINE_CHARACTERS]

    def _refuse_what_is_not_ours(self) -> None:
        try:
            names = {entry.name for entry in self.directory.iterdir()}
        except FileNotFoundError:
            return
        except OSError as exc:
            raise BrokerDirectoryError(
                f"{self.directory} cannot be the broker's folder: {exc.strerror}"
            ) from exc
        if names and self._lock_file.name not in names and not self.is_formatted():
            raise BrokerDirectoryError(
                f"{self.directory} holds files that are not a broker's: choose another folder"
            )


def java_options(jars: tuple[Path, ...], heap: str) -> list[str]:
    """Return the options of every Java process of the broker.

    Args:
        jars: Kafka's jars, all of one folder.
        heap: Size of the heap as Java takes it, such as "512m".
    """
    return [
        f"-Xmx{heap}",
        # A small heap and a short life on a machine that also runs Spark: threads of a collector
        # and of the optimising compiler would take more from it than they give.
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Djava.awt.headless=true",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
        "-cp",
        f"{jars[0].parent}/*",
    ]


def _try_lock(lock: BrokerLock, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

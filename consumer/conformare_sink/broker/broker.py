"""The embedded broker: a real single-node Apache Kafka (KRaft) as a background process.

It is for trials and tests on one machine: it listens on loopback only and keeps one copy.

A folder belongs to one broker at a time, which the lock says: the starter locks a file and hands
the open file on to Kafka's process, so that the lock lives exactly as long as that process, however
it ends. The process id in the state file only tells whom to signal.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from conformare_sink.broker._defaults import DEFAULT_HEAP, DEFAULT_PORT
from conformare_sink.broker._folder import BrokerFolder, BrokerLock, java_options
from conformare_sink.broker.ports import ANSWER_SECONDS, HOST, free_port, listens, require_free_port
from conformare_sink.errors import (
    BrokerAlreadyRunningError,
    BrokerNotRunningError,
    BrokerStartError,
)
from conformare_sink.spark.jars import BROKER_JARS, resolve_jars
from conformare_sink.spark.java import find_java

_POLL_SECONDS = 0.05


def default_broker_directory() -> Path:
    """Return the folder of the broker that a user starts without naming one."""
    return platformdirs.user_data_path("conformare") / "broker"


@dataclass(frozen=True)
class BrokerStatus:
    """What is known of the broker of a folder.

    Attributes:
        running: Whether its process lives.
        answering: Whether it answers requests.
        directory: The folder.
        pid: Its process, or None.
        port: The port it listens on, or None.
        log_file: Its log, of the current or of the last start.
    """

    running: bool
    answering: bool
    directory: Path
    pid: int | None
    port: int | None
    log_file: Path


class EmbeddedBroker:
    """The broker of one folder: starts it, stops it, and tells how it is.

    Any process may stop a broker that another one started.
    """

    def __init__(
        self,
        directory: Path | str,
        port: int = DEFAULT_PORT,
        *,
        heap: str = DEFAULT_HEAP,
    ) -> None:
        """Name a broker; nothing is started or read yet.

        Args:
            directory: Where its data, configuration and log are.
            port: Port on 127.0.0.1 that `start` listens on.
            heap: Size of its heap as Java takes it, such as "512m".
        """
        self.directory = Path(directory).absolute()
        self.port = port
        self._heap = heap
        self._folder = BrokerFolder(self.directory)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        """The address to give to Kafka's clients."""
        return f"{HOST}:{self.port}"

    def start(self, timeout_seconds: float = 30) -> None:
        """Start the broker and return when it answers; its data are those of the last time.

        Args:
            timeout_seconds: How long to wait for its first answer. Fetching the jars, which is
                needed once for each machine, does not count.

        Raises:
            BrokerAlreadyRunningError: A broker runs on this folder.
            BrokerPortTakenError: Something else listens on the port.
            BrokerDirectoryError: The folder holds something else.
            BrokerStartError: It ended, or did not answer in time; it was ended then.
            JavaNotFoundError: There is no usable Java.
            JarResolutionError: Kafka's jars could not be fetched.
        """
        java = find_java()
        jars = resolve_jars(BROKER_JARS)
        self._reap()
        deadline = time.monotonic() + timeout_seconds
        lock = self._folder.take()
        if lock is None:
            pid, port = self._folder.read_state()
            raise BrokerAlreadyRunningError(self.directory, pid, port)
        with lock:
            require_free_port(self.port)
            # From here to the new state, nobody must signal the process of the last one.
            self._folder.forget_state()
            self._folder.write_configuration(HOST, self.port, free_port())
            self._folder.rotate_log()
            command = [str(java), *java_options(jars, self._heap)]
            if not self._folder.is_formatted():
                self._format(command, deadline)
            self._process = self._spawn(command, lock)
            self._folder.write_state(self._process.pid, self.port)
        self._await_answer(self._process, deadline)

    def stop(self, timeout_seconds: float = 20) -> None:
        """Stop the broker and return when its process has ended.

        Args:
            timeout_seconds: How long it may take to shut down in order; then it is killed, which
                Kafka recovers from at its next start.

        Raises:
            BrokerNotRunningError: There is none to stop.
        """
        if not self._folder.is_locked():
            raise BrokerNotRunningError(self.directory)
        pid, port = self._folder.read_state()
        if pid is None:
            raise BrokerAlreadyRunningError(self.directory, pid, port)
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.kill(pid, signal_number)
            if _poll_until(self._has_ended, time.monotonic() + timeout_seconds):
                break
        self._folder.forget_state()

    def status(self) -> BrokerStatus:
        """Return how the broker is."""
        self._reap()
        running = self._folder.is_locked()
        pid, port = self._folder.read_state() if running else (None, None)
        answering = port is not None and _answers(f"{HOST}:{port}", ANSWER_SECONDS)
        return BrokerStatus(running, answering, self.directory, pid, port, self._folder.log_file)

    def _format(self, command: list[str], deadline: float) -> None:
        """Write the storage of a new cluster; it gets its place only when it is whole."""
        arguments = self._folder.prepare_format()
        try:
            with self._folder.log_file.open("ab") as log:
                done = subprocess.run(  # noqa: S603 - our own words
                    [*command, "kafka.tools.StorageTool", *arguments],
                    cwd=self.directory,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    timeout=max(deadline - time.monotonic(), 1),
                    check=False,
                )
        except subprocess.TimeoutExpired as exc:
            raise self._start_error("did not format its storage in time") from exc
        if done.returncode != 0:
            raise self._start_error("could not format its storage")
        self._folder.accept_format()

    def _spawn(self, command: list[str], lock: BrokerLock) -> subprocess.Popen[bytes]:
        with self._folder.log_file.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own words
                [*command, "kafka.Kafka", self._folder.configuration_file.name],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A session of its own: Ctrl-C and a closed terminal end the starter, not the data.
                start_new_session=True,
                pass_fds=(lock.fileno(),),
            )

    def _await_answer(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        def ended_or_listening() -> bool:
            return process.poll() is not None or listens(self.port)

        try:
            _poll_until(ended_or_listening, deadline)
            # A port that listens is not yet a broker: what counts is an answer.
            answered = process.poll() is None and _answers(
                self.bootstrap_servers, deadline - time.monotonic()
            )
        except BaseException:
            # Nobody is told of this broker, so nobody would stop it.
            self._kill(process)
            raise
        if not answered:
            what = "did not answer in time" if process.poll() is None else "ended while starting"
            self._kill(process)
            raise self._start_error(what)

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        self._process = None
        self._folder.forget_state()

    def _has_ended(self) -> bool:
        if self._folder.is_locked():
            return False
        if self._process is not None:
            # The lock goes a moment before the process that held it.
            self._process.wait()
            self._process = None
        return True

    def _reap(self) -> None:
        """Take note of the end of a process that this object started, so that none is left over."""
        if self._process is not None and self._process.poll() is not None:
            self._process = None

    def _start_error(self, what: str) -> BrokerStartError:
        return BrokerStartError(what, self._folder.log_file, self._folder.telling_log_line())


def _answers(bootstrap_servers: str, timeout_seconds: float) -> bool:
    """Whether a request for metadata is answered in time."""
    if timeout_seconds <= 0:
        return False
    # Silent: that a broker does not answer is what we tell, in one line of our own.
    config: dict[str, Any] = {
        "bootstrap.servers": bootstrap_servers,
        "log_level": 0,
        "error_cb": lambda _error: None,
    }
    try:
        AdminClient(config).list_topics(timeout=timeout_seconds)
    except KafkaException:
        return False
    return True


def _poll_until(condition: Callable[[], bool], deadline: float) -> bool:
    """Wait for a condition; return whether it came true before the deadline."""
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True

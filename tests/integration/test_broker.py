"""The embedded broker, for real: start, stop, crash, and what a user is told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from conformare.cli import main
from conformare_sink.broker import ports
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.broker.ports import free_port
from conformare_sink.errors import (
    BrokerAlreadyRunningError,
    BrokerDirectoryError,
    BrokerNotRunningError,
    BrokerPortTakenError,
    BrokerStartError,
)

SECONDS = 120


@pytest.fixture
def own_port() -> int:
    """A port for a broker of the test's own."""
    return free_port()


@pytest.fixture
def own_broker(tmp_path: Path, own_port: int) -> Iterator[EmbeddedBroker]:
    """A broker of the test's own, not started; none is left behind."""
    # A space and a comma: Kafka would split the name of its data folder there.
    embedded = EmbeddedBroker(tmp_path / "a broker, mine", own_port)
    yield embedded
    if embedded.status().running:
        embedded.stop()


def put(bootstrap_servers: str, topic: str, value: bytes) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(SECONDS)
    with Producer({"bootstrap.servers": bootstrap_servers, "acks": "all"}) as producer:
        producer.produce(topic, value)
        assert producer.flush(SECONDS) == 0


def take(bootstrap_servers: str, topic: str) -> bytes | None:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "test",
            "auto.offset.reset": "earliest",
        }
    )
    try:
        consumer.subscribe([topic])
        message = consumer.poll(SECONDS)
        assert message is not None
        assert message.error() is None
        return message.value()
    finally:
        consumer.close()


@pytest.mark.long
def test_data_survive_a_stop_and_another_port(own_broker: EmbeddedBroker) -> None:
    """Another object stops it, as another process would."""
    own_broker.start(SECONDS)
    put(own_broker.bootstrap_servers, "kept", b"value")
    EmbeddedBroker(own_broker.directory).stop()
    assert not own_broker.status().running

    elsewhere = EmbeddedBroker(own_broker.directory, free_port())
    elsewhere.start(SECONDS)
    assert take(elsewhere.bootstrap_servers, "kept") == b"value"
    elsewhere.stop()


def test_after_kill_9_it_starts_again_with_its_data(own_broker: EmbeddedBroker) -> None:
    """The lock died with the process; the process id that it left behind is nobody's now."""
    own_broker.start(SECONDS)
    put(own_broker.bootstrap_servers, "kept", b"value")
    pid = own_broker.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

    assert own_broker.status().running is False
    with pytest.raises(BrokerNotRunningError):
        own_broker.stop()
    own_broker.start(SECONDS)
    assert own_broker.status().pid != pid
    assert take(own_broker.bootstrap_servers, "kept") == b"value"


def test_a_second_start_names_the_first(broker: EmbeddedBroker, own_port: int) -> None:
    """On the same folder, whatever the port; the first goes on."""
    with pytest.raises(BrokerAlreadyRunningError) as raised:
        EmbeddedBroker(broker.directory, own_port).start(SECONDS)
    status = broker.status()
    assert (raised.value.directory, raised.value.pid, raised.value.port) == (
        broker.directory,
        status.pid,
        broker.port,
    )
    assert (status.running, status.answering, status.port) == (True, True, broker.port)


def test_a_taken_port_is_told_at_once(own_broker: EmbeddedBroker) -> None:
    """And leaves nothing that runs or is locked."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", own_broker.port))
        other.listen()
        with pytest.raises(BrokerPortTakenError, match=str(own_broker.port)):
            own_broker.start(SECONDS)
    assert not own_broker.status().running


def test_a_port_is_looked_for_among_those_that_no_system_gives_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody else has it, and nobody is given it while its broker is away."""
    port = free_port()
    given_out = Path("/proc/sys/net/ipv4/ip_local_port_range")
    assert port < (int(given_out.read_text().split()[0]) if given_out.exists() else 32_768)
    with socket.socket() as other:
        # As a broker does: the port is free though its last connections may still be closing.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        monkeypatch.setattr(ports, "_OWN_PORTS", (port, free_port()))
        monkeypatch.setattr(ports, "_PORTS_TO_TRY", 2)
        assert port not in {free_port() for _ in range(8)}


def test_a_folder_with_other_things_in_it_is_refused(tmp_path: Path, own_port: int) -> None:
    """And left as it was."""
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(BrokerDirectoryError, match="not a broker's"):
        EmbeddedBroker(tmp_path, own_port).start(SECONDS)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path: Path, own_port: int) -> None:
    """A file stands in its way."""
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "broker"):
        embedded = EmbeddedBroker(folder, own_port)
        with pytest.raises(BrokerDirectoryError, match="Not a directory"):
            embedded.start(SECONDS)
        assert not embedded.status().running


def test_a_start_that_fails_shows_the_end_of_the_log(own_broker: EmbeddedBroker) -> None:
    """Here Java itself refuses."""
    broken = EmbeddedBroker(own_broker.directory, own_broker.port, heap="plenty")
    with pytest.raises(BrokerStartError, match="Invalid maximum heap size") as raised:
        broken.start(SECONDS)
    assert str(raised.value.log_file) in str(raised.value)
    assert not broken.status().running


def test_a_start_that_takes_too_long_is_ended(own_broker: EmbeddedBroker) -> None:
    """Nobody would know of it; the next start begins where none was."""
    own_broker.start(SECONDS)
    own_broker.stop()
    with pytest.raises(BrokerStartError, match=r"did not answer in time; .*broker\.log"):
        own_broker.start(timeout_seconds=0.01)
    assert not own_broker.status().running


def test_the_broker_outlives_the_process_that_started_it(
    own_broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    """`conformare broker start` returns; `status` and `stop` come from other processes."""
    options = ["--dir", str(own_broker.directory)]
    started = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("conformare")), "broker", "start", *options),
            *("--port", str(own_broker.port), "--timeout-seconds", str(SECONDS)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.stderr == ""
    assert started.stdout.startswith(f"Kafka 4.1.1 listens on 127.0.0.1:{own_broker.port} (")
    assert main(["broker", "status", *options]) == 0
    assert main(["broker", "start", *options]) == 1
    assert main(["broker", "stop", *options]) == 0
    assert main(["broker", "stop", *options]) == 1
    assert main(["broker", "status", *options]) == 1
    captured = capsys.readouterr()
    assert [line.partition(" on ")[0] for line in captured.err.splitlines()] == [
        "error: a broker already runs",
        "error: no broker runs",
    ]
    assert [line.split()[0] for line in captured.out.splitlines()] == ["answers", "stopped;", "not"]

"""What listens at an address is told, or is an OSError: whatever it says."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformare_sink.kafka import listener as subject
from conformare_sink.kafka.listener import Address, Listener, addresses, ask, connect
from conformare_sink.kafka.tls import trusting


@pytest.fixture(autouse=True, scope="module")
def _impatient() -> Iterator[None]:
    """Nobody is far away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subject, "_SECONDS", 0.2)
        patch.setattr(subject, "_ALERT_SECONDS", 0.05)
        yield


@contextmanager
def says(*answers: bytes) -> Iterator[Address]:
    """A server whose answer to each part of what it is sent is the next of some, on every connection."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection, suppress(OSError):
                    for answer in answers:
                        connection.recv(65_536)
                        connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield Address("127.0.0.1", server.getsockname()[1])
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def framed(content: bytes) -> bytes:
    """An answer of Kafka's to a request of ours."""
    body = struct.pack(">i", subject._CORRELATION) + content
    return struct.pack(">i", len(body)) + body


VERSIONS = framed(struct.pack(">hi", 0, 0))


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ((VERSIONS, framed(struct.pack(">hi", 34, 0))), Listener(is_kafka=True)),
        (
            (VERSIONS, framed(struct.pack(">hi", 33, 2) + b"\0\5PLAIN\0\6GSSAPI")),
            Listener(is_kafka=True, mechanisms=("PLAIN", "GSSAPI")),
        ),
        ((VERSIONS, framed(struct.pack(">hi", 0, 9) + b"\0\5PL")), Listener(is_kafka=True)),
        ((VERSIONS, framed(struct.pack(">hih", 0, 2**31 - 1, -2))), Listener(is_kafka=True)),
        ((VERSIONS, b""), Listener(is_kafka=True)),
        ((b"HTTP/1.1 400 Bad Request\r\n",), Listener(is_http=True)),
        ((b"SSH-2.0-OpenSSH_9.2\r\n",), Listener()),
        ((struct.pack(">ii", 2**31 - 1, subject._CORRELATION),), Listener()),
        ((b"",), Listener()),
    ],
)
def test_what_listens_is_told(answers: tuple[bytes, ...], found: Listener) -> None:
    """By what it answers."""
    with says(*answers) as address:
        assert ask(address, None) == found


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=40) | st.binary(max_size=40).map(framed), max_size=3))
def test_whatever_listens_raises_nothing_else_than_an_oserror(answers: list[bytes]) -> None:
    """A port may belong to anybody, with TLS and without."""
    with says(*answers) as address:
        for context in (None, trusting()):
            with suppress(OSError):
                ask(address, context)


@pytest.mark.parametrize("host", ["a..b", "x" * 70, ".a", "\0"])
def test_a_name_that_can_be_none_is_an_oserror(host: str) -> None:
    """As one that does not resolve is."""
    for context in (None, trusting()):
        with pytest.raises(OSError, match=r"\S"), connect(Address(host, 1), context):
            pass


def test_addresses_are_read_as_kafkas_clients_read_them() -> None:
    """Those that cannot be any are left out."""
    given = "a:1, SASL_SSL://b.example:9092,[::1]:3,c,d:x,e:0,f:99999,,127.0.0.1:4"
    found = [str(address) for address in addresses(given)]
    assert found == ["a:1", "b.example:9092", "[::1]:3", "127.0.0.1:4"]

"""What listens at an address: found out by shaking hands, and by two requests of Kafka's protocol.

For when a client got no answer and cannot say why: to librdkafka a broker that is away, one that
speaks TLS where the client does not, and one that wants a certificate are the same.
"""

from __future__ import annotations

import re
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_SECONDS = 1.0
"""How long each step may take."""
_ALERT_SECONDS = 0.3
_ANSWER_BYTES = range(4, 65_536)

_API_VERSIONS, _SASL_HANDSHAKE = 18, 17
_CORRELATION = 0x636F6E66
_ANY_MECHANISM = b"PLAIN"
_NO_SASL_HERE = 34
"""ILLEGAL_SASL_STATE: the answer to SASL where no password is asked for."""

_ADDRESS = re.compile(r"(?:\w+://)?(?:\[(?P<v6>[^]]+)\]|(?P<host>[^:/]+)):(?P<port>\d{1,5})")
_PORTS = range(1, 65_536)


@dataclass(frozen=True)
class Address:
    """Where a broker listens."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return it as Kafka's clients take it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def addresses(bootstrap_servers: str) -> list[Address]:
    """Return the addresses in a list as Kafka's clients take it, without what is none."""
    found = (_ADDRESS.fullmatch(part.strip()) for part in bootstrap_servers.split(","))
    named = [Address(one["v6"] or one["host"], int(one["port"])) for one in found if one]
    return [address for address in named if address.port in _PORTS]


@dataclass(frozen=True)
class Listener:
    """What listens somewhere.

    Attributes:
        is_kafka: Whether it answers Kafka's requests.
        is_http: Whether it answers HTTP's.
        mechanisms: How users can prove who they are; None where they need not.
    """

    is_kafka: bool = False
    is_http: bool = False
    mechanisms: tuple[str, ...] | None = None


def ask(address: Address, context: ssl.SSLContext | None) -> Listener:
    """Ask what listens at an address.

    Args:
        address: Where.
        context: How to speak TLS; None to speak without.

    Raises:
        ssl.SSLError: One of the two refused the other's TLS, or does not speak it.
        OSError: Nobody answers.
    """
    with connect(address, context) as connection:
        if context is not None:
            _hear_alert(connection)
        if _answer(connection, _API_VERSIONS, 0, b"") is not None:
            return Listener(is_kafka=True, mechanisms=_mechanisms(connection))
    with connect(address, context) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return Listener(is_http=connection.recv(_ANSWER_BYTES.stop).startswith(b"HTTP/"))


def exchange(
    address: Address, context: ssl.SSLContext | None, request: int, version: int, body: bytes
) -> bytes | None:
    """Return what a broker answers to one request of Kafka's protocol; None where it does not.

    Args:
        address: Where.
        context: How to speak TLS; None to speak without.
        request: Kafka's number of the request.
        version: Its version.
        body: What stands behind the client's name, which is left out.

    Raises:
        OSError: There is no connection to be had.
    """
    with connect(address, context) as connection:
        return _answer(connection, request, version, body)


@contextmanager
def connect(address: Address, context: ssl.SSLContext | None) -> Iterator[socket.socket]:
    """A connection, over TLS if there is a context.

    Raises:
        OSError: There is none to be had.
    """
    try:
        with socket.create_connection((address.host, address.port), _SECONDS) as plain:
            if context is None:
                yield plain
            else:
                with context.wrap_socket(plain, server_hostname=address.host) as secured:
                    yield secured
    except UnicodeError as exc:  # what Python says of a name that cannot be one
        raise OSError(f"{address} is no address") from exc


def _hear_alert(connection: socket.socket) -> None:
    """Wait for what a broker has against the client's certificate.

    Since TLS 1.3 that comes when the client takes the handshake to be over; it might be lost, were
    anything sent meanwhile to a broker that has hung up.
    """
    connection.settimeout(_ALERT_SECONDS)
    try:
        connection.recv(1)
    except TimeoutError:
        connection.settimeout(_SECONDS)


def _mechanisms(connection: socket.socket) -> tuple[str, ...] | None:
    wanted = struct.pack(">h", len(_ANY_MECHANISM)) + _ANY_MECHANISM
    answer = _answer(connection, _SASL_HANDSHAKE, 1, wanted)
    if answer is None:
        return None
    try:
        error, count = struct.unpack_from(">hi", answer)
        return None if error == _NO_SASL_HERE else tuple(_texts(answer[6:], count))
    except (struct.error, UnicodeDecodeError):
        return None


def _texts(content: bytes, count: int) -> Iterator[str]:
    for _ in range(count):
        # Unsigned: what is negative would not come to an end.
        (length,) = struct.unpack_from(">H", content)
        yield content[2 : 2 + length].decode("ascii")
        content = content[2 + length :]


def _answer(connection: socket.socket, request: int, version: int, body: bytes) -> bytes | None:
    """Return what Kafka answers to a request, without the header; None if it is not Kafka."""
    content = struct.pack(">hhih", request, version, _CORRELATION, -1) + body
    try:
        connection.sendall(struct.pack(">i", len(content)) + content)
        length, correlation = struct.unpack(">ii", _receive(connection, 8))
        if correlation != _CORRELATION or length not in _ANSWER_BYTES:
            return None
        return _receive(connection, length - 4)
    except (TimeoutError, ConnectionError, EOFError):
        return None


def _receive(connection: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        part = connection.recv(length - len(received))
        if not part:
            raise EOFError
        received += part
    return received

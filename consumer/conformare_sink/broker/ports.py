"""Ports of loopback, for brokers that nobody else is to reach."""

from __future__ import annotations

import random
import socket

from conformare_sink.errors import BrokerPortTakenError

HOST = "127.0.0.1"
ANSWER_SECONDS = 2.0

# Below those that Linux (from 32768), macOS and Windows (from 49152) take for whoever asks for any.
_OWN_PORTS = range(20_000, 32_768)
_PORTS_TO_TRY = 100


def require_free_port(port: int) -> None:
    """Make sure that a broker can have a port.

    Raises:
        BrokerPortTakenError: Something else has it.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As Kafka does: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as exc:
            raise BrokerPortTakenError(port, exc.strerror or str(exc)) from exc


def free_port() -> int:
    """Return a port of loopback that nothing listens on, and that no system gives out by itself.

    A broker that is away keeps its port that way: what a system gave to another process meanwhile
    would get the broker's clients, which go on asking for it. Chosen at random, because two
    processes that look at the same time must not see the same port free.

    Where none of many is free, the broker that is to have it says so.
    """
    candidates = random.sample(_OWN_PORTS, _PORTS_TO_TRY)
    return next(filter(_is_free, candidates), candidates[0])


def _is_free(port: int) -> bool:
    try:
        require_free_port(port)
    except BrokerPortTakenError:
        return False
    return True


def listens(port: int) -> bool:
    """Whether something takes connections at a port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(ANSWER_SECONDS)
        return probe.connect_ex((HOST, port)) == 0

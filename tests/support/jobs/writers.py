"""Kafka writers for unit tests: a broker that is not there, librdkafka's mock, a spool to look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from conformare.emission import KafkaWriter

NOWHERE = "127.0.0.1:1"
MOCK = {"test.mock.num.brokers": 1}
# Far from any of librdkafka's own time-outs, and from what a slow machine needs.
PATIENCE_SECONDS = 20

MakeWriter = Callable[..., KafkaWriter]


def spooled(folder: Path) -> list[Path]:
    """Return the files that wait in a spool."""
    return sorted(file for file in folder.rglob("*.emission") if file.parent.name != "rejected")

"""The settings of `conformare topics` and `broker`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from conformare_schemas.settings import (
    About,
    Settings,
)
from conformare_sink.broker._defaults import DEFAULT_HEAP, DEFAULT_PORT
from conformare_sink.cli.settings._shared import Printed
from conformare_sink.kafka.topics import DEFAULT_PARTITIONS, DEFAULT_RETENTION_DAYS
from conformare_sink.options import Brokers

_YOUR_DATA = "a folder of your user's data"


class TopicsCreateSettings(Brokers):
    """Of `conformare topics create`."""

    partitions: int = Field(
        default=DEFAULT_PARTITIONS, ge=1, le=100_000, description="Partitions of each new topic."
    )
    retention_days: Annotated[int, About(unit="days")] = Field(
        default=DEFAULT_RETENTION_DAYS,
        ge=1,
        le=36_500,
        description="How long a message can be replayed, in days.",
    )
    replication_factor: int = Field(
        default=-1,
        ge=-1,
        le=2**15 - 1,
        description="Replicas per partition; -1 for the cluster's default. With 3 or more, "
        "min.insync.replicas becomes 2.",
    )


class TopicsCheckSettings(Printed, Brokers):
    """Of `conformare topics check`."""


class BrokerSettings(Settings):
    """Of every command of `conformare broker`."""

    directory: Annotated[
        Path | None, About(option="--dir", metavar="FOLDER", default=_YOUR_DATA)
    ] = Field(
        default=None,
        alias="broker_dir",
        description="Folder of the embedded broker's data, configuration and log.",
    )


class BrokerTimeout(BrokerSettings):
    """How long the embedded broker is waited for."""

    timeout_seconds: Annotated[float, About(option="--timeout-seconds", unit="seconds")] = Field(
        default=30,
        alias="broker_timeout_seconds",
        ge=1,
        description="How long to wait for the embedded broker.",
    )


class BrokerStartSettings(BrokerTimeout):
    """Of `conformare broker start`."""

    port: Annotated[int, About(option="--port")] = Field(
        default=DEFAULT_PORT,
        alias="broker_port",
        ge=1,
        le=65535,
        description="Port on 127.0.0.1 that the embedded broker listens on.",
    )
    heap: Annotated[str, About(option="--heap")] = Field(
        default=DEFAULT_HEAP,
        alias="broker_heap",
        description="Size of the embedded broker's Java heap.",
    )


class BrokerStopSettings(BrokerTimeout):
    """Of `conformare broker stop`."""

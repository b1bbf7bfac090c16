"""The settings of `conformare sink` and `replay`."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import Annotated

from pydantic import AfterValidator, Field

from conformare_schemas.settings import About
from conformare_sink.cli.settings._shared import Landing
from conformare_sink.cli.settings._texts import (
    OFF,
    ONE_CALL,
    DryRun,
    Moment,
    Offsets,
    duration,
    interval,
    interval_or_off,
)
from conformare_sink.options import Running

LOOPBACK = "127.0.0.1"


class LogFormat(str, Enum):
    """Format of the line that reports each batch."""

    TEXT = "text"
    JSON = "json"


class SinkSettings(Running, Landing):
    """Of `conformare sink`."""

    once: Annotated[bool, ONE_CALL] = Field(
        default=False, description="Land what the topics hold now, then end."
    )
    trigger: Annotated[str, About(metavar="INTERVAL"), AfterValidator(interval)] = Field(
        default="1 second", description="How often a micro-batch begins."
    )
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Serve /metrics, /health and /live on this port; 0 for any that is free.",
    )
    metrics_host: str = Field(default=LOOPBACK, description="Address to serve the metrics on.")
    log_format: LogFormat = Field(
        default=LogFormat.TEXT, description="Format of the line that reports each batch."
    )
    maintain_every: Annotated[str, About(metavar="INTERVAL"), AfterValidator(interval_or_off)] = (
        Field(
            default="1 hour",
            description="How often the sink maintains the lake in the background; `off` for never.",
        )
    )

    @property
    def maintenance_pause(self) -> timedelta | None:
        """How long maintenance waits between two rounds; None for never."""
        return None if self.maintain_every == OFF else duration(self.maintain_every)


class ReplaySettings(Landing):
    """Of `conformare replay`."""

    since: Moment = Field(
        default=None,
        alias="from",
        description="Only messages that the broker took at this time or later.",
    )
    until: Moment = Field(
        default=None,
        alias="to",
        description="Only messages that the broker took before this time.",
    )
    run_id: Annotated[list[str], ONE_CALL] = Field(
        default=[], description="Only this run; may be given repeatedly."
    )
    pipeline: Annotated[list[str], ONE_CALL] = Field(
        default=[], description="Only runs of this pipeline; may be given repeatedly."
    )
    from_offset: Offsets = Field(
        default=(),
        description="Of this partition, only messages at this offset or later; may be given "
        "repeatedly.",
    )
    to_offset: Offsets = Field(
        default=(),
        description="Of this partition, only messages before this offset; may be given repeatedly.",
    )
    dry_run: DryRun = Field(default=False, description="Only print what would land.")

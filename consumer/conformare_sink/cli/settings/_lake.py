"""The settings of the commands that work on a lake."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_schemas.findings import Role
from conformare_schemas.registry import RegistrySettings
from conformare_schemas.settings import (
    BOOTSTRAP_SERVERS,
    LAKE,
    About,
    BrokerNames,
    TopicPrefix,
)
from conformare_sink.cli.settings._shared import LakeSettings, Limited, Printed
from conformare_sink.cli.settings._texts import (
    ONE_CALL,
    DryRun,
    Moment,
)
from conformare_sink.options import (
    DEFAULT_RETENTION_HOURS,
    KafkaClient,
    LakeStore,
)


class StatusSettings(Limited, Printed, KafkaClient, LakeSettings):
    """Of `conformare status`."""

    bootstrap_servers: Annotated[BrokerNames | None, BOOTSTRAP_SERVERS] = None


class DoctorSettings(Printed, RegistrySettings, KafkaClient, LakeStore):
    """Of `conformare doctor`."""

    bootstrap_servers: Annotated[BrokerNames | None, BOOTSTRAP_SERVERS] = None
    lake: Annotated[str | None, LAKE] = None  # type: ignore[assignment]  # it need not be looked at
    role: Annotated[
        Role | None, About(default="sink where what it needs is installed, else job")
    ] = Field(default=None, description="Whose machine this is: a job's, or the sink's.")


class MaintainSettings(LakeSettings):
    """Of `conformare maintain`."""

    retention_hours: Annotated[int, About(unit="hours")] = Field(
        default=DEFAULT_RETENTION_HOURS,
        ge=0,
        le=100 * 366 * 24,
        description="How long to keep files that the newest version of a table no longer needs.",
    )


class PurgeSettings(LakeSettings):
    """Of `conformare purge`."""

    run_id: Annotated[list[str], ONE_CALL] = Field(
        default=[], description="Only this run; may be given repeatedly."
    )
    pipeline: Annotated[str | None, ONE_CALL] = Field(
        default=None, description="Only runs of this pipeline."
    )
    before: Moment = Field(
        default=None,
        description="Only runs that were recorded, or risks that were declared, before this time.",
    )
    location: Annotated[str | None, ONE_CALL] = Field(
        default=None,
        description="Instead of runs, delete the risks declared for this location, spelled as in source_risks.",
    )
    dry_run: DryRun = Field(default=False, description="Only print what would be deleted.")


class QuarantineListSettings(Printed, LakeSettings):
    """Of `conformare quarantine list`."""


class Messages(LakeSettings):
    """Which messages in quarantine."""

    cause: Annotated[str | None, ONE_CALL] = Field(
        default=None, description="Only messages whose cause begins with this text."
    )
    topic: Annotated[str | None, ONE_CALL] = Field(
        default=None, description="Only messages from this topic."
    )


class QuarantineShowSettings(Printed, Limited, Messages):
    """Of `conformare quarantine show`."""


class QuarantineRetrySettings(RegistrySettings, Messages):
    """Of `conformare quarantine retry`."""

    topic_prefix: TopicPrefix = DEFAULT_TOPIC_PREFIX


class QuarantineDropSettings(Messages):
    """Of `conformare quarantine drop`."""

    everything: Annotated[bool, ONE_CALL] = Field(
        default=False, alias="all", description="All messages in quarantine."
    )


class ViewsCreateSettings(LakeSettings):
    """Of `conformare views create`."""

    # Only where the tables are folders in it.
    lake: Annotated[str | None, LAKE] = None  # type: ignore[assignment]
    print_only: Annotated[bool, ONE_CALL] = Field(
        default=False,
        alias="print",
        description="Print the statements; without --schema, they create temporary views.",
    )

"""The settings of the sink's commands; free of typer and Spark, for a job checks a file by them, too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_schemas.findings import Role
from conformare_schemas.registry import RegistrySettings
from conformare_schemas.settings import (
    BOOTSTRAP_SERVERS,
    LAKE,
    About,
    AsJson,
    Catalog,
    Schema,
    Settings,
    TablePrefix,
    TopicPrefix,
)
from conformare_sink.broker._defaults import DEFAULT_HEAP, DEFAULT_PORT
from conformare_sink.kafka.topics import DEFAULT_PARTITIONS, DEFAULT_RETENTION_DAYS
from conformare_sink.options import (
    DEFAULT_LIMIT,
    DEFAULT_RETENTION_HOURS,
    Batches,
    Brokers,
    CatalogOptions,
    KafkaClient,
    LakeStore,
    Running,
    SinkOptions,
)
from conformare_sink.spark.settings import MachineSettings

LOOPBACK = "127.0.0.1"
OFF = "off"
LONGEST_INTERVAL = timedelta(days=366)
ONE_CALL = About(of_one_call=True)

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_YOUR_DATA = "a folder of your user's data"


@dataclass(frozen=True)
class OffsetOf:
    """An offset of one partition."""

    topic: str
    partition: int
    offset: int


class LogFormat(str, Enum):
    """How each batch is reported."""

    TEXT = "text"
    JSON = "json"


def utc(text: Any) -> Any:
    """Parse an ISO 8601 time from 1970 on; one without an offset is UTC."""
    try:
        moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(
            timezone.utc
        )
    except (ValueError, OverflowError) as exc:
        raise ValueError(f"{text!r} is not an ISO 8601 time") from exc
    if moment < _EPOCH:  # to Kafka, some of these mean the end of a log
        raise ValueError(f"{text!r} is before 1970")
    return moment


def interval(text: str) -> str:
    """Return an interval as Spark takes it, checked before Spark is started."""
    if not re.fullmatch(r"[0-9]{1,9} (millisecond|second|minute|hour|day)s?", text):
        raise ValueError(f"{text!r} is not an interval such as '2 seconds'")
    if _duration(text) > LONGEST_INTERVAL:
        raise ValueError(f"{text!r} is longer than {LONGEST_INTERVAL.days} days")
    return text


def _duration(text: str) -> timedelta:
    number, unit = text.split()
    return timedelta(**{f"{unit.rstrip('s')}s": int(number)})


def _interval_or_off(text: str) -> str:
    return text if text == OFF else interval(text)


def _offset_of(text: Any) -> Any:
    """Parse an offset of a partition."""
    found = re.fullmatch(r"(.+):([0-9]{1,9}):([0-9]{1,18})", str(text))
    if found is None:
        raise ValueError(f"{text!r} is not an offset such as 'conformare.runs:0:1500'")
    return OffsetOf(found[1], int(found[2]), int(found[3]))


Moment = Annotated[datetime | None, About(of_one_call=True, metavar="ISO"), BeforeValidator(utc)]
Offsets = Annotated[
    tuple[Annotated[OffsetOf, BeforeValidator(_offset_of)], ...],
    About(of_one_call=True, metavar="TOPIC:PARTITION:OFFSET"),
]
DryRun = Annotated[bool, ONE_CALL]


class Tables(Settings):
    """Where the tables are, if they are not folders of the lake."""

    catalog: Catalog = None
    schema_name: Schema = Field(default=None, alias="schema")
    table_prefix: TablePrefix = ""

    @model_validator(mode="after")
    def _has_a_schema(self) -> Tables:
        if self.schema_name is None and (self.catalog is not None or self.table_prefix):
            raise ValueError("--catalog and --table-prefix need --schema")
        return self

    @property
    def tables_at(self) -> CatalogOptions | None:
        """Where they are; None where they are folders of the lake."""
        if self.schema_name is None:
            return None
        return CatalogOptions(
            catalog=self.catalog, schema_name=self.schema_name, table_prefix=self.table_prefix
        )


class LakeSettings(Tables, LakeStore):
    """Of a command that works on a lake."""


class Landing(Tables, Batches, RegistrySettings, LakeStore, Brokers):
    """Of a command that lands messages in a lake."""

    def options(self) -> SinkOptions:
        """Return the same for the sink."""
        given = {
            name: getattr(self, name)
            for name in SinkOptions.model_fields
            if name in type(self).model_fields and name != "catalog"
        }
        return SinkOptions(**given, catalog=self.tables_at)


class Printed(Settings):
    """What is printed for people or for programs."""

    as_json: AsJson = False


class Limited(Settings):
    """How much is printed."""

    limit: int = Field(
        default=DEFAULT_LIMIT,
        ge=1,
        le=10_000,
        description="How many of a kind are named at most.",
    )


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
    log_format: LogFormat = Field(default=LogFormat.TEXT, description="How each batch is reported.")
    maintain_every: Annotated[str, About(metavar="INTERVAL"), AfterValidator(_interval_or_off)] = (
        Field(
            default="1 hour",
            description="How often the lake is maintained beside the stream; `off` for never.",
        )
    )

    @property
    def maintenance_pause(self) -> timedelta | None:
        """How long maintenance waits between two rounds; None for never."""
        return None if self.maintain_every == OFF else _duration(self.maintain_every)


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
    dry_run: DryRun = Field(default=False, description="Only tell what would land.")


class StatusSettings(Limited, Printed, KafkaClient, LakeSettings):
    """Of `conformare status`."""

    bootstrap_servers: Annotated[str | None, BOOTSTRAP_SERVERS] = None


class DoctorSettings(Printed, RegistrySettings, KafkaClient, LakeStore):
    """Of `conformare doctor`."""

    bootstrap_servers: Annotated[str | None, BOOTSTRAP_SERVERS] = None
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
        description="How long files stay that the newest version of a table does not need.",
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
        description="In place of runs, what was declared of this location, as source_risks has it.",
    )
    dry_run: DryRun = Field(default=False, description="Only tell what would go.")


class QuarantineListSettings(Printed, LakeSettings):
    """Of `conformare quarantine list`."""


class Messages(LakeSettings):
    """Which messages in quarantine."""

    cause: Annotated[str | None, ONE_CALL] = Field(
        default=None, description="Only messages whose cause begins with this text."
    )
    topic: Annotated[str | None, ONE_CALL] = Field(
        default=None, description="Only messages that came by this topic."
    )


class QuarantineShowSettings(Printed, Limited, Messages):
    """Of `conformare quarantine show`."""


class QuarantineRetrySettings(RegistrySettings, Messages):
    """Of `conformare quarantine retry`."""

    topic_prefix: TopicPrefix = DEFAULT_TOPIC_PREFIX


class QuarantineDropSettings(Messages):
    """Of `conformare quarantine drop`."""

    everything: Annotated[bool, ONE_CALL] = Field(
        default=False, alias="all", description="All that is in quarantine."
    )


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


class ViewsCreateSettings(LakeSettings):
    """Of `conformare views create`."""

    # Only where the tables are folders in it.
    lake: Annotated[str | None, LAKE] = None  # type: ignore[assignment]
    print_only: Annotated[bool, ONE_CALL] = Field(
        default=False,
        alias="print",
        description="Print the statements; without --schema, they make temporary views.",
    )


class BrokerSettings(Settings):
    """Of every command of `conformare broker`."""

    directory: Annotated[Path | None, About(option="--dir", default=_YOUR_DATA)] = Field(
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


SETTINGS = (
    MachineSettings,
    SinkSettings,
    ReplaySettings,
    StatusSettings,
    DoctorSettings,
    MaintainSettings,
    PurgeSettings,
    QuarantineListSettings,
    QuarantineShowSettings,
    QuarantineRetrySettings,
    QuarantineDropSettings,
    TopicsCheckSettings,
    TopicsCreateSettings,
    ViewsCreateSettings,
    BrokerStartSettings,
    BrokerStopSettings,
    BrokerSettings,
)

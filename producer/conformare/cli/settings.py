"""The settings of this side's commands; free of typer, for a job checks a file by them, too."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from conformare.cli._moments import last_moment, length, moment_or_age, tags_of
from conformare.emission.settings import SpoolFolder, SpoolMaxBytes
from conformare.emission.spool import DEFAULT_MAX_BYTES
from conformare.fleet._defaults import DEFAULT_PORT, DEFAULT_TITLE
from conformare.fleet.questions import DEFAULT_KINDS, KINDS, Kind
from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_schemas.registry import SCHEMA_REGISTRY_URL, RegistrySettings
from conformare_schemas.settings import (
    LAKE,
    STORAGE_OPTIONS,
    About,
    AsJson,
    Settings,
    TablePrefix,
    TopicPrefix,
)

ONE_CALL = About(of_one_call=True)
OPTION_ALONE = About(of_one_call=True, has_variable=False)


def _tags(texts: list[str]) -> list[str]:
    tags_of(texts)
    return texts


def _no_file(folder: Path | None) -> Path | None:
    if folder is not None and folder.is_file():
        raise ValueError(f"{folder} is a file")
    return folder


def _no_folder(file: Path) -> Path:
    if file.is_dir():
        raise ValueError(f"{file} is a directory")
    return file


def kinds_of(text: str) -> tuple[Kind, ...]:
    """Parse kinds of findings, separated by commas."""
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no kind of finding: they are {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in names)


def _kinds(text: str) -> str:
    kinds_of(text)
    return text


class Format(str, Enum):
    """How findings are told."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"


class FleetStore(Settings):
    """Where the runs are."""

    # Also the location of a catalog's tables, or the folder of the json or parquet writer.
    lake: Annotated[str, LAKE]
    storage_options: Annotated[
        Path | None, About(metavar="FILE", default="those of the environment"), STORAGE_OPTIONS
    ] = None
    table_prefix: TablePrefix = ""


class OfPipeline(FleetStore):
    """What answers about one pipeline take."""

    pipeline: Annotated[str | None, ONE_CALL] = Field(
        default=None, description="Only this pipeline."
    )


class Printed(Settings):
    """What is printed for people or for programs."""

    as_json: AsJson = False


class Aged(Settings):
    """When a run is old."""

    max_age: Annotated[timedelta | None, About(metavar="SPAN"), BeforeValidator(length)] = Field(
        default=None,
        description="A newest run that is older, such as `26h`, is stale, whatever the pipeline's "
        "rhythm.",
    )


class OfEnv(OfPipeline):
    """What answers about one environment take."""

    env: Annotated[str | None, ONE_CALL] = Field(default=None, description="Only this environment.")


class Chosen(OfEnv):
    """Which pipelines an answer is about."""

    owner: Annotated[str | None, ONE_CALL] = Field(
        default=None, description="Only pipelines in whose newest run this owner owns something."
    )
    tag: Annotated[
        list[str],
        About(of_one_call=True, has_variable=False, metavar="NAME=VALUE"),
        AfterValidator(_tags),
    ] = Field(
        default=[],
        description="Only pipelines whose newest run has this tag; may be given repeatedly.",
    )


class ChosenSince(Chosen):
    """Which pipelines an answer is about, by their newest run as well."""

    since: Annotated[
        datetime | None,
        About(of_one_call=True, metavar="TIME|SPAN"),
        BeforeValidator(moment_or_age),
    ] = Field(
        default=None,
        description="Only pipelines whose newest run is not older: an ISO 8601 time, or a span such "
        "as `7d`.",
    )


class ListSettings(Printed, ChosenSince):
    """Of a list of the fleet."""


class StatusSettings(Printed, Aged, ChosenSince):
    """Of `conformare fleet status`."""


class DriftSettings(ListSettings):
    """Of `conformare fleet drift`."""

    show_settled: Annotated[bool, OPTION_ALONE] = Field(
        default=False,
        alias="all",
        description="Also those whose risks have changed since, or that were acknowledged.",
    )


class SensitiveSettings(ListSettings):
    """Of `conformare fleet sensitive`."""

    as_of: Annotated[
        datetime | None,
        About(of_one_call=True, has_variable=False, metavar="TIME"),
        BeforeValidator(last_moment),
    ] = Field(
        default=None,
        description="By the newest runs of this time; of a date, by those of the end of its day.",
    )


class ImpactSettings(Printed, OfEnv):
    """Of `conformare fleet impact`."""

    run_id: Annotated[str | None, About(of_one_call=True, has_variable=False, metavar="RUN_ID")] = (
        Field(default=None, alias="run", description="From what this run wrote.")
    )
    location: Annotated[str | None, OPTION_ALONE] = Field(
        default=None, description="From this location, in any spelling."
    )
    upstream: Annotated[bool, OPTION_ALONE] = Field(
        default=False, description="Against the flow: what it is made from."
    )


class ShowSettings(Printed, OfPipeline):
    """Of `conformare fleet show`."""


class ReportSettings(Aged, ChosenSince):
    """Of `conformare fleet report`."""

    output: Annotated[
        Path, About(of_one_call=True, short="-o", metavar="FILE"), AfterValidator(_no_folder)
    ] = Field(default=Path("fleet.html"), description="The file to write.")
    title: Annotated[str, ONE_CALL] = Field(
        default=DEFAULT_TITLE, description="Heading of the report."
    )


class ServeSettings(Aged, FleetStore):
    """Of `conformare fleet serve`."""

    host: Annotated[str, About(option="--host")] = Field(
        default="127.0.0.1",
        alias="fleet_host",
        description="Where the pages listen; beyond this machine's loopback a token is needed.",
    )
    port: Annotated[int, About(option="--port")] = Field(
        default=DEFAULT_PORT,
        alias="fleet_port",
        ge=0,
        le=65535,
        description="Port of the pages; 0 for any free one.",
    )
    token: Annotated[str | None, About(is_secret=True, has_option=False)] = Field(
        default=None, alias="fleet_token", description="The token that opens the pages."
    )
    token_file: Annotated[
        Path | None, About(option="--token-file", metavar="FILE", default="no token")
    ] = Field(
        default=None,
        alias="fleet_token_file",
        description="File whose first line is the token that opens the pages; or set "
        "CONFORMARE_FLEET_TOKEN.",
    )
    allow_host: Annotated[
        list[str], About(of_one_call=True, has_variable=False, metavar="NAME")
    ] = Field(
        default=[], description="A name that the server is reached by; may be given repeatedly."
    )


class CheckSettings(Aged, Chosen):
    """Of `conformare fleet check`."""

    fail_on: Annotated[str, About(metavar="KINDS"), AfterValidator(_kinds)] = Field(
        default=",".join(DEFAULT_KINDS),
        description=f"What counts as a finding, separated by commas: {', '.join(KINDS)}.",
    )
    format: Annotated[Format, ONE_CALL] = Field(
        default=Format.TEXT,
        description="A line for each finding, JSON, JUnit XML, or Markdown for GitHub's job summary.",
    )


class NotifySettings(Aged, Chosen):
    """Of `conformare fleet notify`."""

    to_webhook: Annotated[
        str | None,
        About(option="--webhook", of_one_call=True, has_variable=False, metavar="URL|@FILE"),
    ] = Field(
        default=None,
        description="Post signed JSON there. The URL may be in a file, or in CONFORMARE_WEBHOOK.",
    )
    webhook: Annotated[str | None, About(is_secret=True, has_option=False)] = Field(
        default=None, description="URL that `conformare fleet notify` posts signed JSON to."
    )
    to_slack: Annotated[
        str | None,
        About(option="--slack", of_one_call=True, has_variable=False, metavar="URL|@FILE"),
    ] = Field(
        default=None,
        description="Post to this incoming webhook of Slack. The URL is a secret: better in a file, "
        "or in CONFORMARE_SLACK.",
    )
    slack: Annotated[str | None, About(is_secret=True, has_option=False)] = Field(
        default=None,
        description="Incoming webhook of Slack that `conformare fleet notify` posts to.",
    )
    webhook_secret: Annotated[str | None, About(is_secret=True, has_option=False)] = Field(
        default=None, description="The secret that what is posted to a webhook is signed with."
    )
    secret_file: Annotated[Path | None, About(option="--secret-file", metavar="FILE")] = Field(
        default=None,
        alias="webhook_secret_file",
        description="File with the secret that --webhook signs with; or set "
        "CONFORMARE_WEBHOOK_SECRET.",
    )
    state: Annotated[
        Path | None,
        About(
            option="--state",
            metavar="FILE",
            default="a file in your user's state, for each store, filter and address",
        ),
    ] = Field(
        default=None,
        alias="notify_state",
        description="What was reported; a report of its own for each file.",
    )


class OpenlineageSettings(FleetStore):
    """Of `conformare export openlineage`."""

    to_url: Annotated[
        str | None,
        About(option="--url", of_one_call=True, has_variable=False, metavar="URL|@FILE"),
    ] = Field(
        default=None,
        description="Post events to this server, such as `http://marquez:5000`. The URL may be in a "
        "file, or in CONFORMARE_OPENLINEAGE_URL.",
    )
    url: Annotated[str | None, About(is_secret=True, has_option=False)] = Field(
        default=None,
        alias="openlineage_url",
        description="Server that `conformare export openlineage` posts events to.",
    )
    api_key: Annotated[str | None, About(is_secret=True, has_option=False)] = Field(
        default=None,
        alias="openlineage_api_key",
        description="The key that this server asks for, sent as a bearer token.",
    )
    endpoint: Annotated[str, About(option="--endpoint")] = Field(
        default="api/v1/lineage",
        alias="openlineage_endpoint",
        description="Path of the server that takes events of OpenLineage.",
    )
    kafka: Annotated[
        str | None,
        About(option="--kafka", of_one_call=True, has_variable=False, metavar="HOST:PORT,…"),
    ] = Field(
        default=None,
        alias="openlineage_kafka",
        description="Produce events of OpenLineage to a topic of these brokers.",
    )
    topic: Annotated[str, About(option="--topic")] = Field(
        default="openlineage.events",
        alias="openlineage_topic",
        description="The topic of events of OpenLineage.",
    )
    kafka_settings: Annotated[
        Path | None,
        About(option="--kafka-settings", metavar="FILE", default="those of jobs, in `kafka`"),
    ] = Field(
        default=None,
        alias="openlineage_kafka_settings",
        description="File with further settings of librdkafka for these brokers, such as those to "
        "log in with: lines `name=value`.",
    )
    file: Annotated[Path | None, About(of_one_call=True, has_variable=False, metavar="FILE")] = (
        Field(default=None, description="Append the events to this file, one a line.")
    )
    since: Annotated[
        datetime | None,
        About(option="--since", of_one_call=True, has_variable=False, metavar="TIME|SPAN"),
        BeforeValidator(moment_or_age),
    ] = Field(
        default=None,
        alias="export_since",
        description="Not runs that took place before: an ISO 8601 time, or a span such as `7d`.",
    )
    namespace: Annotated[str, About(option="--namespace")] = Field(
        default="conformare",
        alias="openlineage_namespace",
        description="Namespace of the jobs of OpenLineage; a run's environment follows behind a full "
        "stop.",
    )
    tables: Annotated[str, About(option="--tables")] = Field(
        default="catalog",
        alias="openlineage_tables",
        description="Namespace of the tables of catalogs in OpenLineage, such as "
        "`hive://metastore:9083` or `unitycatalog://host`: as your other tools name them.",
    )
    state: Annotated[
        Path | None,
        About(
            option="--state",
            metavar="FILE",
            default="a file in your user's state, for each lake and receiver",
        ),
    ] = Field(
        default=None,
        alias="openlineage_state",
        description="Which runs were sent; a file of its own for each lake and receiver.",
    )


class AcknowledgeSettings(OfPipeline):
    """Of `conformare fleet acknowledge`."""

    by: Annotated[str, About(of_one_call=True, has_variable=False, metavar="NAME")] = Field(
        description="Who has reviewed it."
    )
    note: Annotated[str, About(of_one_call=True, has_variable=False, metavar="TEXT")] = Field(
        description="What they say of it."
    )


class ConfigShowSettings(Printed):
    """Of `conformare config show`."""


class SpoolSettings(Settings):
    """Of every command of `conformare spool`."""

    spool_dir: Annotated[SpoolFolder, AfterValidator(_no_file)] = None


class SpoolListSettings(SpoolSettings):
    """Of `conformare spool list`."""

    json_lines: Annotated[bool, OPTION_ALONE] = Field(
        default=False, alias="json", description="Print all, one JSON object a line."
    )


class RejectedSettings(SpoolSettings):
    """What the refused runs are asked about by."""

    rejected: Annotated[bool, OPTION_ALONE] = Field(
        default=False, description="Also what brokers have refused for good."
    )


class SpoolSendSettings(RejectedSettings):
    """Of `conformare spool send`."""

    bootstrap_servers: Annotated[
        str | None,
        About(of_one_call=True, has_variable=False, default="those that a run was recorded for"),
    ] = Field(
        default=None,
        description="Send to these brokers whatever was recorded; not taken from the environment.",
    )
    topic_prefix: Annotated[
        str | None,
        About(of_one_call=True, has_variable=False, default="the one that a run was recorded for"),
    ] = Field(
        default=None,
        description="Send to topics with this prefix whatever was recorded; not taken from the "
        "environment.",
    )
    timeout_seconds: Annotated[
        float, About(of_one_call=True, has_variable=False, unit="seconds")
    ] = Field(default=60, ge=0, description="How long to try, at most.")


class SpoolExportSettings(RejectedSettings):
    """Of `conformare spool export`."""

    keep: Annotated[bool, OPTION_ALONE] = Field(
        default=False, description="Leave it in the spool as well."
    )


class SpoolImportSettings(SpoolSettings):
    """Of `conformare spool import`."""

    spool_max_bytes: SpoolMaxBytes = DEFAULT_MAX_BYTES


class SchemasSettings(RegistrySettings):
    """Of every command of `conformare schemas`."""

    schema_registry_url: Annotated[str, SCHEMA_REGISTRY_URL]
    topic_prefix: TopicPrefix = DEFAULT_TOPIC_PREFIX


SETTINGS = (
    SchemasSettings,
    ConfigShowSettings,
    ListSettings,
    StatusSettings,
    DriftSettings,
    SensitiveSettings,
    ImpactSettings,
    ShowSettings,
    ReportSettings,
    ServeSettings,
    CheckSettings,
    NotifySettings,
    OpenlineageSettings,
    AcknowledgeSettings,
    SpoolListSettings,
    SpoolSendSettings,
    SpoolExportSettings,
    SpoolImportSettings,
)

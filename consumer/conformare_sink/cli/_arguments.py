"""Options that several of the sink's commands have; each can be set in the environment too."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer

from conformare_schemas.registry import (
    RegistryAccess,
    RegistryClient,
    RegistryError,
    SubjectStrategy,
)
from conformare_sink.cli._console import printable
from conformare_sink.errors import KafkaSettingsError, SchemaRegistryError, StorageError
from conformare_sink.kafka.access import KafkaAccess
from conformare_sink.options import CatalogOptions, Engine, StorageSettings

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def utc(text: str) -> datetime:
    """Parse an ISO 8601 time from 1970 on; one without an offset is UTC."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(
            timezone.utc
        )
    except (ValueError, OverflowError) as exc:
        raise typer.BadParameter(f"{text!r} is not an ISO 8601 time") from exc
    if moment < _EPOCH:  # to Kafka, some of these mean the end of a log
        raise typer.BadParameter(f"{text!r} is before 1970")
    return moment


def folder(text: str | Path) -> Path:
    """Parse a folder; an empty text is not the one that the user stands in."""
    if not str(text):
        raise typer.BadParameter("it is empty")
    return Path(text)


def _kafka_access(file: str | KafkaAccess) -> KafkaAccess:
    # Typer parses the default, too.
    try:
        return file if isinstance(file, KafkaAccess) else KafkaAccess.read(Path(file))
    except KafkaSettingsError as exc:
        raise typer.BadParameter(printable(str(exc))) from exc


def _storage_settings(file: str | StorageSettings) -> StorageSettings:
    # Typer parses the default, too.
    try:
        return file if isinstance(file, StorageSettings) else StorageSettings.read(Path(file))
    except StorageError as exc:
        raise typer.BadParameter(printable(str(exc))) from exc


BootstrapServers = Annotated[
    str,
    typer.Option(
        "--bootstrap-servers",
        envvar="CONFORMARE_BOOTSTRAP_SERVERS",
        help="Kafka brokers to begin with, host:port separated by commas.",
    ),
]
KafkaSettings = Annotated[
    KafkaAccess,
    typer.Option(
        "--kafka-settings",
        envvar="CONFORMARE_KAFKA_SETTINGS",
        parser=_kafka_access,
        metavar="FILE",
        help="File with what the brokers want of their clients: lines such as "
        "sasl.username=…, by librdkafka's names.",
        show_default="nothing",
    ),
]
Lake = Annotated[
    str,
    typer.Option(
        "--lake",
        envvar="CONFORMARE_LAKE",
        help="Folder of the lake: a path of this machine, or a URL such as s3://bucket/lake.",
    ),
]
Storage = Annotated[
    StorageSettings,
    typer.Option(
        "--storage-options",
        envvar="CONFORMARE_STORAGE_OPTIONS",
        parser=_storage_settings,
        metavar="FILE",
        help="File with credentials and settings of the lake's store: lines such as "
        "AWS_ACCESS_KEY_ID=…, by the store's own names.",
        show_default="those of the environment",
    ),
]
TopicPrefix = Annotated[
    str,
    typer.Option(
        "--topic-prefix",
        envvar="CONFORMARE_TOPIC_PREFIX",
        help="Put in front of every grain's topic.",
    ),
]
SchemaRegistryUrl = Annotated[
    str | None,
    typer.Option(
        "--schema-registry-url",
        envvar="CONFORMARE_SCHEMA_REGISTRY_URL",
        help="Schema Registry with Confluent's API, for messages that are framed by its ids.",
        show_default="none",
    ),
]
SchemaRegistrySettings = Annotated[
    str | None,
    typer.Option(
        "--schema-registry-settings",
        envvar="CONFORMARE_SCHEMA_REGISTRY_SETTINGS",
        parser=folder,
        metavar="FILE",
        help="File with what the registry wants of its clients: lines such as "
        "basic.auth.user.info=user:password, by Confluent's names.",
        show_default="nothing",
    ),
]
SchemaRegistrySubjects = Annotated[
    SubjectStrategy,
    typer.Option(
        "--schema-registry-subject-strategy",
        envvar="CONFORMARE_SCHEMA_REGISTRY_SUBJECT_STRATEGY",
        help="How the registry's subjects are named.",
    ),
]
MaxMessagesPerBatch = Annotated[
    int,
    typer.Option(
        "--max-messages-per-batch",
        envvar="CONFORMARE_MAX_MESSAGES_PER_BATCH",
        min=1,
        max=2**31 - 1,
        help="Most messages that one micro-batch takes from all topics together.",
    ),
]
By = Annotated[
    Engine,
    typer.Option(
        "--engine",
        envvar="CONFORMARE_ENGINE",
        help="Who processes the messages of a batch: Spark's driver, its executors, or by the "
        "batch's size one of the two.",
    ),
]
Catalog = Annotated[
    str | None,
    typer.Option(
        "--catalog",
        envvar="CONFORMARE_CATALOG",
        help="Catalog of the tables; the session's own when only --schema is given.",
    ),
]
Schema = Annotated[
    str | None,
    typer.Option(
        "--schema",
        envvar="CONFORMARE_SCHEMA",
        help="Schema of the tables, which are then no folders of the lake.",
    ),
]
TablePrefix = Annotated[
    str,
    typer.Option(
        "--table-prefix",
        envvar="CONFORMARE_TABLE_PREFIX",
        help="Put in front of every table's name in the schema.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", envvar="CONFORMARE_JSON", help="Print JSON.")]
Limit = Annotated[
    int,
    typer.Option(
        "--limit",
        envvar="CONFORMARE_LIMIT",
        min=1,
        max=10_000,
        help="How many of a kind are named at most.",
    ),
]


ENVIRONMENT = StorageSettings()
"""Nothing beside what the environment says."""


def registry_access(
    url: str | None, settings: str | None, strategy: SubjectStrategy
) -> RegistryAccess | None:
    """Return how the schema registry is reached; None where there is none.

    Raises:
        SchemaRegistryError: A setting does not fit, or what is needed is not installed.
    """
    if url is None:
        if settings is not None:
            raise typer.BadParameter("--schema-registry-settings needs --schema-registry-url")
        return None
    try:
        access = RegistryAccess.read(url, None if settings is None else Path(settings), strategy)
        RegistryClient(access).close()  # it connects to nothing
    except RegistryError as exc:
        raise SchemaRegistryError(str(exc)) from None
    return access


def catalog_options(
    catalog: str | None, schema: str | None, table_prefix: str
) -> CatalogOptions | None:
    """Return where the tables are; None where they are folders of the lake.

    Raises:
        typer.BadParameter: A catalog or a prefix was given, and no schema.
    """
    if schema is not None:
        return CatalogOptions(catalog=catalog, schema_name=schema, table_prefix=table_prefix)
    if catalog is not None or table_prefix:
        raise typer.BadParameter("--catalog and --table-prefix need --schema")
    return None

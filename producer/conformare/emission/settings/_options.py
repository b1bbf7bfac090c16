"""The Kafka writer's settings and their one translation into librdkafka's options."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    field_validator,
    model_validator,
)

from conformare._options import JobsSession, WriterOptions
from conformare.emission._client import refusal
from conformare.emission.settings._hidden_values import hidden, revealed
from conformare.emission.settings._librdkafka import BOUNDED, QUEUE_KBYTES, why_refused
from conformare.emission.spool import (
    DEFAULT_MAX_BYTES,
    TOPIC_PREFIX_PATTERN,
    Destination,
    default_spool_folder,
)
from conformare_schemas import (
    DEFAULT_TOPIC_PREFIX,
    LARGEST_MESSAGE_BYTES,
    USUAL_MESSAGE_BYTES,
    path_identifier,
    table_identifier,
)
from conformare_schemas.registry import (
    SCHEMA_REGISTRY_URL,
    RegistryAccess,
    SchemaRegistrySubjects,
    access_of,
    require_usable,
)
from conformare_schemas.settings import BOOTSTRAP_SERVERS, LAKE, About, BrokerNames, TopicPrefix


def _revealed_text(value: Any) -> str:
    """Return a value as librdkafka is given it."""
    return str(revealed(value))


def _absolute(path: Path) -> Path:
    """Return what a path means now: a job may change its working folder later."""
    if "\0" in str(path):
        raise ValueError("it holds a character that no path can have")
    try:
        expanded = path.expanduser()
    except RuntimeError:
        raise ValueError("the user that it names has no home") from None
    return Path(os.path.abspath(expanded))  # noqa: PTH100 - links are left as they are


def _named(folder: Any) -> Any:
    """Refuse a blank name: as a path, it would be the working folder."""
    if isinstance(folder, str) and not folder.strip():
        raise ValueError("it must name a folder; leave it out for the platform's own")
    return folder


def _from_seconds(value: Any) -> Any:
    """Take a number for seconds, also where it comes as text from the environment."""
    if isinstance(value, str) and value.strip().isdigit():
        value = int(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    try:
        return timedelta(seconds=value) if is_number else value
    except OverflowError:
        raise ValueError("it is too long") from None


SpoolFolder = Annotated[
    Annotated[Path, BeforeValidator(_named), AfterValidator(_absolute)] | None,
    About(metavar="FOLDER", default="the platform's folder for your user's state"),
    Field(description="Folder of the spool."),
]
SpoolMaxBytes = Annotated[
    int,
    About(unit="bytes"),
    Field(ge=1, description="How much the spool may take; runs beyond it wait in memory."),
]


class KafkaOptions(WriterOptions):
    """Where and how runs are emitted."""

    writer: Literal["kafka"] = "kafka"
    bootstrap_servers: Annotated[BrokerNames, BOOTSTRAP_SERVERS]
    topic_prefix: TopicPrefix = Field(default=DEFAULT_TOPIC_PREFIX, pattern=TOPIC_PREFIX_PATTERN)
    durability: Literal["spool", "memory"] = Field(
        default="spool",
        description="Whether a run is on this machine's disk before `record_run` returns, or in "
        "memory only.",
    )
    spool_dir: SpoolFolder = None
    spool_max_bytes: SpoolMaxBytes = DEFAULT_MAX_BYTES
    spool_max_age: Annotated[
        timedelta | None,
        About(unit="seconds or ISO 8601, such as `P30D`", default="for ever"),
        BeforeValidator(_from_seconds),
    ] = Field(
        default=None,
        gt=timedelta(0),
        description="How long a run may wait in the spool. What waits longer is lost, and counted.",
    )
    max_message_bytes: Annotated[int, About(unit="bytes")] = Field(
        default=USUAL_MESSAGE_BYTES,
        ge=2_000,
        le=LARGEST_MESSAGE_BYTES,
        description="Largest message; at most the topic's own `max.message.bytes`.",
    )
    exit_timeout_seconds: Annotated[float, About(unit="seconds")] = Field(
        default=5.0,
        ge=0,
        description="How long the interpreter's exit may wait for acknowledgements.",
    )
    strict: bool = Field(
        default=False,
        description="Whether `record_run` waits for the acknowledgements and raises when they do not "
        "come.",
    )
    # What `if_run_exists="skip"` looks at; also `catalog.schema`, with `spark`.
    lake: Annotated[str | None, LAKE] = Field(default=None, repr=False)
    spark: JobsSession = Field(default=None, repr=False)
    kafka: Annotated[dict[str, Any], About(is_secret=True), BeforeValidator(hidden)] = Field(
        default_factory=dict,
        description="Further librdkafka options, such as `sasl.password`; they win over ours.",
    )
    schema_registry_url: Annotated[str | None, About(default="none"), SCHEMA_REGISTRY_URL] = None
    schema_registry_subject_strategy: SchemaRegistrySubjects = "TopicName"
    schema_registry: Annotated[dict[str, Any], About(is_secret=True), BeforeValidator(hidden)] = (
        Field(
            default_factory=dict,
            description="What the Schema Registry wants of its clients, such as "
            "`basic.auth.user.info`, by Confluent's names.",
        )
    )

    @property
    def lake_folder(self) -> str | None:
        """The lake if it is a folder or a URI; None for one in a catalog, or for none."""
        return self.lake if self.lake and ("/" in self.lake or "\\" in self.lake) else None

    def identifier(self, table: str) -> str:
        """Return the quoted SQL name of a table of the lake, by which a session finds it."""
        if self.lake_folder is not None:
            return path_identifier(self.lake_folder, table)
        names = [*str(self.lake).split("."), table]
        return ".".join(map(table_identifier, names))

    @field_validator("kafka")
    @classmethod
    def _keeps_runs_safe(cls, options: dict[str, Any]) -> dict[str, Any]:
        causes = (why_refused(name, _revealed_text(value)) for name, value in options.items())
        if refused := "; ".join(cause for cause in causes if cause is not None):
            raise ValueError(refused)
        return options

    @model_validator(mode="after")
    def _queue_takes_a_message(self) -> KafkaOptions:
        kbytes = self.kafka.get(QUEUE_KBYTES)
        if kbytes is not None and int(_revealed_text(kbytes)) * 1024 < self.max_message_bytes:
            bound = BOUNDED[QUEUE_KBYTES]
            raise ValueError(
                f"{QUEUE_KBYTES} must be {bound.must} ({self.max_message_bytes}): {bound.why}"
            )
        return self

    @model_validator(mode="after")
    def _known_to_librdkafka(self) -> KafkaOptions:
        if self.kafka:
            options = self.as_librdkafka()
            del options["bootstrap.servers"]
            # It would be waited for, and its service may be away for a while.
            log_in = options.pop("oauth_cb", None)
            if log_in is not None and not callable(log_in):
                raise ValueError("oauth_cb must be a function that returns a token")
            cause = refusal(options)
            if cause is not None:
                raise ValueError(f"librdkafka refuses the options: {cause}")
        return self

    @model_validator(mode="after")
    def _has_a_usable_registry(self) -> KafkaOptions:
        if self.schema_registry and self.schema_registry_url is None:
            raise ValueError("schema_registry needs schema_registry_url")
        require_usable(self.registry)
        return self

    @property
    def registry(self) -> RegistryAccess | None:
        """The Schema Registry; None where none is set."""
        if self.schema_registry_url is None:
            return None
        settings = {name: revealed(value) for name, value in self.schema_registry.items()}
        strategy = self.schema_registry_subject_strategy
        return access_of(self.schema_registry_url, settings, strategy)

    @property
    def destination(self) -> Destination:
        """The topics that runs are meant for."""
        return Destination(self.bootstrap_servers, self.topic_prefix)

    @property
    def spool_folder(self) -> Path:
        """Folder of the spool.

        Raises:
            RuntimeError: None is given, and the user has no home.
        """
        return default_spool_folder() if self.spool_dir is None else self.spool_dir

    def as_librdkafka(self) -> dict[str, Any]:
        """Return the options for `confluent_kafka.Producer`, secrets in clear."""
        return {
            "bootstrap.servers": self.bootstrap_servers,
            "client.id": "conformare",
            "enable.idempotence": True,
            "acks": "all",
            "compression.type": "zstd",
            "linger.ms": 5,
            # A run waits for its broker as long as the job lives, in bounded memory.
            "message.timeout.ms": 0,
            # Jitter is librdkafka's own. A broker that is back is found within a second or so.
            "reconnect.backoff.ms": 100,
            "reconnect.backoff.max.ms": 1_000,
            # A connection that has died in silence is to be replaced before the courier takes
            # back what waits for it.
            "socket.timeout.ms": 8_000,
            # Topics that are missing are to be told in seconds; what waits for them is kept.
            "topic.metadata.propagation.max.ms": 5_000,
            "message.max.bytes": self.max_message_bytes,
            # Brokers measure whole batches against the limit of their topic.
            "batch.size": self.max_message_bytes,
            # librdkafka's own log lines go to the job's stderr; ours are counted and bounded.
            "log_level": 2,
            **{name: revealed(value) for name, value in self.kafka.items()},
        }

"""The sink's settings: models that a program fills, or the command line's models, which derive from them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from conformare_schemas import DEFAULT_TOPIC_PREFIX, table_identifier
from conformare_schemas.registry import RegistrySettings
from conformare_schemas.settings import (
    BOOTSTRAP_SERVERS,
    LAKE,
    STORAGE_OPTIONS,
    About,
    BrokerNames,
    Settings,
    TopicPrefix,
)
from conformare_schemas.store import StoreError, read_settings
from conformare_sink.errors import KafkaSettingsError, StorageError
from conformare_sink.kafka.access import ANYBODY, KafkaAccess

if TYPE_CHECKING:
    from conformare_sink.kafka.topics import Topics

DEFAULT_RETENTION_HOURS = 168
"""How long files stay that no version from then on needs; less than a week Delta refuses."""

DEFAULT_LIMIT = 20
"""How many of a kind are named where nothing else is said."""


class Engine(str, Enum):
    """Who processes the messages of a batch."""

    AUTO = "auto"
    """The executors where it is large, else the driver."""
    DRIVER = "driver"
    EXECUTORS = "executors"


def _folder(given: Any) -> Any:
    """Refuse an empty text: as a path, it would be the folder that the user stands in."""
    if given == "":
        raise ValueError("it is empty")
    return given


class StorageSettings(BaseModel):
    """Settings of the lake's store, by the store's own names: `AWS_…`, `AZURE_…`, `GOOGLE_…`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Path | None = None
    """Where they were read from, for a command that says the same again."""
    values: Mapping[str, SecretStr] = Field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> StorageSettings:
        """Read a file of lines `name=value`, in which those that begin with `#` are comments.

        Raises:
            StorageError: It cannot be read.
        """
        try:
            return cls(file=file, values={k: SecretStr(v) for k, v in read_settings(file).items()})
        except StoreError as exc:
            raise StorageError(str(exc)) from None  # the chain may have values

    def plain(self) -> dict[str, str]:
        """Return them for the libraries that reach the store."""
        return {name: value.get_secret_value() for name, value in self.values.items()}


class CatalogOptions(BaseModel):
    """Where the tables are, if they are not folders of the lake."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    catalog: str | None = None
    """Name of the catalog; the session's current one when not said."""
    schema_name: str = Field(min_length=1)
    """Name of the schema, which must exist."""
    table_prefix: str = ""
    """Put in front of every table's name."""

    def identifier(self, table: str) -> str:
        """Return the quoted SQL name of a table, or of a view beside the tables."""
        return table_identifier(
            table, catalog=self.catalog, schema=self.schema_name, table_prefix=self.table_prefix
        )

    @property
    def command_options(self) -> dict[str, str | None]:
        """The same as options of the command line, by their names."""
        return {
            "--catalog": self.catalog,
            "--schema": self.schema_name,
            "--table-prefix": self.table_prefix,
        }

    @property
    def command_line(self) -> str:
        """The same as somebody types it."""
        given = self.command_options.items()
        return shlex.join([word for option, value in given if value for word in (option, value)])


ONCE_PATIENCE_SECONDS = 10.0
"""How long who lands what is there once waits for a broker, where nothing else is said."""


def _access(given: Any) -> Any:
    """Take the name of a file for what is in it."""
    if not isinstance(given, (str, Path)):
        return given
    try:
        return KafkaAccess.read(Path(given))
    except KafkaSettingsError as exc:
        raise ValueError(str(exc)) from None


def _storage(given: Any) -> Any:
    """Take the name of a file for what is in it."""
    if not isinstance(given, (str, Path)):
        return given
    try:
        return StorageSettings.read(Path(given))
    except StorageError as exc:
        raise ValueError(str(exc)) from None


class KafkaClient(Settings):
    """What the topics are called, and what the brokers want of their clients."""

    access: Annotated[
        KafkaAccess, About(metavar="FILE", default="nothing"), BeforeValidator(_access)
    ] = Field(
        default=ANYBODY,
        alias="kafka_settings",
        description="File with the login settings for the brokers: lines such as "
        "`sasl.username=…`, by librdkafka's names.",
    )
    topic_prefix: TopicPrefix = DEFAULT_TOPIC_PREFIX


class Brokers(KafkaClient):
    """How the brokers are reached."""

    bootstrap_servers: Annotated[BrokerNames, BOOTSTRAP_SERVERS]


class LakeStore(Settings):
    """Where the lake is."""

    lake: Annotated[str, LAKE, Field(min_length=1)]
    storage: Annotated[
        StorageSettings,
        About(metavar="FILE", default="those of the environment"),
        BeforeValidator(_storage),
        STORAGE_OPTIONS,
    ] = Field(default=StorageSettings(), alias="storage_options")


class Batches(Settings):
    """How the messages of the topics are taken."""

    max_messages_per_batch: int = Field(
        default=50_000,
        ge=1,
        le=2**31 - 1,
        description="Maximum number of messages in a micro-batch, over all topics.",
    )
    engine: Engine = Field(
        default=Engine.AUTO,
        description="Who processes a batch: Spark's driver, its executors, or one of them depending on "
        "the batch's size.",
    )


class Running(Settings):
    """What a sink is told that goes on and on."""

    # It knows a lake by it that was deleted, or is not mounted. Large lakes have their known runs
    # there, and else in the user's cache. How far the topics were read, the lake itself knows.
    checkpoint: Annotated[
        Path | None, About(metavar="FOLDER", default="none"), BeforeValidator(_folder)
    ] = Field(
        default=None,
        description="Local folder in which the sink remembers its lake. It then notices a lake that "
        "was deleted or is not mounted, and opens a large one faster.",
    )
    broker_timeout_seconds: Annotated[
        float | None,
        About(
            option="--broker-timeout",
            metavar="SECONDS",
            unit="seconds",
            default=f"for ever; {ONCE_PATIENCE_SECONDS:.0f} with --once",
        ),
    ] = Field(
        default=None,
        alias="broker_timeout",
        ge=0.1,
        le=366 * 86_400,
        allow_inf_nan=False,
        description="How long to wait for a broker that is away.",
    )
    accept_loss: Annotated[str | None, About(of_one_call=True, metavar="CODE")] = Field(
        default=None,
        description="Accept the loss that the sink reported with this code when it refused to start.",
    )
    most_pending_days: Annotated[float, About(unit="days")] = Field(
        # Longer than any outage of a job's machine that somebody would not notice.
        default=30.0,
        alias="pending_days",
        ge=0.01,
        le=36_500.0,
        allow_inf_nan=False,
        description="How many days an incomplete emission waits before it goes to quarantine.",
    )


class SinkOptions(Running, Batches, RegistrySettings, LakeStore, Brokers):
    """Where the sink reads from and writes to."""

    catalog: CatalogOptions | None = Field(
        default=None,
        description="Where the tables are, if they are not folders of the lake, whose folder then "
        "holds the sink's notes only.",
    )

    def topics(self) -> Topics:
        """Return the topics that the sink reads."""
        # It imports librdkafka, which a command that only reads a lake does without.
        from conformare_sink.kafka.topics import Topics

        return Topics(self.bootstrap_servers, self.topic_prefix, self.access)

    def patience_seconds(self, *, once: bool) -> float | None:
        """Return how long to wait for a broker; None for ever.

        Args:
            once: Whether the sink lands what is there once.
        """
        if self.broker_timeout_seconds is None and once:
            return ONCE_PATIENCE_SECONDS
        return self.broker_timeout_seconds

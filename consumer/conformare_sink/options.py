"""The sink's settings: one model, filled by the command line or by a program."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from conformare_schemas import DEFAULT_TOPIC_PREFIX, table_identifier
from conformare_schemas.registry import RegistryAccess
from conformare_schemas.store import StoreError, read_settings
from conformare_sink.errors import StorageError
from conformare_sink.kafka.access import ANYBODY, KafkaAccess

if TYPE_CHECKING:
    from conformare_sink.kafka.topics import Topics

DEFAULT_MAX_MESSAGES_PER_BATCH = 50_000
DEFAULT_RETENTION_HOURS = 168
"""How long files stay that no version from then on needs; less than a week Delta refuses."""


DEFAULT_PENDING_DAYS = 30.0
"""Longer than any outage of a job's machine that somebody would not notice."""


class Engine(str, Enum):
    """Who processes the messages of a batch."""

    AUTO = "auto"
    """The executors where it is large, else the driver."""
    DRIVER = "driver"
    EXECUTORS = "executors"


MOST_PENDING_DAYS = 36_500.0
"""A century: for ever."""


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


class SinkOptions(BaseModel):
    """Where the sink reads from and writes to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bootstrap_servers: str = Field(min_length=1)
    """Brokers to begin with, `host:port` separated by commas."""
    access: KafkaAccess = ANYBODY
    """What the brokers want of their clients."""
    lake: str = Field(min_length=1)
    """Folder of the lake: a path on this machine, or a URL such as `s3://bucket/lake`."""
    storage: StorageSettings = Field(default_factory=StorageSettings)
    """Settings of the lake's store; those of the environment when not said."""
    catalog: CatalogOptions | None = None
    """Where the tables are; folders of the lake when not said. The lake's folder then holds the
    sink's notes only."""
    checkpoint: Path | None = None
    """Folder of this machine in which the sink remembers its lake: one that was deleted, or is not
    mounted, is known by it. Large lakes have their known runs there, and else in the user's cache. How
    far the topics were read, the lake itself knows."""
    topic_prefix: str = DEFAULT_TOPIC_PREFIX
    """Put in front of every grain's topic."""
    max_messages_per_batch: int = Field(default=DEFAULT_MAX_MESSAGES_PER_BATCH, ge=1)
    """Most messages that one micro-batch takes from all topics together."""

    registry: RegistryAccess | None = None
    """Schema Registry that has the schemas of messages which are framed by its ids; None for none."""

    engine: Engine = Engine.AUTO
    """Who processes the messages of a batch."""

    broker_timeout_seconds: float | None = Field(default=None, gt=0)
    """How long to wait for a broker that is away; where it is not said, 10 seconds to land what is
    there once, and for ever to land runs as they come."""
    accept_loss: str | None = None
    """The code of a loss that the sink told when it refused to start."""
    most_pending_days: float = Field(default=DEFAULT_PENDING_DAYS, gt=0, le=MOST_PENDING_DAYS)
    """An incomplete emission that has waited for longer goes to quarantine."""

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

"""The sink's settings: one model, filled by the command line or by a program."""

from __future__ import annotations

import shlex

from pydantic import BaseModel, ConfigDict, Field

from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_sink.kafka.access import ANYBODY, KafkaAccess

DEFAULT_MAX_MESSAGES_PER_BATCH = 50_000
DEFAULT_RETENTION_HOURS = 168
"""How long files stay that no version from then on needs; less than a week Delta refuses."""


class CatalogOptions(BaseModel):
    """Where the tables are, if they are not folders of the lake."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    catalog: str | None = None
    """Name of the catalog; the session's current one when not said."""
    schema_name: str = Field(min_length=1)
    """Name of the schema, which must exist."""
    table_prefix: str = ""
    """Put in front of every table's name."""

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


CHECKPOINT_FOLDER = "_checkpoint"
"""In the lake's folder, where no other is named."""

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
    """Folder of the lake: a local path or a URI that Spark can write to."""
    catalog: CatalogOptions | None = None
    """Where the tables are; folders of the lake when not said. The lake's folder then holds the
    checkpoint and the sink's notes only."""
    checkpoint: str | None = None
    """Folder of the stream's checkpoint; inside the lake when not said."""
    topic_prefix: str = DEFAULT_TOPIC_PREFIX
    """Put in front of every grain's topic."""
    max_messages_per_batch: int = Field(default=DEFAULT_MAX_MESSAGES_PER_BATCH, ge=1)
    """Most messages that one micro-batch takes from all topics together."""

    broker_timeout_seconds: float | None = Field(default=None, gt=0)
    """How long to wait for a broker that is away; where it is not said, 10 seconds to land what is
    there once, and for ever to land runs as they come."""
    accept_loss: str | None = None
    """The code of a loss that the sink told when it refused to start."""

    @property
    def checkpoint_location(self) -> str:
        """Where the stream's checkpoint is."""
        return self.checkpoint or f"{self.lake.rstrip('/')}/{CHECKPOINT_FOLDER}"

    def patience_seconds(self, *, once: bool) -> float | None:
        """Return how long to wait for a broker; None for ever.

        Args:
            once: Whether the sink lands what is there once.
        """
        if self.broker_timeout_seconds is None and once:
            return ONCE_PATIENCE_SECONDS
        return self.broker_timeout_seconds

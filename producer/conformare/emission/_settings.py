"""The Kafka writer's settings and their one translation into librdkafka's options."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from conformare._options import WriterOptions
from conformare_schemas import DEFAULT_TOPIC_PREFIX


class KafkaOptions(WriterOptions):
    """Where and how runs are emitted."""

    writer: Literal["kafka"] = "kafka"
    bootstrap_servers: str = Field(min_length=1)
    """Brokers to begin with, `host:port` separated by commas."""
    topic_prefix: str = DEFAULT_TOPIC_PREFIX
    """Put in front of every grain's topic."""
    max_message_bytes: int = Field(default=1_000_000, ge=2_000)
    """Largest message in bytes; at most the topic's own `max.message.bytes`."""
    exit_timeout_seconds: float = Field(default=5.0, ge=0)
    """How long the interpreter's exit may wait for acknowledgements, in seconds."""
    strict: bool = False
    """Whether `record_run` waits for the acknowledgements and raises when they do not come."""
    kafka: dict[str, Any] = Field(default_factory=dict, repr=False)
    """Further librdkafka options, such as `{"sasl.password": …}`; they win over ours."""

    def as_librdkafka(self) -> dict[str, Any]:
        """Return the options for `confluent_kafka.Producer`."""
        return {
            "bootstrap.servers": self.bootstrap_servers,
            "client.id": "conformare",
            "enable.idempotence": True,
            "acks": "all",
            "compression.type": "zstd",
            "linger.ms": 5,
            # A run waits for its broker as long as the job lives, in bounded memory.
            "message.timeout.ms": 0,
            "queue.buffering.max.kbytes": 65_536,
            "message.max.bytes": self.max_message_bytes,
            # librdkafka's own log lines go to the job's stderr; ours are counted and bounded.
            "log_level": 2,
            **self.kafka,
        }

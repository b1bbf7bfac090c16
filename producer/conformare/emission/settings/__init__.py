"""What a job may set of the way its runs are emitted, and what librdkafka is told."""

from conformare.emission.settings._options import KafkaOptions, SpoolFolder, SpoolMaxBytes

__all__ = ["KafkaOptions", "SpoolFolder", "SpoolMaxBytes"]

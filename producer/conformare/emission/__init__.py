"""From a record to the topics: encoding, framing, the spool, fire and forget."""

from conformare.emission._emission import Emission, Message
from conformare.emission._encode import encode_emission
from conformare.emission._settings import KafkaOptions
from conformare.emission._stats import DeliveryStats
from conformare.emission._writer import KafkaWriter, delivery_stats, flush, kafka_writer

__all__ = [
    "DeliveryStats",
    "Emission",
    "KafkaOptions",
    "KafkaWriter",
    "Message",
    "delivery_stats",
    "encode_emission",
    "flush",
    "kafka_writer",
]

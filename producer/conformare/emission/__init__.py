"""From a record to the topics: encoding, framing, the spool, fire and forget."""

from conformare.emission._emission import Emission, Message
from conformare.emission._encode import encode_emission
from conformare.emission._writer import KafkaWriter
from conformare.emission._writers import flush_all, kafka_writer, stats_of_all
from conformare.emission.settings import KafkaOptions

__all__ = [
    "Emission",
    "KafkaOptions",
    "KafkaWriter",
    "Message",
    "encode_emission",
    "flush_all",
    "kafka_writer",
    "stats_of_all",
]

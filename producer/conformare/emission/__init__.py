"""From a record to the topics: encoding, framing, fire and forget."""

from conformare.emission._encode import Message, encode_emission
from conformare.emission._kafka import KafkaWriter
from conformare.emission._settings import KafkaOptions

__all__ = ["KafkaOptions", "KafkaWriter", "Message", "encode_emission"]

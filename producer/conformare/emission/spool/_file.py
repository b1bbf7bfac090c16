"""A spooled emission as a file: magic, checksum, Avro.

A file is whole or it is not there, for it is written under another name, synced and renamed. The
checksum is for what comes later: a bad disk, a copy that broke off.
"""

from __future__ import annotations

import hashlib
import io
import re
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from conformare._errors import SpoolFileError
from conformare.emission._emission import Emission, Message
from conformare_schemas import MOST_ROWS_PER_EMISSION, are_brokers

MAGIC = b"conformare spool 1\n"
"""Its number is that of the layout; a later release reads this one as well."""
SUFFIX = ".emission"

TOPIC_PREFIX_PATTERN = r"^[A-Za-z0-9._-]{0,200}$"
"""What Kafka takes in the name of a topic, and room for the grain."""

MOST_HEADERS = 100

_CHECKSUM_BYTES = 4
_KEY_DIGITS = 16
_TOPIC_PART = re.compile(TOPIC_PREFIX_PATTERN)
_BITS_BELOW_MILLISECONDS = 80

_HEAD = [
    {"name": "bootstrap_servers", "type": "string"},
    {"name": "topic_prefix", "type": "string"},
    {"name": "pipeline", "type": "string"},
    {"name": "run_id", "type": "string"},
    {"name": "emission_id", "type": "string"},
    {"name": "recorded_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
]
_HEADERS = {"type": "map", "values": "bytes"}
_MESSAGE = {
    "type": "record",
    "name": "SpooledMessage",
    "fields": [{"name": "grain", "type": "string"}, {"name": "value", "type": "bytes"}],
}


def _record(fields: list[Any]) -> Any:
    return parse_schema({"type": "record", "name": "SpooledEmission", "fields": fields})


_SCHEMA = _record(
    [
        *_HEAD,
        {"name": "headers", "type": _HEADERS},
        {"name": "messages", "type": {"type": "array", "items": _MESSAGE}},
    ]
)
# Read part by part, so that a file of a stranger with very many messages is given up early.
_HEAD_SCHEMA = _record(_HEAD)
_HEADER_SCHEMA = parse_schema(
    {
        "type": "record",
        "name": "Header",
        "fields": [{"name": "name", "type": "string"}, {"name": "value", "type": "bytes"}],
    }
)
_MESSAGE_SCHEMA = parse_schema(_MESSAGE)
_LONG_SCHEMA = parse_schema("long")


@dataclass(frozen=True)
class Destination:
    """Which topics an emission is meant for."""

    bootstrap_servers: str
    topic_prefix: str

    @property
    def folder_name(self) -> str:
        """The name of its folder in a spool, the same for brokers named in another order."""
        brokers = ",".join(sorted(part.strip() for part in self.bootstrap_servers.split(",")))
        return _digest(brokers, self.topic_prefix)


@dataclass(frozen=True)
class SpooledEmission:
    """An emission, and which topics it is meant for."""

    destination: Destination
    emission: Emission


def run_key(pipeline: str, run_id: str) -> str:
    """Return what stands for a run in the names of its files."""
    return _digest(pipeline, run_id)


def file_name(emission: Emission) -> str:
    """Return the name of an emission's file: names sort by time, and tell the run."""
    return f"{emission.emission_id}.{run_key(emission.pipeline, emission.run_id)}{SUFFIX}"


def recorded_at(name: str) -> datetime:
    """Return when an emission was recorded, from the time-ordered id in its file's name.

    Raises:
        SpoolFileError: It is not the name of a spooled emission.
    """
    emission_id = name.split(".", maxsplit=1)[0]
    try:
        milliseconds = uuid.UUID(emission_id).int >> _BITS_BELOW_MILLISECONDS
        moment = datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
    except (ValueError, OverflowError, OSError) as exc:
        raise SpoolFileError(f"{name!r} is not the name of a spooled emission") from exc
    if str(uuid.UUID(emission_id)) != emission_id:
        raise SpoolFileError(f"{name!r} is not the name of a spooled emission")
    return moment


def to_bytes(emission: Emission, destination: Destination) -> bytes:
    """Return the content of an emission's file."""
    body = io.BytesIO()
    schemaless_writer(
        body,
        _SCHEMA,
        {
            "bootstrap_servers": destination.bootstrap_servers,
            "topic_prefix": destination.topic_prefix,
            "pipeline": emission.pipeline,
            "run_id": emission.run_id,
            "emission_id": emission.emission_id,
            "recorded_at": emission.recorded_at,
            "headers": emission.headers,
            "messages": [
                {"grain": message.grain, "value": message.value} for message in emission.messages
            ],
        },
    )
    content = body.getvalue()
    return MAGIC + zlib.crc32(content).to_bytes(_CHECKSUM_BYTES, "big") + content


def from_bytes(content: bytes) -> SpooledEmission:
    """Return the emission that a file holds.

    Raises:
        SpoolFileError: It is not such a file, of a later release, damaged, or of a stranger.
    """
    start = len(MAGIC) + _CHECKSUM_BYTES
    if not content.startswith(MAGIC):
        raise SpoolFileError("it is not a spooled emission, or it is from a later release")
    body = content[start:]
    if zlib.crc32(body).to_bytes(_CHECKSUM_BYTES, "big") != content[len(MAGIC) : start]:
        raise SpoolFileError("it is damaged: its checksum differs")
    try:
        spooled = _decoded(io.BytesIO(body))
    except SpoolFileError:
        raise
    except Exception as exc:
        # What else the bytes of a stranger make Avro stumble over.
        raise SpoolFileError("it is damaged: it cannot be decoded") from exc
    _require_usable_names(spooled)
    return spooled


def _decoded(body: io.BytesIO) -> SpooledEmission:
    fields: Any = schemaless_reader(body, _HEAD_SCHEMA, None)
    key = fields["run_id"].encode()
    headers = {item["name"]: item["value"] for item in _items(body, _HEADER_SCHEMA, MOST_HEADERS)}
    messages = _items(body, _MESSAGE_SCHEMA, MOST_ROWS_PER_EMISSION)
    return SpooledEmission(
        Destination(fields["bootstrap_servers"], fields["topic_prefix"]),
        Emission(
            fields["pipeline"],
            fields["run_id"],
            fields["emission_id"],
            fields["recorded_at"],
            headers,
            tuple(Message(item["grain"], key, item["value"]) for item in messages),
        ),
    )


def _items(body: io.BytesIO, schema: Any, most: int) -> Iterator[Any]:
    """Yield the items of an array, or of a map, which Avro writes as one of pairs."""

    def number() -> Any:
        return schemaless_reader(body, _LONG_SCHEMA, None)

    left = most
    while count := number():
        if count < 0:
            number()  # bytes of the block
            count = -count
        left -= count
        if left < 0:
            raise SpoolFileError(f"it has more than {most} headers or messages")
        for _ in range(count):
            yield schemaless_reader(body, schema, None)


def _require_usable_names(spooled: SpooledEmission) -> None:
    """Refuse names that cannot be those of a file, of brokers and of topics: a stranger's."""
    emission, destination = spooled.emission, spooled.destination
    recorded_at(file_name(emission))
    if "." in emission.emission_id:  # what follows it would be a path of its own
        raise SpoolFileError("its emission_id is invalid")
    if not are_brokers(destination.bootstrap_servers):
        raise SpoolFileError("its brokers have no name")
    parts = [destination.topic_prefix, *(message.grain for message in emission.messages)]
    if not all(_TOPIC_PART.fullmatch(part) for part in parts):
        raise SpoolFileError("its topics have no name")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_KEY_DIGITS]

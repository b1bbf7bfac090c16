"""How the bytes of a message name the schema they were written with: two framings, one payload.

Sources: Apache Avro specification 1.12, "Single-object encoding"; Confluent's documentation of the
Schema Registry, "Wire format".
"""

from __future__ import annotations

from functools import cache

from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form

from conformare_schemas._contract import CONTRACT_VERSION, message_schema

SINGLE_OBJECT_MAGIC = b"\xc3\x01"
FINGERPRINT_BYTES = 8
HEADER_BYTES = len(SINGLE_OBJECT_MAGIC) + FINGERPRINT_BYTES

CONFLUENT_MAGIC = b"\0"
CONFLUENT_ID_BYTES = 4
CONFLUENT_HEADER_BYTES = len(CONFLUENT_MAGIC) + CONFLUENT_ID_BYTES
LARGEST_SCHEMA_ID = 2**31 - 1
"""A registry counts with Java's int."""


@cache
def schema_fingerprint(grain: str, version: int = CONTRACT_VERSION) -> bytes:
    """Return the CRC-64-AVRO fingerprint of a grain's message schema: 8 bytes, little endian."""
    canonical = to_parsing_canonical_form(parse_schema(message_schema(grain, version)))
    # fastavro prints the fingerprint in the byte order that the header wants (pinned by a test
    # against another Avro implementation).
    return bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))


def message_header(grain: str, version: int = CONTRACT_VERSION) -> bytes:
    """Return the 10 bytes that precede the Avro payload of a grain's message."""
    return SINGLE_OBJECT_MAGIC + schema_fingerprint(grain, version)


def confluent_header(schema_id: int) -> bytes:
    """Return the 5 bytes that precede the Avro payload where a Schema Registry has the schema.

    Args:
        schema_id: The registry's id of the schema, from 0 to `LARGEST_SCHEMA_ID`.
    """
    return CONFLUENT_MAGIC + schema_id.to_bytes(CONFLUENT_ID_BYTES, "big")


def confluent_id(value: bytes | None) -> int | None:
    """Return the schema id that a message's value begins with; None where it has no such framing."""
    if value is None or value[:1] != CONFLUENT_MAGIC or len(value) < CONFLUENT_HEADER_BYTES:
        return None
    return int.from_bytes(value[1:CONFLUENT_HEADER_BYTES], "big")

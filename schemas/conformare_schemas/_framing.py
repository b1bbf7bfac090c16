"""Avro single-object encoding: how the bytes of a message name the schema they were written with.

Source: Apache Avro specification 1.12, "Single-object encoding".
"""

from __future__ import annotations

from functools import cache

from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form

from conformare_schemas._contract import CONTRACT_VERSION, message_schema

SINGLE_OBJECT_MAGIC = b"\xc3\x01"
FINGERPRINT_BYTES = 8
HEADER_BYTES = len(SINGLE_OBJECT_MAGIC) + FINGERPRINT_BYTES


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

"""A contract that nobody has released: a version of every grain with a field more in its rows."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form

from conformare.emission import Message
from conformare_schemas import HEADER_BYTES, SINGLE_OBJECT_MAGIC, message_schema
from conformare_sink.messages import content, decode


def _next_version(grain: str) -> Any:
    schema = copy.deepcopy(message_schema(grain))
    (rows,) = (field for field in schema["fields"] if field["name"] == "rows")
    new = {"name": "since_next_version", "type": ["null", "string"], "default": None}
    rows["type"]["items"]["fields"].append(new)
    return schema


def _header(schema: Any) -> bytes:
    canonical = to_parsing_canonical_form(parse_schema(schema))
    return SINGLE_OBJECT_MAGIC + bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))


def upgraded(message: Message) -> Message:
    """Return a message as a producer of that version writes it."""
    schema = _next_version(message.grain)
    payload = BytesIO(message.value[HEADER_BYTES:])
    content: Any = schemaless_reader(payload, parse_schema(message_schema(message.grain)), None)
    written = BytesIO()
    schemaless_writer(written, parse_schema(schema), content)
    return Message(message.grain, message.key, _header(schema) + written.getvalue())


def upgrade(patch: pytest.MonkeyPatch) -> None:
    """Teach the sink that version, as an upgrade would, for as long as the patch lasts."""
    released = content.message_readers

    def readers(grain: str) -> Mapping[bytes, content.MessageReader]:
        schema = _next_version(grain)
        return {
            **released(grain),
            _header(schema): content.MessageReader(schema, message_schema(grain)),
        }

    for module in (content, decode):
        patch.setattr(module, "message_readers", readers)

"""One message read by Avro's general decoder: whatever Avro allows, of any released version.

A message costs time and memory in proportion to its bytes, whatever they announce. Its rows are read
one by one, so that a message of too many is given up before they become Python objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_reader

from conformare_schemas import (
    HEADER_BYTES,
    MAX_ROWS_PER_MESSAGE,
    RELEASED_SCHEMAS,
    SINGLE_OBJECT_MAGIC,
    message_header,
    message_schema,
)
from conformare_sink.messages.envelope import UNKNOWN_SCHEMA

TOO_MANY_ROWS = f"breaks the contract: more than {MAX_ROWS_PER_MESSAGE:,} rows in one message"
SEVERAL_BLOCKS = "breaks the contract: the rows are in more than one block"
"""The first block's count bounds what a message costs, before any of it is decoded."""

_LONG = parse_schema("long")


def content_of(grain: str, value: bytes | None) -> dict[str, Any] | str:
    """Return what a message says, field by field, or the cause why it cannot be used.

    Args:
        grain: The grain that its topic is of.
        value: The message's value.

    Raises:
        MemoryError: This process has no memory left; the message may be good.
    """
    if value is None or value[: len(SINGLE_OBJECT_MAGIC)] != SINGLE_OBJECT_MAGIC:
        return "not framed: the value does not begin with the marker of Avro single-object encoding"
    reader = message_readers(grain).get(value[:HEADER_BYTES])
    if reader is None:
        return (
            f"{UNKNOWN_SCHEMA}: no version of this grain that the sink knows has the value's "
            "fingerprint; if a newer contract has it, upgrade the sink, and it lands"
        )
    payload = BytesIO(value)
    payload.seek(HEADER_BYTES)
    try:
        content = reader.read(payload)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - whatever hostile bytes make the decoder raise
        return "undecodable: the value does not follow its schema"
    if isinstance(content, dict) and payload.tell() != len(value):
        return "undecodable: there are bytes behind the value"
    return content


class MessageReader:
    """Reads messages of one version of one grain's contract.

    Args:
        written: The schema that the messages were written with.
        newest: The grain's newest schema.
    """

    def __init__(self, written: Any, newest: Any) -> None:
        before, row, after = _in_three(written)
        self._before = _record(before)
        self._row = parse_schema(row)
        self._after = _record(after)
        self._newest_row = None if written == newest else parse_schema(_in_three(newest)[1])

    def read(self, payload: BytesIO) -> dict[str, Any] | str:
        """Read one payload, which ends up behind what was read; raise whatever the decoder does.

        Returns:
            What it says, its rows as the newest version has them, or why it is not read to its end.
        """
        content: dict[str, Any] = _read(payload, self._before)
        n_rows = _read(payload, _LONG)
        if n_rows < 0:
            _read(payload, _LONG)  # bytes of the block
            n_rows = -n_rows
        if n_rows > MAX_ROWS_PER_MESSAGE:
            return TOO_MANY_ROWS
        content["rows"] = [_read(payload, self._row, self._newest_row) for _ in range(n_rows)]
        if n_rows and _read(payload, _LONG):
            return SEVERAL_BLOCKS
        content |= _read(payload, self._after)
        return content


@cache
def message_readers(grain: str) -> Mapping[bytes, MessageReader]:
    """Return a reader for every released version of a grain, by the header of its messages."""
    newest = message_schema(grain)
    return {
        message_header(grain, version): MessageReader(message_schema(grain, version), newest)
        for name, version in RELEASED_SCHEMAS
        if name == grain
    }


def _in_three(schema: Any) -> tuple[Any, Any, Any]:
    """Return the fields before the rows, the schema of a row, and the fields behind the rows."""
    fields = _with_plain_times(schema)["fields"]
    at = [field["name"] for field in fields].index("rows")
    return fields[:at], fields[at]["type"]["items"], fields[at + 1 :]


def _read(payload: BytesIO, written: Any, newest: Any = None) -> Any:
    return schemaless_reader(payload, written, newest)


def _record(fields: Any) -> Any:
    return parse_schema({"type": "record", "name": "Fields", "fields": fields})


def _with_plain_times(schema: Any) -> Any:
    """Return a schema whose times are decoded as numbers: tables take them, and any is possible."""
    if isinstance(schema, dict):
        return {
            name: _with_plain_times(part) for name, part in schema.items() if name != "logicalType"
        }
    return [_with_plain_times(part) for part in schema] if isinstance(schema, list) else schema

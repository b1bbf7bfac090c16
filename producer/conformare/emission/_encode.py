"""A record becomes the messages of one emission: split to fit, framed, `runs` last."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from fastavro import parse_schema, schemaless_writer

from conformare._errors import RunEncodingError
from conformare._run_writer import is_declaration
from conformare.emission._emission import Message
from conformare.record import parsed_ts
from conformare_schemas import (
    CHILD_GRAINS,
    MAX_ROWS_PER_MESSAGE,
    MOST_ROWS_PER_EMISSION,
    RUN_GRAINS,
    SOURCE_RISKS,
    key_columns,
    message_header,
    message_schema,
    micros,
)

BATCH_OVERHEAD_BYTES = 512
"""What Kafka's record batch and our headers may add to the key and the value of one message."""


@cache
def _parsed_schema(grain: str) -> Any:
    return parse_schema(message_schema(grain))


def encode_emission(
    record: Mapping[str, Sequence[Mapping[str, Any]]],
    emission_id: str,
    *,
    max_message_bytes: int,
) -> tuple[Message, ...]:
    """Encode a record as the messages of one emission.

    The same record and emission id give the same bytes in any process.

    Args:
        record: What `to_run_record` or `source_risk_record` returns: grain → rows.
        emission_id: UUIDv7 of the call that records it.
        max_message_bytes: Bytes that one message may have, key and Kafka's overhead included.

    Returns:
        Messages in the order in which they are to be produced: `runs` last. A message exceeds
        `max_message_bytes` only where one row alone does; none has more than
        `MAX_ROWS_PER_MESSAGE` rows.

    Raises:
        RunEncodingError: A value does not fit the contract.
    """
    if is_declaration(record):
        return (_declaration(record[SOURCE_RISKS], emission_id),)
    run = record["runs"][0]
    key = run["run_id"].encode()
    envelope = {
        "run_id": run["run_id"],
        "pipeline": run["pipeline"],
        "ts": micros(parsed_ts(run["ts"])),
        "emission_id": emission_id,
    }
    row_counts = {grain: len(record[grain]) for grain in RUN_GRAINS if record[grain]}
    n_rows = sum(row_counts.values())
    if n_rows > MOST_ROWS_PER_EMISSION:
        raise RunEncodingError(
            f"a record of {n_rows:,} rows does not fit the contract, which allows "
            f"{MOST_ROWS_PER_EMISSION:,}"
        )
    value_limit = _value_limit(key, max_message_bytes)
    messages: list[Message] = []
    for grain in (*CHILD_GRAINS, "runs"):
        rows = [_own_columns(grain, row) for row in record[grain]]
        of_grain = {**envelope, "row_counts": row_counts} if grain == "runs" else envelope
        for first_row in range(0, len(rows), MAX_ROWS_PER_MESSAGE):
            some = rows[first_row : first_row + MAX_ROWS_PER_MESSAGE]
            values = _split_to_fit(grain, of_grain, some, first_row, value_limit)
            messages.extend(Message(grain, key, value) for value in values)
    return tuple(messages)


def _declaration(rows: Sequence[Mapping[str, Any]], emission_id: str) -> Message:
    """Return the one message of a declaration; it is not split, for nothing would say where."""
    if not 1 <= len(rows) <= MAX_ROWS_PER_MESSAGE:
        raise RunEncodingError(f"a declaration of {len(rows):,} rows does not fit the contract")
    location = rows[0]["location"]
    envelope = {
        "location": location,
        "ts": micros(parsed_ts(rows[0]["ts"])),
        "emission_id": emission_id,
        "rows": [_own_columns(SOURCE_RISKS, row) for row in rows],
    }
    return Message(SOURCE_RISKS, location.encode(), _encode_value(SOURCE_RISKS, envelope))


def _own_columns(grain: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without what the envelope says."""
    columns = dict(row)
    for name in key_columns(grain):
        del columns[name]
    return columns


def oversize_cause(messages: Sequence[Message], *, max_message_bytes: int) -> str | None:
    """Return which message exceeds the limit, in words; None if all keep within it.

    Args:
        messages: Those of one emission.
        max_message_bytes: Bytes that one message may have, key and Kafka's overhead included.
    """
    for message in messages:
        limit = _value_limit(message.key, max_message_bytes)
        if len(message.value) > limit:
            return (
                f"a row of the grain {message.grain!r} takes {len(message.value)} bytes, more than "
                f"a message may have ({limit}); raise max_message_bytes and the topic's limit"
            )
    return None


def _value_limit(key: bytes, max_message_bytes: int) -> int:
    return max_message_bytes - len(key) - BATCH_OVERHEAD_BYTES


def _split_to_fit(
    grain: str,
    envelope: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    first_row: int,
    value_limit: int,
) -> Iterator[bytes]:
    """Yield the values that carry `rows`, halving until each fits or has one row."""
    value = _encode_value(grain, {**envelope, "first_row": first_row, "rows": rows})
    if len(value) <= value_limit or len(rows) == 1:
        yield value
        return
    middle = len(rows) // 2
    yield from _split_to_fit(grain, envelope, rows[:middle], first_row, value_limit)
    yield from _split_to_fit(grain, envelope, rows[middle:], first_row + middle, value_limit)


def _encode_value(grain: str, message: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    buffer.write(message_header(grain))
    try:
        schemaless_writer(
            buffer,
            _parsed_schema(grain),
            message,
            strict=True,
            disable_tuple_notation=True,  # no value of a record is a tuple: nothing to look for
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as exc:
        # The cause is chained, not quoted: it may hold a value of the record.
        raise RunEncodingError(f"a row of the grain {grain!r} does not fit the contract") from exc
    return buffer.getvalue()

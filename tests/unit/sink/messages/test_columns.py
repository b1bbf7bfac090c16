"""Columns are read at once; what they say is what Avro's general decoder says, for any bytes."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import given, settings
from hypothesis import strategies as st

from conformare_schemas import RUN_GRAINS, message_header, message_schema, topic_name
from conformare_sink.messages import decode
from conformare_sink.messages.message import Message
from conformare_sink.messages.side_by_side import columns as avro_columns
from conformare_sink.messages.side_by_side.columns import read_columns
from conformare_sink.messages.side_by_side.payloads import MOST_ITEMS

MILLENNIUM = 10**15
"""Microseconds."""


def values_of(avro_type: Any) -> st.SearchStrategy[Any]:
    """Values of a type of the contract."""
    if isinstance(avro_type, list):
        return st.one_of([values_of(branch) for branch in avro_type])
    if isinstance(avro_type, dict):
        kind = avro_type["type"]
        if kind == "array":
            return st.lists(values_of(avro_type["items"]), max_size=3)
        if kind == "map":
            return st.dictionaries(st.text(max_size=4), values_of(avro_type["values"]), max_size=3)
        if kind == "record":
            fields = avro_type["fields"]
            return st.fixed_dictionaries({f["name"]: values_of(f["type"]) for f in fields})
        # The library that writes them takes times for local ones, or for numbers where they are.
        return st.integers(-MILLENNIUM, 4 * MILLENNIUM)
    return {
        "null": st.none(),
        "string": st.text(max_size=6),
        "int": st.integers(-(2**31), 2**31 - 1),
        "boolean": st.booleans(),
    }[avro_type]


CONTENTS = {grain: values_of(message_schema(grain)) for grain in RUN_GRAINS}
SCHEMAS = {grain: parse_schema(message_schema(grain)) for grain in RUN_GRAINS}


def encoded(grain: str, content: Any) -> bytes:
    """A message of a grain."""
    payload = BytesIO()
    schemaless_writer(payload, SCHEMAS[grain], content)
    return message_header(grain) + payload.getvalue()


@st.composite
def some_values(draw: st.DrawFn, grain: str) -> bytes:
    """Messages of a grain, some of them damaged."""
    value = bytearray(encoded(grain, draw(CONTENTS[grain])))
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(10, len(value) - 1))
        value[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=12))
    return bytes(value)


def messages_with(grain: str, values: Sequence[bytes]) -> list[Message]:
    """Messages of these values, with the keys that they should have."""
    return [
        Message(key, value, topic_name(grain, ""), 0, offset, offset)
        for offset, value in enumerate(values)
        for key in (value[11 : 11 + value[10] // 2],)
    ]


def what_is_in(messages: Sequence[Message]) -> dict[int, Any]:
    """What the sink makes of each message, by offset."""
    decoded = decode.decode(messages, "")
    found: dict[int, Any] = {one.message.offset: one.cause for one in decoded.rejected}
    for envelope in decoded.envelopes:
        rows = decoded.rows[envelope.grain].slice(envelope.at, envelope.n_rows)
        fields = (envelope.run_id, envelope.pipeline, envelope.ts, envelope.emission_id)
        said = (*fields, envelope.first_row, envelope.row_counts)
        found[envelope.message.offset] = (said, rows.to_pylist(maps_as_pydicts="strict"))
    return found


def nothing_at_once(
    grain: str, values: Sequence[bytes], schema: pa.Schema
) -> tuple[avro_columns.MessageColumns, list[bool]]:
    """Leave everything to the general decoder."""
    return read_columns(grain, [], schema)[0], [True] * len(values)


@pytest.mark.parametrize("grain", RUN_GRAINS)
@given(data=st.data())
@settings(max_examples=60)
def test_both_ways_say_the_same_of_any_bytes(grain: str, data: st.DataObject) -> None:
    """Of good messages as of damaged ones, whatever lies beside them."""
    messages = messages_with(grain, data.draw(st.lists(some_values(grain), max_size=5)))
    at_once = what_is_in(messages)
    with patch.object(decode, "read_columns", nothing_at_once):
        assert what_is_in(messages) == at_once


@pytest.mark.parametrize("grain", RUN_GRAINS)
@given(data=st.data())
@settings(max_examples=20)
def test_what_our_producers_write_is_read_at_once(grain: str, data: st.DataObject) -> None:
    """Otherwise the tests above would compare the general decoder with itself."""
    content = data.draw(CONTENTS[grain])
    schema = pa.schema([])
    with patch.object(avro_columns._Reading, "columns", lambda *_: None):
        _, odd = read_columns(grain, [encoded(grain, content)], schema)
    assert odd == [False]


@pytest.mark.parametrize("n_rows", [MOST_ITEMS, MOST_ITEMS + 1])
def test_however_many_rows_a_message_has(n_rows: int) -> None:
    """Beside one that has few."""
    row = {"owner_id": "é" * 100, "kind": "", "contact": "c", "source": "s"}
    names = [f["name"] for f in message_schema("owners")["fields"][-1]["type"]["items"]["fields"]]
    rows = [dict(zip(names, row.values(), strict=True))] * n_rows
    envelope = {"run_id": "r", "pipeline": "p", "ts": 1, "emission_id": "e", "first_row": 0}
    values = [encoded("owners", {**envelope, "rows": many}) for many in (rows, rows[:1])]
    found = what_is_in(messages_with("owners", values))
    assert [len(of_message[1]) for _, of_message in sorted(found.items())] == [n_rows, 1]
    assert found[0][1] == rows

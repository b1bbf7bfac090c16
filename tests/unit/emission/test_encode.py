"""From a record to messages: nothing is lost, nothing is too large, the same bytes every time."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.messages.records import TS, Record, make_record

from conformare import RunEncodingError
from conformare.emission import Message, encode_emission
from conformare.emission._encode import oversize_cause
from conformare_schemas import (
    HEADER_BYTES,
    KEY_COLUMNS,
    MAX_ROWS_PER_MESSAGE,
    RUN_GRAINS,
    message_header,
    message_schema,
)

EMISSION_ID = "018f4f2e-0000-7000-8000-000000000002"


def decoded(message: Message) -> dict[str, Any]:
    """The message as another implementation of the contract would read it."""
    assert message.value[:HEADER_BYTES] == message_header(message.grain)
    schema = fastavro.parse_schema(message_schema(message.grain))
    read: Any = fastavro.schemaless_reader(io.BytesIO(message.value[HEADER_BYTES:]), schema, None)
    assert isinstance(read, dict)
    return read


def joined(messages: Sequence[Message], record: Record, grain: str) -> list[dict[str, Any]]:
    """The decoded messages of a grain, which together are its rows, in order, each once."""
    pieces = [decoded(message) for message in messages if message.grain == grain]
    rows: list[dict[str, Any]] = []
    for piece in pieces:
        assert piece["first_row"] == len(rows)
        rows.extend(piece["rows"])
    assert rows == [own_columns(row) for row in record[grain]]
    return pieces


def with_owners(n_rows: int) -> Record:
    """A record with many rows that take few bytes."""
    record = make_record("run-1", rows={"owners": 1})
    empty = dict.fromkeys(own_columns(record["owners"][0]), "")
    row = {**record["owners"][0], **empty}
    record["owners"] = [{**row, "owner": str(number)} for number in range(n_rows)]
    return record


def own_columns(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what the envelope says."""
    return {name: value for name, value in row.items() if name not in KEY_COLUMNS}


def test_the_messages_hold_the_record() -> None:
    """Every row of every grain, under the run's key; `runs` is last and counts them all."""
    record = make_record("run-1")
    messages = encode_emission(record, EMISSION_ID, max_message_bytes=1_000_000)
    assert [m.grain for m in messages] == [*(g for g in RUN_GRAINS if g != "runs"), "runs"]
    assert {m.key for m in messages} == {b"run-1"}
    for message in messages:
        content = decoded(message)
        assert content["rows"] == [own_columns(row) for row in record[message.grain]]
        assert content["emission_id"] == EMISSION_ID
        assert content["ts"].isoformat() == TS.replace("Z", "+00:00")
    assert decoded(messages[-1])["row_counts"] == {g: len(record[g]) for g in RUN_GRAINS}


def test_an_empty_grain_sends_nothing() -> None:
    """Nor is it counted."""
    (message,) = encode_emission(make_record("r", rows={}), EMISSION_ID, max_message_bytes=10_000)
    assert decoded(message)["row_counts"] == {"runs": 1}


@given(
    n_rows=st.integers(min_value=1, max_value=60),
    max_message_bytes=st.integers(min_value=2_500, max_value=20_000),
)
def test_a_grain_is_split_so_that_every_message_fits(n_rows: int, max_message_bytes: int) -> None:
    """The pieces join in order, without a gap or an overlap."""
    record = make_record("run-1", rows={"risks": n_rows})
    messages = encode_emission(record, EMISSION_ID, max_message_bytes=max_message_bytes)
    joined(messages, record, "risks")
    assert all(len(m.key) + len(m.value) <= max_message_bytes for m in messages)


@pytest.mark.parametrize(
    ("n_rows", "rows_of_messages"),
    [(10_000, [10_000]), (10_001, [10_000, 1]), (20_001, [10_000, 10_000, 1])],
)
def test_no_message_has_more_rows_than_the_contract_allows(
    n_rows: int, rows_of_messages: list[int]
) -> None:
    """Although all of them would fit into its bytes."""
    record = with_owners(n_rows)
    messages = encode_emission(record, EMISSION_ID, max_message_bytes=1_000_000)
    pieces = joined(messages, record, "owners")
    assert [len(piece["rows"]) for piece in pieces] == rows_of_messages
    assert decoded(messages[-1])["row_counts"] == {"runs": 1, "owners": n_rows}


@settings(max_examples=15)
@given(
    n_rows=st.integers(min_value=9_990, max_value=30_010),
    max_message_bytes=st.integers(min_value=2_500, max_value=1_000_000),
)
def test_rows_and_bytes_are_bounded_together(n_rows: int, max_message_bytes: int) -> None:
    """Whichever bound is met first, the pieces join and keep within both."""
    record = with_owners(n_rows)
    messages = encode_emission(record, EMISSION_ID, max_message_bytes=max_message_bytes)
    pieces = joined(messages, record, "owners")
    assert all(len(piece["rows"]) <= MAX_ROWS_PER_MESSAGE for piece in pieces)
    assert all(len(m.key) + len(m.value) <= max_message_bytes for m in messages)


def test_a_row_beyond_the_limit_is_told_without_quoting_it() -> None:
    """Cutting a row would change it; the message stays as it is, for whoever raises the limit."""
    record = make_record("run-1", rows={"owners": 2})
    record["owners"][1]["owner"] = "secret" * 1_000
    messages = encode_emission(record, EMISSION_ID, max_message_bytes=3_000)
    cause = oversize_cause(messages, max_message_bytes=3_000)
    assert cause is not None
    assert "'owners'" in cause
    assert "secret" not in cause
    assert oversize_cause(messages, max_message_bytes=10_000) is None
    rows = [row for m in messages if m.grain == "owners" for row in decoded(m)["rows"]]
    assert rows == [own_columns(row) for row in record["owners"]]


def test_a_value_of_another_type_is_refused_without_quoting_it() -> None:
    """The error names the grain."""
    record = make_record("run-1")
    record["runs"][0]["n_nodes"] = "secret"
    with pytest.raises(RunEncodingError, match="'runs'") as caught:
        encode_emission(record, EMISSION_ID, max_message_bytes=1_000_000)
    assert "secret" not in str(caught.value)


def test_the_bytes_are_the_same_in_every_process() -> None:
    """Whatever the seed of Python's hashes."""
    record = make_record("run-1")
    here = encode_emission(record, EMISSION_ID, max_message_bytes=5_000)
    program = (
        "import json, sys\n"
        "from conformare.emission import encode_emission\n"
        "record = json.load(sys.stdin)\n"
        f"ms = encode_emission(record, {EMISSION_ID!r}, max_message_bytes=5_000)\n"
        "print(json.dumps([m.value.hex() for m in ms]))\n"
    )
    for seed in ("1", "2"):
        there = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(record),
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(there.stdout) == [m.value.hex() for m in here]

"""What a job may send is what the sink lands: both sides have their bounds from the contract."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.messages.records import make_record

from conformare._errors import RunEncodingError
from conformare.emission import KafkaOptions, encode_emission
from conformare.record._arguments import MOST_CHARACTERS
from conformare_schemas import (
    EARLIEST_TS,
    EARLIEST_TS_MICROS,
    LARGEST_MESSAGE_BYTES,
    LATEST_TS,
    LATEST_TS_MICROS,
    MOST_ROWS_PER_EMISSION,
    micros,
)
from conformare_sink.messages.envelope import LONGEST_IDENTITY, MOST_ROWS_OF_EMISSION
from conformare_sink.messages.message import LARGEST_MESSAGE, LONGEST_KEY

EMISSION_ID = "0198c0de-0000-7000-8000-000000000000"
BYTES_OF_A_CHARACTER = 4


def test_the_bounds_of_both_sides_are_the_same() -> None:
    """A message that the sink does not read would be lost to its tables."""
    assert LARGEST_MESSAGE == LARGEST_MESSAGE_BYTES
    assert MOST_ROWS_OF_EMISSION == MOST_ROWS_PER_EMISSION
    longest = MOST_CHARACTERS * BYTES_OF_A_CHARACTER
    assert longest <= LONGEST_KEY
    assert 2 * longest + len(EMISSION_ID) <= LONGEST_IDENTITY


def test_a_message_is_not_larger_than_the_sink_reads() -> None:
    """Whatever the topics take."""
    options = {"bootstrap_servers": "b:1", "max_message_bytes": LARGEST_MESSAGE_BYTES}
    assert KafkaOptions.model_validate(options).max_message_bytes == LARGEST_MESSAGE_BYTES
    with pytest.raises(ValueError, match="less than or equal to 16777216"):
        KafkaOptions.model_validate({**options, "max_message_bytes": LARGEST_MESSAGE_BYTES + 1})


def test_a_record_of_more_rows_than_land_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job is told, not the sink's operator."""
    record = make_record("run-1", rows={"risks": 6, "owners": 3})
    n_rows = sum(map(len, record.values()))
    bound = "conformare.emission._encode.MOST_ROWS_PER_EMISSION"
    monkeypatch.setattr(bound, n_rows)
    assert encode_emission(record, EMISSION_ID, max_message_bytes=10_000)
    monkeypatch.setattr(bound, n_rows - 1)
    with pytest.raises(RunEncodingError, match=f"a record of {n_rows} rows does not fit"):
        encode_emission(record, EMISSION_ID, max_message_bytes=10_000)


def test_a_time_is_counted_in_microseconds() -> None:
    """To the last one, before 1970 as well."""
    assert (micros(EARLIEST_TS), micros(LATEST_TS)) == (EARLIEST_TS_MICROS, LATEST_TS_MICROS)
    assert LATEST_TS_MICROS == 253_402_300_799_999_999
    assert micros(EARLIEST_TS + timedelta(microseconds=1)) == EARLIEST_TS_MICROS + 1

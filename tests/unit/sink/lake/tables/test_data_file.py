"""What Delta's log says of a file: never less than there is."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pytest

from conformare_sink.lake.tables.data_file import LONGEST_STATISTIC, statistics

LAST = datetime.max.replace(tzinfo=timezone.utc)


def largest(value: object, kind: pa.DataType) -> object:
    """The largest value of a column that has only one."""
    table = pa.table({"column": pa.array([value], kind)})
    return json.loads(statistics(table, ("column",)))["maxValues"].get("column")


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 6000, timezone.utc), "2026-01-02T03:04:05.006Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 6001, timezone.utc), "2026-01-02T03:04:05.007Z"),
        (LAST - timedelta(microseconds=999), "9999-12-31T23:59:59.999Z"),
        (LAST, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_times_are_told_to_the_next_millisecond_if_there_is_one(
    moment: datetime, told: str
) -> None:
    """One that has none after it is told as it is."""
    assert largest(moment, pa.timestamp("us", "UTC")) == told


def test_a_time_that_no_calendar_has_is_told_as_the_first() -> None:
    """Kafka lets a producer say any."""
    table = pa.table({"column": pa.array([-(2**62), None], pa.timestamp("us", "UTC"))})
    told = json.loads(statistics(table, ("column",)))
    assert told["minValues"] == told["maxValues"] == {"column": "0001-01-01T00:00:00.000Z"}


def test_a_long_text_is_cut_and_stays_the_largest() -> None:
    """By one character that comes after all others."""
    text = "x" * (LONGEST_STATISTIC + 1)
    told = largest(text, pa.string())
    assert isinstance(told, str)
    assert told > text
    assert len(told) == LONGEST_STATISTIC + 1


def test_a_long_text_that_goes_on_with_the_last_letter_is_not_cut() -> None:
    """No letter comes after it."""
    text = "x" * LONGEST_STATISTIC + "\U0010ffff" + "y"
    assert largest(text, pa.string()) == text

"""When a run may have taken place: what jobs accept is what the sink lands."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Return a time with an offset as a message has it: microseconds since 1970, UTC."""
    return (moment - _EPOCH) // _MICROSECOND


EARLIEST_TS = datetime(1900, 1, 1, tzinfo=timezone.utc)
"""Spark 3 reads no earlier time from a file that it has not written: one such run would keep all
others from being read."""

LATEST_TS = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone.utc)
"""The last time that all readers can hold."""

EARLIEST_TS_MICROS, LATEST_TS_MICROS = micros(EARLIEST_TS), micros(LATEST_TS)

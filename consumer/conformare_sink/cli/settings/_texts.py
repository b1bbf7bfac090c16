"""Times, intervals and offsets, as somebody types them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

from pydantic import BeforeValidator

from conformare_schemas.settings import About

OFF = "off"
LONGEST_INTERVAL = timedelta(days=366)
ONE_CALL = About(of_one_call=True)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class OffsetOf:
    """An offset of one partition."""

    topic: str
    partition: int
    offset: int


def utc(text: Any) -> Any:
    """Parse an ISO 8601 time from 1970 on; one without an offset is UTC."""
    try:
        moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(
            timezone.utc
        )
    except (ValueError, OverflowError) as exc:
        raise ValueError(f"{text!r} is not an ISO 8601 time") from exc
    if moment < _EPOCH:  # to Kafka, some of these mean the end of a log
        raise ValueError(f"{text!r} is before 1970")
    return moment


def interval(text: str) -> str:
    """Return an interval as Spark takes it, checked before Spark is started."""
    if not re.fullmatch(r"[0-9]{1,9} (millisecond|second|minute|hour|day)s?", text):
        raise ValueError(f"{text!r} is not an interval such as '2 seconds'")
    if duration(text) > LONGEST_INTERVAL:
        raise ValueError(f"{text!r} is longer than {LONGEST_INTERVAL.days} days")
    return text


def duration(text: str) -> timedelta:
    number, unit = text.split()
    return timedelta(**{f"{unit.rstrip('s')}s": int(number)})


def interval_or_off(text: str) -> str:
    return text if text == OFF else interval(text)


def _offset_of(text: Any) -> Any:
    """Parse an offset of a partition."""
    found = re.fullmatch(r"(.+):([0-9]{1,9}):([0-9]{1,18})", str(text))
    if found is None:
        raise ValueError(f"{text!r} is not an offset such as 'conformare.runs:0:1500'")
    return OffsetOf(found[1], int(found[2]), int(found[3]))


Moment = Annotated[datetime | None, About(of_one_call=True, metavar="ISO"), BeforeValidator(utc)]


Offsets = Annotated[
    tuple[Annotated[OffsetOf, BeforeValidator(_offset_of)], ...],
    About(of_one_call=True, metavar="TOPIC:PARTITION:OFFSET"),
]


DryRun = Annotated[bool, ONE_CALL]

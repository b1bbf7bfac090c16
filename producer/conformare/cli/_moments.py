"""Times, spans of time and tags, as somebody types them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

from conformare.fleet.questions import end_of

_SPAN = re.compile(r"(\d{1,9})\s*(s|min|m|h|d|w)", re.ASCII)
_UNITS = {"s": "seconds", "min": "minutes", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str) -> datetime:
    """Parse an ISO 8601 time; one without an offset is UTC."""
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        in_utc = found if found.tzinfo else found.replace(tzinfo=timezone.utc)
        return in_utc.astimezone(timezone.utc)
    except (ValueError, OverflowError) as exc:
        raise ValueError(f"{text!r} is not a time such as 2026-11-28T06:00Z") from exc


def last_moment(text: str) -> datetime:
    """Parse an ISO 8601 time; a date alone is the end of its day."""
    return end_of(moment(text), text)


def moment_or_age(text: str) -> datetime:
    """Parse an ISO 8601 time, or a span such as 7d, which is counted back from now."""
    if _SPAN.fullmatch(text.strip()) is None:
        try:
            return moment(text)
        except ValueError as exc:
            raise ValueError(
                f"{text!r} is neither a time such as 2026-11-28T06:00Z nor a span such as 7d"
            ) from exc
    try:
        return datetime.now(timezone.utc) - length(text)
    except OverflowError as exc:
        raise ValueError(f"{text!r} is too long ago") from exc


def length(text: Any) -> timedelta:
    """Parse a span such as 26h, 90min or 7d."""
    if not isinstance(text, str):
        raise ValueError("it is not text such as 26h")  # noqa: TRY004 - pydantic's kind
    found = _SPAN.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise ValueError(f"{text!r} is not a span such as 26h: a number and one of s, min, h, d, w")
    try:
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError as exc:
        raise ValueError(f"{text!r} is too long") from exc


def tags_of(texts: Iterable[str]) -> dict[str, str]:
    """Parse tags such as team=billing."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ValueError(f"--tag {text!r} is not of the form name=value")
        if found.setdefault(name, value) != value:
            raise ValueError(f"--tag {name}: a run has one value of each tag")
    return found

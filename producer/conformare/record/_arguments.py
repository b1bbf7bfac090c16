"""The arguments that name a run: checked once, in the form in which the record holds them."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timezone
from typing import Any

from conformare._identity import new_run_id
from conformare._quoted import quoted
from conformare_schemas import EARLIEST_TS, LATEST_TS

MOST_CHARACTERS = 255
"""Of a run_id and of a pipeline: both are in every row of a run."""
_YEARS = f"{EARLIEST_TS.year} to {LATEST_TS.year}"
_CONTROL_OR_SURROGATE = ("Cc", "Cs")


def validated_pipeline(pipeline: object) -> str:
    """Return the name of a pipeline as text.

    Args:
        pipeline: The name; anything but a string is converted.

    Raises:
        ValueError: It is None, empty or blank, holds what no text can carry, or is too long.
    """
    name = "" if pipeline is None else str(pipeline)
    if not name.strip():
        raise ValueError("pipeline must be a name: it is what the runs are grouped by over time")
    _require_identity("pipeline", name)
    return name


def validated_run_id(run_id: object = None) -> str:
    """Return the identity of a run, a new one when none is given.

    Args:
        run_id: A string or an integer; None, "" and 0 ask for a new UUIDv7.

    Raises:
        ValueError: It is of another type, holds what no text can carry, or is too long.
    """
    if not run_id:
        return new_run_id()
    if isinstance(run_id, bool) or not isinstance(run_id, (str, int)):
        kind = type(run_id).__name__
        raise ValueError(f"run_id must be a string or an integer, not {kind}")  # noqa: TRY004 - one kind of error for every unfit run_id
    text = str(run_id)
    _require_identity("run_id", text)
    return text


def _require_identity(what: str, text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        raise ValueError(
            f"{what} has {len(text)} characters; {MOST_CHARACTERS} is the most it may have"
        )
    if any(unicodedata.category(character) in _CONTROL_OR_SURROGATE for character in text):
        raise ValueError(f"{what} must not contain control characters, nor half of a character")


def validated_tags(tags: Any) -> dict[str, Any]:
    """Return the tags of a run by their names.

    Args:
        tags: A mapping, or pairs of a name and a value; None for none.

    Raises:
        ValueError: It is neither.
    """
    try:
        return {str(name): value for name, value in dict(tags or {}).items()}
    except (TypeError, ValueError) as error:
        kind = type(tags).__name__  # and no more of it: the value of a tag may be a secret
        raise ValueError(
            f"tags must be a mapping, or pairs of a name and a value; this {kind} is neither"
        ) from error


def utc_ts(ts: datetime | str | None = None) -> str:
    """Return a time as the record writes it: ISO 8601, UTC, microseconds, `Z`.

    Args:
        ts: A datetime or an ISO 8601 string, in UTC where it names no offset; None and "" stand
            for now.

    Raises:
        ValueError: It is not a time, or not one of the years 1900 to 9999 in UTC.
    """
    if not ts:
        moment = datetime.now(timezone.utc)
    elif isinstance(ts, datetime):
        moment = ts
    else:
        moment = parsed_ts(ts)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    try:
        moment = moment.astimezone(timezone.utc)
    except OverflowError as error:
        raise ValueError(f"ts is out of range in UTC: {quoted(ts)}") from error
    if not EARLIEST_TS <= moment <= LATEST_TS:
        raise ValueError(f"ts must be in the years {_YEARS} in UTC, not {quoted(ts)}")
    return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def parsed_ts(ts: object) -> datetime:
    """Return a time that was written as `utc_ts` or otherwise in ISO 8601.

    Args:
        ts: The text; without an offset it gives a datetime without one.

    Raises:
        ValueError: It is not a time.
    """
    text = str(ts).strip()
    if text[-1:] in ("Z", "z"):  # Python 3.10 does not read the Z of ISO 8601
        text = f"{text[:-1]}+00:00"
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            f"ts must be a datetime or an ISO 8601 string, not {quoted(ts)}"
        ) from error

"""The one way in which answers become JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from conformare.cli.fleet._output import write


def as_json(value: Any) -> Any:
    """Return an answer as JSON has it: times in ISO 8601 with Z, spans in seconds.

    A span's name ends in `_seconds`.

    Args:
        value: A dataclass of the questions, a row, or several of them.
    """
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    elif hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {_named(str(name), one): as_json(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_json(one) for one in value]
    if isinstance(value, datetime):
        in_utc = value.astimezone(timezone.utc).replace(tzinfo=None)
        return f"{in_utc.isoformat(timespec='microseconds')}Z"
    return value.total_seconds() if isinstance(value, timedelta) else value


def show_json(value: Any) -> None:
    """Print an answer for programs: one line of JSON, names as they are."""
    write(f"{json.dumps(as_json(value))}\n")


def _named(name: str, value: Any) -> str:
    return f"{name}_seconds" if isinstance(value, timedelta) else name

"""The options that several commands have; each can be set in the environment too."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated

import typer

from conformare.cli._printable import printable
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
        raise typer.BadParameter(
            printable(f"{text!r} is not a time such as 2026-11-28T06:00Z")
        ) from exc


def last_moment(text: str) -> datetime:
    """Parse an ISO 8601 time; a date alone is the end of its day."""
    return end_of(moment(text), text)


def moment_or_age(text: str) -> datetime:
    """Parse an ISO 8601 time, or a span such as 7d, which is counted back from now."""
    if _SPAN.fullmatch(text.strip()) is None:
        try:
            return moment(text)
        except typer.BadParameter as exc:
            raise typer.BadParameter(
                printable(
                    f"{text!r} is neither a time such as 2026-11-28T06:00Z nor a span such as 7d"
                )
            ) from exc
    try:
        return datetime.now(timezone.utc) - length(text)
    except OverflowError as exc:
        raise typer.BadParameter(printable(f"{text!r} is too long ago")) from exc


def length(text: str) -> timedelta:
    """Parse a span such as 26h, 90min or 7d."""
    found = _SPAN.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise typer.BadParameter(
            printable(f"{text!r} is no span such as 26h: a number and one of s, min, h, d, w")
        )
    try:
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError as exc:
        raise typer.BadParameter(printable(f"{text!r} is too long")) from exc


def tags_of(texts: Iterable[str]) -> dict[str, str]:
    """Parse tags such as team=billing."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise typer.BadParameter(printable(f"--tag {text!r} is not of the form name=value"))
        if found.setdefault(name, value) != value:
            raise typer.BadParameter(printable(f"--tag {name}: a run has one value of each tag"))
    return found


def require_texts(options: dict[str, object]) -> None:
    """Refuse texts that are empty: a script's variable that is not set must not mean everything."""
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        for given in value if isinstance(value, list) else [value]:
            text = "" if given == Path() else given
            if not isinstance(text, str):
                continue
            if not text and name != "table_prefix":
                raise typer.BadParameter(f"{option} is empty")
            if any(unicodedata.category(sign) == "Cs" for sign in text):
                raise typer.BadParameter(f"{option} is not in this locale's encoding: {text!r}")


Lake = Annotated[
    str,
    typer.Option(
        "--lake",
        envvar="CONFORMARE_LAKE",
        help="The runs: folder or URL of a lake, location of a catalog's tables, or folder of the "
        "json or parquet writer.",
    ),
]
StorageOptions = Annotated[
    Path | None,
    typer.Option(
        "--storage-options",
        envvar="CONFORMARE_STORAGE_OPTIONS",
        metavar="FILE",
        help="File with credentials and settings of the lake's store: lines such as "
        "AWS_ACCESS_KEY_ID=…, by the store's own names.",
        show_default="those of the environment",
    ),
]
TablePrefix = Annotated[
    str,
    typer.Option(
        "--table-prefix",
        envvar="CONFORMARE_TABLE_PREFIX",
        help="What the tables' folders begin with, at the location of a catalog's tables.",
    ),
]
Pipeline = Annotated[
    str | None,
    typer.Option("--pipeline", envvar="CONFORMARE_PIPELINE", help="Only this pipeline."),
]
Env = Annotated[
    str | None, typer.Option("--env", envvar="CONFORMARE_ENV", help="Only this environment.")
]
Owner = Annotated[
    str | None,
    typer.Option(
        "--owner",
        envvar="CONFORMARE_OWNER",
        help="Only pipelines in whose newest run this owner owns something.",
    ),
]
Tag = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="NAME=VALUE",
        help="Only pipelines whose newest run has this tag; may be given repeatedly.",
    ),
]
Since = Annotated[
    datetime | None,
    typer.Option(
        "--since",
        envvar="CONFORMARE_SINCE",
        parser=moment_or_age,
        metavar="TIME|SPAN",
        help="Only pipelines whose newest run is not older: an ISO 8601 time, or a span such as 7d.",
    ),
]
MaxAge = Annotated[
    timedelta | None,
    typer.Option(
        "--max-age",
        envvar="CONFORMARE_MAX_AGE",
        parser=length,
        metavar="SPAN",
        help="A newest run that is older, such as 26h, is stale, whatever the pipeline's rhythm.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", envvar="CONFORMARE_JSON", help="Print JSON.")]
